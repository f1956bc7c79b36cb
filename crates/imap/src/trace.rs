//! Protocol trace, without mail and credentials.

use std::{fmt::Write as _, net::SocketAddr};

use crate::{
    capability::Capabilities,
    certificate::Certificate,
    command_id::CommandId,
    encode::Command,
    framer::{RawResponse, is_fetch},
};

/// Longest literal that is shown, in bytes. Parts of messages are never shown.
const MAX_SHOWN: usize = 200;

/// Sender of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `C:`, from the client.
    Client,
    /// `S:`, from the server.
    Server,
}

/// Receiver of a protocol trace.
///
/// Parts of messages and long literals are replaced by their size, credentials by `[redacted]`.
pub trait Trace: Send + Sync {
    /// Receives one line, without its line end.
    fn line(&self, direction: Direction, text: &str);

    /// Receives a completed step of opening the connection; see [`Milestone`].
    fn milestone(&self, _milestone: &Milestone<'_>) {}
}

/// Completed steps of opening a connection. After an error, the last one shows how far it got.
#[derive(Debug)]
#[non_exhaustive]
pub enum Milestone<'a> {
    /// The host name was resolved to these addresses.
    Addresses(&'a [SocketAddr]),
    /// TCP is connected to this address.
    Connected(SocketAddr),
    /// The server sent its certificates, its own first. They are not checked yet.
    Certificates {
        /// The chain as it was sent.
        chain: &'a [Certificate],
        /// True if the server's own certificate is for the requested host.
        names_host: bool,
    },
    /// The TLS handshake is complete, and the certificate is trusted.
    Secured {
        /// Protocol version, as in `TLS 1.3`.
        version: &'a str,
        /// Cipher suite, with its name in the RFCs.
        cipher: &'a str,
    },
    /// Text of the server's greeting.
    Greeted(&'a str),
    /// Capabilities of the server before sign-in.
    Capabilities(&'a Capabilities),
}

/// Formats a command for the trace.
pub(crate) fn command(id: CommandId, command: &Command) -> String {
    format!("{id} {command:?}")
}

/// Formats a response for the trace.
pub(crate) fn response(raw: &RawResponse) -> String {
    let mut text = String::new();
    let mut rest: &[u8] = &raw.text;
    // All of a FETCH may be mail, so quoted strings after a section are hidden too.
    let is_fetch = rest.split(|octet| *octet == b' ').nth(2).is_some_and(is_fetch);
    loop {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            show(&mut text, rest, is_fetch);
            return text;
        };
        let (line, after) = rest.split_at(end + 1);
        show(&mut text, line.trim_ascii_end(), is_fetch);
        let offset = raw.text.len() - after.len();
        let streamed = raw.streamed.iter().any(|(at, _)| *at == offset);
        let length = if streamed { 0 } else { literal_length(line).unwrap_or(0).min(after.len()) };
        let (literal, after) = after.split_at(length);
        if streamed || is_fetch || length > MAX_SHOWN {
            text.push_str(" ...");
        } else {
            _ = write!(text, " {}", literal.escape_ascii());
        }
        rest = after;
    }
}

fn literal_length(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end().strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let start = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&line[start + 1..]).ok()?.parse().ok()
}

/// Appends a line to the text, without control characters.
fn show(text: &mut String, line: &[u8], is_fetch: bool) {
    let line = String::from_utf8_lossy(line);
    let mut rest: &str = &line;
    while is_fetch && let Some(at) = rest.find("] \"") {
        let (before, quoted) = rest.split_at(at + 3);
        push_clean(text, before);
        let mut escaped = false;
        let end = quoted.find(|character| {
            let closes = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            closes
        });
        text.push_str("...");
        rest = &quoted[end.unwrap_or(quoted.len())..];
    }
    push_clean(text, rest);
}

fn push_clean(text: &mut String, piece: &str) {
    text.extend(piece.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8], streamed: Vec<(usize, u64)>) -> String {
        response(&RawResponse { text: bytes::Bytes::copy_from_slice(text), streamed })
    }

    #[test]
    fn mail_is_not_shown() {
        assert_eq!(
            shown(b"* 1 FETCH (UID 7 BODY[] {5}\r\nhello FLAGS (\\Seen))", vec![]),
            "* 1 FETCH (UID 7 BODY[] {5} ... FLAGS (\\Seen))"
        );
        assert_eq!(
            shown(b"* 1 FETCH (BODY[1] \"se\\\"cret\" BODY[TEXT] \"x\" UID 3)", vec![]),
            "* 1 FETCH (BODY[1] \"...\" BODY[TEXT] \"...\" UID 3)"
        );
        let head = b"* 1 FETCH (BODY[] {999999}\r\n";
        let text = [&head[..], b" UID 7)"].concat();
        assert_eq!(shown(&text, vec![(head.len(), 999_999)]), "* 1 FETCH (BODY[] {999999} ... UID 7)");
    }

    #[test]
    fn names_are_shown_and_nothing_breaks_the_line() {
        assert_eq!(shown(b"* LIST () \"/\" {3}\r\na\xffb", vec![]), "* LIST () \"/\" {3} a\\xffb");
        assert_eq!(shown(b"* OK \x1b[31mred\x07", vec![]), "* OK \u{fffd}[31mred\u{fffd}");
        let long = [&b"* LIST () \"/\" {300}\r\n"[..], &[b'x'; 300]].concat();
        assert_eq!(shown(&long, vec![]), "* LIST () \"/\" {300} ...");
    }
}
