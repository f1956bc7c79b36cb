//! Decodes raw responses to values.
//!
//! An unknown untagged line becomes [`Untagged::Unknown`]. Only lines that cannot be a response are errors.

mod fetch;
mod mailbox;
mod search;
mod status;
mod tokenizer;

use crate::{
    framer::{RawResponse, is_fetch},
    limits::ResponseLimits,
    response::{Response, Status, Untagged},
};

pub use fetch::{FetchHead, decode_fetch_head};
use tokenizer::Tokens;

/// Error of a line that is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent a line that is no response: {0:?}")]
pub struct DecodeError(String);

/// Decodes one response.
pub fn decode(raw: &RawResponse, limits: &ResponseLimits) -> Result<Response, DecodeError> {
    let line = raw.text.as_ref();
    let (first, rest) = split_word(line);
    match first {
        [b'+', ..] => Ok(Response::Continue(text(line[1..].trim_ascii()))),
        b"*" => Ok(Response::Untagged(untagged(raw, rest, limits))),
        // Quirk: Xeams sends items of a FETCH on a separate line. They have no meaning without their message.
        b"" if fetch::is_tail(&mut Tokens::after(raw, rest, limits)) => {
            Ok(Response::Untagged(Untagged::Unknown(raw.text.slice_ref(rest))))
        }
        tag if is_tag(tag) => status::status(rest)
            .filter(|status| matches!(status.status, Status::Ok | Status::No | Status::Bad))
            .map(|status| Response::Tagged { tag: text(tag), status })
            .ok_or_else(|| no_response(line)),
        _ => Err(no_response(line)),
    }
}

fn no_response(line: &[u8]) -> DecodeError {
    DecodeError(text(&line[..line.len().min(80)]))
}

fn is_tag(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|octet| octet.is_ascii_graphic() && !b"(){%*\"\\+".contains(octet))
}

fn untagged(raw: &RawResponse, rest: &[u8], limits: &ResponseLimits) -> Untagged {
    known(raw, rest, limits).unwrap_or_else(|| Untagged::Unknown(raw.text.slice_ref(rest)))
}

/// Returns `None` for unknown or malformed data.
fn known(raw: &RawResponse, rest: &[u8], limits: &ResponseLimits) -> Option<Untagged> {
    if let Some(status) = status::status(rest) {
        return Some(Untagged::Status(status));
    }
    let (word, arguments) = split_word(rest);
    if let Some(number) = std::str::from_utf8(word).ok().and_then(|digits| digits.parse::<u32>().ok()) {
        let (word, arguments) = split_word(arguments);
        return match word.to_ascii_uppercase().as_slice() {
            b"EXISTS" => Some(Untagged::Exists(number)),
            b"RECENT" => Some(Untagged::Recent(number)),
            b"EXPUNGE" => Some(Untagged::Expunge(number)),
            name if is_fetch(name) => {
                let is_uid = name.len() > b"FETCH".len();
                fetch::fetch(number, is_uid, &mut Tokens::after(raw, arguments, limits))
            }
            _ => None,
        };
    }
    let mut tokens = Tokens::after(raw, arguments, limits);
    match word.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Some(Untagged::Capability(words(arguments))),
        b"ENABLED" => Some(Untagged::Enabled(words(arguments))),
        b"ID" => mailbox::id(&mut tokens),
        b"NAMESPACE" => mailbox::namespace(&mut tokens),
        b"LIST" | b"XLIST" => mailbox::list(&mut tokens).map(Untagged::List),
        b"LSUB" => mailbox::list(&mut tokens).map(Untagged::Lsub),
        b"STATUS" => mailbox::mailbox_status(&mut tokens),
        b"FLAGS" => tokens.strings().map(Untagged::Flags),
        b"SEARCH" => search::search(&mut tokens),
        b"ESEARCH" => search::esearch(&mut tokens),
        b"VANISHED" => search::vanished(&mut tokens),
        b"QUOTA" => mailbox::quota(&mut tokens),
        b"QUOTAROOT" => mailbox::quota_root(&mut tokens),
        _ => None,
    }
}

/// Splits off the first word and the blanks after it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&octet| octet == b' ').unwrap_or(line.len());
    (&line[..end], line[end..].trim_ascii_start())
}

fn words(line: &[u8]) -> Vec<String> {
    line.split(|&octet| octet == b' ').filter(|word| !word.is_empty()).map(text).collect()
}

/// Decodes UTF-8, with replacement characters if necessary.
fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Decodes the line of a status.
#[cfg(test)]
pub(crate) fn decode_status(line: &[u8]) -> Option<crate::response::StatusResponse> {
    status::status(line)
}

#[cfg(test)]
mod tests;
