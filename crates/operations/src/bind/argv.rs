//! Cmdlets as program arguments: `mailhaul New-MigrationBatch -Name B -AutoStart`.

use mailhaul_shell::{Argument, Value};

/// Parses the arguments after the cmdlet's name. A dash before a letter (or `-?`) begins a name;
/// `--` ends names; `$null` is null.
pub fn arguments<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Argument> {
    let mut names_end = false;
    let mut arguments = Vec::new();
    for word in words {
        if word == "--" && !names_end {
            names_end = true;
            continue;
        }
        let name = word
            .strip_prefix('-')
            .filter(|it| !names_end && it.starts_with(|it: char| it.is_alphabetic() || it == '?'));
        arguments.push(
            match name.map(|it| it.split_once(':').map_or((it, None), |(name, value)| (name, Some(value)))) {
                Some((name, joined)) => {
                    Argument::Parameter { name: name.to_owned(), value: joined.map(value) }
                }
                None => Argument::Value(value(word)),
            },
        );
    }
    arguments
}

fn value(word: &str) -> Value {
    if word.eq_ignore_ascii_case("$null") { Value::Null } else { Value::Text(word.to_owned()) }
}
