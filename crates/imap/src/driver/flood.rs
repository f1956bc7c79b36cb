//! Limits on the responses to one command. A server whose answers have no end would fill the memory.

use mailhaul_mail::{Uid, UidSet};

use super::pace::{LISTED_BYTES, MESSAGE_BYTES};
use crate::{
    error::{Error, ErrorKind},
    response::{Fetch, Untagged},
};

/// Responses to one command that are always accepted.
const MIN_RESPONSES: u64 = 10_000;
/// Accepted responses for each message. Servers send several about one message, and flags change meanwhile.
const RESPONSES_PER_MESSAGE: u64 = 4;
/// Largest number of messages that counts. A greater EXISTS is treated like this number.
const MAX_MESSAGES: u32 = 10_000_000;
/// Different messages in the answer to one command. More do not fit into the memory of a scan.
const MAX_SHOWN: u64 = 5_000_000;
/// Mailboxes in the answer to one command that count as progress.
const MAX_LISTED: u64 = 10_000;
/// Bytes of responses to one command, without FETCH responses.
///
/// Enough for LIST of half a million mailboxes, or UIDs of eight million messages.
const MAX_OCTETS: u64 = 64 << 20;

/// Counts untagged responses since the end of the last command.
#[derive(Debug, Default)]
pub(super) struct Flood {
    responses: u64,
    octets: u64,
    listed: u64,
    /// Messages in FETCH responses, by sequence number, or by UID if there is none.
    shown: UidSet,
    messages: u64,
    /// FETCH responses about messages that were shown before.
    repeated: u64,
    /// Greatest EXISTS since then.
    most: u32,
    last: u32,
}

impl Flood {
    /// Counts one response of `octets` bytes. Returns its progress, in bytes beside its own.
    ///
    /// # Errors
    /// [`ErrorKind::Flood`] if there are more responses than a mailbox of this size can have.
    pub(super) fn admit(&mut self, untagged: &Untagged, octets: usize) -> Result<u64, Error> {
        let mut progress = 0;
        match untagged {
            Untagged::Exists(number) => {
                self.last = *number;
                self.most = self.most.max(*number);
            }
            // FETCH responses are returned one at a time. Callers limit the memory for them.
            Untagged::Fetch(fetch) => progress = self.show(fetch),
            Untagged::BrokenFetch(_) => {}
            _ => self.octets += octets as u64,
        }
        // Mailboxes are also listed while none is selected, and their number is unknown.
        let is_listing =
            matches!(untagged, Untagged::List(_) | Untagged::Lsub(_) | Untagged::MailboxStatus { .. });
        self.responses += u64::from(!is_listing);
        self.listed += u64::from(is_listing);
        if is_listing && self.listed <= MAX_LISTED {
            progress = LISTED_BYTES;
        }
        self.check()?;
        Ok(progress)
    }

    /// Counts a continuation request. A command has one for each literal.
    ///
    /// # Errors
    /// Like [`Flood::admit`].
    pub(super) fn admit_continuation(&mut self, octets: usize) -> Result<(), Error> {
        self.responses += 1;
        self.octets += octets as u64;
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        let most_repeated = MIN_RESPONSES + RESPONSES_PER_MESSAGE * self.messages;
        let limit = MIN_RESPONSES + RESPONSES_PER_MESSAGE * u64::from(self.most.min(MAX_MESSAGES));
        let words = if self.responses > limit {
            format!(
                "the server sent more than {limit} responses to one command, in a mailbox of {} messages",
                self.most
            )
        } else if self.octets > MAX_OCTETS {
            format!("the server sent more than {} MiB in answer to one command", MAX_OCTETS >> 20)
        } else if self.messages > MAX_SHOWN {
            format!("the server showed more than {MAX_SHOWN} messages in answer to one command")
        } else if self.repeated > most_repeated {
            format!(
                "the server showed the same {} messages {} times in answer to one command",
                self.messages, self.repeated
            )
        } else {
            return Ok(());
        };
        Err(Error::session(ErrorKind::Flood, words))
    }

    /// Counts an answer about a message. Only the first one for each message is progress.
    fn show(&mut self, fetch: &Fetch) -> u64 {
        let number = Uid::new(fetch.sequence).or(fetch.uid);
        let Some(number) = number.filter(|number| !self.shown.contains(*number)) else {
            self.repeated += 1;
            return 0;
        };
        self.shown.insert(number);
        self.messages += 1;
        MESSAGE_BYTES
    }

    /// Starts a new count at the end of a command.
    pub(super) fn ended(&mut self) {
        *self = Self { most: self.last, last: self.last, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(flood: &mut Flood, untagged: &Untagged, times: u64) -> Result<(), Error> {
        (0..times).try_for_each(|_| flood.admit(untagged, 100).map(drop))
    }

    #[test]
    fn responses_are_bounded_by_what_the_mailbox_holds() {
        let mut flood = Flood::default();
        counted(&mut flood, &Untagged::Exists(100), 1).unwrap();
        counted(&mut flood, &Untagged::Expunge(1), MIN_RESPONSES + 399).unwrap();
        let error = counted(&mut flood, &Untagged::Recent(1), 1).unwrap_err();
        let words = "the server sent more than 10400 responses to one command, in a mailbox of 100 messages";
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Flood, words));
        flood.ended();
        counted(&mut flood, &Untagged::Expunge(1), MIN_RESPONSES + 400).unwrap();
    }

    #[test]
    fn a_smaller_mailbox_counts_from_the_next_command_on() {
        let mut flood = Flood::default();
        counted(&mut flood, &Untagged::Exists(1000), 1).unwrap();
        counted(&mut flood, &Untagged::Exists(0), MIN_RESPONSES + 3999).unwrap();
        flood.ended();
        counted(&mut flood, &Untagged::Exists(0), MIN_RESPONSES).unwrap();
        counted(&mut flood, &Untagged::Exists(0), 1).unwrap_err();
    }

    #[test]
    fn lists_are_bounded_by_their_bytes() {
        let mut flood = Flood::default();
        let vanished = Untagged::Vanished { earlier: true, uids: mailhaul_mail::UidSet::all() };
        (0..64).try_for_each(|_| flood.admit(&vanished, 1 << 20).map(drop)).unwrap();
        let error = flood.admit(&vanished, 1).unwrap_err();
        assert_eq!(error.message, "the server sent more than 64 MiB in answer to one command");
    }

    fn about(sequence: u32) -> Untagged {
        Untagged::Fetch(Box::new(Fetch { sequence, ..Fetch::default() }))
    }

    #[test]
    fn the_same_message_again_and_again_is_a_flood_and_no_progress() {
        let mut flood = Flood::default();
        counted(&mut flood, &Untagged::Exists(1_000_000), 1).unwrap();
        let progress = [1, 2, 1, 2, 3].map(|sequence| flood.admit(&about(sequence), 100).unwrap());
        assert_eq!(progress, [MESSAGE_BYTES, MESSAGE_BYTES, 0, 0, MESSAGE_BYTES]);
        counted(&mut flood, &about(1), MIN_RESPONSES + 10).unwrap();
        assert_eq!(counted(&mut flood, &about(1), 1).unwrap_err().kind, ErrorKind::Flood);
        flood.ended();
        assert_eq!(flood.admit(&about(1), 100).unwrap(), MESSAGE_BYTES);
    }

    #[test]
    fn more_messages_than_a_scan_can_keep_are_a_flood() {
        let mut flood = Flood { messages: MAX_SHOWN - 1, most: u32::MAX, ..Flood::default() };
        flood.admit(&about(1), 100).unwrap();
        let error = flood.admit(&about(2), 100).unwrap_err();
        assert_eq!(error.message, "the server showed more than 5000000 messages in answer to one command");
    }
}
