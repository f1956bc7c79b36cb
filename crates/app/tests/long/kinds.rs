//! Targets that change messages, each with its result.

use mailhaul_testkit::fake::{Fake, Personality, when};

/// Extensions of the plain server without UIDPLUS and without MULTIAPPEND.
const WITHOUT_UIDPLUS: &str = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN NAMESPACE MOVE UNSELECT CHILDREN ESEARCH \
                               CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE";
/// Capabilities of every server.
const BARE: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR ID";

/// Kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Keeps everything, and takes several messages in one command.
    Faithful,
    /// Each message gets another Message-ID.
    RewritesMessageId,
    /// Each message ends with one more line end.
    AddsLineEnd,
    /// APPEND keeps no `\Flagged`, and no command keeps keywords.
    DropsFlags,
    /// Says no UID of what it stored, one message in each command.
    WithoutUidplus,
    /// Has no extension.
    Bare,
    /// Stores some messages and refuses them.
    StoresOnNo,
}

impl Kind {
    pub(crate) fn personality(self) -> Personality {
        let plain = Personality::plain();
        let with = |capabilities| Personality {
            before_login: capabilities,
            after_login: capabilities,
            ..plain.clone()
        };
        match self {
            Self::Faithful | Self::StoresOnNo => plain,
            Self::RewritesMessageId => Personality { rewrite: with_another_id, ..plain },
            Self::AddsLineEnd => Personality { rewrite: with_a_line_end, ..plain },
            Self::DropsFlags => Personality {
                append_loses: Some("\\Flagged"),
                permanent_flags: "\\Answered \\Flagged \\Deleted \\Seen \\Draft",
                ..plain
            },
            Self::WithoutUidplus => with(WITHOUT_UIDPLUS),
            Self::Bare => with(BARE),
        }
    }

    /// Starts the behaviour that is not in the personality.
    pub(crate) fn begin(self, target: &Fake) {
        if self == Self::StoresOnNo {
            for turn in [2, 5] {
                let lie = when("APPEND").turns(turn..=turn);
                target.lie(lie.edit(|replies| replies.end("t NO [SERVERBUG] Internal error occurred")));
            }
        }
    }

    /// Returns the message as this target stores it.
    pub(crate) fn keeps(self, octets: &[u8]) -> Vec<u8> {
        (self.personality().rewrite)(octets.to_vec())
    }

    pub(crate) fn keeps_flag(self, flag: &str) -> bool {
        self != Self::DropsFlags || flag.starts_with('\\')
    }
}

fn with_another_id(octets: Vec<u8>) -> Vec<u8> {
    let marker = b"Message-ID: <";
    let Some(at) = octets.windows(marker.len()).position(|window| window == marker) else { return octets };
    let (before, after) = octets.split_at(at + marker.len());
    [before, b"rewritten-", after].concat()
}

fn with_a_line_end(mut octets: Vec<u8>) -> Vec<u8> {
    octets.extend_from_slice(b"\r\n");
    octets
}
