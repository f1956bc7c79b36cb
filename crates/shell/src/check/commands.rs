//! Checks one node: names of commands and parameters, variables, and what would not mean what it says.

use super::walk::Node;
use crate::{
    ast::{
        Command, CommandName, Expression, ExpressionKind, LoopKind, Pipeline, Scope, Stage, StageKind,
        Statement, StatementKind, WordKind,
    },
    cmdlets::{self, CmdletKind, common},
    error::{ErrorKind, Fault},
    eval::{AUTOMATIC, changed_variable, check_static, find_parameter, never_set},
    host::Host,
    names::{self, Resolved},
    operator,
    scopes::Scopes,
};

/// Checks a node of a script.
pub(super) fn check<H: Host>(node: Node<'_>, names: &Scopes, host: &H) -> Result<(), Fault> {
    match node {
        Node::Command(command) => check_command(command, names, host),
        Node::Expression(expression) => check_expression(expression, names),
        Node::Pipeline(pipeline) => check_order(pipeline),
        Node::Value(statement) => check_value(statement),
        Node::Statement(statement) => check_loop(statement),
        Node::Block(_) => Ok(()),
    }
}

fn check_command<H: Host>(command: &Command, names: &Scopes, host: &H) -> Result<(), Fault> {
    for word in &command.arguments {
        if let WordKind::Splat(name) = &word.kind {
            is_known(word.at, name, names)?;
        }
    }
    let CommandName::Literal(name) = &command.name else { return Ok(()) };
    let resolved = names::resolve(name, command.at, names, host)?;
    for word in &command.arguments {
        let WordKind::Parameter { name: parameter, .. } = &word.kind else { continue };
        if common(parameter).is_some() {
            continue;
        }
        match &resolved {
            Resolved::Cmdlet(cmdlet)
                if cmdlet.kind == CmdletKind::WhereObject && operator::comparison(parameter).is_some() => {}
            Resolved::Cmdlet(cmdlet) => drop(cmdlets::parameter(*cmdlet, word.at, parameter)?),
            Resolved::Function(block) => drop(find_parameter(name, word.at, &block.parameters, parameter)?),
            Resolved::Host(name) => host.check_parameter(name, parameter).map_err(|error| Fault {
                conceals: error.conceals,
                code: error.code,
                ..Fault::new(ErrorKind::Host, word.at, error.message)
            })?,
            Resolved::WithoutEffect(..) => {}
        }
    }
    Ok(())
}

fn check_expression(expression: &Expression, names: &Scopes) -> Result<(), Fault> {
    match &expression.kind {
        ExpressionKind::Variable { scope: Scope::Nearest | Scope::Outermost, name } => {
            is_known(expression.at, name, names)
        }
        ExpressionKind::Static { type_name, member, .. } => check_static(expression.at, type_name, member),
        _ => Ok(()),
    }
}

/// Refuses a variable that no line sets.
fn is_known(at: usize, name: &str, names: &Scopes) -> Result<(), Fault> {
    if names.is_declared(name) || AUTOMATIC.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(never_set(at, name, names.names().chain(names.declared())))
}

/// Refuses a command after a Format cmdlet that could not do anything with its text.
fn check_order(pipeline: &Pipeline) -> Result<(), Fault> {
    for pair in pipeline.stages.windows(2) {
        let [one, other] = pair else { continue };
        if format_cmdlet(one).is_none() {
            continue;
        }
        if let StageKind::Command(Command { at, name: CommandName::Literal(name), .. }) = &other.kind
            && let Some(cmdlet) = cmdlets::find(name)
            && !cmdlet.kind.takes_screen()
        {
            let message = "a Format cmdlet makes text for the screen, so only Out-File, Out-String, Out-Host and Out-Null can follow it";
            return Err(Fault::value(*at, message));
        }
    }
    Ok(())
}

/// Refuses a Format cmdlet at the end of a pipeline whose value is used.
fn check_value(statement: &Statement) -> Result<(), Fault> {
    let StatementKind::Pipeline(pipeline) = &statement.kind else { return Ok(()) };
    let last = pipeline.stages.last().and_then(format_cmdlet);
    match last {
        Some(at) if pipeline.stages.last().is_some_and(|stage| stage.redirections.is_empty()) => {
            Err(Fault::value(
                at,
                "this makes text for the screen, which cannot be used as a value; use Select-Object",
            ))
        }
        _ => Ok(()),
    }
}

fn format_cmdlet(stage: &Stage) -> Option<usize> {
    let StageKind::Command(Command { at, name: CommandName::Literal(name), .. }) = &stage.kind else {
        return None;
    };
    let cmdlet = cmdlets::find(name)?;
    matches!(cmdlet.kind, CmdletKind::FormatList | CmdletKind::FormatTable).then_some(*at)
}

/// Refuses to set a property of a loop's variable if the object would keep its value in the list.
fn check_loop(statement: &Statement) -> Result<(), Fault> {
    let StatementKind::Loop(a_loop) = &statement.kind else { return Ok(()) };
    let LoopKind::Foreach { variable, list } = &a_loop.kind else { return Ok(()) };
    if !is_variable(list) {
        return Ok(());
    }
    for inner in &a_loop.body {
        if let StatementKind::Pipeline(pipeline) = &inner.kind
            && changed_variable(pipeline).is_some_and(|name| name.eq_ignore_ascii_case(variable))
        {
            return Err(changed_in_loop(inner.at));
        }
        let StatementKind::Assign(assignment) = &inner.kind else { continue };
        for target in &assignment.targets {
            if let ExpressionKind::Path { base, .. } = &target.kind
                && let ExpressionKind::Variable { name, .. } = &base.kind
                && name.eq_ignore_ascii_case(variable)
            {
                return Err(changed_in_loop(target.at));
            }
        }
    }
    Ok(())
}

fn changed_in_loop(at: usize) -> Fault {
    let form =
        "`$list = $list | Select-Object *, @{ Name = 'x'; Expression = { ... } }`, or a list of new objects";
    Fault::instead(at, "changing the objects of a list in a loop (the list keeps its own) is", form)
}

fn is_variable(list: &Statement) -> bool {
    let StatementKind::Pipeline(pipeline) = &list.kind else { return false };
    let [Stage { kind: StageKind::Expression(expression), .. }] = pipeline.stages.as_slice() else {
        return false;
    };
    matches!(expression.kind, ExpressionKind::Variable { .. } | ExpressionKind::Path { .. })
}
