//! Values of the language.

use std::{any::Any, collections::HashMap, fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailhaul_mail::Secret;
use serde_json::Number;

/// Maximum depth of nested values. Formatting and dropping them is recursive.
const MAX_DEPTH: usize = 64;
/// Approximate maximum size of a value, in bytes. Stops scripts that double a list again and again.
pub(crate) const MAX_SIZE: usize = 96 << 20;
/// Properties that are searched one by one. A table with more of them has an index.
const MAX_SEARCHED: usize = 32;

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `$null`.
    #[default]
    Null,
    /// `$true`, `$false`.
    Bool(bool),
    Number(Number),
    /// Text. Dates are RFC 3339 text, time spans `d.hh:mm:ss`.
    Text(String),
    /// Bytes, for example of a file.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Object(Object),
    /// User name and password. The password is never shown.
    Credential {
        user: String,
        password: Secret,
    },
    /// Secret text, like PowerShell's `SecureString`. It is never shown.
    Secret(Secret),
    /// `{ statements }`, to run later.
    Block(ScriptBlock),
}

/// Statements as a value. Only the evaluator reads its content.
#[derive(Clone)]
pub struct ScriptBlock {
    content: Arc<dyn Any + Send + Sync>,
    text: Arc<str>,
}

impl ScriptBlock {
    pub(crate) fn new(content: Arc<dyn Any + Send + Sync>, text: impl Into<Arc<str>>) -> Self {
        Self { content, text: text.into() }
    }

    pub(crate) fn content<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.content.clone().downcast().ok()
    }

    /// Text between the braces.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ScriptBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.text)
    }
}

impl PartialEq for ScriptBlock {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.content, &other.content)
    }
}

/// Origin of an object, which decides how it is shown and counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Form {
    /// `[pscustomobject]`, and the result of a cmdlet of the language.
    #[default]
    Plain,
    /// `@{ a = 1 }`.
    Table,
    /// Result of a command, with its default columns.
    Viewed(Arc<[String]>),
    /// Text for the screen, from a Format cmdlet.
    Screen,
    /// Error, as in `$_` of a catch block and in `$Error`.
    Error,
    /// `[System.Diagnostics.Stopwatch]`
    Stopwatch,
}

/// Properties in order. Names are compared without regard to case, as everywhere in the language.
#[derive(Clone, Debug, Default)]
pub struct Object {
    properties: Vec<(String, Value)>,
    /// Positions by name in lower case. Missing while there are few properties, and after one was removed.
    #[expect(clippy::box_collection, reason = "values are copied a lot, and few objects have an index")]
    index: Option<Box<HashMap<String, usize>>>,
    form: Form,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.properties == other.properties
    }
}

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn form(&self) -> &Form {
        &self.form
    }

    #[must_use]
    pub(crate) fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Removes a property. Returns its value.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.position(name)?;
        self.index = None;
        Some(self.properties.remove(position).1)
    }

    pub(crate) fn clear(&mut self) {
        self.properties.clear();
        self.index = None;
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let position = self.position(name)?;
        self.properties.get_mut(position).map(|(_, value)| value)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties.get(self.position(name)?).map(|(_, value)| value)
    }

    /// Sets a property. An existing one keeps its position; a new one is the last.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.replace(name, value);
    }

    /// Sets a property. Returns its old value.
    pub(crate) fn replace(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(slot) = self.get_mut(&name) {
            return Some(std::mem::replace(slot, value));
        }
        if let Some(index) = &mut self.index {
            index.insert(name.to_lowercase(), self.properties.len());
        }
        self.properties.push((name, value));
        self.make_index();
        None
    }

    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&name.to_lowercase()).copied(),
            None => self.properties.iter().position(|(known, _)| same_name(known, name)),
        }
    }

    /// Makes the index if it is worth it. Of two equal names, the first is found.
    fn make_index(&mut self) {
        if self.index.is_some() || self.properties.len() <= MAX_SEARCHED {
            return;
        }
        let names = self.properties.iter().enumerate().rev();
        let index = names.map(|(position, (name, _))| (name.to_lowercase(), position)).collect();
        self.index = Some(Box::new(index));
    }

    /// Returns the properties in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.properties.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.properties.len()
    }

    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Object {
    /// The names must be different. This is not checked.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(properties: I) -> Self {
        let properties = properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut object = Self { properties, index: None, form: Form::Plain };
        object.make_index();
        object
    }
}

/// True if two names are equal in the language.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase())
}

impl Value {
    /// True if the value counts as true, by PowerShell's rules.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(is) => *is,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::Text(text) => !text.is_empty(),
            Self::Bytes(octets) => !octets.is_empty(),
            Self::List(values) => match values.as_slice() {
                [] => false,
                [one] => one.is_true(),
                _ => true,
            },
            Self::Object(_) | Self::Credential { .. } | Self::Secret(_) | Self::Block(_) => true,
        }
    }

    /// Returns the values for a pipe: the elements of a list, and nothing for `$null`.
    pub(crate) fn into_stream(self) -> Vec<Self> {
        match self {
            Self::Null => Vec::new(),
            Self::List(values) => values,
            one => vec![one],
        }
    }

    /// The opposite of [`Value::into_stream`].
    pub(crate) fn from_stream(mut values: Vec<Self>) -> Self {
        match values.len() {
            0 => Self::Null,
            1 => values.remove(0),
            _ => Self::List(values),
        }
    }

    /// Returns the approximate size in bytes; `None` if size or depth are beyond the limits.
    pub(crate) fn size(&self) -> Option<usize> {
        self.size_at(0)
    }

    /// Returns the approximate size of a value that is this deep inside another one.
    pub(crate) fn size_at(&self, depth: usize) -> Option<usize> {
        let mut budget = MAX_SIZE;
        let fits = self.fits(MAX_DEPTH.checked_sub(depth)?, &mut budget);
        if fits { Some(MAX_SIZE - budget) } else { None }
    }

    fn fits(&self, depth: usize, budget: &mut usize) -> bool {
        let own = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(octets) => octets.len(),
            _ => 0,
        };
        let Some(left) = budget.checked_sub(own + 64) else { return false };
        *budget = left;
        match self {
            Self::List(values) => depth > 0 && values.iter().all(|value| value.fits(depth - 1, budget)),
            Self::Object(object) => {
                depth > 0
                    && object.iter().all(|(name, value)| {
                        let Some(left) = budget.checked_sub(name.len()) else { return false };
                        *budget = left;
                        value.fits(depth - 1, budget)
                    })
            }
            _ => true,
        }
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(is) => Self::Bool(is),
            serde_json::Value::Number(number) => Self::Number(number),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(map) => Self::Object(map.into_iter().collect()),
        }
    }
}

impl From<&Value> for serde_json::Value {
    /// Bytes become base64. A credential is reduced to the user name, and a secret to an empty object.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(*is),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Text(text) => Self::String(text.clone()),
            Value::Bytes(octets) => Self::String(BASE64_STANDARD.encode(octets)),
            Value::List(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Object(object) => {
                Self::Object(object.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
            }
            Value::Credential { user, .. } => {
                Self::Object([("UserName".to_owned(), Self::String(user.clone()))].into_iter().collect())
            }
            Value::Secret(_) => Self::Object(serde_json::Map::new()),
            Value::Block(block) => Self::String(block.text().to_owned()),
        }
    }
}

impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_keeps_the_order_of_properties() {
        let text = r#"{"zebra":1,"apple":[true,null,"x",1.5],"Mango":{"b":1,"a":2}}"#;
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let value = Value::from(json);
        assert_eq!(serde_json::Value::from(&value).to_string(), text);
    }

    #[test]
    fn octets_become_base64_and_passwords_nothing() {
        assert_eq!(serde_json::Value::from(Value::Bytes(b"a,b".to_vec())), json!("YSxi"));
        let credential = Value::Credential { user: "ann".into(), password: Secret::new("hunter2") };
        assert_eq!(serde_json::Value::from(&credential), json!({ "UserName": "ann" }));
        let secret = Value::Secret(Secret::new("hunter2"));
        assert_eq!(serde_json::Value::from(&secret), json!({}));
        assert!(!format!("{credential:?} {secret:?}").contains("hunter2"));
    }

    #[test]
    fn names_are_found_in_any_case_and_keep_their_place() {
        let mut object = Object::from_iter([("One", 1_u64), ("Two", 2)]);
        object.insert("ONE", 3_u64);
        object.insert("Three", Value::Null);
        assert_eq!(object.get("one"), Some(&Value::from(3_u64)));
        assert_eq!(object.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["One", "Two", "Three"]);
        assert_eq!(object.get("four"), None);
    }

    #[test]
    fn a_table_with_many_names_finds_each() {
        let mut table = Object::new();
        for round in 0..2 {
            for number in 0..100_u64 {
                table.insert(format!("Name{number}"), number + round);
            }
        }
        assert_eq!(table.len(), 100);
        assert_eq!(table.get("NAME70"), Some(&Value::from(71_u64)));
        assert_eq!(table.remove("name3"), Some(Value::from(4_u64)));
        assert_eq!((table.get("name3"), table.get("name70")), (None, Some(&Value::from(71_u64))));
        table.insert("last", 1_u64);
        assert_eq!((table.get("name70"), table.len()), (Some(&Value::from(71_u64)), 100));
        assert_eq!(table.iter().last().map(|(name, _)| name), Some("last"));
    }

    #[test]
    fn conditions_hold_as_in_powershell() {
        let list = |values: &[u64]| Value::List(values.iter().copied().map(Value::from).collect());
        for (value, is_true) in [
            (Value::Null, false),
            (Value::from(0_u64), false),
            (Value::from(2_u64), true),
            (Value::from(""), false),
            (Value::from("False"), true),
            (list(&[]), false),
            (list(&[0]), false),
            (list(&[0, 0]), true),
            (Value::from(Object::new()), true),
        ] {
            assert_eq!(value.is_true(), is_true, "{value:?}");
        }
    }

    #[test]
    fn too_deep_values_are_noticed() {
        let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        assert!(nested(MAX_DEPTH).size().is_some());
        assert!(nested(MAX_DEPTH + 1).size().is_none());
    }
}
