//! Maps IMAP errors to errors of the engine.

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_imap as imap;

pub(crate) fn into_engine_error(error: imap::Error) -> Error {
    use imap::ErrorKind as K;
    let kind = match error.kind {
        K::Authentication => ErrorKind::Authentication,
        K::Unreachable | K::Connection | K::Timeout => ErrorKind::Connection,
        K::Tls => ErrorKind::Tls,
        K::Protocol | K::Flood => ErrorKind::Protocol,
        K::Throttled => ErrorKind::Throttled,
        K::Busy => ErrorKind::Busy,
        K::TooManyConnections => ErrorKind::TooManyConnections,
        K::Quota => ErrorKind::Quota,
        K::TooLarge => ErrorKind::TooLarge,
        K::Forbidden | K::Refused | K::NotFound | K::AlreadyExists | K::Unsupported => ErrorKind::Refused,
    };
    Error::new(error.scope, error.retry, kind, error.message)
}
