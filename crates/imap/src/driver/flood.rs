//! Bounds what a server sends before it ends a command: a server whose answers have no end would fill the memory.

use crate::{
    error::{Error, ErrorKind},
    response::Untagged,
};

/// Responses to one command that are taken whatever the mailbox holds.
const FLOOR: u64 = 10_000;
/// Responses for each message of the mailbox. Servers tell of one message in several, and flags change meanwhile.
const PER_MESSAGE: u64 = 4;
/// A mailbox that is said to hold more is treated as one that holds so many.
const MOST_MESSAGES: u32 = 10_000_000;
/// Bytes of responses to one command, FETCH responses apart: LIST of half a million mailboxes, or UIDs of eight million
/// messages.
const MOST_OCTETS: u64 = 64 << 20;

/// Counts the untagged responses since the last command ended.
#[derive(Debug, Default)]
pub(super) struct Flood {
    responses: u64,
    octets: u64,
    /// The greatest EXISTS since then, and the last one.
    most: u32,
    last: u32,
}

impl Flood {
    /// Counts one response of so many bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Flood`] where these are more than any mailbox of this size can give.
    pub(super) fn admit(&mut self, untagged: &Untagged, octets: usize) -> Result<(), Error> {
        match untagged {
            Untagged::Exists(number) => {
                self.last = *number;
                self.most = self.most.max(*number);
            }
            // FETCH responses are handed out one at a time; those who keep them count what they keep.
            Untagged::Fetch(_) | Untagged::BrokenFetch(_) => {}
            _ => self.octets += octets as u64,
        }
        // Mailboxes are listed where none is selected, and no number says how many there are.
        let is_listing =
            matches!(untagged, Untagged::List(_) | Untagged::Lsub(_) | Untagged::MailboxStatus { .. });
        self.responses += u64::from(!is_listing);
        self.check()
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
        let limit = FLOOR + PER_MESSAGE * u64::from(self.most.min(MOST_MESSAGES));
        let words = if self.responses > limit {
            format!(
                "the server sent more than {limit} responses to one command, in a mailbox of {} messages",
                self.most
            )
        } else if self.octets > MOST_OCTETS {
            format!("the server sent more than {} MiB in answer to one command", MOST_OCTETS >> 20)
        } else {
            return Ok(());
        };
        Err(Error::session(ErrorKind::Flood, words))
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
        (0..times).try_for_each(|_| flood.admit(untagged, 100))
    }

    #[test]
    fn responses_are_bounded_by_what_the_mailbox_holds() {
        let mut flood = Flood::default();
        counted(&mut flood, &Untagged::Exists(100), 1).unwrap();
        counted(&mut flood, &Untagged::Expunge(1), FLOOR + 399).unwrap();
        let error = counted(&mut flood, &Untagged::Recent(1), 1).unwrap_err();
        let words = "the server sent more than 10400 responses to one command, in a mailbox of 100 messages";
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Flood, words));
        flood.ended();
        counted(&mut flood, &Untagged::Expunge(1), FLOOR + 400).unwrap();
    }

    #[test]
    fn a_smaller_mailbox_counts_from_the_next_command_on() {
        let mut flood = Flood::default();
        counted(&mut flood, &Untagged::Exists(1000), 1).unwrap();
        counted(&mut flood, &Untagged::Exists(0), FLOOR + 3999).unwrap();
        flood.ended();
        counted(&mut flood, &Untagged::Exists(0), FLOOR).unwrap();
        counted(&mut flood, &Untagged::Exists(0), 1).unwrap_err();
    }

    #[test]
    fn lists_are_bounded_by_their_bytes() {
        let mut flood = Flood::default();
        let vanished = Untagged::Vanished { earlier: true, uids: mailhaul_mail::UidSet::all() };
        (0..64).try_for_each(|_| flood.admit(&vanished, 1 << 20)).unwrap();
        let error = flood.admit(&vanished, 1).unwrap_err();
        assert_eq!(error.message, "the server sent more than 64 MiB in answer to one command");
    }
}
