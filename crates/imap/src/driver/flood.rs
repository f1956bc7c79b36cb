//! Bounds what a server sends before it ends a command: a server whose answers have no end would fill the memory.

use mailhaul_mail::{Uid, UidSet};

use super::pace::{LISTED_BYTES, MESSAGE_BYTES};
use crate::{
    error::{Error, ErrorKind},
    response::{Fetch, Untagged},
};

/// Responses to one command that are taken whatever the mailbox holds.
const MIN_RESPONSES: u64 = 10_000;
/// Responses for each message of the mailbox. Servers tell of one message in several, and flags change meanwhile.
const RESPONSES_PER_MESSAGE: u64 = 4;
/// A mailbox that is said to hold more is treated as one that holds so many.
const MAX_MESSAGES: u32 = 10_000_000;
/// Different messages that one command may show: more do not fit into the memory of a scan.
const MAX_SHOWN: u64 = 5_000_000;
/// Mailboxes in the answer to one command that count as progress.
const MAX_LISTED: u64 = 10_000;
/// Bytes of responses to one command, FETCH responses apart: LIST of half a million mailboxes, or UIDs of eight million
/// messages.
const MAX_OCTETS: u64 = 64 << 20;

/// Counts the untagged responses since the last command ended.
#[derive(Debug, Default)]
pub(super) struct Flood {
    responses: u64,
    octets: u64,
    listed: u64,
    /// Messages of which FETCH told, by their sequence numbers, or by their UIDs where it tells none; and how many.
    shown: UidSet,
    messages: u64,
    /// FETCH responses about messages that were shown before.
    repeated: u64,
    /// The greatest EXISTS since then, and the last one.
    most: u32,
    last: u32,
}

impl Flood {
    /// Counts one response of so many bytes. Returns the progress that it is, in bytes beside its own.
    ///
    /// # Errors
    /// [`ErrorKind::Flood`] where these are more than any mailbox of this size can give.
    pub(super) fn admit(&mut self, untagged: &Untagged, octets: usize) -> Result<u64, Error> {
        let mut progress = 0;
        match untagged {
            Untagged::Exists(number) => {
                self.last = *number;
                self.most = self.most.max(*number);
            }
            // FETCH responses are handed out one at a time; those who keep them count what they keep.
            Untagged::Fetch(fetch) => progress = self.show(fetch),
            Untagged::BrokenFetch(_) => {}
            _ => self.octets += octets as u64,
        }
        // Mailboxes are listed where none is selected, and no number says how many there are.
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

    /// Counts a request for more of the command: there is one for each of its literals.
    ///
    /// # Errors
    /// As [`Flood::admit`].
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

    /// Counts an answer about a message. Only the first one about each message is progress.
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

    /// A command has ended: what comes now belongs to the next one.
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
