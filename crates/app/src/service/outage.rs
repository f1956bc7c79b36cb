//! Outages: failures of an endpoint or of this machine, independent of the user. Pure.

use mailhaul_engine::{Error, ErrorKind, Side};
use mailhaul_mail::{Retry, Scope};

/// Part that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    /// The endpoint's server: it accepts no connection. Other users would get the same error.
    Endpoint,
    /// This machine: the data directory, or the disk of the archive.
    Machine,
}

/// Returns the outage that ended the pass; `None` if the cause is the user or the mailbox.
pub(super) fn outage(error: &Error, is_archive: bool) -> Option<Outage> {
    use ErrorKind as K;
    if error.scope != Scope::Endpoint || matches!(error.retry, Retry::After(Some(_))) {
        return None;
    }
    match error.kind {
        K::Connection | K::Tls => Some(Outage::Endpoint),
        K::Ledger => Some(Outage::Machine),
        K::Quota | K::Refused if is_archive && error.side != Some(Side::Source) => Some(Outage::Machine),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_of_all_users_are_outages() {
        use ErrorKind as K;
        let (never, again) = (Retry::Never, Retry::Now);
        let (endpoint, machine) = (Some(Outage::Endpoint), Some(Outage::Machine));
        let table = [
            (Scope::Endpoint, never, K::Connection, false, endpoint),
            (Scope::Endpoint, never, K::Tls, false, endpoint),
            // A server without a greeting, and an unreachable token server.
            (Scope::Endpoint, again, K::Connection, false, endpoint),
            (Scope::Endpoint, Retry::After(None), K::Connection, false, endpoint),
            (Scope::Session, again, K::Connection, false, None),
            (Scope::Endpoint, never, K::Ledger, false, machine),
            // A full disk of the archive, and a full mailbox.
            (Scope::Endpoint, never, K::Quota, true, machine),
            (Scope::Endpoint, never, K::Quota, false, None),
            // Too many open files.
            (Scope::Endpoint, Retry::After(None), K::Refused, true, machine),
            (Scope::Endpoint, Retry::After(None), K::Refused, false, None),
            (Scope::Endpoint, never, K::Authentication, false, None),
            (Scope::Folder, never, K::Refused, true, None),
        ];
        for (scope, retry, kind, is_archive, expected) in table {
            let error = Error::new(scope, retry, kind, "words");
            assert_eq!(outage(&error, is_archive), expected, "{scope} {retry:?} {kind:?} {is_archive}");
        }
        let refused = Error::new(Scope::Endpoint, never, K::Refused, "no such root").at(Side::Source);
        assert_eq!(outage(&refused, true), None);
    }
}
