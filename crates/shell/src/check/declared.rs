//! Names that a script declares: variables and functions.

use super::walk::Node;
use crate::{
    ast::{Block, Command, Expression, ExpressionKind, LoopKind, StatementKind, WordKind},
    cmdlets::common,
    scopes::Scopes,
    value::Value,
};

/// Notes the variables and functions that a node declares.
pub(super) fn declare(node: Node<'_>, names: &mut Scopes) {
    match node {
        Node::Statement(statement) => match &statement.kind {
            StatementKind::Assign(assignment) => {
                assignment.targets.iter().for_each(|target| declare_target(target, names));
            }
            StatementKind::Loop(a_loop) => {
                if let LoopKind::Foreach { variable, .. } = &a_loop.kind {
                    names.declare(variable);
                }
            }
            StatementKind::Function { name, block } => names.define(name, block.clone()),
            _ => {}
        },
        Node::Block(block) => parameters(block, names),
        Node::Command(command) => declare_by_parameter(command, names),
        Node::Expression(Expression { kind: ExpressionKind::Increment { target, .. }, .. }) => {
            declare_target(target, names);
        }
        Node::Expression(_) | Node::Pipeline(_) | Node::Value(_) => {}
    }
}

pub(super) fn parameters(block: &Block, names: &mut Scopes) {
    block.parameters.iter().for_each(|parameter| names.declare(&parameter.name));
}

fn declare_target(target: &Expression, names: &mut Scopes) {
    match &target.kind {
        ExpressionKind::Variable { name, .. } => names.declare(name),
        ExpressionKind::Cast { value, .. } => declare_target(value, names),
        _ => {}
    }
}

/// Notes the variables of `-OutVariable name` and its like.
fn declare_by_parameter(command: &Command, names: &mut Scopes) {
    for (index, word) in command.arguments.iter().enumerate() {
        let WordKind::Parameter { name, value } = &word.kind else { continue };
        if !common(name).is_some_and(|(known, _)| known.ends_with("Variable")) {
            continue;
        }
        let next = command.arguments.get(index + 1).and_then(|word| match &word.kind {
            WordKind::Value(value) => Some(value),
            _ => None,
        });
        if let Some(Expression { kind: ExpressionKind::Literal(Value::Text(variable)), .. }) =
            value.as_ref().or(next)
        {
            names.declare(variable.trim_start_matches(['+', '$']));
        }
    }
}

/// Keeps the declared variables. Functions are defined when their line runs.
pub(super) fn take_over(scopes: &mut Scopes, names: &Scopes) {
    scopes.declare_all(names);
}
