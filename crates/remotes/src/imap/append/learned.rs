//! Limits learned from a target's refusals.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{Flags, FolderPath, Uid};

use crate::imap::append::permanent_flags::is_system;

/// Connections that may end at the same message before it is skipped.
const HANGUPS: u32 = 3;
/// Messages that are sent one by one after a connection ended. The message that ended it is among them, if
/// there is one.
const CAREFUL: u32 = 200;

/// Limits learned from a target's refusals; shared by all connections to the mailbox.
#[derive(Debug, Default)]
pub(crate) struct LearnedLimits {
    /// Lost flags that were reported to the operator.
    reported_lost: BTreeSet<String>,
    folders: BTreeMap<FolderPath, FolderLimits>,
}

/// Limits learned in one folder.
#[derive(Debug, Default)]
pub(crate) struct FolderLimits {
    /// Keywords that the server refused, in lower case.
    refused: BTreeSet<String>,
    /// Messages that were refused without a reason, by their UIDs on the source. They are sent once more
    /// with listed flags only (PERMANENTFLAGS). The value is true if a system flag is left out.
    plain: BTreeMap<Uid, bool>,
    /// True if the server refuses messages with system flags that it does not list.
    refuses_unlisted: bool,
    /// Connections that ended while only this message was in flight.
    hangups: BTreeMap<Uid, u32>,
    /// Number of throttle replies to a message alone.
    patience: BTreeMap<Uid, u32>,
    /// Number of messages that are still sent one by one after a connection ended.
    careful: u32,
    /// Number of times that the folder was created again on the server's request (TRYCREATE).
    pub(crate) recreated: u32,
    /// Size of the largest message, from STATUS (bytes).
    pub(crate) append_limit: Option<u64>,
}

impl LearnedLimits {
    pub(crate) fn folder(&mut self, folder: &FolderPath) -> &mut FolderLimits {
        self.folders.entry(folder.clone()).or_default()
    }

    /// Returns the flags that were not reported as lost yet, and marks them as reported.
    pub(crate) fn new_losses(&mut self, lost: &Flags) -> Vec<String> {
        lost.iter().filter(|name| self.reported_lost.insert((*name).to_owned())).map(str::to_owned).collect()
    }
}

impl FolderLimits {
    /// True if the flag may be sent with this message. `is_listed` is true if the server says that it keeps
    /// the flag.
    pub(crate) fn suits(&self, uid: Uid, name: &str, is_listed: bool) -> bool {
        let is_plain = self.plain.contains_key(&uid);
        if is_system(name) {
            return is_listed || !(is_plain || self.refuses_unlisted);
        }
        !(is_plain || self.refuses(name))
    }

    /// True if messages were refused because of this flag.
    pub(crate) fn refuses(&self, name: &str) -> bool {
        self.refused.contains(&name.to_ascii_lowercase())
    }

    /// Learns the flags that a refusal names. True if it names any of these.
    pub(crate) fn learn_flags(&mut self, words: &str, flags: &Flags) -> bool {
        let named: Vec<String> = named_flags(words, flags).into_iter().map(str::to_ascii_lowercase).collect();
        let is_any = !named.is_empty();
        self.refused.extend(named);
        is_any
    }

    /// Learns from a refusal of messages with these flags. True if the next attempt has other flags.
    /// `lists` is true for flags that the server says it keeps.
    pub(crate) fn learn(
        &mut self,
        words: &str,
        sent: &[(Uid, &Flags)],
        lists: impl Fn(&str) -> bool,
    ) -> bool {
        let mut is_named = false;
        for (_, flags) in sent {
            is_named |= self.learn_flags(words, flags);
        }
        let [(uid, flags)] = sent else { return is_named };
        let has_unlisted = flags.iter().any(|it| is_system(it) && !lists(it));
        if !is_named && (has_unlisted || flags.keywords().next().is_some()) {
            return self.plain.insert(*uid, has_unlisted).is_none();
        }
        is_named
    }

    /// Forgets a message that was refused for good.
    pub(crate) fn forget(&mut self, uid: Uid) {
        self.plain.remove(&uid);
        self.hangups.remove(&uid);
        self.patience.remove(&uid);
    }

    /// True if the server has throttled this message alone before. The reply may then mean the message.
    pub(crate) fn asks_again(&mut self, uid: Uid) -> bool {
        let times = self.patience.entry(uid).or_default();
        *times += 1;
        *times > 1
    }

    /// Records an accepted message.
    pub(crate) fn accepted(&mut self, uid: Uid) {
        self.refuses_unlisted |= self.plain.get(&uid) == Some(&true);
        self.careful = self.careful.saturating_sub(1);
        self.forget(uid);
    }

    /// True while each message waits for the answer to the one before.
    pub(crate) fn is_careful(&self) -> bool {
        self.careful > 0
    }

    /// Records a connection that ended without an answer to these messages, those of the first command.
    /// True if the first message is to blame: the server says so, or it happened several times with that
    /// message alone.
    pub(crate) fn is_to_blame(&mut self, first: &[Uid], is_alone: bool, words: &str) -> bool {
        if !first.is_empty() {
            self.careful = CAREFUL;
        }
        let [uid] = first else { return false };
        if words.to_ascii_lowercase().contains("invalid character") {
            return true;
        }
        if !is_alone {
            // Another message in flight may be the reason.
            return false;
        }
        let hangups = self.hangups.entry(*uid).or_default();
        *hangups += 1;
        *hangups >= HANGUPS
    }
}

/// The keywords that a refusal names. Its words must be about flags, because a keyword like `work` may
/// occur in any text.
fn named_flags<'a>(words: &str, flags: &'a Flags) -> Vec<&'a str> {
    let words = words.to_ascii_lowercase();
    let is_about_flags = words.contains("flag") || words.contains("keyword");
    let told: BTreeSet<&str> =
        words.split(|it: char| it.is_whitespace() || "()\"',;[]{}".contains(it)).collect();
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        // A full stop may end the sentence.
        told.contains(name.as_str()) || told.contains(format!("{name}.").as_str())
    };
    flags.keywords().filter(|name| is_about_flags && is_named(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[test]
    fn a_flag_that_is_named_is_left_out_and_no_other() {
        let flags: Flags = ["\\Seen", "\\FORWARDED", "work", "Invalid"].into_iter().collect();
        assert_eq!(named_flags("Invalid system flag \\FORWARDED", &flags), ["\\FORWARDED", "Invalid"]);
        assert_eq!(named_flags("Keyword \"work\" is not allowed.", &flags), ["work"]);
        assert!(named_flags("there is no work today", &flags).is_empty());
        let mut learned = FolderLimits::default();
        let sent = [(uid(1), &flags), (uid(2), &flags)];
        assert!(learned.learn("BAD Invalid system flag \\Forwarded.", &sent, |_| true));
        assert!(!learned.suits(uid(3), "\\forwarded", true));
        assert!(learned.suits(uid(3), "work", true) && learned.suits(uid(3), "\\Seen", true));
    }

    #[test]
    fn without_a_reason_the_message_goes_once_more_without_keywords() {
        let flags: Flags = ["\\Seen", "work"].into_iter().collect();
        let mut learned = FolderLimits::default();
        assert!(!learned.learn("APPEND failed", &[(uid(1), &flags), (uid(2), &flags)], |_| true));
        assert!(learned.learn("APPEND failed", &[(uid(1), &flags)], |_| true));
        assert!(learned.suits(uid(1), "\\Seen", true) && !learned.suits(uid(1), "work", true));
        assert!(learned.suits(uid(2), "work", true));
        assert!(!learned.learn("APPEND failed", &[(uid(1), &flags)], |_| true));
        learned.forget(uid(1));
        assert!(learned.suits(uid(1), "work", true));
    }

    #[test]
    fn unlisted_system_flags_are_sent_until_they_are_refused() {
        let flags: Flags = ["\\Seen", "\\Flagged"].into_iter().collect();
        let lists = |name: &str| name == "\\Seen";
        let mut learned = FolderLimits::default();
        assert!(learned.suits(uid(1), "\\Flagged", false));
        assert!(learned.learn("APPEND failed", &[(uid(1), &flags)], lists));
        assert!(!learned.suits(uid(1), "\\Flagged", false) && learned.suits(uid(2), "\\Flagged", false));
        learned.accepted(uid(1));
        assert!(!learned.suits(uid(2), "\\Flagged", false) && learned.suits(uid(2), "\\Seen", true));
    }

    #[test]
    fn a_message_is_to_blame_if_told_or_repeated() {
        let mut learned = FolderLimits::default();
        assert!(!learned.is_to_blame(&[uid(1), uid(2)], true, "BYE"));
        assert!(learned.is_careful());
        assert!(!learned.is_to_blame(&[], true, "BYE"));
        assert!(learned.is_to_blame(&[uid(1)], false, "BYE Invalid character in literal"));
        let mut ended = |is_alone| learned.is_to_blame(&[uid(2)], is_alone, "connection reset");
        assert_eq!([false, true, true, true].map(&mut ended), [false, false, false, true]);
    }

    #[test]
    fn messages_go_side_by_side_again_when_enough_were_accepted() {
        let mut learned = FolderLimits::default();
        learned.is_to_blame(&[uid(1)], true, "connection reset");
        (0..CAREFUL).for_each(|it| learned.accepted(uid(it + 2)));
        assert!(!learned.is_careful());
    }
}
