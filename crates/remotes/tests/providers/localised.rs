//! Folders of Microsoft 365 with localised names and without special-use attributes.

use std::collections::BTreeMap;

use mailhaul_imap::MailboxName;
use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, Personality},
};

use crate::support::{Route, User, item, start};

const LANGUAGES: [&str; 7] = ["German", "French", "Spanish", "Japanese", "Chinese", "Korean", "Portuguese"];

/// Names of the folders Archive, Trash, Drafts, Junk and Sent on sources. With `true` the source has
/// attributes instead of known names.
const SOURCES: [([&str; 5], bool); 6] = [
    (["Archive", "Trash", "Drafts", "Junk", "Sent"], false),
    (["Archives", "Deleted Messages", "Drafts", "Spam", "Sent Messages"], false),
    (["INBOX/Archive", "INBOX/Trash", "INBOX/Drafts", "INBOX/Junk", "INBOX/Sent"], false),
    (["Archiv", "Papierkorb", "Entwürfe", "Spamverdacht", "Gesendete Objekte"], false),
    (["Archive", "Éléments supprimés", "Brouillons", "Courrier indésirable", "Éléments envoyés"], false),
    (["one", "two", "three", "four", "five"], true),
];

const BY_ATTRIBUTE: &[(&str, &str)] = &[
    ("INBOX", ""),
    ("one", "\\Archive"),
    ("two", "\\Trash"),
    ("three", "\\Drafts"),
    ("four", "\\Junk"),
    ("five", "\\Sent"),
];

fn on_wire(name: &str) -> String {
    String::from_utf8(MailboxName::from_text(name).as_wire().to_vec()).unwrap()
}

/// Number of messages per folder, by the names that people read.
fn held(server: &Fake, user: &User) -> BTreeMap<String, usize> {
    server.with(&user.name, |mailbox| {
        let held = |name: String| {
            let count = mailbox.messages(&name).len();
            (MailboxName::from_wire(name).to_text(), count)
        };
        mailbox.folder_names().into_iter().map(held).collect()
    })
}

fn add(route: &Route, user: &User, maker: &mut Mailmaker, folder: &str, count: usize) {
    let name = on_wire(folder);
    route.source.with(&user.name, |mailbox| {
        mailbox.create(&name);
        for _ in 0..count {
            let (octets, flags, date) = item(maker);
            mailbox.add(&name, octets, flags, date);
        }
    });
}

/// Two passes: every folder's mail is in the target's own folder, and the target has only the user's
/// folders in addition.
async fn assert_at_home(source: Personality, names: [&str; 5], language: &str) {
    let target = Personality::microsoft_365_in(language);
    let own: Vec<&str> = target.folders[1..=5].iter().map(|(name, _)| *name).collect();
    // An outbox is an ordinary folder.
    let others = source.folders.iter().skip(6).filter(|(_, attributes)| attributes.is_empty());
    let others: Vec<String> = others.map(|(name, _)| (*name).to_owned()).collect();
    let route = Route::new(start(source).await, start(target).await);
    let users = route.add_users(1);
    let user = &users[0];
    let mut expected = held(&route.target, user);
    for other in others {
        expected.entry(other).or_default();
    }
    let mut maker = Mailmaker::new(1);
    for count in [1, 2] {
        for (index, (name, own)) in names.iter().zip(&own).enumerate() {
            add(&route, user, &mut maker, name, count + index);
            *expected.get_mut(*own).unwrap() += count + index;
        }
        add(&route, user, &mut maker, "Projects", count);
        *expected.entry("Projects".to_owned()).or_default() += count;
        let migrated = route.migrate(&users).await;
        assert_eq!(held(&route.target, user), expected, "{names:?} {language}: {:#?}", migrated[0].report);
    }
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_folders_are_for_counts_in_every_language() {
    for language in LANGUAGES {
        for (names, by_attribute) in SOURCES {
            let folders = if by_attribute { BY_ATTRIBUTE } else { Personality::plain().folders };
            assert_at_home(Personality { folders, ..Personality::plain() }, names, language).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_language_arrives_in_the_folders_of_another() {
    for from in LANGUAGES {
        let source = Personality::microsoft_365_in(from);
        let names: [&str; 5] = std::array::from_fn(|index| source.folders[index + 1].0);
        for to in LANGUAGES {
            assert_at_home(source.clone(), names, to).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gmail_in_german_arrives_in_every_language() {
    for language in LANGUAGES {
        let names = ["Alle Nachrichten", "Papierkorb", "Entwürfe", "Spam", "Gesendet"];
        let names = names.map(|it| format!("[Gmail]/{it}"));
        let names: [&str; 5] = std::array::from_fn(|index| names[index].as_str());
        assert_at_home(Personality::gmail_in_german(), names, language).await;
    }
}
