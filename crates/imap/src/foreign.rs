//! Servers of other protocols on the port, recognized by the first bytes that they send.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConnection, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    error::{Error, ErrorKind, clean},
    options::{ConnectOptions, TlsOptions},
    stream::{Stream, connect_tcp},
    tls::{NOT_TLS, client_config},
};

/// Longest wait for the first bytes on a connection that is opened only to read them.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Protocol of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Tls,
    Imap,
    Smtp,
    Ftp,
    Pop3,
    Http,
    ManageSieve,
    Ssh,
}

/// Recognizes the protocol by the first bytes.
fn protocol(first: &[u8]) -> Option<Protocol> {
    let upper = first.to_ascii_uppercase();
    let has = |word: &[u8]| upper.windows(word.len()).any(|window| window == word);
    let is_code =
        first.len() >= 4 && first[..3].iter().all(u8::is_ascii_digit) && matches!(first[3], b' ' | b'-');
    Some(match upper.as_slice() {
        // A record of the handshake, or an alert (RFC 8446, section 5.1).
        [0x15 | 0x16, 0x03, ..] => Protocol::Tls,
        [b'*', b' ', ..] => Protocol::Imap,
        [b'+', b'O', b'K', ..] | [b'-', b'E', b'R', b'R', ..] => Protocol::Pop3,
        upper
            if upper.starts_with(b"HTTP/")
                || upper.starts_with(b"<!DOCTYPE")
                || upper.starts_with(b"<HTML") =>
        {
            Protocol::Http
        }
        upper if upper.starts_with(b"SSH-") => Protocol::Ssh,
        upper if upper.starts_with(b"\"IMPLEMENTATION\"") => Protocol::ManageSieve,
        _ if is_code && has(b"FTP") => Protocol::Ftp,
        _ if is_code => Protocol::Smtp,
        _ => return None,
    })
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Imap => "IMAP",
            Self::Smtp => "SMTP",
            Self::Ftp => "FTP",
            Self::Pop3 => "POP3",
            Self::Http => "HTTP",
            Self::ManageSieve => "ManageSieve",
            Self::Ssh => "SSH",
        }
    }
}

/// Returns the error for a server whose first line is no greeting of IMAP.
pub(crate) fn no_greeting(options: &ConnectOptions, line: &[u8]) -> Error {
    let port = options.port;
    let said = clean(&String::from_utf8_lossy(line));
    let said = if said.is_empty() { String::new() } else { format!(": {said:?}") };
    let words = match protocol(line) {
        Some(other) if other != Protocol::Imap => {
            format!("what answers on port {port} speaks {}; it does not speak IMAP{said}", other.name())
        }
        _ => format!("what answers on port {port} does not speak IMAP{said}"),
    };
    Error::endpoint(ErrorKind::Protocol, words)
}

/// Finds out why a server sends no greeting on an unencrypted connection; `None` if no reason was found.
///
/// Some servers wait for a TLS handshake or an HTTP request. The probe uses `stream`, or opens a connection.
pub(crate) async fn why_silent(
    options: &ConnectOptions,
    stream: Option<Stream>,
    patience: Duration,
) -> Option<Error> {
    let first = timeout(patience.min(PROBE_TIMEOUT), answer_to_tls(options, stream)).await.ok()??;
    match protocol(&first)? {
        Protocol::Tls => {
            let words = format!(
                "the server speaks TLS on port {} from the start, and the connection was to begin without TLS",
                options.port
            );
            Some(Error::endpoint(ErrorKind::Tls, words))
        }
        Protocol::Http => Some(no_greeting(options, &first)),
        _ => None,
    }
}

async fn answer_to_tls(options: &ConnectOptions, stream: Option<Stream>) -> Option<Vec<u8>> {
    let config =
        client_config(&TlsOptions { accept_untrusted: true, ..TlsOptions::default() }, false).ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    let mut hello = Vec::new();
    ClientConnection::new(Arc::clone(&config), name).ok()?.write_tls(&mut hello).ok()?;
    let mut stream = match stream {
        Some(stream) => stream,
        None => Stream::Clear(connect_tcp(&silently(options)).await.ok()?),
    };
    stream.write_all(&hello).await.ok()?;
    stream.flush().await.ok()?;
    first_bytes(&mut stream).await
}

/// Adds the protocol that the server speaks to an error of the TLS handshake.
pub(crate) async fn explain(error: Error, options: &ConnectOptions) -> Error {
    if !error.message.ends_with(NOT_TLS) {
        return error;
    }
    let listening =
        async { first_bytes(&mut Stream::Clear(connect_tcp(&silently(options)).await.ok()?)).await };
    let first = timeout(options.timeouts.greeting.min(PROBE_TIMEOUT), listening).await.ok().flatten();
    match first.and_then(|first| protocol(&first)) {
        Some(Protocol::Imap) => {
            Error { message: format!("{}: it speaks IMAP there without TLS", error.message), ..error }
        }
        Some(other) if other != Protocol::Tls => {
            Error { message: format!("{}: it speaks {} there", error.message, other.name()), ..error }
        }
        _ => error,
    }
}

/// Returns the options without a trace, because the probe must not appear in it.
fn silently(options: &ConnectOptions) -> ConnectOptions {
    ConnectOptions { trace: None, ..options.clone() }
}

async fn first_bytes(stream: &mut Stream) -> Option<Vec<u8>> {
    let mut first = vec![0; 80];
    let count = stream.read(&mut first).await.ok().filter(|count| *count > 0)?;
    first.truncate(count);
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_recognized_by_their_first_bytes() {
        for (first, expected) in [
            (&b"\x15\x03\x01\x00\x02\x02\x46"[..], Some(Protocol::Tls)),
            (b"* OK hello", Some(Protocol::Imap)),
            (b"220 mx.example ESMTP", Some(Protocol::Smtp)),
            (b"220-mx.example", Some(Protocol::Smtp)),
            (b"554 no SMTP service", Some(Protocol::Smtp)),
            (b"220 (vsFTPd 3.0)", Some(Protocol::Ftp)),
            (b"+OK POP3 ready", Some(Protocol::Pop3)),
            (b"-ERR no", Some(Protocol::Pop3)),
            (b"HTTP/1.1 400 Bad Request", Some(Protocol::Http)),
            (b"SSH-2.0-x", Some(Protocol::Ssh)),
            (b"\"IMPLEMENTATION\" \"x\"", Some(Protocol::ManageSieve)),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(protocol(first), expected, "{:?}", String::from_utf8_lossy(first));
        }
    }
}
