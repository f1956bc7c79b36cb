//! Folder names that a provider reserves, cannot hold, or treats as the same.

use std::collections::BTreeMap;

use mailhaul_engine::{FolderMapping, Report};
use mailhaul_imap::MailboxName;
use mailhaul_testkit::{Mailmaker, fake::Personality};

use crate::support::{Contents, Route, User, contents, item, start};

/// Separates levels. No name here contains it.
const LEVEL: &str = "/";

/// Some messages in each folder, no two of them alike.
fn fill(route: &Route, user: &User, seed: u64, folders: &[&str]) {
    let mut maker = Mailmaker::new(seed);
    route.source.with(&user.name, |mailbox| {
        for folder in folders {
            let name = on_wire(folder);
            mailbox.create(&name);
            for _ in 0..3 {
                let (octets, flags, date) = item(&mut maker);
                mailbox.add(&name, octets, flags.filtered(|it| it.starts_with('\\')), date);
            }
        }
    });
}

fn on_wire(name: &str) -> String {
    String::from_utf8(MailboxName::from_text(name).as_wire().to_vec()).unwrap()
}

fn in_words(contents: Contents) -> Contents {
    let name = |wire: String| MailboxName::from_wire(wire).to_text();
    contents.into_iter().map(|(wire, it)| (name(wire), it)).collect()
}

/// The source's folders, each with its path on the target and the reason.
fn places(report: &Report) -> BTreeMap<String, (Option<String>, String)> {
    let place = |path: &mailhaul_mail::FolderPath| path.segments().join(LEVEL);
    let folders = report.folders.iter();
    folders.map(|it| (place(&it.source), (it.target.as_ref().map(place), it.reason.clone()))).collect()
}

/// Migrates the folders, and checks path, messages and reason of each. Then once more with new mail in
/// every folder.
async fn assert_places(route: &Route, expected: &[(&str, &str, &str)]) {
    let users = route.add_users(1);
    let user = &users[0];
    let folders: Vec<&str> = expected.iter().map(|(source, ..)| *source).collect();
    fill(route, user, 1, &folders);
    let first = places(&route.migrate(&users).await[0].report);
    assert_same_there(route, user, expected);
    for (source, target, why) in expected {
        let (place, reason) = &first[*source];
        assert_eq!(place.as_deref(), Some(*target), "{source}: {reason}");
        assert!(reason.contains(why), "{source}: {reason}");
    }
    fill(route, user, 2, &folders);
    let again = route.migrate(&users).await;
    assert_eq!(again[0].copied, 3 * folders.len() as u64);
    assert_same_there(route, user, expected);
    route.assert_obedient();
}

#[track_caller]
fn assert_same_there(route: &Route, user: &User, expected: &[(&str, &str, &str)]) {
    let source = in_words(contents(&route.source, user, |_| false));
    let target = in_words(contents(&route.target, user, |_| false));
    for (from, to, _) in expected {
        let there = target.get(*to).unwrap_or_else(|| panic!("{from}: nothing in {to}: {:?}", target.keys()));
        assert!(source[*from] == *there, "{from}: {} are not {}", source[*from].len(), there.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_gets_another_name_for_a_reserved_one() {
    let route = Route::new(start(Personality::plain()).await, start(Personality::microsoft_365()).await);
    let reserved = "the target keeps the name \"Files\" for itself";
    let table = [
        ("INBOX", "INBOX", "same name"),
        ("Files", "Files‛", reserved),
        ("Files/2024", "Files‛/2024", reserved),
        ("Files‛", "Files‛‛", "could be mistaken"),
        ("Projects/Files", "Projects/Files", "same name"),
        ("Reports", "Reports", "same name"),
        ("reports", "reports (2)", "the place \"reports\" is taken by \"Reports\""),
        ("reports/2024", "reports (2)/2024", "below \"reports\""),
        ("Reports/2024", "Reports/2024", "same name"),
        ("Übersicht", "Übersicht", "same name"),
        ("übersicht", "übersicht (2)", "is taken by"),
        ("DRAFTS", "Drafts", "Drafts"),
    ];
    assert_places(&route, &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_gmail_refuses_are_written_otherwise() {
    let route = Route::new(start(Personality::plain()).await, start(Personality::gmail()).await);
    let signs = "the target's names cannot hold";
    let blanks = "cannot hold blanks at their ends";
    let table = [
        ("INBOX", "INBOX", "same name"),
        ("a^b", "a˄b", signs),
        ("a˄b", "a‛˄b", "could be mistaken"),
        ("say \"hi\"", "say ″hi″", signs),
        ("back\\slash", "back⧵slash", signs),
        (" first", "␣first", blanks),
        ("last ", "last␣", blanks),
        ("two  blanks", "two ␣blanks", blanks),
        ("below/ first", "below/␣first", blanks),
        ("Spam/2024", "Spam‛/2024", "keeps the name \"Spam\" for itself"),
        ("Work", "Work", "same name"),
        ("work", "work (2)", "is taken by"),
        // Not in the rules: the server refuses it.
        ("[Google Mail]/old", "［Google Mail］/old", "Reserved folder name"),
        ("[Gmail]/old", "［Gmail］/old", "Reserved folder name"),
        // It exists, and holds no messages.
        ("[Gmail]", "［Gmail］", "refused the name"),
    ];
    assert_places(&route, &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_files_are_left_out_unless_they_are_mapped() {
    let mut route = Route::new(start(Personality::microsoft_365()).await, start(Personality::plain()).await);
    let users = route.add_users(1);
    let user = &users[0];
    let mail = ["INBOX", "Projects", "Projects/Files"];
    fill(&route, user, 1, &mail);
    fill(&route, user, 2, &["Files", "Files/below"]);
    let found = || in_words(contents(&route.target, user, |_| false));
    let report = &route.migrate(&users).await[0].report;
    for left_out in ["Files", "Files/below"] {
        let (place, reason) = &places(report)[left_out];
        let words = "not a mail folder on Microsoft 365 (3 messages); add it to the folder map to migrate it";
        assert_eq!((place.as_deref(), reason.as_str()), (None, words));
    }
    assert_eq!(found().into_keys().collect::<Vec<String>>(), mail);
    route.map = vec![FolderMapping::parse("Files/*", "Found").unwrap()];
    assert_eq!(route.migrate(&users).await[0].copied, 6);
    let source = in_words(contents(&route.source, user, |_| false));
    let target = in_words(contents(&route.target, user, |_| false));
    for (from, to) in [("Files", "Found"), ("Files/below", "Found/below"), ("Projects", "Projects")] {
        assert!(source[from] == target[to], "{from}");
    }
    // Folders that were migrated once keep their path.
    route.map.clear();
    fill(&route, user, 3, &["Files"]);
    assert_eq!(route.migrate(&users).await[0].copied, 3);
    route.assert_obedient();
}
