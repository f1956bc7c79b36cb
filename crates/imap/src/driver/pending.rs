//! Commands that were sent and are not answered yet.

use std::{collections::VecDeque, time::Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::command_id::CommandId;

/// Tags in flight, shared by the writing and the reading half.
pub(crate) struct Pending(Mutex<PendingState>);

struct PendingState {
    last: u64,
    /// Commands in the order of sending.
    tags: VecDeque<CommandId>,
    /// Command whose end is not written yet.
    open: Option<CommandId>,
    /// Commands that ended without a tagged answer, which may still arrive.
    abandoned: Vec<CommandId>,
    /// Time of the last write.
    written: Instant,
}

impl Pending {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(PendingState {
            last: 0,
            tags: VecDeque::new(),
            open: None,
            abandoned: Vec::new(),
            written: Instant::now(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, PendingState> {
        self.0.lock()
    }

    /// Starts a new command.
    pub(crate) fn open(&self) -> CommandId {
        let mut inner = self.inner();
        inner.last += 1;
        let id = CommandId(inner.last);
        inner.tags.push_back(id);
        inner.open = Some(id);
        id
    }

    /// Marks the open command as completely written, or as ended early.
    pub(crate) fn close(&self) {
        self.inner().open = None;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.inner().open.is_some()
    }

    /// Ends a command without its tagged answer, which may still arrive.
    pub(crate) fn abandon(&self, id: CommandId) {
        let mut inner = self.inner();
        inner.tags.retain(|tag| *tag != id);
        inner.abandoned.push(id);
    }

    /// True if the tag belongs to an abandoned command.
    pub(crate) fn is_abandoned(&self, tag: &str) -> bool {
        self.inner().abandoned.iter().any(|abandoned| abandoned.to_string() == tag)
    }

    /// Removes and returns the command with this tag.
    ///
    /// Most answers arrive in order, but a server may answer a fast command before a slow one (RFC 9051, section 5.5).
    pub(crate) fn complete(&self, tag: &str) -> Option<CommandId> {
        let mut inner = self.inner();
        let id = tag.strip_prefix('a').and_then(|digits| digits.parse().ok()).map(CommandId)?;
        let index = inner.tags.iter().position(|tag| *tag == id).filter(|_| id.to_string() == tag)?;
        inner.tags.remove(index)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner().tags.is_empty()
    }

    /// True if the server received a whole command and has not answered it.
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
