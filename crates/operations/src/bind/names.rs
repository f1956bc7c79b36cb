//! Resolves parameter names.

use crate::{entry::Entry, failure::Failure, kind::Kind, parameter::Parameter};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning<'a> {
    Parameter(&'a Parameter),
    /// File with the secret of this parameter.
    SecretFile(&'a Parameter),
    WhatIf,
    Confirm,
    Output,
}

impl Meaning<'_> {
    /// True if the value may be omitted.
    pub(super) fn is_switch(self) -> bool {
        match self {
            Self::Parameter(parameter) => parameter.kind == Kind::Switch,
            Self::WhatIf | Self::Confirm => true,
            Self::SecretFile(_) | Self::Output => false,
        }
    }

    /// True if it is a secret, which the command asks for if it has no value.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Parameter(parameter) if parameter.kind == Kind::Secret)
    }
}

/// Resolves a name without its dash: exact, in any case, or as an unambiguous prefix.
pub(super) fn meaning<'a>(
    entry: &'a Entry,
    written: &str,
    with_output: bool,
) -> Result<Meaning<'a>, Failure> {
    let all = all(entry, with_output);
    if let Some((_, meaning)) = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(written)) {
        return Ok(*meaning);
    }
    let beginning = written.to_ascii_lowercase();
    let candidates: Vec<_> = all
        .iter()
        // Derived names must not make a prefix of their parameter ambiguous.
        .filter(|(_, meaning)| !matches!(meaning, Meaning::SecretFile(_) | Meaning::Output))
        .filter(|(name, _)| !beginning.is_empty() && name.to_ascii_lowercase().starts_with(&beginning))
        .collect();
    match candidates.as_slice() {
        [(_, meaning)] => Ok(*meaning),
        [] => Err(entry.unknown(written, |it| format!("-{it}"))),
        several => {
            let names: Vec<String> = several.iter().map(|(name, _)| format!("-{name}")).collect();
            Err(Failure::invalid(format_args!("-{written} is ambiguous: {}", names.join(", "))))
        }
    }
}

fn all(entry: &Entry, with_output: bool) -> Vec<(String, Meaning<'_>)> {
    let mut named: Vec<_> =
        entry.parameters_for_people().map(|it| (it.name.clone(), Meaning::Parameter(it))).collect();
    let files = entry.parameters().iter().filter_map(|it| Some((it.secret_file()?, Meaning::SecretFile(it))));
    named.extend(files);
    if entry.verb().changes() {
        named.extend([("WhatIf".to_owned(), Meaning::WhatIf), ("Confirm".to_owned(), Meaning::Confirm)]);
    }
    if with_output {
        named.push(("Output".to_owned(), Meaning::Output));
    }
    named
}
