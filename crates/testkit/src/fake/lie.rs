//! Lies: answers that a test puts in place of a server's own, each for the commands that it names.
//!
//! ```no_run
//! # use mailhaul_testkit::fake::{Fake, Flow, when};
//! # fn example(server: &Fake) {
//! server.lie(when("UID FETCH * (UID BODY.PEEK[])").change("(UID 2 ", "{139}", "{99}"));
//! server.lie(when("APPEND").holding("Subject: 2").answer("t NO [LIMIT] Too many identical emails"));
//! server.lie(when("APPEND").at_least(100_000).within_literal(20_000, "", Flow::Reset));
//! # }
//! ```

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    octets::{contains, matches},
    replies::{Flow, Replies},
};

/// A command as a lie sees it.
pub(super) struct CommandText<'a> {
    /// The line without its tag and without quotes. A literal is its announcement, `{139+}`.
    pub(super) line: &'a str,
    /// Bytes of all literals that were read.
    pub(super) octets: &'a [u8],
    /// Length of the literal.
    pub(super) length: u64,
    pub(super) folder: Option<&'a str>,
    pub(super) enabled: &'a BTreeSet<String>,
    /// The number of the connection, from 1.
    pub(super) connection: u64,
    pub(super) is_logged_in: bool,
}

/// A selection of commands.
pub struct When {
    patterns: Vec<String>,
    folder: Option<String>,
    holding: Vec<u8>,
    at_least: u64,
    /// An extension, and true if it must be enabled.
    enabled: Option<(String, bool)>,
    turns: RangeInclusive<u64>,
    connections: RangeInclusive<u64>,
    logged_in: bool,
}

/// Selects commands by the beginning of their text, without the tag and without quotes.
///
/// `*` matches any text, and ` | ` separates alternatives.
pub fn when(pattern: &str) -> When {
    When {
        patterns: pattern.split(" | ").map(|it| format!("{it}*")).collect(),
        folder: None,
        holding: Vec::new(),
        at_least: 0,
        enabled: None,
        turns: 1..=u64::MAX,
        connections: 1..=u64::MAX,
        logged_in: false,
    }
}

impl When {
    /// Only while this folder is selected.
    #[must_use]
    pub fn within(self, folder: &str) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// Only commands with this text in a literal.
    #[must_use]
    pub fn holding(self, text: &str) -> Self {
        Self { holding: text.as_bytes().to_vec(), ..self }
    }

    /// Only commands with a literal of this many bytes or more.
    #[must_use]
    pub fn at_least(self, octets: u64) -> Self {
        Self { at_least: octets, ..self }
    }

    /// Only after ENABLE of this extension.
    #[must_use]
    pub fn enabled(self, extension: &str) -> Self {
        Self { enabled: Some((extension.to_owned(), true)), ..self }
    }

    /// Only without ENABLE of this extension.
    #[must_use]
    pub fn not_enabled(self, extension: &str) -> Self {
        Self { enabled: Some((extension.to_owned(), false)), ..self }
    }

    /// Only these of the commands, counted from 1 over all connections.
    #[must_use]
    pub fn turns(self, turns: RangeInclusive<u64>) -> Self {
        Self { turns, ..self }
    }

    /// Only on these connections, counted from 1 in the order of connecting.
    #[must_use]
    pub fn connections(self, connections: RangeInclusive<u64>) -> Self {
        Self { connections, ..self }
    }

    /// Only after the login.
    #[must_use]
    pub fn logged_in(self) -> Self {
        Self { logged_in: true, ..self }
    }

    /// Only the first one.
    #[must_use]
    pub fn once(self) -> Self {
        self.turns(1..=1)
    }

    /// The command has no effect, and these lines are its answer. A tag `t` becomes the command's.
    pub fn answer(self, lines: &str) -> Lie {
        self.answer_and(lines, Flow::On)
    }

    /// As [`When::answer`], followed by this flow.
    pub fn answer_and(self, lines: &str, flow: Flow) -> Lie {
        self.lie(Effect::Answer(lines.to_owned(), flow))
    }

    /// Reads this many bytes of the literal, then answers with these lines.
    ///
    /// With [`Flow::On`] it reads all of a literal that comes without a request, and nothing of any other.
    pub fn within_literal(self, octets: u64, lines: &str, flow: Flow) -> Lie {
        self.lie(Effect::Literal { octets, lines: lines.to_owned(), flow })
    }

    /// The command takes effect, and its answer is edited.
    pub fn edit(self, edit: impl Fn(&mut Replies) + Send + Sync + 'static) -> Lie {
        self.lie(Effect::Edit(Box::new(edit)))
    }

    /// The command takes effect. In the responses that contain `has`, `from` becomes `to`.
    pub fn change(self, has: &str, from: &str, to: &str) -> Lie {
        let [has, from, to] = [has, from, to].map(str::to_owned);
        self.edit(move |replies| replies.change(&has, &from, &to))
    }

    /// The command runs as if `from` in its text was `to`.
    pub fn hear(self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Lie {
        self.lie(Effect::Hear(from.as_ref().to_vec(), to.as_ref().to_vec()))
    }

    /// The server acknowledges each message, but stores these in its place: none, a changed one, two.
    pub fn store(self, store: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Lie {
        self.lie(Effect::Store(Box::new(store)))
    }

    fn lie(self, effect: Effect) -> Lie {
        Lie { when: self, effect, heard: AtomicU64::new(0) }
    }

    fn is_about(&self, heard: &CommandText<'_>) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, heard.line, '\0'))
            && self.folder.as_deref().is_none_or(|folder| heard.folder == Some(folder))
            && (self.holding.is_empty() || contains(heard.octets, &self.holding))
            && heard.length >= self.at_least
            && self.connections.contains(&heard.connection)
            && (heard.is_logged_in || !self.logged_in)
            && self.enabled.as_ref().is_none_or(|(word, is)| heard.enabled.contains(word) == *is)
    }
}

/// An answer that replaces the server's own.
pub struct Lie {
    when: When,
    pub(super) effect: Effect,
    heard: AtomicU64,
}

type Edit = Box<dyn Fn(&mut Replies) + Send + Sync>;
type Store = Box<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync>;

pub(super) enum Effect {
    Answer(String, Flow),
    Literal { octets: u64, lines: String, flow: Flow },
    Edit(Edit),
    Hear(Vec<u8>, Vec<u8>),
    Store(Store),
}

/// All lies of a server.
#[derive(Default)]
pub(super) struct Lies(Mutex<Vec<Arc<Lie>>>);

impl Lies {
    pub(super) fn add(&self, lie: Lie) {
        self.0.lock().unwrap().push(Arc::new(lie));
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Returns the lies about a complete command.
    pub(super) fn about(&self, heard: &CommandText<'_>) -> Vec<Arc<Lie>> {
        self.matching(heard, |effect| !matches!(effect, Effect::Literal { .. }))
    }

    /// Returns the lie about an announced literal.
    pub(super) fn about_literal(&self, heard: &CommandText<'_>) -> Option<Arc<Lie>> {
        self.matching(heard, |effect| matches!(effect, Effect::Literal { .. })).pop()
    }

    fn matching(&self, heard: &CommandText<'_>, is_wanted: impl Fn(&Effect) -> bool) -> Vec<Arc<Lie>> {
        let lies = self.0.lock().unwrap();
        let about = lies.iter().filter(|lie| is_wanted(&lie.effect) && lie.when.is_about(heard));
        let in_turn = about.filter(|lie| {
            let turn = lie.heard.fetch_add(1, Ordering::SeqCst) + 1;
            lie.when.turns.contains(&turn)
        });
        in_turn.cloned().collect()
    }
}
