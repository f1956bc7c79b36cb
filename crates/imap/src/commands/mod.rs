//! Commands, one file each.

pub(crate) mod authenticate;
mod changes;
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
mod parts;
pub(crate) mod proxy_auth;
mod quota;
mod rename;
mod search;
mod select;
mod status;
mod store;
mod subscribe;
mod unselect;

use mailhaul_mail::{Retry, Scope};

pub use changes::{ChangedMailbox, ChangesQuery};
pub use copy::CopyUids;
pub use introduce::Introduction;
pub use list::{ListQuery, ListedMailbox};
pub use parts::{MAX_SET_LENGTH, split_uids};
pub use quota::Quota;
pub use search::SearchKey;
pub use select::{Qresync, SelectOptions};
pub use status::StatusItem;
pub use store::{StoreCommand, StoreMode};

use crate::error::{Error, ErrorKind};

/// Returns an error if the items of a caller cannot be words of the protocol.
pub(crate) fn plain_items(items: &str) -> Result<(), Error> {
    if items.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        Ok(())
    } else {
        let words = format!("{} is not allowed in a command", items.escape_debug());
        Err(Error {
            scope: Scope::Folder,
            retry: Retry::Never,
            ..Error::session(ErrorKind::Unsupported, words)
        })
    }
}

/// Error of a server without an extension.
fn unsupported(what: &str) -> Error {
    let words = format!("the server does not offer {what}");
    Error { scope: Scope::Folder, retry: Retry::Never, ..Error::session(ErrorKind::Unsupported, words) }
}
