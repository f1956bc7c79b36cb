//! Variables and functions of a script, by scope.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{ast::Block, value::Value};

#[derive(Clone, Debug)]
struct Variable {
    /// Name in its first spelling.
    name: String,
    value: Value,
    size: usize,
}

/// Scope that is not in use at the moment.
#[derive(Debug, Default)]
pub(crate) struct Detached(HashMap<String, Variable>);

/// Variables and functions. The first scope is that of the script, and stays from line to line at a prompt.
#[derive(Clone, Debug)]
pub(crate) struct Scopes {
    stack: Vec<HashMap<String, Variable>>,
    functions: HashMap<String, (String, Arc<Block>)>,
    /// Names of variables that some line sets, in lower case.
    declared: HashSet<String>,
    /// Bytes of all variables, approximately.
    size: usize,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { stack: vec![HashMap::new()], functions: HashMap::new(), declared: HashSet::new(), size: 0 }
    }
}

impl Scopes {
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn depth(&self) -> usize {
        self.stack.len()
    }

    pub(crate) fn open(&mut self) {
        self.stack.push(HashMap::new());
    }

    /// Uses a scope again.
    pub(crate) fn enter(&mut self, scope: Detached) {
        self.size += size_of_scope(&scope.0);
        self.stack.push(scope.0);
    }

    /// Takes the innermost scope out of use, to enter it again later.
    pub(crate) fn leave(&mut self) -> Detached {
        let scope = if self.stack.len() > 1 { self.stack.pop().unwrap_or_default() } else { HashMap::new() };
        self.size -= size_of_scope(&scope);
        Detached(scope)
    }

    /// Takes all scopes above this depth out of use.
    pub(crate) fn leave_to(&mut self, depth: usize) -> Vec<Detached> {
        let mut left = Vec::new();
        while self.stack.len() > depth.max(1) {
            left.push(self.leave());
        }
        left
    }

    pub(crate) fn enter_all(&mut self, mut left: Vec<Detached>) {
        while let Some(scope) = left.pop() {
            self.enter(scope);
        }
    }

    /// Closes scopes until this many are left.
    pub(crate) fn close_to(&mut self, depth: usize) {
        while self.stack.len() > depth.max(1) {
            let closed = self.stack.pop().unwrap_or_default();
            self.size -= size_of_scope(&closed);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let name = name.to_lowercase();
        self.stack.iter().rev().find_map(|scope| scope.get(&name)).map(|variable| &variable.value)
    }

    pub(crate) fn get_outermost(&self, name: &str) -> Option<&Value> {
        self.stack.first()?.get(&name.to_lowercase()).map(|variable| &variable.value)
    }

    /// Sets a variable in the innermost or the outermost scope. `size` is that of the value.
    pub(crate) fn set(&mut self, name: &str, value: Value, size: usize, outermost: bool) {
        let scope = if outermost { self.stack.first_mut() } else { self.stack.last_mut() };
        let Some(scope) = scope else { return };
        let key = name.to_lowercase();
        let spelled = scope.get(&key).map_or_else(|| name.to_owned(), |variable| variable.name.clone());
        let old = scope.insert(key, Variable { name: spelled, value, size });
        self.size = self.size + size - old.map_or(0, |variable| variable.size);
    }

    /// Appends to a list in the innermost scope. Returns the value if there is no such list.
    pub(crate) fn append(&mut self, name: &str, value: Value, size: usize) -> Option<Value> {
        let variable = self.stack.last_mut()?.get_mut(&name.to_lowercase());
        let Some(Variable { value: Value::List(values), size: held, .. }) = variable else {
            return Some(value);
        };
        match value {
            Value::List(more) => values.extend(more),
            one => values.push(one),
        }
        *held += size;
        self.size += size;
        None
    }

    /// Returns a value with its size.
    pub(crate) fn sized(&self, name: &str) -> Option<(&Value, usize)> {
        let name = name.to_lowercase();
        let variable = self.stack.iter().rev().find_map(|scope| scope.get(&name))?;
        Some((&variable.value, variable.size))
    }

    /// Takes the value of a variable of the innermost scope that has it, to change it in place with [`Scopes::put_back`].
    ///
    /// Returns its size too.
    pub(crate) fn take(&mut self, name: &str) -> Option<(Value, usize)> {
        let key = name.to_lowercase();
        let variable = self.stack.iter_mut().rev().find_map(|scope| scope.get_mut(&key))?;
        Some((std::mem::take(&mut variable.value), variable.size))
    }

    pub(crate) fn put_back(&mut self, name: &str, value: Value, size: usize) {
        let key = name.to_lowercase();
        let variable = self.stack.iter_mut().rev().find_map(|scope| scope.get_mut(&key));
        if let Some(variable) = variable {
            self.size = self.size + size - variable.size;
            variable.value = value;
            variable.size = size;
        }
    }

    /// Notes that some line of a script sets a variable.
    pub(crate) fn declare(&mut self, name: &str) {
        self.declared.insert(name.to_lowercase());
    }

    pub(crate) fn is_declared(&self, name: &str) -> bool {
        self.declared.contains(&name.to_lowercase()) || self.get(name).is_some()
    }

    /// Notes all that another script declares.
    pub(crate) fn declare_all(&mut self, other: &Self) {
        self.declared.extend(other.declared.iter().cloned());
    }

    /// Names that some line of a script sets, in lower case.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(String::as_str)
    }

    /// Names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.stack.iter().flat_map(|scope| scope.values().map(|variable| variable.name.as_str()))
    }

    pub(crate) fn function(&self, name: &str) -> Option<Arc<Block>> {
        self.functions.get(&name.to_lowercase()).map(|(_, block)| block.clone())
    }

    pub(crate) fn define(&mut self, name: &str, block: Arc<Block>) {
        self.functions.insert(name.to_lowercase(), (name.to_owned(), block));
    }

    /// Names of all functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.values().map(|(name, _)| name.as_str())
    }
}

fn size_of_scope(scope: &HashMap<String, Variable>) -> usize {
    scope.values().map(|variable| variable.size).sum()
}
