//! Status responses and their codes.

use mailhaul_mail::{ModSeq, Uid, UidSet, UidValidity};

use super::{split_word, text, words};
use crate::response::{Code, Status, StatusResponse};

/// Decodes `OK [CODE argument] words`. Code and words may be missing.
pub(super) fn status(line: &[u8]) -> Option<StatusResponse> {
    let line = line.trim_ascii_end();
    // The blank before a code is sometimes missing.
    let end = line.iter().position(|octet| matches!(octet, b' ' | b'\t' | b'[')).unwrap_or(line.len());
    let (word, rest) = (&line[..end], line[end..].trim_ascii_start());
    let status = match word.to_ascii_uppercase().as_slice() {
        b"OK" => Status::Ok,
        b"NO" => Status::No,
        b"BAD" => Status::Bad,
        b"BYE" => Status::Bye,
        b"PREAUTH" => Status::PreAuth,
        _ => return None,
    };
    let Some((inside, after)) = brackets(rest) else {
        return Some(StatusResponse { status, code: None, text: text(rest) });
    };
    Some(StatusResponse { status, code: Some(code(inside)), text: text(after.trim_ascii_start()) })
}

/// Splits the brackets at the start from the rest. `]` inside quotes or parentheses does not end them.
fn brackets(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = rest.strip_prefix(b"[")?;
    let (mut quoted, mut depth) = (false, 0usize);
    for (index, octet) in inside.iter().enumerate() {
        match octet {
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b']' if !quoted && depth == 0 => return Some((&inside[..index], &inside[index + 1..])),
            _ => {}
        }
    }
    // A keyword with an odd bracket confuses the count. Then the first `]` ends the brackets.
    let close = inside.iter().position(|&octet| octet == b']')?;
    Some((&inside[..close], &inside[close + 1..]))
}

fn code(inside: &[u8]) -> Code {
    let (name, rest) = split_word(inside);
    let (spelt, rest) = (text(name), rest.trim_ascii());
    let name = spelt.to_ascii_uppercase();
    // Exchange sends `Error="..."` here, with a value for display.
    let name_shown = |name| if spelt.contains('=') { spelt.clone() } else { name };
    known(&name, rest).unwrap_or_else(|| Code::Other { name: name_shown(name), rest: text(rest) })
}

fn known(name: &str, rest: &[u8]) -> Option<Code> {
    Some(match name {
        "ALERT" => Code::Alert,
        "ALREADYEXISTS" => Code::AlreadyExists,
        "APPENDUID" => {
            let (validity, uids) = split_word(rest);
            Code::AppendUid { validity: validity_of(validity)?, uids: ascii(uids)?.parse().ok()? }
        }
        "AUTHENTICATIONFAILED" => Code::AuthenticationFailed,
        "AUTHORIZATIONFAILED" => Code::AuthorizationFailed,
        "BADCHARSET" => Code::BadCharset,
        "CANNOT" => Code::Cannot,
        "CAPABILITY" => Code::Capability(words(rest)),
        "CLIENTBUG" => Code::ClientBug,
        "CLOSED" => Code::Closed,
        "COMPRESSIONACTIVE" => Code::CompressionActive,
        "CONTACTADMIN" => Code::ContactAdmin,
        "COPYUID" => {
            let (validity, sets) = split_word(rest);
            let (from, to) = split_word(sets);
            let (from, to) = (ordered(ascii(from)?)?, ordered(ascii(to)?)?);
            let pairs = (from.len() == to.len()).then(|| from.into_iter().zip(to).collect())?;
            Code::CopyUid { validity: validity_of(validity)?, pairs }
        }
        "CORRUPTION" => Code::Corruption,
        "EXPIRED" => Code::Expired,
        "EXPUNGEISSUED" => Code::ExpungeIssued,
        "HASCHILDREN" => Code::HasChildren,
        "HIGHESTMODSEQ" => Code::HighestModSeq(ModSeq(ascii(rest)?.parse().ok()?)),
        "INUSE" => Code::InUse,
        "LIMIT" => Code::Limit,
        "MAILBOXID" => Code::MailboxId(ascii(rest)?.trim_matches(['(', ')']).to_owned()),
        "MESSAGELIMIT" => {
            let (most, lowest) = split_word(rest);
            let lowest = ascii(lowest).and_then(|digits| digits.parse().ok()).and_then(Uid::new);
            Code::MessageLimit { most: ascii(most)?.parse().ok()?, lowest }
        }
        "MODIFIED" => Code::Modified(ascii(rest)?.parse().ok()?),
        "NOMODSEQ" => Code::NoModSeq,
        "NONEXISTENT" => Code::NonExistent,
        "NOPERM" => Code::NoPerm,
        "OVERQUOTA" => Code::OverQuota,
        "PARSE" => Code::Parse,
        "PERMANENTFLAGS" => {
            let flags = rest.strip_prefix(b"(").unwrap_or(rest);
            Code::PermanentFlags(words(flags.strip_suffix(b")").unwrap_or(flags)))
        }
        "PRIVACYREQUIRED" => Code::PrivacyRequired,
        "READ-ONLY" => Code::ReadOnly,
        "READ-WRITE" => Code::ReadWrite,
        "SERVERBUG" => Code::ServerBug,
        "TOOBIG" => Code::TooBig,
        "TRYCREATE" => Code::TryCreate,
        "UIDNEXT" => Code::UidNext(Uid::new(ascii(rest)?.parse().ok()?)?),
        "UIDNOTSTICKY" => Code::UidNotSticky,
        "UIDVALIDITY" => Code::UidValidity(validity_of(rest)?),
        "UNAVAILABLE" => Code::Unavailable,
        "UNKNOWN-CTE" => Code::UnknownCte,
        "UNSEEN" => Code::Unseen(ascii(rest)?.parse().ok()?),
        _ => return None,
    })
}

fn ascii(octets: &[u8]) -> Option<&str> {
    std::str::from_utf8(octets).ok()
}

fn validity_of(octets: &[u8]) -> Option<UidValidity> {
    UidValidity::new(ascii(octets)?.parse().ok()?)
}

/// Returns the members of a UID set in their order, at most a million. Commands of this crate move fewer.
fn ordered(set: &str) -> Option<Vec<Uid>> {
    let mut uids = Vec::new();
    for part in set.split(',') {
        let range: UidSet = part.parse().ok()?;
        if range.len() + uids.len() as u64 > 1_000_000 {
            return None;
        }
        uids.extend(range.iter());
    }
    Some(uids)
}
