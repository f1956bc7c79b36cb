//! Passwords of `migrate`: from a file, the environment or a prompt, never from the command line.

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use mailhaul_mail::Secret;
use zeroize::Zeroizing;

/// Reads the password from the file, else from the variable; `None` if neither is given.
pub(crate) fn read(file: Option<&Path>, variable: &str) -> Result<Option<Secret>> {
    if let Some(file) = file {
        let bytes = Zeroizing::new(
            fs::read(file).with_context(|| format!("the password file {} cannot be read", file.display()))?,
        );
        // Editors end the last line with a newline.
        let password = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let password = password.strip_suffix(b"\r").unwrap_or(password);
        if password.is_empty() {
            bail!("the password file {} is empty", file.display());
        }
        return Ok(Some(Secret::new(password)));
    }
    match std::env::var_os(variable) {
        Some(value) if !value.is_empty() => Ok(Some(Secret::new(value.into_encoded_bytes()))),
        _ => Ok(None),
    }
}

/// Asks on the terminal. Without a terminal, the error names the option and the variable.
pub(crate) fn prompt(whose: &str, side: &str) -> Result<Secret> {
    if !io::stdin().is_terminal() {
        bail!(
            "no password for {whose}; give --{side}-password-file or set MAILHAUL_{}_PASSWORD",
            side.to_ascii_uppercase()
        );
    }
    let password =
        rpassword::prompt_password(format!("Password of {whose}: ")).context("no password was typed")?;
    let password = Zeroizing::new(password);
    if password.is_empty() {
        bail!("no password for {whose} was typed");
    }
    Ok(Secret::new(password.as_bytes()))
}
