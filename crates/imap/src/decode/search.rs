//! SEARCH, ESEARCH and VANISHED.

use mailhaul_mail::ModSeq;

use super::tokenizer::{Token, Tokens};
use crate::response::{Esearch, Untagged};

/// `1 2 3 (MODSEQ 9)`; empty if nothing matches.
pub(super) fn search(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let (mut ids, mut modseq) = (Vec::new(), None);
    while !tokens.at_end() {
        match tokens.next()? {
            Token::List(members) => modseq = members.get(1).and_then(Token::number).map(ModSeq),
            token => ids.push(token.number()?),
        }
    }
    Some(Untagged::Search { ids, modseq })
}

/// `(TAG "a1") UID COUNT 3 ALL 1:3` (RFC 4731). Unknown return data is skipped.
pub(super) fn esearch(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let mut found = Esearch::default();
    let members = tokens.all()?;
    let mut members = members.iter().skip(usize::from(matches!(members.first(), Some(Token::List(_)))));
    while let Some(name) = members.next() {
        match name.text()?.to_ascii_uppercase().as_str() {
            "UID" => found.uid = true,
            "ALL" => found.all = Some(members.next()?.text()?.parse().ok()?),
            "COUNT" => found.count = members.next()?.number(),
            "MIN" => found.min = members.next()?.number(),
            "MAX" => found.max = members.next()?.number(),
            "MODSEQ" => found.modseq = members.next()?.number().map(ModSeq),
            _ => drop(members.next()),
        }
    }
    Some(Untagged::Esearch(found))
}

/// `(EARLIER) 41,43:116` (RFC 7162).
pub(super) fn vanished(tokens: &mut Tokens<'_>) -> Option<Untagged> {
    let members = tokens.all()?;
    let (earlier, uids) = match members.as_slice() {
        [Token::List(_), uids] => (true, uids),
        [uids] => (false, uids),
        _ => return None,
    };
    Some(Untagged::Vanished { earlier, uids: uids.text()?.parse().ok()? })
}
