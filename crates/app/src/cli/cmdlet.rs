//! A cmdlet as the first word of the command line.

use std::{ffi::OsString, path::PathBuf};

use crate::data_directory::named_by;

/// `mailhaul [--data DIR] [--database URL] Get-MigrationBatch ...`.
pub(crate) struct CmdletLine {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
    /// Data directory that the line or the environment names.
    pub(crate) data: Option<PathBuf>,
    /// Database on a server that the line or the environment names.
    pub(crate) database: Option<String>,
}

impl CmdletLine {
    /// Returns `None` if the line is no cmdlet.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut words = arguments.into_iter().skip(1);
        let mut data = named_by("MAILHAUL_DATA");
        let mut first = words.next()?;
        let mut database = std::env::var("MAILHAUL_DATABASE").ok().filter(|it| !it.is_empty());
        loop {
            if first == "--data" {
                data = Some(words.next()?.into());
            } else if first == "--database" {
                database = Some(words.next()?.into_string().ok()?);
            } else {
                break;
            }
            first = words.next()?;
        }
        let name = first.into_string().ok()?;
        if !is_cmdlet(&name) {
            return None;
        }
        let words = words.map(OsString::into_string).collect::<Result<_, _>>().ok()?;
        Some(Self { name, words, data, database })
    }
}

fn is_cmdlet(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    name.split_once('-').is_some_and(|(verb, noun)| {
        is_word(verb) && noun.to_ascii_lowercase().starts_with("migration") && is_word(noun)
    })
}

/// Returns the first argument if it is a whole line of the shell, such as `"Get-MigrationBatch | ft"`.
pub(crate) fn quoted_line(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let line = arguments.into_iter().nth(1)?.into_string().ok()?;
    let name = line.split(|c: char| c.is_whitespace() || matches!(c, '|' | ';')).next()?;
    if name.len() < line.len() && is_cmdlet(name) { Some(line) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_shell_are_recognised() {
        let quoted = |first: &str| quoted_line(["mailhaul", first].map(OsString::from));
        assert_eq!(quoted("Get-MigrationBatch | ft").as_deref(), Some("Get-MigrationBatch | ft"));
        assert_eq!(quoted("Get-MigrationBatch"), None);
        assert_eq!(quoted("some words"), None);
    }

    #[test]
    fn cmdlets_are_recognised() {
        let parse = |line: &str| CmdletLine::parse(line.split(' ').map(OsString::from));
        let cmdlet = parse("mailhaul --data /d get-migrationbatch -Identity B").unwrap();
        assert_eq!(
            (cmdlet.name.as_str(), cmdlet.words.len(), cmdlet.data),
            ("get-migrationbatch", 2, Some("/d".into()))
        );
        let cmdlet = parse("mailhaul --database postgres://m@h/d --data /d Get-MigrationBatch").unwrap();
        assert_eq!((cmdlet.database.as_deref(), cmdlet.data), (Some("postgres://m@h/d"), Some("/d".into())));
        for line in [
            "mailhaul batch get",
            "mailhaul",
            "mailhaul --version",
            "mailhaul powershell-module",
            "mailhaul --data",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
