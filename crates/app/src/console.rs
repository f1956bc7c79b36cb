//! The operator's files and terminal, for those who read what was typed.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
};

use mailhaul_mail::Secret;
use mailhaul_operations::{Failure, Parameter, World};
use zeroize::Zeroizing;

use crate::passwords;

/// The files and the terminal of this process.
pub(crate) struct Console;

impl World for Console {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn password(&self, parameter: &Parameter, user_name: &str) -> Result<Secret, Failure> {
        let variable = format!("MAILHAUL_{}_PASSWORD", parameter.name.to_ascii_uppercase());
        if let Some(password) = passwords::given(None, &variable).map_err(Failure::internal)? {
            return Ok(password);
        }
        ask(user_name).map_err(|error| {
            Failure::invalid(format_args!("no password for {user_name}: {error}"))
                .with_advice(format_args!("Give a password file, or set {variable}."))
        })
    }
}

/// Asks for a password on the terminal.
pub(crate) fn ask(user_name: &str) -> io::Result<Secret> {
    if !io::stdin().is_terminal() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    let password = Zeroizing::new(rpassword::prompt_password(format!("Password of {user_name}: "))?);
    if password.is_empty() {
        return Err(io::Error::other("nothing was typed"));
    }
    Ok(Secret::new(password.as_bytes()))
}

/// Whether somebody can be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that is answered by yes or no; anything else is no.
pub(crate) fn agrees(question: &str) -> bool {
    let mut stderr = io::stderr();
    if write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok()
        && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}
