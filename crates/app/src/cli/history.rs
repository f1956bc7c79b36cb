//! History of the prompt in a file, without lines that may hold a secret.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use rustyline::{
    Config,
    history::{FileHistory, History as _},
};

use crate::output::text;

/// Lines that the file keeps.
const MAX_LINES: usize = 1000;

/// Variable with the path of the file, or `off`.
const VARIABLE: &str = "MAILHAUL_HISTORY";

/// Parts of a line that may stand beside a secret, in lower case.
const SECRETS: [&str; 13] = [
    "passw",
    "pwd",
    "$pw",
    "secret",
    "credential",
    "securestring",
    "plaintext",
    "token",
    "apikey",
    "api-key",
    "passphrase",
    "masterkey",
    "frombase64string",
];

/// Lines of earlier prompts, and their file.
pub(super) struct SavedHistory {
    lines: FileHistory,
    /// `None` if nothing is saved.
    file: Option<PathBuf>,
}

impl SavedHistory {
    /// Reads the lines of earlier prompts.
    pub(super) fn open(is_off: bool) -> Self {
        let mut history = Self { lines: FileHistory::with_config(&config()), file: None };
        let place = if is_off { None } else { place(|name| env::var(name).ok()) };
        let Some(file) = place else { return history };
        if let Err(error) = make_directory(&file).and_then(|()| history.load(&file)) {
            text::print_error(format_args!(
                "warning: the history {} cannot be used: {error}",
                file.display()
            ));
            return history;
        }
        history.file = Some(file);
        history
    }

    fn load(&mut self, file: &Path) -> io::Result<()> {
        if !file.exists() {
            return Ok(());
        }
        self.lines.load(file).map_err(io::Error::other)
    }

    /// Lines of earlier prompts, the oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter()
    }

    /// Saves a line, unless it may hold a secret.
    pub(super) fn save(&mut self, line: &str) {
        let Some(file) = self.file.clone() else { return };
        if may_hold_secret(line) {
            return;
        }
        let saved = self.lines.add(line).and_then(|_| self.lines.append(&file));
        if let Err(error) = saved {
            text::print_error(format_args!(
                "warning: the history {} cannot be written: {error}",
                file.display()
            ));
            self.file = None;
        }
    }
}

/// Settings of the history.
pub(super) fn config() -> Config {
    // Without a maximum of at least one line the history is empty, which cannot fail here.
    let builder = Config::builder().bracketed_paste(true);
    builder.max_history_size(MAX_LINES).map_or_else(|_| Config::default(), rustyline::config::Builder::build)
}

/// Returns the path of the file; `None` if there is no place for it, or it is switched off.
fn place(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    match given(VARIABLE) {
        Some(off) if off.eq_ignore_ascii_case("off") => return None,
        Some(path) => return Some(path.into()),
        None => {}
    }
    let state = match given("XDG_STATE_HOME") {
        Some(state) => PathBuf::from(state),
        None => PathBuf::from(given("HOME")?).join(".local/state"),
    };
    Some(state.join("mailhaul/shell-history"))
}

fn make_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)
        }
        _ => Ok(()),
    }
}

/// True if a line may hold a secret. Rather too many lines than one too few.
fn may_hold_secret(line: &str) -> bool {
    let line = line.to_lowercase();
    SECRETS.iter().any(|part| line.contains(part)) || sets_environment(&line)
}

/// True for `$env:NAME = ...`.
fn sets_environment(line: &str) -> bool {
    line.split("$env:").skip(1).any(|rest| {
        let after = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        let after = after.trim_start();
        (after.starts_with('=') && !after.starts_with("==")) || after.starts_with("+=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_secrets_are_found() {
        for line in [
            "New-MigrationEndpoint -Name C -Password x",
            "New-MigrationEndpoint -IMAP -Credentials (Get-Credential a)",
            "$s = ConvertTo-SecureString 'x' -AsPlainText -Force",
            "$env:MAILHAUL_OWNER = 'x'",
            "${x}; $ENV:Name+='x'",
            "Set-MigrationEndpoint C -ClientSecret x",
            "$pw = 'hunter2'",
            "$adminPwd = 'hunter2'",
            "New-MigrationToken -Name x",
        ] {
            assert!(may_hold_secret(line), "{line}");
        }
        for line in [
            "Get-MigrationBatch | ft",
            "$env:USER",
            "if ($env:USER -eq 'ann') { 1 }",
            "Get-MigrationUser ann@b.c",
        ] {
            assert!(!may_hold_secret(line), "{line}");
        }
    }

    #[test]
    fn the_place_follows_the_environment() {
        let place = |variables: &[(&str, &str)]| {
            place(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(place(&[("HOME", "/h")]), Some("/h/.local/state/mailhaul/shell-history".into()));
        assert_eq!(
            place(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]),
            Some("/s/mailhaul/shell-history".into())
        );
        assert_eq!(place(&[("HOME", "/h"), ("MAILHAUL_HISTORY", "/f")]), Some("/f".into()));
        assert_eq!(place(&[("HOME", "/h"), ("MAILHAUL_HISTORY", "OFF")]), None);
        assert_eq!(place(&[]), None);
    }
}
