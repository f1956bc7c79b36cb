//! Splits sets of UIDs: by the length of a command, and by the number of messages of one command (MESSAGELIMIT, RFC
//! 9738).

use std::collections::VecDeque;

use mailhaul_mail::{Scope, Uid, UidSet};

use crate::{
    driver::{ConnectionState, Link},
    encode::Command,
    error::{Error, ErrorKind},
    response::{Code, StatusResponse, Untagged},
};

/// Longest set in a command, in bytes. Every server reads such commands. RFC 2683, section 3.2.1.5, is stricter, but old.
pub const MAX_SET_LENGTH: usize = 4000;
/// Maximum number of parts. A set that needs more has an open end, and the server reports its progress.
const MAX_PARTS: u64 = 100_000;

/// Splits a set into sets of at most `octets` bytes each. A single range may be longer.
pub fn split_uids(uids: &UidSet, octets: usize) -> Vec<UidSet> {
    let mut parts = Vec::new();
    let (mut part, mut length) = (UidSet::new(), 0);
    for (first, last) in uids.ranges() {
        let range = UidSet::range(first, last).to_string().len() + 1;
        if length + range > octets + 1 && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            length = 0;
        }
        part.insert_range(first, last);
        length += range;
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Splits a set into parts that the server accepts in one command, if it reports a limit.
pub(super) fn parts(uids: &UidSet, state: &ConnectionState) -> VecDeque<UidSet> {
    let short = split_uids(uids, MAX_SET_LENGTH);
    let Some(most) = state.message_limit() else { return short.into() };
    short.iter().flat_map(|set| split_count(set, most)).collect()
}

/// Splits a set into sets of at most `most` UIDs.
fn split_count(uids: &UidSet, most: u32) -> Vec<UidSet> {
    let most = u64::from(most.max(1));
    let is_open = uids.len() / most > MAX_PARTS;
    if is_open || uids.len() <= most {
        return vec![uids.clone()];
    }
    let mut parts = Vec::new();
    let mut part = UidSet::new();
    for (mut first, last) in uids.ranges() {
        loop {
            let room = u32::try_from(most - part.len()).unwrap_or(u32::MAX);
            let end = Uid::new(first.get().saturating_add(room - 1)).map_or(last, |end| end.min(last));
            part.insert_range(first, end);
            if part.len() == most {
                parts.push(std::mem::take(&mut part));
            }
            match end.get().checked_add(1).and_then(Uid::new) {
                Some(next) if next <= last => first = next,
                _ => break,
            }
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Returns the part of a set that a command did not process. Returns an error if the server processed nothing.
///
/// Protocol: the greatest UIDs are processed first, and the answer contains the smallest one (RFC 9738, section 3.1).
pub(super) fn left_undone(name: &str, asked: &UidSet, status: &StatusResponse) -> Result<UidSet, Error> {
    let Some(Code::MessageLimit { lowest: Some(lowest), .. }) = status.code else { return Ok(UidSet::new()) };
    let rest = asked.without(&UidSet::range(lowest, Uid::LAST));
    if rest == *asked {
        let words =
            format!("{name}: the server processed messages down to {lowest}, which was not requested");
        return Err(Error::session(ErrorKind::Protocol, words).at_least(Scope::Session));
    }
    Ok(rest)
}

/// Runs a command for all messages of a set. `finish` adds the arguments after the set.
pub(super) async fn run_in_parts(
    link: &mut Link,
    name: &str,
    uids: &UidSet,
    finish: impl Fn(Command) -> Command,
    mut collect: impl FnMut(&StatusResponse),
) -> Result<(), Error> {
    let mut todo = parts(uids, link.state());
    while let Some(part) = todo.pop_front() {
        let command = finish(Command::new(name).uids(&part));
        let observe = |untagged| {
            if let Untagged::Status(status) = untagged {
                collect(&status);
            }
        };
        let status = link.run(name, &command, observe).await?;
        collect(&status);
        let rest = left_undone(name, &part, &status)?;
        if !rest.is_empty() {
            todo.push_front(rest);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(parts: &[UidSet]) -> UidSet {
        parts.iter().flat_map(UidSet::iter).collect()
    }

    proptest! {
        #[test]
        fn the_parts_of_a_set_are_short_and_make_the_set(
            numbers in prop::collection::vec(1u32..100_000, 0..300),
            octets in 0usize..100,
        ) {
            let set: UidSet = numbers.into_iter().filter_map(Uid::new).collect();
            let parts = split_uids(&set, octets);
            prop_assert!(parts.iter().all(|part| part.to_string().len() <= octets || part.ranges().count() == 1));
            prop_assert_eq!(whole(&parts), set);
        }

        #[test]
        fn the_parts_of_a_set_are_small_and_make_the_set(
            ranges in prop::collection::vec((1u32..2000, 0u32..50), 1..40),
            most in 1u32..60,
        ) {
            let mut set = UidSet::new();
            for (first, more) in ranges {
                set.insert_range(Uid::new(first).unwrap(), Uid::new(first + more).unwrap());
            }
            let parts = split_count(&set, most);
            prop_assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= u64::from(most)));
            prop_assert_eq!(parts.iter().map(UidSet::len).sum::<u64>(), set.len());
            prop_assert_eq!(whole(&parts), set);
        }
    }

    #[test]
    fn a_set_with_an_open_end_is_not_cut() {
        assert_eq!(split_count(&UidSet::all(), 1000), [UidSet::all()]);
    }

    #[test]
    fn the_rest_is_below_the_reported_message() {
        let status = |code| StatusResponse { status: crate::response::Status::Ok, code, text: String::new() };
        let limit = |lowest| Some(Code::MessageLimit { most: 3, lowest: Uid::new(lowest) });
        let asked: UidSet = "2,4:8".parse().unwrap();
        let left = |lowest| left_undone("X", &asked, &status(limit(lowest))).map(|rest| rest.to_string());
        assert_eq!(left(6).unwrap(), "2,4:5");
        assert_eq!(left(1).unwrap(), "");
        assert_eq!(left(0).unwrap(), "", "the server does not say how far it came");
        assert!(left(9).is_err(), "it would be asked for ever");
        assert!(left_undone("X", &asked, &status(None)).unwrap().is_empty());
    }
}
