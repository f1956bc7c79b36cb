//! Parses bodies of scripts, functions and script blocks: `param`, `begin`, `process`, `end`.

use std::sync::Arc;

use super::{
    OpenBracket, Parsed, Parser,
    cursor::{is_name, is_name_start},
};
use crate::{
    ast::{Block, Expression, ExpressionKind, Parameter, Rule, Scope, StatementKind, Unary},
    error::Fault,
    value::Value,
};

/// Attribute in brackets before a parameter.
enum Attribute {
    Type(String),
    Mandatory,
    Pipe,
    Property,
    Aliases(Vec<String>),
    Rule(Rule),
    /// `[AllowNull()]` and its like.
    AllowsEmpty,
    /// `SupportsShouldProcess`
    Asks,
}

/// Arguments of an attribute: names where they have one, and values.
type AttributeArguments = Vec<(Option<String>, Option<Expression>)>;

impl Parser<'_> {
    /// Parses a body up to and including the closing sign, or to the end of the text.
    pub(super) fn body(&mut self, opened: Option<OpenBracket>) -> Parsed<Block> {
        let mut block = Block { source: self.source.clone(), ..Block::default() };
        self.skip_separators()?;
        while self.cursor.rest().starts_with('[') && self.is_binding_attribute() {
            let attributes = self.attribute()?;
            block.asks |= attributes.iter().any(|attribute| matches!(attribute, Attribute::Asks));
            self.skip_separators()?;
        }
        if self.word_ahead().eq_ignore_ascii_case("param") {
            self.eat_word("param");
            block.parameters = self.parameters()?;
            self.skip_separators()?;
        }
        if block.asks {
            block
                .parameters
                .extend(["WhatIf", "Confirm"].map(|name| Parameter::switch(self.cursor.at(), name)));
        }
        let named = ["begin", "process", "end"];
        if !named.iter().any(|name| self.word_ahead().eq_ignore_ascii_case(name)) {
            block.end = self.statements(opened)?;
            return Ok(block);
        }
        loop {
            self.skip_separators()?;
            match self.cursor.peek() {
                None => return opened.map_or(Ok(block), |opened| Err(opened.never_closed())),
                Some(c) if opened.is_some_and(|opened| opened.close == c) => {
                    self.cursor.next();
                    return Ok(block);
                }
                Some(_) if self.eat_word("begin") => block.begin = self.braces()?,
                Some(_) if self.eat_word("process") => block.process = Some(self.braces()?),
                Some(_) if self.eat_word("end") => block.end = self.braces()?,
                Some(_) => {
                    let message = "only `begin`, `process` and `end` with their braces are expected here";
                    return Err(Fault::syntax(self.cursor.at(), message));
                }
            }
        }
    }

    fn is_binding_attribute(&self) -> bool {
        let rest = self.cursor.rest()[1..].to_owned();
        let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        ["CmdletBinding", "OutputType", "Diagnostics"].iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Parses `name(parameters) { body }`, after the keyword.
    pub(super) fn function(&mut self, is_filter: bool) -> Parsed<StatementKind> {
        self.cursor.skip_lines()?;
        let at = self.cursor.at();
        let name = self.cursor.eat_while(|c| is_name(c) || c == '-' || c == ':' || c == '.');
        let name = name.rsplit(':').next().unwrap_or(name).to_owned();
        if name.is_empty() {
            return Err(match self.cursor.peek() {
                None => Fault::incomplete(at, "the name of the function must follow"),
                Some(_) => Fault::syntax(at, "the name of a function is expected here"),
            });
        }
        self.cursor.skip_lines()?;
        let before = if self.cursor.peek() == Some('(') { Some(self.parameters()?) } else { None };
        let opened = self.expect('{', "{")?;
        self.cursor.next();
        let mut block = self.nested(|parser| parser.body(Some(opened)))?;
        if let Some(parameters) = before {
            block.parameters = parameters;
        }
        if is_filter && block.process.is_none() {
            block.process = Some(std::mem::take(&mut block.end));
        }
        Ok(StatementKind::Function { name, block: Arc::new(block) })
    }

    /// Parses `([type]$name = default, ...)`.
    fn parameters(&mut self) -> Parsed<Vec<Parameter>> {
        let opened = self.expect('(', "(")?;
        self.cursor.next();
        self.nested(|parser| {
            let mut parameters: Vec<Parameter> = Vec::new();
            loop {
                parser.cursor.skip_lines()?;
                if parser.cursor.eat(')') {
                    return Ok(parameters);
                }
                if parser.cursor.peek().is_none() {
                    return Err(opened.never_closed());
                }
                let parameter = parser.parameter_declaration(opened)?;
                if parameters.iter().any(|known| known.name.eq_ignore_ascii_case(&parameter.name)) {
                    return Err(Fault::syntax(
                        parameter.at,
                        format!("the parameter ${} occurs twice", parameter.name),
                    ));
                }
                parameters.push(parameter);
                parser.cursor.skip_lines()?;
                match parser.cursor.peek() {
                    Some(',') => {
                        parser.cursor.next();
                    }
                    Some(')') => {}
                    None => return Err(opened.never_closed()),
                    Some(_) => {
                        return Err(Fault::syntax(
                            parser.cursor.at(),
                            "a comma between two parameters, or `)`, is expected here",
                        ));
                    }
                }
            }
        })
    }

    fn parameter_declaration(&mut self, opened: OpenBracket) -> Parsed<Parameter> {
        let mut attributes = Vec::new();
        while self.cursor.peek() == Some('[') {
            attributes.extend(self.attribute()?);
            self.cursor.skip_lines()?;
        }
        let at = self.cursor.at();
        let name = match self.cursor.peek() {
            None => return Err(opened.never_closed()),
            Some('$') => match self.dollar()?.kind {
                ExpressionKind::Variable { scope: Scope::Nearest, name } => name,
                _ => return Err(Fault::syntax(at, "this is not the name of a parameter")),
            },
            Some(_) => return Err(Fault::syntax(at, "the name of a parameter, as $Name, is expected here")),
        };
        let mut parameter = Parameter::new(at, name);
        let mut allows_empty = false;
        for attribute in attributes {
            match attribute {
                Attribute::Type(name) => parameter.type_name = Some(name),
                Attribute::Mandatory => parameter.is_mandatory = true,
                Attribute::Pipe => parameter.takes_pipe = true,
                Attribute::Property => parameter.takes_property = true,
                Attribute::Aliases(names) => parameter.aliases = names,
                Attribute::Rule(rule) => parameter.rules.push(rule),
                Attribute::AllowsEmpty => allows_empty = true,
                Attribute::Asks => {}
            }
        }
        if parameter.is_mandatory && !allows_empty {
            parameter.rules.push(Rule::NotEmpty);
        }
        self.cursor.skip_lines()?;
        if self.cursor.eat('=') {
            self.cursor.skip_lines()?;
            if self.cursor.peek().is_none() {
                return Err(opened.never_closed());
            }
            self.has_commas = false;
            let default = self.expression();
            self.has_commas = true;
            parameter.default = Some(default?);
        }
        Ok(parameter)
    }

    /// Parses `[type]`, `[Parameter(Mandatory = $true)]` and their like.
    fn attribute(&mut self) -> Parsed<Vec<Attribute>> {
        let start = self.cursor.clone();
        let at = self.cursor.at();
        self.cursor.next();
        let name = self.cursor.eat_while(|c| is_name(c) || c == '.').to_ascii_lowercase();
        if self.cursor.peek() != Some('(') {
            self.cursor = start;
            return Ok(vec![Attribute::Type(self.type_in_brackets()?)]);
        }
        let arguments = self.attribute_arguments()?;
        let opened = OpenBracket { at, sign: "[", close: ']' };
        self.close(opened)?;
        attributes_of(at, &name, &arguments)
    }

    fn attribute_arguments(&mut self) -> Parsed<AttributeArguments> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "(", close: ')' };
        self.cursor.next();
        let mut arguments = Vec::new();
        loop {
            self.cursor.skip_lines()?;
            if self.cursor.eat(')') {
                return Ok(arguments);
            }
            if self.cursor.peek().is_none() {
                return Err(opened.never_closed());
            }
            let word = self.word_ahead_of_attribute();
            if word.is_empty() {
                arguments.push((None, Some(self.attribute_value()?)));
            } else {
                self.cursor.eat_while(is_name);
                self.cursor.skip_lines()?;
                let value = if self.cursor.eat('=') {
                    self.cursor.skip_lines()?;
                    Some(self.attribute_value()?)
                } else {
                    None
                };
                arguments.push((Some(word), value));
            }
            self.cursor.skip_lines()?;
            self.cursor.eat(',');
        }
    }

    /// Parses a value up to the next comma.
    fn attribute_value(&mut self) -> Parsed<Expression> {
        self.has_commas = false;
        let value = self.nested(|parser| {
            parser.has_commas = false;
            parser.expression()
        });
        self.has_commas = true;
        value
    }

    fn word_ahead_of_attribute(&self) -> String {
        let rest = self.cursor.rest();
        if !rest.starts_with(is_name_start) {
            return String::new();
        }
        rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())].to_owned()
    }

    /// Parses `{ body }` as a value.
    pub(super) fn block(&mut self) -> Parsed<Expression> {
        let opened = OpenBracket { at: self.cursor.at(), sign: "{", close: '}' };
        self.cursor.next();
        let start = self.cursor.at();
        let block = self.nested(|parser| parser.body(Some(opened)))?;
        let text = self.cursor.since(start);
        let text = text.strip_suffix('}').unwrap_or(text).into();
        Ok(Expression { at: opened.at, kind: ExpressionKind::Block { block: Arc::new(block), text } })
    }
}

/// Returns the meaning of an attribute. `name` is in lower case.
fn attributes_of(at: usize, name: &str, arguments: &AttributeArguments) -> Parsed<Vec<Attribute>> {
    let is_set = |wanted: &str| {
        arguments.iter().any(|(name, value)| {
            name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted)) && !is_false(value.as_ref())
        })
    };
    Ok(match name {
        "parameter" if arguments.iter().any(|(name, _)| name.as_deref().is_some_and(is_set_name)) => {
            return Err(Fault::instead(at, "ParameterSetName is", "a function for each set of parameters"));
        }
        "parameter" => {
            let known = [
                ("Mandatory", Attribute::Mandatory),
                ("ValueFromPipeline", Attribute::Pipe),
                ("ValueFromPipelineByPropertyName", Attribute::Property),
            ];
            known.into_iter().filter_map(|(name, meaning)| is_set(name).then_some(meaning)).collect()
        }
        "cmdletbinding" if is_set("SupportsShouldProcess") => vec![Attribute::Asks],
        "alias" => vec![Attribute::Aliases(texts(arguments))],
        "allownull" | "allowemptystring" | "allowemptycollection" => vec![Attribute::AllowsEmpty],
        "cmdletbinding" | "outputtype" | "diagnostics" => Vec::new(),
        _ => {
            let Some(rule) = rule(name, arguments) else {
                let form = "an `if` with `throw` for this check";
                return Err(Fault::instead(at, format!("the attribute [{name}()] in this form is"), form));
            };
            vec![Attribute::Rule(rule)]
        }
    })
}

fn is_set_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("ParameterSetName")
}

/// Returns the rule of an attribute such as `[ValidateRange(1, 9)]`.
fn rule(name: &str, arguments: &AttributeArguments) -> Option<Rule> {
    let bounds = || match arguments.as_slice() {
        [(None, from), (None, to)] => Some(number(from.as_ref())?..=number(to.as_ref())?),
        _ => None,
    };
    match (name, arguments.as_slice()) {
        ("validateset", _) => Some(Rule::Choices(texts(arguments))),
        ("validatenotnullorempty" | "validatenotnull", []) => Some(Rule::NotEmpty),
        ("validaterange", _) => bounds().map(Rule::Range),
        ("validatelength", _) => bounds().map(Rule::Length),
        ("validatecount", _) => bounds().map(Rule::Count),
        ("validatepattern", [(None, pattern), ..]) => text(pattern.as_ref()).map(Rule::Pattern),
        (
            "validatescript",
            [(None, Some(Expression { kind: ExpressionKind::Block { block, .. }, .. })), ..],
        ) => Some(Rule::Script(block.clone())),
        _ => None,
    }
}

fn texts(arguments: &AttributeArguments) -> Vec<String> {
    arguments
        .iter()
        .filter(|(name, _)| name.is_none())
        .filter_map(|(_, value)| text(value.as_ref()))
        .collect()
}

fn number(value: Option<&Expression>) -> Option<f64> {
    match &value?.kind {
        ExpressionKind::Literal(Value::Number(number)) => number.as_f64(),
        ExpressionKind::Unary { operator: Unary::Minus, value } => number(Some(value)).map(|number| -number),
        _ => None,
    }
}

fn text(value: Option<&Expression>) -> Option<String> {
    match value?.kind {
        ExpressionKind::Literal(Value::Text(ref text)) => Some(text.clone()),
        ExpressionKind::Literal(Value::Number(ref number)) => Some(number.to_string()),
        _ => None,
    }
}

fn is_false(value: Option<&Expression>) -> bool {
    value.is_some_and(|value| matches!(value.kind, ExpressionKind::Literal(Value::Bool(false))))
}
