//! What was learnt of a target while it was written to: shared by all connections to one mailbox.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{Flags, FolderPath, Uid};

/// So often a server may hang up at the same message before the message is to blame.
const HANGUPS: u32 = 3;

/// All that was learnt.
#[derive(Debug, Default)]
pub(crate) struct Lessons {
    /// Flags of which the operator was told already that the target does not keep them.
    told_lost: BTreeSet<String>,
    /// The operator was told that dates get lost.
    told_dates: bool,
    folders: BTreeMap<FolderPath, FolderLessons>,
}

/// What was learnt of one folder.
#[derive(Debug, Default)]
pub(crate) struct FolderLessons {
    /// Keywords because of which messages were refused, in lower case.
    refused: BTreeSet<String>,
    /// Messages that were refused with keywords and without a reason: they go without. By their UIDs on the source.
    plain: BTreeSet<Uid>,
    /// How often the server hung up at a message that was alone in its command.
    hangups: BTreeMap<Uid, u32>,
    /// Every message has a command of its own, because the server hung up in the middle of several.
    pub(crate) is_cautious: bool,
    /// Whether APPEND sets flags; `None` where nobody looked yet.
    pub(crate) keeps_flags: Option<bool>,
    /// Octets of the largest message, as STATUS tells.
    pub(crate) append_limit: Option<u64>,
}

impl Lessons {
    pub(crate) fn folder(&mut self, folder: &FolderPath) -> &mut FolderLessons {
        self.folders.entry(folder.clone()).or_default()
    }

    /// The flags among these of which nobody was told yet; from now on they were told.
    pub(crate) fn new_losses(&mut self, lost: &Flags) -> Vec<String> {
        lost.iter().filter(|name| self.told_lost.insert((*name).to_owned())).map(str::to_owned).collect()
    }

    /// True once.
    pub(crate) fn dates_are_new(&mut self) -> bool {
        !std::mem::replace(&mut self.told_dates, true)
    }
}

impl FolderLessons {
    /// Whether the flag may be sent with this message.
    pub(crate) fn suits(&self, uid: Uid, name: &str) -> bool {
        is_system(name) || !(self.plain.contains(&uid) || self.refuses(name))
    }

    /// Whether messages were refused because of this flag.
    pub(crate) fn refuses(&self, name: &str) -> bool {
        self.refused.contains(&name.to_ascii_lowercase())
    }

    /// Learns which of these flags a refusal names. True where it names any.
    pub(crate) fn learn_flags(&mut self, words: &str, flags: &Flags) -> bool {
        let named: Vec<String> = blamed(words, flags).into_iter().map(str::to_ascii_lowercase).collect();
        let is_any = !named.is_empty();
        self.refused.extend(named);
        is_any
    }

    /// Learns from a refusal of messages with these flags. True where they will be sent with others next time.
    pub(crate) fn learn(&mut self, words: &str, sent: &[(Uid, &Flags)]) -> bool {
        let mut is_named = false;
        for (_, flags) in sent {
            is_named |= self.learn_flags(words, flags);
        }
        match sent {
            [(uid, flags)] if !is_named && flags.keywords().next().is_some() => self.plain.insert(*uid),
            _ => is_named,
        }
    }

    /// The message was answered for good.
    pub(crate) fn forget(&mut self, uid: Uid) {
        self.plain.remove(&uid);
        self.hangups.remove(&uid);
    }

    /// The server hung up, and this command is the first without an answer. True where its message is to blame:
    /// the server says so, or has done it again and again.
    pub(crate) fn is_to_blame(&mut self, command: &[Uid], words: &str) -> bool {
        let [uid] = command else {
            self.is_cautious |= !command.is_empty();
            return false;
        };
        let hangups = self.hangups.entry(*uid).or_default();
        *hangups += 1;
        *hangups >= HANGUPS || words.to_ascii_lowercase().contains("invalid character")
    }
}

/// The keywords that a refusal names. Its words must be about flags, or a keyword like `work` would be blamed for nothing.
fn blamed<'a>(words: &str, flags: &'a Flags) -> Vec<&'a str> {
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

fn is_system(name: &str) -> bool {
    mailhaul_mail::SystemFlag::ALL.iter().any(|it| it.name().eq_ignore_ascii_case(name))
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
        assert_eq!(blamed("Invalid system flag \\FORWARDED", &flags), ["\\FORWARDED", "Invalid"]);
        assert_eq!(blamed("Keyword \"work\" is not allowed.", &flags), ["work"]);
        assert!(blamed("there is no work today", &flags).is_empty());
        let mut lessons = FolderLessons::default();
        assert!(lessons.learn("BAD Invalid system flag \\Forwarded.", &[(uid(1), &flags), (uid(2), &flags)]));
        assert!(!lessons.suits(uid(3), "\\forwarded"));
        assert!(lessons.suits(uid(3), "work") && lessons.suits(uid(3), "\\Seen"));
    }

    #[test]
    fn without_a_reason_the_message_goes_once_more_without_keywords() {
        let flags: Flags = ["\\Seen", "work"].into_iter().collect();
        let mut lessons = FolderLessons::default();
        assert!(!lessons.learn("APPEND failed", &[(uid(1), &flags), (uid(2), &flags)]));
        assert!(lessons.learn("APPEND failed", &[(uid(1), &flags)]));
        assert!(lessons.suits(uid(1), "\\Seen") && !lessons.suits(uid(1), "work"));
        assert!(lessons.suits(uid(2), "work"));
        assert!(!lessons.learn("APPEND failed", &[(uid(1), &flags)]));
        lessons.forget(uid(1));
        assert!(lessons.suits(uid(1), "work"));
    }

    #[test]
    fn a_message_is_to_blame_when_the_server_says_so_or_does_it_again() {
        let mut lessons = FolderLessons::default();
        assert!(!lessons.is_to_blame(&[uid(1), uid(2)], "BYE"));
        assert!(lessons.is_cautious);
        assert!(!lessons.is_to_blame(&[], "BYE"));
        assert!(lessons.is_to_blame(&[uid(1)], "BYE Invalid character in literal"));
        assert_eq!([1, 2, 3].map(|_| lessons.is_to_blame(&[uid(2)], "BYE see you")), [false, false, true]);
    }
}
