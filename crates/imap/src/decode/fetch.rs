//! FETCH.

use mailhaul_mail::{Flags, InternalDate, ModSeq, Uid};

use super::tokenizer::{Token, Tokens};
use crate::{
    framer::{RawResponse, is_fetch},
    limits::ResponseLimits,
    response::{Content, Fetch, Section, Untagged},
};

/// Data of a message before the bytes of a large section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchHead {
    /// UID, if it came before the section.
    pub uid: Option<Uid>,
    /// Section, as in [`Section::spec`].
    pub section: String,
    /// First byte of a partial section, as in [`Section::origin`]; `None` for the whole section.
    pub origin: Option<u32>,
}

/// Decodes the beginning of a FETCH response whose last token is the header of a large literal.
pub fn decode_fetch_head(raw: &RawResponse, limits: &ResponseLimits) -> Option<FetchHead> {
    let rest = raw.text.strip_prefix(b"* ")?;
    let (number, rest) = super::split_word(rest);
    let (word, rest) = super::split_word(rest);
    if !is_fetch(word) {
        return None;
    }
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    let mut tokens = Tokens::after(raw, rest, limits);
    let mut found = new_fetch(number, word.len() > b"FETCH".len());
    // The items end in the literal, so the last one is always incomplete.
    _ = tokens.take(b'(') && items(&mut found, &mut tokens);
    let section = found.sections.last().filter(|section| matches!(section.content, Content::Streamed(_)))?;
    Some(FetchHead { uid: found.uid, section: section.spec.clone(), origin: section.origin })
}

/// Returns an empty answer with its number: a sequence number, or a UID.
fn new_fetch(number: u32, is_uid: bool) -> Fetch {
    if !is_uid {
        return Fetch { sequence: number, ..Fetch::default() };
    }
    let uid = Uid::new(number);
    let odd_uid = if uid.is_none() { Some(number.to_string()) } else { None };
    Fetch { uid, odd_uid, ..Fetch::default() }
}

/// Decodes `(UID 5 FLAGS (\Seen) BODY[] {3} ...)`.
///
/// A malformed response with bytes of a message is [`Untagged::BrokenFetch`]; any other malformed one is `None`.
pub(super) fn fetch(number: u32, is_uid: bool, tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let mut found = new_fetch(number, is_uid);
    let is_whole = tokens.take(b'(')
        && items(&mut found, tokens)
        && tokens.take(b')')
        // Quirk: Xeams closes the list after the literal, and sends the other items outside of it.
        && items(&mut found, tokens)
        && tokens.at_end();
    let has_octets = found.sections.iter().any(|section| section.content != Content::Nil);
    match (is_whole, has_octets) {
        (true, _) => Some(Untagged::Fetch(Box::new(found))),
        (false, true) => Some(Untagged::BrokenFetch(Box::new(found))),
        (false, false) => None,
    }
}

/// True for ` UID 1)`: the remaining items of a response that seemed complete.
pub(super) fn is_tail(tokens: &mut Tokens<'_>) -> bool {
    let mut found = Fetch::default();
    items(&mut found, tokens) && found.uid.is_some() && tokens.take(b')') && tokens.at_end()
}

/// Decodes items up to a closing parenthesis or the end. Returns false if one is malformed.
fn items(found: &mut Fetch, tokens: &mut Tokens<'_>) -> bool {
    while !tokens.at_end() && !tokens.rest().starts_with(b")") {
        if item(found, tokens).is_none() {
            return false;
        }
    }
    true
}

/// True for an item name that may follow bytes of a message.
///
/// If a literal is longer than announced, the end of the message stands here. It must not be read as items.
fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 16] = [
        "UID",
        "FLAGS",
        "INTERNALDATE",
        "RFC822.SIZE",
        "MODSEQ",
        "EMAILID",
        "THREADID",
        "SAVEDATE",
        "PREVIEW",
        "SNIPPET",
        "ENVELOPE",
        "BODY",
        "BODYSTRUCTURE",
        "ANNOTATION",
        "RFC822.HEADER",
        "RFC822.TEXT",
    ];
    KNOWN.contains(&name)
        || ["X-", "BINARY.SIZE["].iter().any(|prefix| name.starts_with(prefix))
        || section(name).is_some()
}

fn item(found: &mut Fetch, tokens: &mut Tokens<'_>) -> Option<()> {
    let Token::Atom(name) = tokens.next()? else { return None };
    let name = super::text(&name);
    let upper = name.to_ascii_uppercase();
    if !found.sections.is_empty() && !is_known(&upper) {
        return None;
    }
    let start = tokens.position();
    let value = tokens.next()?;
    match upper.as_str() {
        "UID" => {
            let uid = value.number().and_then(Uid::new);
            if found.uid.is_some_and(|known| Some(known) != uid) {
                return None;
            }
            found.uid = uid;
            found.odd_uid = if uid.is_none() { value.text() } else { None };
        }
        "FLAGS" => {
            found.flags = value.texts().map(|names| names.iter().map(String::as_str).collect::<Flags>());
        }
        "INTERNALDATE" => {
            found.internal_date_text = value.text();
            found.internal_date = found.internal_date_text.as_deref().and_then(InternalDate::parse);
        }
        "RFC822.SIZE" => found.rfc822_size = value.number(),
        "MODSEQ" => found.modseq = first_member(&value).and_then(Token::number).map(ModSeq),
        "EMAILID" => found.email_id = first_member(&value).and_then(Token::text),
        "THREADID" => found.thread_id = first_member(&value).and_then(Token::text),
        "X-GM-MSGID" => found.gm_msgid = value.number(),
        "X-GM-THRID" => found.gm_thrid = value.number(),
        "X-GM-LABELS" => found.gm_labels = value.texts(),
        _ => match (section(&upper), content(&value)) {
            (Some((spec, origin)), Some(content)) => {
                if found.sections.iter().any(|known| (&known.spec, known.origin) == (&spec, origin)) {
                    return None;
                }
                found.sections.push(Section { spec, origin, content });
            }
            _ => found.other.push((name, tokens.since(start))),
        },
    }
    Some(())
}

/// Returns spec and origin of `BODY[SPEC]<origin>` and similar items.
fn section(item: &str) -> Option<(String, Option<u32>)> {
    match item {
        "RFC822" => return Some((String::new(), None)),
        "RFC822.HEADER" => return Some(("HEADER".to_owned(), None)),
        "RFC822.TEXT" => return Some(("TEXT".to_owned(), None)),
        _ => {}
    }
    let inside = item.strip_prefix("BODY[").or_else(|| item.strip_prefix("BINARY["))?;
    let (spec, tail) = inside.rsplit_once(']')?;
    if tail.is_empty() {
        return Some((spec.to_owned(), None));
    }
    let origin = tail.strip_prefix('<')?.strip_suffix('>')?.parse().ok()?;
    Some((spec.to_owned(), Some(origin)))
}

/// First member of a list.
fn first_member(value: &Token) -> Option<&Token> {
    value.list()?.first()
}

fn content(value: &Token) -> Option<Content> {
    match value {
        Token::Nil => Some(Content::Nil),
        Token::String(octets) | Token::Atom(octets) => Some(Content::Inline(octets.clone())),
        Token::Streamed(length) => Some(Content::Streamed(*length)),
        Token::List(_) => None,
    }
}
