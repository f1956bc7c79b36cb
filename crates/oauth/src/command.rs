//! Token source: a command that prints a token.

use std::{process::Stdio, time::Duration};

use mailhaul_mail::Secret;
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::timeout,
};
use zeroize::Zeroizing;

use crate::{
    error::TokenError,
    source::{Asking, MAX_LIFETIME, Token, TokenSource},
};

/// Maximum running time of a command.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Maximum bytes of the command's output that are read.
const MAX_OUTPUT_BYTES: usize = 1 << 20;
/// Number of its last error lines that are shown.
const SHOWN_LINES: usize = 5;
/// Maximum characters of these lines.
const MAX_SHOWN_CHARACTERS: usize = 1000;
/// Placeholder of the mailbox in an argument.
const USER_PLACEHOLDER: &str = "{user}";

/// Program and arguments, in which `{user}` is the mailbox. No shell reads them.
///
/// The program prints the token as its first line, or JSON with `access_token` and `expires_in`
/// (RFC 6749, section 5.1).
#[derive(Clone, Debug)]
pub struct TokenCommand {
    words: Vec<String>,
}

impl TokenCommand {
    /// Takes the program and its arguments.
    ///
    /// # Errors
    /// In words, if the program is missing.
    pub fn new(words: Vec<String>) -> Result<Self, String> {
        match words.first() {
            Some(program) if !program.trim().is_empty() => Ok(Self { words }),
            _ => Err("the command has no program".to_owned()),
        }
    }

    async fn run(&self, mailbox: &str) -> Result<Token, TokenError> {
        let program = &self.words[0];
        let arguments = self.words[1..].iter().map(|it| it.replace(USER_PLACEHOLDER, mailbox));
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().map_err(|error| {
            TokenError::refused(format!("the command {program} cannot be started: {error}"))
        })?;
        let output = tokio::join!(read(child.stdout.take()), read(child.stderr.take()));
        let (output, said) = output;
        let status = child.wait().await.map_err(|error| {
            TokenError::refused(format!("the status of the command {program} is unknown: {error}"))
        })?;
        let said = last_lines(&said);
        if !status.success() {
            // The failure may concern only this mailbox; each mailbox asks for itself.
            return Err(self.of_one(format!("the command {program} returned no token ({status}){said}")));
        }
        token(&output).map_err(|words| self.of_one(format!("the command {program} {words}{said}")))
    }

    /// Builds an error, which concerns all mailboxes only if they share one token.
    fn of_one(&self, message: String) -> TokenError {
        TokenError { concerns_all: self.opens_every_mailbox(), ..TokenError::refused(message) }
    }
}

impl TokenSource for TokenCommand {
    fn opens_every_mailbox(&self) -> bool {
        !self.words.iter().skip(1).any(|it| it.contains(USER_PLACEHOLDER))
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        Box::pin(async move {
            timeout(TIMEOUT, self.run(mailbox)).await.unwrap_or_else(|_| {
                let (program, seconds) = (&self.words[0], TIMEOUT.as_secs());
                let words =
                    format!("the command {program} was stopped after {seconds} s, because it did not end");
                Err(TokenError {
                    concerns_all: self.opens_every_mailbox(),
                    ..TokenError::unreachable(words, None)
                })
            })
        })
    }
}

/// Reads to the end, and keeps only the useful part.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::new());
    let Some(mut pipe) = pipe else { return all };
    let mut piece = Zeroizing::new([0; 4096]);
    // A broken pipe counts as ended.
    while let Ok(length @ 1..) = pipe.read(piece.as_mut()).await {
        if all.len() < MAX_OUTPUT_BYTES {
            all.extend_from_slice(&piece[..length]);
        }
    }
    all
}

/// Last lines of the command's error output, for display.
fn last_lines(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines[lines.len().saturating_sub(SHOWN_LINES)..].join(" | ");
    let skipped = lines.chars().count().saturating_sub(MAX_SHOWN_CHARACTERS);
    let shown = lines.chars().skip(skipped).map(|it| if it.is_control() { '\u{fffd}' } else { it });
    format!(": {}", shown.collect::<String>())
}

#[derive(Deserialize)]
struct Json {
    access_token: String,
    expires_in: Option<u64>,
}

fn token(output: &[u8]) -> Result<Token, &'static str> {
    let text = std::str::from_utf8(output).map_err(|_| "printed output that is not text")?.trim_start();
    if text.starts_with('{') {
        let json: Json = serde_json::from_str(text).map_err(|_| "printed JSON without an access_token")?;
        let secret = Zeroizing::new(json.access_token);
        return checked(&secret, json.expires_in.map(Duration::from_secs));
    }
    checked(text.lines().next().unwrap_or_default().trim_end(), None)
}

fn checked(token: &str, life: Option<Duration>) -> Result<Token, &'static str> {
    if token.is_empty() {
        return Err("printed no token");
    }
    // A b64token or similar (RFC 6750, section 2.1); text with spaces is a sentence.
    if !token.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(
            "printed a first line that is not a token: it contains spaces or other invalid characters",
        );
    }
    Ok(Token { secret: Secret::new(token), life: life.map(|life| life.min(MAX_LIFETIME)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> TokenCommand {
        let words = ["/bin/sh", "-c", script, "token", "{user}"];
        TokenCommand::new(words.map(str::to_owned).to_vec()).unwrap()
    }

    async fn printed(script: &str) -> Result<(String, Option<u64>), String> {
        let token = shell(script).ask("ann; echo owned").await.map_err(|error| error.message)?;
        let text = String::from_utf8(token.secret.expose().to_vec()).unwrap();
        Ok((text, token.life.map(|it| it.as_secs())))
    }

    #[tokio::test]
    async fn a_line_or_json_is_a_token() {
        assert_eq!(printed("echo ya29.abc; echo more").await, Ok(("ya29.abc".to_owned(), None)));
        let json = r#"printf '{\n"access_token":"x","expires_in":60}'"#;
        assert_eq!(printed(json).await, Ok(("x".to_owned(), Some(60))));
        // The mailbox is one argument, whatever characters it contains.
        assert_eq!(printed("printf '%s' \"$1\" | tr -d ' ;'").await, Ok(("annechoowned".to_owned(), None)));
    }

    #[tokio::test]
    async fn what_a_command_says_of_its_troubles_is_told_and_what_it_prints_is_not() {
        let error = printed("echo s3cret; for i in 1 2 3 4 5 6 7; do echo line$i >&2; done; exit 3")
            .await
            .unwrap_err();
        assert_eq!(
            error,
            "the command /bin/sh returned no token (exit status: 3): line3 | line4 | line5 | line6 | line7"
        );
        for (script, words) in [
            ("true", "printed no token"),
            ("echo s3cret for you", "it contains spaces"),
            ("echo '{\"token\":\"s3cret\"}'", "printed JSON without an access_token"),
            ("printf '\\377s3cret'", "printed output that is not text"),
        ] {
            let error = printed(script).await.unwrap_err();
            assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
        }
        let none = TokenCommand::new(vec!["/nowhere/token".to_owned()]).unwrap().ask("a").await.unwrap_err();
        assert!(none.message.starts_with("the command /nowhere/token cannot be started: "), "{none}");
        assert!(TokenCommand::new(vec![]).is_err() && TokenCommand::new(vec![String::new()]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_hangs_is_waited_for_a_minute() {
        let error = shell("exec sleep 1000").ask("ann").await.unwrap_err();
        assert_eq!(error.message, "the command /bin/sh was stopped after 60 s, because it did not end");
        assert!(matches!(error.retry, mailhaul_mail::Retry::After(_)));
    }

    #[tokio::test]
    async fn a_command_without_a_waiting_caller_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 1000", file.display());
        let asking = tokio::spawn(async move { shell(&script).ask("ann").await });
        let pid = loop {
            match std::fs::read_to_string(&file) {
                Ok(pid) => break pid,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        // The process is killed immediately, and disappears once its parent has collected its
        // status.
        let status = format!("/proc/{}/status", pid.trim());
        while std::fs::read_to_string(&status).is_ok_and(|it| !it.contains("State:\tZ")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn one_token_serves_all_unless_the_mailbox_is_named() {
        assert!(!shell("").opens_every_mailbox());
        assert!(!shell("exit 1").ask("ann").await.unwrap_err().concerns_all);
        let all = TokenCommand::new(vec!["false".to_owned()]).unwrap();
        assert!(all.opens_every_mailbox() && all.ask("ann").await.unwrap_err().concerns_all);
    }
}
