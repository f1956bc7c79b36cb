//! LIST, LSUB, STATUS, NAMESPACE, ID and quota.

use bytes::Bytes;
use mailhaul_mail::{ModSeq, Uid, UidValidity};

use super::tokenizer::{Token, Tokens};
use crate::{
    mailbox_name::MailboxName,
    response::{ListItem, NamespaceEntry, Namespaces, QuotaResource, StatusItems, Untagged},
};

/// `(\HasNoChildren \Sent) "/" Sent ("CHILDINFO" ("SUBSCRIBED"))`.
pub(super) fn list(tokens: &mut Tokens<'_>) -> Option<ListItem> {
    let attributes = tokens.strings()?;
    // Domino and others send a single backslash.
    let delimiter = if tokens.take_all(b"\"\\\" ") { Some('\\') } else { delimiter(&tokens.next()?) };
    tokens.position();
    let start = tokens.rest();
    let name = name(tokens);
    let after = tokens.rest();
    let (name, extended) = match (name, extended(tokens)) {
        (Some(name), Some(extended)) => (name, extended),
        // A token was read, but it may be a part of the name only. The part may be the name of another folder.
        (name, _) => (odd_name(start, after).or(name)?, Vec::new()),
    };
    Some(ListItem { attributes, delimiter, name, extended })
}

/// Returns a whole name that breaks the grammar. `after` follows the token that was read at `start`.
///
/// The name has blanks, quotes or parentheses without quotes around it, or quotes or a final backslash without escapes.
fn odd_name(start: &[u8], after: &[u8]) -> Option<MailboxName> {
    let name = match start.trim_ascii_end() {
        [b'"', inside @ .., b'"'] if !after.starts_with(b" ") => inside,
        [b'"' | b'{', ..] | [b'~', b'{', ..] => return None,
        bare => bare,
    };
    if name.is_empty() { None } else { Some(MailboxName::from_wire(name)) }
}

/// `("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x"))` or nothing (RFC 5258); `None` for anything else.
fn extended(tokens: &mut Tokens<'_>) -> Option<Vec<(String, Bytes)>> {
    let mut extended = Vec::new();
    if tokens.take(b'(') {
        while !tokens.take(b')') {
            let key = tokens.next()?.text()?;
            let start = tokens.position();
            tokens.next()?;
            extended.push((key.to_ascii_uppercase(), tokens.since(start)));
        }
    }
    if tokens.at_end() { Some(extended) } else { None }
}

fn delimiter(token: &Token) -> Option<char> {
    token.text()?.chars().next()
}

/// Decodes a mailbox name.
///
/// An unquoted name may contain characters that are not allowed in atoms (Courier: `&`; others: brackets). `NIL` can be a
/// name.
fn name(tokens: &mut Tokens<'_>) -> Option<MailboxName> {
    let start = tokens.position();
    match tokens.next()? {
        Token::Nil => Some(MailboxName::from_wire(tokens.since(start))),
        token => token.octets().map(|octets| MailboxName::from_wire(octets.to_vec())),
    }
}

/// `Sent (MESSAGES 3 UIDNEXT 4)`. Unknown items are skipped.
pub(super) fn mailbox_status(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let name = name(tokens)?;
    let members = tokens.next()?;
    let mut items = StatusItems::default();
    // A last item without a value is skipped too.
    let (pairs, _) = members.list()?.as_chunks::<2>();
    for [key, value] in pairs {
        match key.text()?.to_ascii_uppercase().as_str() {
            "MESSAGES" => items.messages = value.number(),
            "RECENT" => items.recent = value.number(),
            "UIDNEXT" => items.uid_next = value.number().and_then(Uid::new),
            "UIDVALIDITY" => items.uid_validity = value.number().and_then(UidValidity::new),
            "UNSEEN" => items.unseen = value.number(),
            "DELETED" => items.deleted = value.number(),
            "SIZE" => items.size = value.number(),
            "HIGHESTMODSEQ" => items.highest_modseq = value.number().map(ModSeq),
            "MAILBOXID" => items.mailbox_id = value.list().and_then(|id| id.first()).and_then(Token::text),
            "APPENDLIMIT" => items.append_limit = value.number(),
            _ => {}
        }
    }
    Some(Untagged::MailboxStatus { name, items })
}

/// `(("" "/")) NIL (("shared/" "/"))` (RFC 2342). Extension data is skipped.
pub(super) fn namespace(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let mut entries = || -> Option<Vec<NamespaceEntry>> {
        let token = if tokens.at_end() { Token::Nil } else { tokens.next()? };
        let members = token.list()?.iter();
        members
            .map(|entry| {
                let [prefix, separator, ..] = entry.list()? else { return None };
                let prefix =
                    MailboxName::from_wire(prefix.octets().map(|octets| octets.to_vec()).unwrap_or_default());
                Some(NamespaceEntry { prefix, delimiter: delimiter(separator) })
            })
            .collect()
    };
    Some(Untagged::Namespace(Namespaces {
        personal: entries()?,
        other_users: entries()?,
        shared: entries()?,
    }))
}

/// `("name" "Dovecot" "version" NIL)` (RFC 2971).
pub(super) fn id(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let members = tokens.next()?;
    let pairs = members.list()?.chunks(2).filter_map(|pair| Some((pair[0].text()?, pair.get(1)?.text())));
    Some(Untagged::Id(pairs.collect()))
}

/// `"" (STORAGE 10 512)` (RFC 9208).
pub(super) fn quota(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let root = tokens.next()?.text()?;
    let members = tokens.next()?;
    let triples = members.list()?.chunks(3).map(|triple| match triple {
        [name, usage, limit] => {
            Some(QuotaResource { name: name.text()?, usage: usage.number()?, limit: limit.number()? })
        }
        _ => None,
    });
    Some(Untagged::Quota { root, resources: triples.collect::<Option<_>>()? })
}

/// `INBOX "" "other"`.
pub(super) fn quota_root(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let name = name(tokens)?;
    let roots = tokens.all()?.iter().map(Token::text).collect::<Option<_>>()?;
    Some(Untagged::QuotaRoot { name, roots })
}
