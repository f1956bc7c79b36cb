//! Visits all nodes of a script.

use crate::ast::{
    Block, Command, CommandName, Expression, ExpressionKind, LoopKind, Part, Pipeline, Rule, StageKind,
    Statement, StatementKind, StepKind, WordKind,
};

/// Node of a script.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Statement(&'a Statement),
    Pipeline(&'a Pipeline),
    Command(&'a Command),
    Expression(&'a Expression),
    /// Value that is not shown: of an assignment, or in parentheses.
    Value(&'a Statement),
    Block(&'a Block),
}

type Visit<'v> = dyn FnMut(Node<'_>) + 'v;

pub(super) fn block(block: &Block, visit: &mut Visit<'_>) {
    visit(Node::Block(block));
    for parameter in &block.parameters {
        if let Some(default) = &parameter.default {
            expression(default, visit);
        }
        for rule in &parameter.rules {
            if let Rule::Script(check) = rule {
                self::block(check, visit);
            }
        }
    }
    body(&block.begin, visit);
    body(block.process.as_deref().unwrap_or_default(), visit);
    body(&block.end, visit);
}

fn body(statements: &[Statement], visit: &mut Visit<'_>) {
    for one in statements {
        statement(one, visit);
    }
}

fn statement(one: &Statement, visit: &mut Visit<'_>) {
    visit(Node::Statement(one));
    match &one.kind {
        StatementKind::Pipeline(line) => pipeline(line, visit),
        StatementKind::Assign(assignment) => {
            value(&assignment.value, visit);
            for target in &assignment.targets {
                // The variable itself need not have a value yet.
                if !matches!(target.kind, ExpressionKind::Variable { .. }) {
                    expression(target, visit);
                }
            }
        }
        StatementKind::If { branches, otherwise } => {
            for (condition, statements) in branches {
                statement(condition, visit);
                body(statements, visit);
            }
            body(otherwise.as_deref().unwrap_or_default(), visit);
        }
        StatementKind::Loop(a_loop) => {
            match &a_loop.kind {
                LoopKind::Foreach { list, .. } => statement(list, visit),
                LoopKind::For { first, condition, step } => {
                    for part in [first, condition, step].into_iter().flatten() {
                        statement(part, visit);
                    }
                }
                LoopKind::While(condition) | LoopKind::Do { condition, .. } => statement(condition, visit),
            }
            body(&a_loop.body, visit);
        }
        StatementKind::Switch(switch) => {
            statement(&switch.value, visit);
            for (condition, statements) in &switch.clauses {
                expression(condition, visit);
                body(statements, visit);
            }
            body(switch.default.as_deref().unwrap_or_default(), visit);
        }
        StatementKind::Try { body: tried, catches, finally } => {
            body(tried, visit);
            for catch in catches {
                body(&catch.body, visit);
            }
            body(finally, visit);
        }
        StatementKind::Function { block: inner, .. } => block(inner, visit),
        StatementKind::Return(one) | StatementKind::Throw(one) | StatementKind::Exit(one) => {
            if let Some(one) = one {
                statement(one, visit);
            }
        }
        StatementKind::Break(_) | StatementKind::Continue(_) => {}
    }
}

fn value(one: &Statement, visit: &mut Visit<'_>) {
    visit(Node::Value(one));
    statement(one, visit);
}

fn pipeline(line: &Pipeline, visit: &mut Visit<'_>) {
    visit(Node::Pipeline(line));
    for stage in &line.stages {
        match &stage.kind {
            StageKind::Expression(one) => expression(one, visit),
            StageKind::Command(one) => command(one, visit),
        }
        for redirection in &stage.redirections {
            if let Some(target) = &redirection.target {
                expression(target, visit);
            }
        }
    }
}

fn command(one: &Command, visit: &mut Visit<'_>) {
    visit(Node::Command(one));
    if let CommandName::Called { value, .. } = &one.name {
        expression(value, visit);
    }
    for word in &one.arguments {
        match &word.kind {
            WordKind::Parameter { value: Some(value), .. } | WordKind::Value(value) => {
                expression(value, visit);
            }
            WordKind::Parameter { value: None, .. } | WordKind::Splat(_) => {}
        }
    }
}

fn expression(one: &Expression, visit: &mut Visit<'_>) {
    visit(Node::Expression(one));
    match &one.kind {
        ExpressionKind::Literal(_)
        | ExpressionKind::Variable { .. }
        | ExpressionKind::Current
        | ExpressionKind::Type(_) => {}
        ExpressionKind::Text(parts) => {
            for part in parts {
                if let Part::Value(value) = part {
                    expression(value, visit);
                }
            }
        }
        ExpressionKind::List(items) => items.iter().for_each(|item| expression(item, visit)),
        ExpressionKind::Table(entries) => {
            for (name, entry) in entries {
                expression(name, visit);
                value(entry, visit);
            }
        }
        ExpressionKind::Parenthesis(inner) => value(inner, visit),
        ExpressionKind::Statements { statements, .. } => body(statements, visit),
        ExpressionKind::Block { block: inner, .. } => block(inner, visit),
        ExpressionKind::Path { base, steps } => {
            expression(base, visit);
            for step in steps {
                match &step.kind {
                    StepKind::Member(_) => {}
                    StepKind::Computed(inner) | StepKind::Index(inner) => expression(inner, visit),
                    StepKind::Call(_, arguments) => arguments.iter().for_each(|one| expression(one, visit)),
                }
            }
        }
        ExpressionKind::Static { arguments, .. } => {
            arguments.iter().flatten().for_each(|argument| expression(argument, visit));
        }
        ExpressionKind::Cast { value: inner, .. }
        | ExpressionKind::Unary { value: inner, .. }
        | ExpressionKind::Increment { target: inner, .. } => expression(inner, visit),
        ExpressionKind::Chain { first, rest } => {
            expression(first, visit);
            for link in rest {
                expression(&link.value, visit);
            }
        }
    }
}
