//! Rates of an endpoint: those that the administrator set, else those of the server profile. Pure.

use mailhaul_engine::{RateLimits, Side};
use mailhaul_migration as settings;
use mailhaul_remotes::MailboxLimits;

/// Messages per second and user by Gmail's API.
///
/// Each costs 25 of 15,000 units per minute. The rest is left for other requests.
const GMAIL_API_MESSAGES_PER_SECOND: u64 = 9;

/// Rates of the endpoint as a whole. Profiles have none.
pub(crate) fn of_endpoint(set: settings::Rates) -> RateLimits {
    RateLimits {
        messages_per_second: set.messages_per_second,
        bytes_per_second: set.bytes_per_second,
        bytes_per_day: set.bytes_per_day,
    }
}

/// Rates of one mailbox on this side of a migration.
///
/// If the endpoint has a limit on messages per second, its mailboxes have no separate one.
pub(crate) fn of_mailbox(set: settings::Rates, known: MailboxLimits, side: Side) -> RateLimits {
    let (per_second, per_day) = match side {
        Side::Source => (None, known.read_bytes_per_day),
        Side::Target => (known.written_messages_per_second, known.written_bytes_per_day),
    };
    RateLimits {
        messages_per_second: per_second.filter(|_| set.messages_per_second.is_none()),
        bytes_per_second: None,
        bytes_per_day: set.mailbox_bytes_per_day.or(per_day),
    }
}

/// Limits of a mailbox whose messages are uploaded by Gmail's API. They differ from IMAP's.
pub(crate) fn by_gmail_api(known: MailboxLimits) -> MailboxLimits {
    MailboxLimits {
        written_bytes_per_day: None,
        written_messages_per_second: Some(GMAIL_API_MESSAGES_PER_SECOND),
        ..known
    }
}

/// Maximum number of connection pairs of a mailbox by the profile.
///
/// Half of the server's connections are left to the programs of the mailbox's owner.
pub(crate) fn pairs(known: MailboxLimits) -> Option<usize> {
    known.connections.map(|connections| (connections / 2).max(1))
}

#[cfg(test)]
mod tests {
    use mailhaul_remotes::Profiles;

    use super::*;

    fn known(profile: &str) -> MailboxLimits {
        Profiles::built_in().find(profile).unwrap().limits
    }

    #[test]
    fn the_profile_holds_if_nothing_is_set() {
        let none = settings::Rates::default();
        let gmail = known("Gmail");
        assert_eq!(of_mailbox(none, gmail, Side::Source).bytes_per_day, Some(2_500_000_000));
        assert_eq!(of_mailbox(none, gmail, Side::Target).bytes_per_day, Some(500_000_000));
        let by_api = of_mailbox(none, by_gmail_api(gmail), Side::Target);
        assert_eq!((by_api.bytes_per_day, by_api.messages_per_second), (None, Some(9)));
        let source = of_mailbox(none, by_gmail_api(gmail), Side::Source);
        assert_eq!(source, of_mailbox(none, gmail, Side::Source));
        let microsoft = known("Microsoft 365");
        assert_eq!(of_mailbox(none, microsoft, Side::Target).messages_per_second, Some(4));
        assert_eq!(of_mailbox(none, microsoft, Side::Source), RateLimits::default());
        assert!(!of_endpoint(none).is_any_set());
        for profile in Profiles::built_in().names() {
            let pairs = pairs(known(profile));
            assert_eq!(pairs.is_some_and(|pairs| pairs < 4), profile == "iCloud", "{profile}: {pairs:?}");
        }
        let set = settings::Rates {
            messages_per_second: Some(50),
            mailbox_bytes_per_day: Some(10),
            ..settings::Rates::default()
        };
        assert_eq!(
            of_mailbox(set, microsoft, Side::Target),
            RateLimits { bytes_per_day: Some(10), ..RateLimits::default() }
        );
        assert_eq!(of_endpoint(set).messages_per_second, Some(50));
    }
}
