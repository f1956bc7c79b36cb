//! The commands that were sent and not answered yet.

use std::{collections::VecDeque, fmt, time::Instant};

use parking_lot::{Mutex, MutexGuard};

/// A command on one connection. Prints as its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(u64);

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

/// The tags under way, known to the half that writes and to the half that reads.
pub(crate) struct Pending(Mutex<Inner>);

struct Inner {
    last: u64,
    /// In the order of sending.
    tags: VecDeque<CommandId>,
    /// The command whose end was not written yet.
    open: Option<CommandId>,
    /// Commands that were ended without their tag, which may still come.
    abandoned: Vec<CommandId>,
    /// When octets last went out.
    written: Instant,
}

impl Pending {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Inner {
            last: 0,
            tags: VecDeque::new(),
            open: None,
            abandoned: Vec::new(),
            written: Instant::now(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }

    /// A new command begins.
    pub(crate) fn open(&self) -> CommandId {
        let mut inner = self.inner();
        inner.last += 1;
        let id = CommandId(inner.last);
        inner.tags.push_back(id);
        inner.open = Some(id);
        id
    }

    /// The open command is written to its end, or needs no end any more.
    pub(crate) fn close(&self) {
        self.inner().open = None;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.inner().open.is_some()
    }

    /// The command has ended, whether or not its tag still comes.
    pub(crate) fn abandon(&self, id: CommandId) {
        let mut inner = self.inner();
        inner.tags.retain(|it| *it != id);
        inner.abandoned.push(id);
    }

    /// True if the tag is that of an abandoned command.
    pub(crate) fn is_abandoned(&self, tag: &str) -> bool {
        self.inner().abandoned.iter().any(|it| it.to_string() == tag)
    }

    /// Takes the command out to which this tag belongs. Most come in order, but a server may answer a quick command
    /// before a slow one (RFC 9051, section 5.5).
    pub(crate) fn complete(&self, tag: &str) -> Option<CommandId> {
        let mut inner = self.inner();
        let id = tag.strip_prefix('a').and_then(|digits| digits.parse().ok()).map(CommandId)?;
        let index = inner.tags.iter().position(|it| *it == id).filter(|_| id.to_string() == tag)?;
        inner.tags.remove(index)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner().tags.is_empty()
    }

    /// Whether the server has all of some command that it did not answer.
    pub(crate) fn is_answer_owed(&self) -> bool {
        let inner = self.inner();
        inner.tags.iter().any(|tag| Some(*tag) != inner.open)
    }

    pub(crate) fn touch(&self) {
        self.inner().written = Instant::now();
    }

    pub(crate) fn last_written(&self) -> Instant {
        self.inner().written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tags_under_way_are_taken_and_each_once() {
        let pending = Pending::new();
        let (first, second) = (pending.open(), pending.open());
        for odd in ["", "a", "a0", "a3", "a01", "A1", "b1", "*"] {
            assert_eq!(pending.complete(odd), None, "{odd:?}");
        }
        assert_eq!(pending.complete("a2"), Some(second));
        assert_eq!(pending.complete("a2"), None);
        assert_eq!(pending.complete(&first.to_string()), Some(first));
        assert!(pending.is_empty());
    }

    #[test]
    fn an_open_command_is_owed_no_answer() {
        let pending = Pending::new();
        assert!(!pending.is_answer_owed());
        pending.open();
        assert!(pending.is_open() && !pending.is_answer_owed());
        pending.close();
        assert!(pending.is_answer_owed());
        pending.open();
        assert!(pending.is_answer_owed(), "for the first one");
    }
}
