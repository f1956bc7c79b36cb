//! One file for each command.

pub(crate) mod authenticate;
mod compress;
mod copy;
mod create;
mod enable;
mod expunge;
mod fetch;
mod id;
mod introduce;
mod list;
mod logout;
mod namespace;
mod noop;
pub(crate) mod proxy_auth;
mod quota;
mod rename;
mod search;
mod select;
mod status;
mod store;
mod subscribe;
mod unselect;

use mailhaul_mail::{Retry, Scope, UidSet};

pub use copy::Copied;
pub use introduce::Introduction;
pub use list::{ListQuery, ListedMailbox};
pub use quota::Quota;
pub use search::SearchKey;
pub use select::{Qresync, SelectOptions};
pub use status::StatusItem;
pub use store::StoreMode;

use crate::error::{Error, ErrorKind};

/// Sets of UIDs are cut so that no command is longer than what every server reads (RFC 2683, section 3.2.1.5, is
/// older than most of them).
const LONGEST_SET: usize = 4000;

/// Cuts a set into sets that print in at most `octets` octets each (or one range, if that is longer).
pub fn split_uids(uids: &UidSet, octets: usize) -> Vec<UidSet> {
    let mut pieces = Vec::new();
    let (mut piece, mut length) = (UidSet::new(), 0);
    for (first, last) in uids.ranges() {
        let range = UidSet::range(first, last).to_string().len() + 1;
        if length + range > octets + 1 && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            length = 0;
        }
        piece.insert_range(first, last);
        length += range;
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn pieces(uids: &UidSet) -> Vec<UidSet> {
    split_uids(uids, LONGEST_SET)
}

/// Words that callers give must be words of the protocol.
pub(crate) fn plain_items(items: &str) -> Result<(), Error> {
    if items.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        Ok(())
    } else {
        let words = format!("{} cannot be said in a command", items.escape_debug());
        Err(Error {
            scope: Scope::Folder,
            retry: Retry::Never,
            ..Error::session(ErrorKind::Unsupported, words)
        })
    }
}

/// The server lacks what was asked for.
fn unsupported(what: &str) -> Error {
    let words = format!("the server does not offer {what}");
    Error { scope: Scope::Folder, retry: Retry::Never, ..Error::session(ErrorKind::Unsupported, words) }
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Uid;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_pieces_of_a_set_are_short_and_make_the_set(
            numbers in prop::collection::vec(1u32..100_000, 0..300),
            octets in 0usize..100,
        ) {
            let set: UidSet = numbers.into_iter().filter_map(Uid::new).collect();
            let mut whole = UidSet::new();
            for piece in split_uids(&set, octets) {
                prop_assert!(piece.to_string().len() <= octets || piece.ranges().count() == 1);
                whole.extend(piece.iter());
            }
            prop_assert_eq!(whole, set);
        }
    }
}
