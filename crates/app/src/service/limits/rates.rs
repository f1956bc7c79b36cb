//! Which limits hold at an endpoint: what its administrator set, else what is known of such servers. A pure decision.

use mailhaul_engine::{Rates, Side};
use mailhaul_migration as settings;
use mailhaul_remotes::MailboxLimits;

/// Messages that Gmail's API takes of one user in a second: each costs 25 of the 15,000 units of a minute, and a little is left for
/// what else is asked.
const BY_GMAIL_API: u64 = 9;

/// Of the endpoint as a whole. Of servers as a whole nothing is known.
pub(crate) fn of_endpoint(set: settings::Rates) -> Rates {
    Rates {
        messages_per_second: set.messages_per_second,
        bytes_per_second: set.bytes_per_second,
        bytes_per_day: set.bytes_per_day,
    }
}

/// Of one of its mailboxes, on this side of a migration. Where the messages of all mailboxes in a second are limited, those
/// of one are not besides.
pub(crate) fn of_mailbox(set: settings::Rates, known: MailboxLimits, side: Side) -> Rates {
    let (per_second, per_day) = match side {
        Side::Source => (None, known.read_bytes_per_day),
        Side::Target => (known.written_messages_per_second, known.written_bytes_per_day),
    };
    Rates {
        messages_per_second: per_second.filter(|_| set.messages_per_second.is_none()),
        bytes_per_second: None,
        bytes_per_day: set.mailbox_bytes_per_day.or(per_day),
    }
}

/// What is known of a mailbox that is written to by Gmail's API: other limits than IMAP's.
pub(crate) fn by_gmail_api(known: MailboxLimits) -> MailboxLimits {
    MailboxLimits { written_bytes_per_day: None, written_messages_per_second: Some(BY_GMAIL_API), ..known }
}

/// Pairs of connections of one mailbox, where such a server takes so many connections of it: half of them are left to its
/// owner's own programs.
pub(crate) fn lanes(known: MailboxLimits) -> Option<usize> {
    known.connections.map(|it| (it / 2).max(1))
}

#[cfg(test)]
mod tests {
    use mailhaul_remotes::Profiles;

    use super::*;

    fn known(profile: &str) -> MailboxLimits {
        Profiles::built_in().find(profile).unwrap().limits
    }

    #[test]
    fn what_is_known_of_servers_holds_where_nothing_is_set() {
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
        assert_eq!(of_mailbox(none, microsoft, Side::Source), Rates::default());
        assert!(!of_endpoint(none).limit_something());
        for profile in Profiles::built_in().names() {
            let lanes = lanes(known(profile));
            assert_eq!(lanes.is_some_and(|it| it < 4), profile == "iCloud", "{profile}: {lanes:?}");
        }
        let set = settings::Rates {
            messages_per_second: Some(50),
            mailbox_bytes_per_day: Some(10),
            ..settings::Rates::default()
        };
        assert_eq!(
            of_mailbox(set, microsoft, Side::Target),
            Rates { bytes_per_day: Some(10), ..Rates::default() }
        );
        assert_eq!(of_endpoint(set).messages_per_second, Some(50));
    }
}
