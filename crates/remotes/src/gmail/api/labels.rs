//! Labels for a folder and for flags. Pure.

use mailhaul_mail::{Flags, FolderPath, SpecialUse, ignoring_case};
use serde::Deserialize;

/// A label as in `users.labels.list`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The answer of `users.labels.list`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Labels {
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
}

/// The API's meaning of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LabelTarget {
    /// A label of every mailbox, by its ID.
    System(&'static str),
    /// A label of this name.
    User(String),
    /// No label: archived messages are only in All Mail.
    Archive,
    /// The API cannot import there.
    Drafts,
}

/// The API's meaning of the folder. `name` is its name on IMAP.
pub(crate) fn label_target(
    folder: &FolderPath,
    special_use: Option<SpecialUse>,
    name: String,
) -> LabelTarget {
    match special_use {
        _ if folder.is_inbox() => LabelTarget::System("INBOX"),
        Some(SpecialUse::Sent) => LabelTarget::System("SENT"),
        Some(SpecialUse::Junk) => LabelTarget::System("SPAM"),
        Some(SpecialUse::Trash) => LabelTarget::System("TRASH"),
        Some(SpecialUse::Important) => LabelTarget::System("IMPORTANT"),
        Some(SpecialUse::Flagged) => LabelTarget::System("STARRED"),
        Some(SpecialUse::All | SpecialUse::Archive) => LabelTarget::Archive,
        Some(SpecialUse::Drafts) => LabelTarget::Drafts,
        None => LabelTarget::User(name),
    }
}

/// The ID of the label of this name. On Gmail no two labels differ only by case.
pub(crate) fn find(labels: &[Label], name: &str) -> Option<String> {
    let wanted = ignoring_case(name);
    labels.iter().find(|it| ignoring_case(&it.name) == wanted).map(|it| it.id.clone())
}

/// The IDs of a message's labels: that of its folder and those of its flags.
pub(crate) fn ids(folder: Option<&str>, flags: &Flags) -> Vec<String> {
    let unread = (!flags.contains("\\Seen")).then_some("UNREAD");
    let starred = flags.contains("\\Flagged").then_some("STARRED");
    let starred = starred.filter(|it| folder != Some(it));
    folder.into_iter().chain(unread).chain(starred).map(str::to_owned).collect()
}

/// True if the message has flags that are not labels.
pub(crate) fn has_more(flags: &Flags) -> bool {
    flags.iter().any(|it| !it.eq_ignore_ascii_case("\\Seen") && !it.eq_ignore_ascii_case("\\Flagged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_flags_are_labels() {
        let of =
            |path: &str, special_use| label_target(&FolderPath::parse(path), special_use, path.to_owned());
        assert_eq!(of("INBOX", None), LabelTarget::System("INBOX"));
        assert_eq!(of("[Gmail]/Gesendet", Some(SpecialUse::Sent)), LabelTarget::System("SENT"));
        assert_eq!(of("[Gmail]/Alle Nachrichten", Some(SpecialUse::All)), LabelTarget::Archive);
        assert_eq!(of("[Gmail]/Entwürfe", Some(SpecialUse::Drafts)), LabelTarget::Drafts);
        assert_eq!(of("Projects/2024", None), LabelTarget::User("Projects/2024".to_owned()));
        let labels: Labels =
            serde_json::from_str(r#"{"labels":[{"id":"Label_1","name":"Über/B","type":"user"}]}"#).unwrap();
        assert_eq!(find(&labels.labels, "über/b").as_deref(), Some("Label_1"));
        assert_eq!(find(&labels.labels, "b"), None);
        let flags = |text: &str| text.split_whitespace().collect::<Flags>();
        assert_eq!(ids(Some("INBOX"), &flags("\\Answered")), ["INBOX", "UNREAD"]);
        assert_eq!(ids(None, &flags("\\Seen \\Flagged work")), ["STARRED"]);
        assert_eq!(ids(Some("STARRED"), &flags("\\Flagged")), ["STARRED", "UNREAD"]);
        assert!(has_more(&flags("\\Seen work")) && !has_more(&flags("\\Seen \\Flagged")));
    }
}
