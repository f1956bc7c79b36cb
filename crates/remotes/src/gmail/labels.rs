//! Gmail's labels (X-GM-EXT-1): chooses the folder from which a message is taken.
//!
//! On Gmail a folder is a label. A message has any number of labels. Each of their folders shows it, and
//! All Mail too. The list of a folder is a pure function of the labels of its messages: each message is
//! listed in one home folder. No state is kept between folders, and a changed label looks like a move.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use mailhaul_engine::{Folder, FolderRules, LeaveOut, Selection};
use mailhaul_imap::MailboxName;
use mailhaul_mail::{FolderPath, SpecialUse};

/// Target folders of a message with several labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelPolicy {
    /// One folder. Spam and Trash count first, if no other label counts; then INBOX, Sent and Drafts; then
    /// the user's own labels, the deepest first, then by name. A message without labels was archived: it
    /// goes where All Mail goes, to the target's archive.
    #[default]
    PrimaryFolder,
    /// A copy in the folder of each label. A message without labels goes to the archive.
    EveryFolder,
}

/// The operator's rules for labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelRules {
    /// Target folders of a message.
    pub policy: LabelPolicy,
    /// The folder rules of the pass. A folder that is left out is no home, so that its messages are taken
    /// from their other labels.
    pub folders: FolderRules,
}

/// The role of a folder among the labels. The order is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Role {
    /// Spam and Trash: their messages are in no other folder.
    Apart,
    Inbox,
    Sent,
    Drafts,
    Label,
    All,
}

/// The smallest rank is the home of a message.
type Rank = (Role, Reverse<usize>, FolderPath);

/// The folders that may be the home of a message, by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    policy: LabelPolicy,
    /// In the words of X-GM-LABELS. All Mail and the like have none.
    by_label: BTreeMap<String, Rank>,
    by_folder: BTreeMap<FolderPath, Rank>,
}

impl Labels {
    /// Reads the listing and marks the folders that are left out. All Mail becomes the archive.
    pub(crate) fn from_listing(
        folders: &mut [Folder],
        names: &BTreeMap<FolderPath, MailboxName>,
        rules: &LabelRules,
    ) -> Self {
        let mut meanings: Vec<(Role, &[&str])> = Vec::new();
        for folder in &mut *folders {
            if matches!(folder.special_use, Some(SpecialUse::Important | SpecialUse::Flagged)) {
                let reason = "a view: Gmail shows messages here that are in other folders as well";
                folder.leave_out = Some(LeaveOut::Always(reason.to_owned()));
            }
            meanings.push(match folder.special_use {
                _ if folder.path.is_inbox() => (Role::Inbox, &["\\Inbox"]),
                Some(SpecialUse::Junk) => (Role::Apart, &["\\Spam", "\\Junk"]),
                Some(SpecialUse::Trash) => (Role::Apart, &["\\Trash"]),
                Some(SpecialUse::Sent) => (Role::Sent, &["\\Sent"]),
                Some(SpecialUse::Drafts) => (Role::Drafts, &["\\Draft", "\\Drafts"]),
                Some(SpecialUse::All) => {
                    folder.special_use = Some(SpecialUse::Archive);
                    (Role::All, &[])
                }
                _ => (Role::Label, &[]),
            });
        }
        let mut labels = Self { policy: rules.policy, ..Self::default() };
        // The same rules as in the pass.
        let selection = Selection::new(folders, &rules.folders, &[]);
        for (folder, (role, words)) in folders.iter().zip(meanings) {
            if selection.left_out(folder).is_some() {
                continue;
            }
            let rank = (role, Reverse(folder.path.segments().len()), folder.path.clone());
            for word in words {
                labels.by_label.insert((*word).to_owned(), rank.clone());
            }
            if role == Role::Label
                && let Some(name) = names.get(&folder.path)
            {
                let name = String::from_utf8_lossy(name.as_wire()).into_owned();
                labels.by_label.insert(name, rank.clone());
            }
            labels.by_folder.insert(folder.path.clone(), rank);
        }
        labels
    }

    /// True if a message of this folder is listed in it. Gmail does not name the label of the open folder.
    pub(crate) fn lists(&self, here: &FolderPath, labels: &[String]) -> bool {
        // The folders were not listed: a folder that is asked for by name shows all of its messages.
        let Some(own) = self.by_folder.get(here) else { return true };
        let mut others = labels.iter().filter_map(|it| self.by_label.get(it)).filter(|it| *it != own);
        match self.policy {
            LabelPolicy::PrimaryFolder => others.all(|it| own < it),
            LabelPolicy::EveryFolder => own.0 != Role::All || others.next().is_none(),
        }
    }

    /// Identifies the settings. A changed text means that unchanged messages may have another home.
    pub(crate) fn text(&self) -> String {
        // Another compiler may hash differently: then every folder is scanned once more.
        let mut hasher = DefaultHasher::new();
        self.by_label.hash(&mut hasher);
        self.by_folder.hash(&mut hasher);
        format!("; labels: {:?} {:016x}", self.policy, hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_engine::FolderPattern;
    use proptest::prelude::*;

    use super::*;

    const FOLDERS: [(&str, Option<SpecialUse>); 12] = [
        ("INBOX", None),
        ("[Gmail]/Alle Nachrichten", Some(SpecialUse::All)),
        ("[Gmail]/Gesendet", Some(SpecialUse::Sent)),
        ("[Gmail]/Entwürfe", Some(SpecialUse::Drafts)),
        ("[Gmail]/Wichtig", Some(SpecialUse::Important)),
        ("[Gmail]/Markiert", Some(SpecialUse::Flagged)),
        ("[Gmail]/Spam", Some(SpecialUse::Junk)),
        ("[Gmail]/Papierkorb", Some(SpecialUse::Trash)),
        ("a", None),
        ("Über/b", None),
        ("Über/c", None),
        ("z", None),
    ];
    /// The words of X-GM-LABELS for the folders in [`FOLDERS`], in the same order.
    const WORDS: [&str; 12] = [
        "\\Inbox",
        "",
        "\\Sent",
        "\\Draft",
        "\\Important",
        "\\Starred",
        "\\Spam",
        "\\Trash",
        "a",
        "&ANw-ber/b",
        "&ANw-ber/c",
        "z",
    ];

    fn labels(policy: LabelPolicy, exclude: &[&str]) -> (Labels, Vec<Folder>) {
        let mut folders: Vec<Folder> = FOLDERS
            .iter()
            .map(|(path, special_use)| Folder {
                path: FolderPath::parse(path),
                special_use: *special_use,
                selectable: true,
                subscribed: true,
                status: None,
                leave_out: None,
            })
            .collect();
        let wire = |it: &Folder| (it.path.clone(), MailboxName::from_text(&it.path.segments().join("/")));
        let names = folders.iter().map(wire).collect();
        let exclude = exclude.iter().map(|it| FolderPattern::parse(it).unwrap()).collect();
        let rules = LabelRules { policy, folders: FolderRules { exclude, ..FolderRules::default() } };
        (Labels::from_listing(&mut folders, &names, &rules), folders)
    }

    /// Folders that list a message with these labels, if each folder that shows it is scanned.
    fn homes(labels: &Labels, words: &[&str]) -> Vec<&'static str> {
        let is_apart = words.iter().any(|it| ["\\Spam", "\\Trash"].contains(it));
        let shows = |word: &&str| words.contains(word) || (word.is_empty() && !is_apart);
        let is_view = |word: &str| word == "\\Important" || word == "\\Starred";
        let folders = FOLDERS.iter().zip(WORDS).filter(|(_, word)| shows(word) && !is_view(word));
        let listed = folders.filter(|((path, _), own)| {
            let told: Vec<String> = words.iter().filter(|it| *it != own).map(|it| (*it).to_owned()).collect();
            labels.by_folder.contains_key(&FolderPath::parse(path))
                && labels.lists(&FolderPath::parse(path), &told)
        });
        listed.map(|((path, _), _)| *path).collect()
    }

    #[test]
    fn a_message_is_at_home_by_its_labels() {
        use LabelPolicy::{EveryFolder, PrimaryFolder};
        let table: [(&[&str], &[&str], &[&str]); 9] = [
            (&[], &["[Gmail]/Alle Nachrichten"], &["[Gmail]/Alle Nachrichten"]),
            (&["\\Important", "\\Starred"], &["[Gmail]/Alle Nachrichten"], &["[Gmail]/Alle Nachrichten"]),
            (&["\\Inbox", "a"], &["INBOX"], &["INBOX", "a"]),
            (&["\\Inbox", "\\Sent"], &["INBOX"], &["INBOX", "[Gmail]/Gesendet"]),
            (&["a", "\\Sent"], &["[Gmail]/Gesendet"], &["[Gmail]/Gesendet", "a"]),
            (&["a", "&ANw-ber/c", "&ANw-ber/b"], &["Über/b"], &["a", "Über/b", "Über/c"]),
            (&["a", "z"], &["a"], &["a", "z"]),
            (&["\\Trash"], &["[Gmail]/Papierkorb"], &["[Gmail]/Papierkorb"]),
            (&["hidden"], &["[Gmail]/Alle Nachrichten"], &["[Gmail]/Alle Nachrichten"]),
        ];
        for (words, primary, every) in table {
            assert_eq!(homes(&labels(PrimaryFolder, &[]).0, words), primary, "{words:?}");
            assert_eq!(homes(&labels(EveryFolder, &[]).0, words), every, "{words:?}");
        }
    }

    #[test]
    fn views_and_folders_left_out_are_no_homes() {
        let (without, folders) = labels(LabelPolicy::PrimaryFolder, &["#Inbox#", "a"]);
        assert_eq!(homes(&without, &["\\Inbox", "z"]), ["z"]);
        assert_eq!(homes(&without, &["a"]), ["[Gmail]/Alle Nachrichten"]);
        let views = folders.iter().filter(|it| it.leave_out.is_some());
        let views: Vec<&str> = views.map(|it| it.path.name()).collect();
        assert_eq!(views, ["Wichtig", "Markiert"]);
        assert_eq!(folders[1].special_use, Some(SpecialUse::Archive));
        let (all, _) = labels(LabelPolicy::PrimaryFolder, &[]);
        let (every, _) = labels(LabelPolicy::EveryFolder, &[]);
        assert!(all.text() != without.text() && all.text() != every.text());
        assert_eq!(all.text(), labels(LabelPolicy::PrimaryFolder, &[]).0.text());
    }

    proptest! {
        #[test]
        fn every_message_has_one_home_or_one_for_each_label(chosen in any::<[bool; 12]>()) {
            let words: Vec<&str> = WORDS
                .iter()
                .zip(chosen)
                .filter(|(word, chosen)| *chosen && !["", "\\Spam", "\\Trash"].contains(*word))
                .map(|(word, _)| *word)
                .collect();
            prop_assert_eq!(homes(&labels(LabelPolicy::PrimaryFolder, &[]).0, &words).len(), 1);
            let own = words.iter().filter(|it| !["\\Important", "\\Starred"].contains(*it)).count();
            prop_assert_eq!(homes(&labels(LabelPolicy::EveryFolder, &[]).0, &words).len(), own.max(1));
        }
    }
}
