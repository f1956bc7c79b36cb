//! Which parameter a name means.

use crate::{
    entry::Entry,
    failure::Failure,
    parameter::{Kind, Parameter},
};

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning<'a> {
    /// A parameter of the operation.
    Parameter(&'a Parameter),
    /// The file with the secret of this parameter.
    SecretFile(&'a Parameter),
    /// `-WhatIf`.
    WhatIf,
    /// `-Confirm`.
    Confirm,
    /// `-Output`.
    Output,
}

impl Meaning<'_> {
    /// Whether its value may be left out.
    pub(super) fn is_switch(self) -> bool {
        match self {
            Self::Parameter(parameter) => parameter.kind == Kind::Switch,
            Self::WhatIf | Self::Confirm => true,
            Self::SecretFile(_) | Self::Output => false,
        }
    }

    /// Whether it is a secret: without a value it is asked for.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Parameter(parameter) if parameter.kind == Kind::Secret)
    }
}

/// What a name without its dash means: exactly, in any case, or as the beginning of one name alone.
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
        // What comes with another parameter must not make its beginnings ambiguous.
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
