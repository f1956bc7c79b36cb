//! Gmail: labels over one store of messages, daily budgets, and connections that end after many bodies.

use std::time::Duration;

use super::{
    limits::Limits,
    personality::{Personality, Verdict},
};

const ENGLISH: &[(&str, &str)] = &[
    ("INBOX", ""),
    ("[Gmail]", "\\Noselect"),
    ("[Gmail]/All Mail", "\\All"),
    ("[Gmail]/Drafts", "\\Drafts"),
    ("[Gmail]/Important", "\\Important"),
    ("[Gmail]/Sent Mail", "\\Sent"),
    ("[Gmail]/Spam", "\\Junk"),
    ("[Gmail]/Starred", "\\Flagged"),
    ("[Gmail]/Trash", "\\Trash"),
];

const GERMAN: &[(&str, &str)] = &[
    ("INBOX", ""),
    ("[Gmail]", "\\Noselect"),
    ("[Gmail]/Alle Nachrichten", "\\All"),
    ("[Gmail]/Entwürfe", "\\Drafts"),
    ("[Gmail]/Wichtig", "\\Important"),
    ("[Gmail]/Gesendet", "\\Sent"),
    ("[Gmail]/Spam", "\\Junk"),
    ("[Gmail]/Markiert", "\\Flagged"),
    ("[Gmail]/Papierkorb", "\\Trash"),
];

/// Names that Gmail reserves.
const RESERVED: [&str; 6] = ["[gmail]", "[google mail]", "sent", "drafts", "spam", "trash"];

impl Personality {
    /// Gmail in English.
    pub fn gmail() -> Self {
        Self {
            greeting: "Gimap ready for requests from 127.0.0.1",
            before_login: "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN",
            after_login: "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS ENABLE MOVE CONDSTORE \
                          ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
            id: "\"name\" \"GImap\" \"vendor\" \"Google, Inc.\"",
            permanent_flags: "\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing \\*",
            folders: ENGLISH,
            refuses_name,
            has_labels: true,
            judge: |octets| {
                let has_nul = octets.contains(&0);
                if has_nul { Verdict::HangUp("BYE Invalid character in literal") } else { Verdict::Take }
            },
            largest: Some((35_651_584, "NO [TOOBIG] Message too large. (Failure)")),
            limits: Limits {
                connections: 15,
                download_per_day: Some(2_500 << 20),
                upload_per_day: Some(500 << 20),
                bodies_per_connection: Some(300),
                mention_throttling_after: Some(150),
                quota_units_per_minute: Some(15_000),
                append_time: Duration::from_millis(300),
                fetch_time: Duration::from_millis(20),
                ..Limits::default()
            },
            ..Self::plain()
        }
    }

    /// Gmail in German: only the attributes show the purpose of a folder.
    pub fn gmail_in_german() -> Self {
        Self { folders: GERMAN, ..Self::gmail() }
    }
}

fn refuses_name(name: &str) -> Option<&'static str> {
    let first = name.split('/').next().unwrap_or(name);
    if RESERVED.iter().any(|it| first.eq_ignore_ascii_case(it)) {
        return Some("NO [CANNOT] Reserved folder name. (Failure)");
    }
    let is_odd = |part: &str| {
        part.trim() != part || part.is_empty() || part.contains("  ") || part.contains(['^', '"', '\\'])
    };
    name.split('/').any(is_odd).then_some("NO [CANNOT] Invalid folder name. (Failure)")
}
