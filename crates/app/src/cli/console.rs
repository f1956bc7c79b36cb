//! Files and terminal of the operator.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
};

use mailhaul_mail::{Secret, on_one_line};
use mailhaul_operations::{Failure, Parameter, World};
use zeroize::Zeroizing;

use super::passwords;
use crate::output::text;

/// Files and terminal of this process.
pub(crate) struct Console;

impl World for Console {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn password(&self, parameter: &Parameter, user_name: &str) -> Result<Secret, Failure> {
        let variable = parameter.secret_variable().unwrap_or_default();
        if let Some(password) = passwords::read(None, &variable).map_err(Failure::internal)? {
            return Ok(password);
        }
        ask(user_name).map_err(|error| {
            Failure::invalid(format_args!("no password for {user_name}: {error}"))
                .with_advice(format_args!("Give a password file, or set {variable}."))
        })
    }

    fn secret(&self, parameter: &Parameter) -> Result<Secret, Failure> {
        let variable = parameter.secret_variable().unwrap_or_default();
        if let Some(secret) = passwords::read(None, &variable).map_err(Failure::internal)? {
            return Ok(secret);
        }
        ask_secret(&parameter.name).map_err(|error| {
            let file = parameter.secret_file().unwrap_or_default();
            Failure::invalid(format_args!("no {}: {error}", parameter.name))
                .with_advice(format_args!("Give -{file}, or set {variable}."))
        })
    }
}

/// Asks for a password on the terminal.
pub(crate) fn ask(user_name: &str) -> io::Result<Secret> {
    ask_secret(&format!("Password of {}", on_one_line(user_name)))
}

/// Asks for a secret on the terminal.
pub(crate) fn ask_secret(words: &str) -> io::Result<Secret> {
    if !io::stdin().is_terminal() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    let secret = Zeroizing::new(rpassword::prompt_password(format!(
        "{}: ",
        on_one_line(words).trim_end().trim_end_matches(':')
    ))?);
    if secret.is_empty() {
        return Err(io::Error::other("nothing was typed"));
    }
    Ok(Secret::new(secret.as_bytes()))
}

/// Asks for a line of text on the terminal.
pub(crate) fn ask_text(words: &str) -> io::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    let mut terminal = io::stderr();
    write!(terminal, "{}: ", on_one_line(words).trim_end().trim_end_matches(':'))?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

/// True if questions and answers go through a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question. Every answer but `y` and `yes` means no.
pub(crate) fn agrees(question: &str) -> bool {
    let mut stderr = io::stderr();
    if write!(stderr, "{} [y/N] ", text::shown(question)).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok()
        && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}
