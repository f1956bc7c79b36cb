//! The ledger: SQL against the engine's function, and the states that a file can be in.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use mailhaul_engine::{
    AppendStart, CopyRecord, Cursor, ErrorKind, FolderState, FolderStatus, Ledger, LedgerRecord,
    MessageIdentity, MessageState, RepairRecord, WaitingDeletions,
};
use mailhaul_mail::{
    Digest, Digests, Fingerprint, Flags, FolderPath, ModSeq, Sha256, Uid, UidSet, UidValidity,
};
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::{ConnectOptions, Connection as _};
use tempfile::TempDir;

use super::{Home, IS_ON_SERVER, on_both, service};
use crate::{
    MailboxLedger, Store, StoreError,
    db::{
        database,
        reading::Readers,
        server_text::replace_nul,
        sql::{self, Connection},
        writer::Writer,
    },
    ledger::apply::apply,
};

on_both! {
    a_renamed_folder_keeps_its_messages_and_a_closed_one_is_forgotten,
    records_survive_reopening_and_stay_in_their_mailbox,
    many_mailboxes_write_at_once,
    one_bad_request_does_not_spoil_its_neighbours,
    requests_after_closing_fail,
    texts_with_nul_are_no_damage,
}

const SOURCE: &str = "terry@old.example";
const TARGET: &str = "terry@new.example";

pub(super) async fn ledger(store: &Store) -> MailboxLedger {
    store.ledgers().mailbox(SOURCE, TARGET).await.unwrap()
}

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn validity(number: u64) -> UidValidity {
    UidValidity::new(number).unwrap()
}

pub(super) fn opened(folder: &str) -> LedgerRecord {
    let path = FolderPath::parse(folder);
    LedgerRecord::Opened { folder: path.clone(), target: path, uid_validity: validity(7) }
}

pub(super) fn done(folder: &str, number: u32) -> LedgerRecord {
    let copied = CopyRecord {
        target_uid: Some(uid(number)),
        flags: ["\\Seen", "$Forwarded"].into_iter().collect(),
        pending_flags: None,
        fingerprint: Fingerprint::from_bytes([1; 16]),
        digests: Some(Digests { whole: Digest::of(b"a"), text: Digest::of(b"b") }),
        size: 40_000,
        arrived: Some(1_700_000_000),
        ours: true,
        edited: None,
    };
    let state = Some(MessageState::Done(copied));
    LedgerRecord::Message { folder: FolderPath::parse(folder), uid: uid(number), state }
}

/// Returns the ledger after the records, by the engine's own function.
fn model(records: &[LedgerRecord]) -> BTreeMap<FolderPath, FolderState> {
    let mut folders = BTreeMap::new();
    for record in records {
        learn(&mut folders, record).unwrap();
    }
    folders
}

/// Applies a record; `None` if the folder was never opened.
fn learn(folders: &mut BTreeMap<FolderPath, FolderState>, record: &LedgerRecord) -> Option<()> {
    if let LedgerRecord::Opened { folder, target, uid_validity } = record {
        folders
            .entry(folder.clone())
            .or_insert_with(|| FolderState::opened(folder.clone(), target.clone(), *uid_validity));
    }
    folders.get_mut(record.folder())?.apply(record);
    match record {
        LedgerRecord::Renamed { folder, to, .. } => {
            let state = folders.remove(folder)?;
            folders.insert(to.clone(), state);
        }
        LedgerRecord::Closed { folder } => drop(folders.remove(folder)),
        _ => {}
    }
    Some(())
}

async fn assert_holds(ledger: &MailboxLedger, folders: &BTreeMap<FolderPath, FolderState>) {
    let expected: Vec<_> = folders.values().map(|state| state.record.clone()).collect();
    assert_eq!(ledger.folders().await.unwrap(), expected);
    for (folder, state) in folders {
        assert_eq!(ledger.folder(folder).await.unwrap().as_ref(), Some(state));
        let some: UidSet = state.messages.keys().copied().step_by(2).collect();
        assert_eq!(ledger.folder_around(folder, &some).await.unwrap(), Some(state.clone().around(&some)));
    }
}

/// Returns all files below the directory with their bytes.
pub(super) fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

async fn a_renamed_folder_keeps_its_messages_and_a_closed_one_is_forgotten() {
    let (_data, store) = service().await;
    let ledger = ledger(&store).await;
    let records = [
        opened("Old"),
        opened("Sent"),
        done("Old", 3),
        done("Sent", 4),
        LedgerRecord::Renamed {
            folder: FolderPath::parse("Old"),
            to: FolderPath::parse("New"),
            target: FolderPath::parse("Neu"),
        },
        done("New", 5),
        LedgerRecord::Closed { folder: FolderPath::parse("Sent") },
        // The folder may come back.
        opened("Old"),
    ];
    for record in &records {
        ledger.record(std::slice::from_ref(record)).await.unwrap();
    }
    assert_holds(&ledger, &model(&records)).await;
    let renamed = ledger.folder(&FolderPath::parse("New")).await.unwrap().unwrap();
    assert_eq!((renamed.record.target.to_string(), renamed.messages.len()), ("Neu".to_owned(), 2));
    assert_eq!(ledger.folders().await.unwrap().len(), 2);
}

async fn records_survive_reopening_and_stay_in_their_mailbox() {
    let (data, store) = service().await;
    let records: Vec<_> =
        std::iter::once(opened("INBOX")).chain((1..=1_203).map(|n| done("INBOX", n))).collect();
    ledger(&store).await.record(&records).await.unwrap();
    store.close().await;

    let store = data.open().await;
    assert_holds(&ledger(&store).await, &model(&records)).await;
    let other = store.ledgers().mailbox(SOURCE, "anna@new.example").await.unwrap();
    assert_eq!(other.folders().await.unwrap(), []);
    assert_eq!(other.folder(&FolderPath::inbox()).await.unwrap(), None);
}

#[tokio::test]
async fn no_other_user_may_read_the_file() {
    let data = TempDir::new().unwrap();
    let directory = data.path().join("new/data");
    Store::open(&directory).await.unwrap().close().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("mailhaul.db")), 0o600);
}

/// A server's text cannot hold NUL. A name keeps it, because two folders must not become one.
async fn texts_with_nul_are_no_damage() {
    let (data, store) = service().await;
    let nul = if store.is_on_server() { "\u{2400}" } else { "\0" };
    let folder = FolderPath::new(["a\0b"]);
    let edited = |subject: &str| RepairRecord {
        original: identity(),
        copy: identity(),
        sha256: Sha256::from_bytes([3; 32]),
        edits: subject.to_owned(),
        subject: Some(subject.to_owned()),
    };
    let of = |number, state| LedgerRecord::Message { folder: folder.clone(), uid: uid(number), state };
    let states = |nul: &str| {
        let text = format!("4{nul}2");
        let LedgerRecord::Message { state: Some(MessageState::Done(done)), .. } = done("INBOX", 3) else {
            unreachable!()
        };
        let flags: Flags = [text.as_str()].into_iter().collect();
        [
            MessageState::Skipped(text.clone()),
            MessageState::Repairing(Box::new(edited(&text))),
            MessageState::Done(CopyRecord {
                flags: flags.clone(),
                pending_flags: Some(flags),
                edited: Some(Box::new(edited(&text))),
                ..done
            }),
        ]
    };
    let mut records = vec![opened("a\u{2400}b"), opened("a\0b"), opened("a\\\\0b")];
    records.extend((1..).zip(states("\0")).map(|(number, state)| of(number, Some(state))));
    let known = ledger(&store).await;
    known.record(&records).await.unwrap();
    let (from, to) = (FolderPath::new(["a\\0b"]), FolderPath::new(["\0"]));
    known
        .record(&[LedgerRecord::Renamed { folder: from, to: to.clone(), target: to.clone() }])
        .await
        .unwrap();
    drop(known);
    store.close().await;

    let known = ledger(&data.open().await).await;
    let folders: Vec<_> = known.folders().await.unwrap().into_iter().map(|it| it.folder).collect();
    assert_eq!(folders, [to, folder.clone(), FolderPath::new(["a\u{2400}b"])]);
    let messages = known.folder(&folder).await.unwrap().unwrap().messages;
    assert_eq!(messages.into_values().collect::<Vec<_>>(), states(nul));
}

/// An edit with this description.
pub(super) fn edited(edits: &str) -> RepairRecord {
    let (original, copy, sha256) = (identity(), identity(), Sha256::from_bytes([3; 32]));
    RepairRecord { original, copy, sha256, edits: edits.to_owned(), subject: None }
}

fn identity() -> MessageIdentity {
    MessageIdentity {
        fingerprint: Fingerprint::from_bytes([1; 16]),
        digests: Digests { whole: Digest::of(b"a"), text: Digest::of(b"b") },
        size: 5,
    }
}

async fn many_mailboxes_write_at_once() {
    let (_data, store) = service().await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let ledger = store.ledgers().mailbox(SOURCE, &format!("user{number}@new.example")).await.unwrap();
        writers.spawn(async move {
            ledger.record(&[opened("INBOX")]).await.unwrap();
            for window in 0..5u32 {
                let records: Vec<_> = (1..=20).map(|n| done("INBOX", window * 20 + n)).collect();
                ledger.record(&records).await.unwrap();
            }
            let state = ledger.folder(&FolderPath::inbox()).await.unwrap().unwrap();
            assert_eq!(state.messages.len(), 100);
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_mailbox_is_run_by_one_at_a_time() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let held = ledger(&store).await;
    let second = Store::open(data.path()).await.unwrap();
    let error = second.ledgers().mailbox(SOURCE, TARGET).await.err().unwrap();
    assert!(matches!(error, StoreError::Locked { .. }));
    let words = error.to_string();
    assert!(
        words.starts_with("another mailhaul process runs terry@old.example -> terry@new.example"),
        "{words}"
    );
    assert!(second.ledgers().mailbox(SOURCE, "anna@new.example").await.is_ok());
    drop(held);
    assert!(second.ledgers().mailbox(SOURCE, TARGET).await.is_ok());
}

#[tokio::test]
async fn a_transaction_cut_short_leaves_nothing() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let before = vec![opened("INBOX"), done("INBOX", 1)];
    ledger(&store).await.record(&before).await.unwrap();
    store.close().await;

    let options = database::write_options(&data.path().join("mailhaul.db"));
    let mut connection = Connection::File(options.connect().await.unwrap());
    sql::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
    apply(&mut connection, 1, &[opened("Sent"), done("Sent", 1), done("INBOX", 2)]).await.unwrap();
    let Connection::File(file) = connection else { unreachable!() };
    file.close_hard().await.unwrap();

    let store = Store::open(data.path()).await.unwrap();
    assert_holds(&ledger(&store).await, &model(&before)).await;
}

#[tokio::test]
async fn a_log_left_by_a_killed_process_is_read_and_left_alone() {
    let (data, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = Store::open(data.path()).await.unwrap();
    let records = vec![opened("INBOX"), done("INBOX", 1)];
    ledger(&store).await.record(&records).await.unwrap();
    // The files of a killed process: all three as they are between two transactions.
    for file in ["mailhaul.db", "mailhaul.db-wal", "mailhaul.db-shm"] {
        fs::copy(data.path().join(file), copy.path().join(file)).unwrap();
    }
    let read_only = Store::open_read_only(copy.path()).await.unwrap().unwrap();
    assert_holds(&ledger(&read_only).await, &model(&records)).await;
    read_only.close().await;
    for file in ["mailhaul.db", "mailhaul.db-wal"] {
        assert_eq!(fs::read(data.path().join(file)).unwrap(), fs::read(copy.path().join(file)).unwrap());
    }
    let store = Store::open(copy.path()).await.unwrap();
    assert_holds(&ledger(&store).await, &model(&records)).await;
}

#[tokio::test]
async fn reading_only_changes_nothing() {
    let data = TempDir::new().unwrap();
    assert!(Store::open_read_only(data.path()).await.unwrap().is_none());
    assert!(Store::open_read_only(&data.path().join("missing")).await.unwrap().is_none());
    assert_eq!(contents(data.path()), BTreeMap::new());

    let records = vec![opened("INBOX"), done("INBOX", 1)];
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&records).await.unwrap();
    store.close().await;
    let before = contents(data.path());
    let store = Store::open_read_only(data.path()).await.unwrap().unwrap();
    let known = ledger(&store).await;
    assert_holds(&known, &model(&records)).await;
    let error = known.record(&[done("INBOX", 2)]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Ledger);
    assert!(error.message.ends_with("is open for reading only"), "{}", error.message);
    let unknown = store.ledgers().mailbox(SOURCE, "nobody@new.example").await.unwrap();
    assert_eq!(unknown.folders().await.unwrap(), []);
    assert_eq!(unknown.folder(&FolderPath::inbox()).await.unwrap(), None);
    store.close().await;
    assert_eq!(contents(data.path()), before);
}

#[tokio::test]
async fn reading_only_sees_what_another_writes_meanwhile() {
    let data = TempDir::new().unwrap();
    let mut records = vec![opened("INBOX"), done("INBOX", 1)];
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&records).await.unwrap();
    store.close().await;
    let reading = Store::open_read_only(data.path()).await.unwrap().unwrap();
    let known = ledger(&reading).await;
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&[done("INBOX", 2)]).await.unwrap();
    records.push(done("INBOX", 2));
    assert_holds(&known, &model(&records)).await;
    store.close().await;
    assert_holds(&known, &model(&records)).await;
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_read_again() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("mailhaul.db");
    Store::open(data.path()).await.unwrap().close().await;
    let readers = Readers::File(path.clone());
    assert!(readers.begin().await.unwrap().was_steady().await.unwrap());
    let at_rest = readers.begin().await.unwrap();
    let store = Store::open(data.path()).await.unwrap();
    ledger(&store).await.record(&[opened("INBOX")]).await.unwrap();
    assert!(!at_rest.was_steady().await.unwrap());
    let beside_a_writer = readers.begin().await.unwrap();
    ledger(&store).await.record(&[done("INBOX", 1)]).await.unwrap();
    assert!(beside_a_writer.was_steady().await.unwrap());
}

#[tokio::test]
async fn a_full_disk_is_reported_and_written_data_stays() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let before = vec![opened("INBOX"), done("INBOX", 1)];
    ledger(&store).await.record(&before).await.unwrap();
    let path = data.path().join("mailhaul.db");
    // SQLite gives the same answer for a file that may not grow as for a full disk.
    let options = database::write_options(&path).pragma("max_page_count", "24");
    let cramped = Writer::start(format!("the ledger {}", path.display()), options, None);
    let window: Vec<_> = (1..=2_000).map(|number| done("INBOX", number)).collect();
    let error = mailhaul_engine::Error::from(cramped.write(1, None, window.clone()).await.unwrap_err());
    assert_eq!(error.kind, ErrorKind::Ledger);
    let expected = format!("the ledger {} could not be written: database or disk is full", path.display());
    assert!(error.message.starts_with(&expected), "{}", error.message);
    assert_holds(&ledger(&store).await, &model(&before)).await;

    // Writes that fit are still accepted, and all of them once there is space.
    cramped.write(1, None, vec![done("INBOX", 2)]).await.unwrap();
    ledger(&store).await.record(&window).await.unwrap();
    let records: Vec<_> = before.into_iter().chain(window).collect();
    assert_holds(&ledger(&store).await, &model(&records)).await;
}

async fn one_bad_request_does_not_spoil_its_neighbours() {
    let (_data, store) = service().await;
    let (terry, anna) =
        (ledger(&store).await, store.ledgers().mailbox(SOURCE, "anna@new.example").await.unwrap());
    terry.record(&[opened("INBOX")]).await.unwrap();
    let (good, bad) = (vec![done("INBOX", 1)], vec![opened("INBOX"), done("Sent", 1)]);
    let (good, bad) = tokio::join!(terry.record(&good), anna.record(&bad));
    good.unwrap();
    let words = bad.unwrap_err().message;
    assert!(words.ends_with("a record of the folder \"Sent\", which was never opened"), "{words}");
    assert_eq!(anna.folders().await.unwrap(), []);
    assert_holds(&terry, &model(&[opened("INBOX"), done("INBOX", 1)])).await;
}

async fn requests_after_closing_fail() {
    let (_data, store) = service().await;
    let ledger = ledger(&store).await;
    store.close().await;
    let error = ledger.record(&[opened("INBOX")]).await.unwrap_err();
    assert!(error.message.ends_with("is closed"), "{}", error.message);
}

#[tokio::test]
async fn a_file_of_a_newer_program_or_of_no_program_is_refused() {
    let data = TempDir::new().unwrap();
    Store::open(data.path()).await.unwrap().close().await;
    let path = data.path().join("mailhaul.db");
    let mut connection = database::write_options(&path).connect().await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', TRUE, x'00', 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    for error in [
        Store::open(data.path()).await.err().unwrap(),
        Store::open_read_only(data.path()).await.err().unwrap(),
    ] {
        let words = error.to_string();
        let known = database::SCHEMA_VERSION;
        let end = format!("another version of mailhaul (schema 99, this one knows {known})");
        assert!(words.ends_with(&end), "{words}");
    }

    let data = TempDir::new().unwrap();
    fs::write(data.path().join("mailhaul.db"), "not a database, but long enough to look like one".repeat(9))
        .unwrap();
    let words = Store::open(data.path()).await.err().unwrap().to_string();
    assert!(words.contains("mailhaul.db is damaged: file is not a database"), "{words}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();
    let words = Store::open(&file.join("data")).await.err().unwrap().to_string();
    assert!(words.starts_with(&file.display().to_string()), "{words}");
}

fn any_uid() -> impl Strategy<Value = Uid> {
    prop_oneof![9 => 1..8u32, 1 => Just(u32::MAX)].prop_map(uid)
}

fn any_validity() -> impl Strategy<Value = UidValidity> {
    prop_oneof![5 => Just(1), 1 => Just(2), 1 => Just(1_666_390_893_380), 1 => Just(u64::MAX)]
        .prop_map(validity)
}

const FOLDERS: [&str; 6] =
    ["INBOX", "Gel\u{f6}scht/\u{65e5}\u{672c}\u{8a9e}", "a\\/b/c\\\\d", "A", "a", "a\0"];

fn any_folder() -> impl Strategy<Value = FolderPath> {
    prop::sample::select(FOLDERS.to_vec()).prop_map(FolderPath::parse)
}

/// A short text, some with a NUL.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => ".{0,9}".boxed(), 1 => "[a\0]{1,4}".boxed()]
}

fn any_copied() -> impl Strategy<Value = CopyRecord> {
    let flags = prop::sample::subsequence(vec!["\\Seen", "\\Deleted", "$Label1", "Work", "\\Odd"], 0..=5)
        .prop_map(|names| names.into_iter().collect::<Flags>());
    let digests = prop::option::of((any::<[u8; 16]>(), any::<[u8; 16]>()).prop_map(|(whole, text)| {
        Digests { whole: Digest::from_bytes(whole), text: Digest::from_bytes(text) }
    }));
    let pending = prop::option::of(flags.clone());
    let edited = prop::option::weighted(0.2, any_edited().prop_map(Box::new));
    (
        prop::option::of(any_uid()),
        flags,
        pending,
        any::<[u8; 16]>(),
        digests,
        any::<u64>(),
        any::<Option<i64>>(),
        any::<bool>(),
        edited,
    )
        .prop_map(
            |(target_uid, flags, pending_flags, fingerprint, digests, size, arrived, ours, edited)| {
                CopyRecord {
                    arrived,
                    target_uid,
                    flags,
                    pending_flags,
                    fingerprint: Fingerprint::from_bytes(fingerprint),
                    digests,
                    size,
                    ours,
                    edited,
                }
            },
        )
}

fn any_edited() -> impl Strategy<Value = RepairRecord> {
    let likeness =
        (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u64>()).prop_map(|(one, other, size)| MessageIdentity {
            fingerprint: Fingerprint::from_bytes(one),
            digests: Digests { whole: Digest::from_bytes(other), text: Digest::from_bytes(one) },
            size,
        });
    (likeness.clone(), likeness, any::<[u8; 32]>(), any_text(), prop::option::of(any_text())).prop_map(
        |(original, copy, sha256, edits, subject)| RepairRecord {
            original,
            copy,
            sha256: Sha256::from_bytes(sha256),
            edits,
            subject,
        },
    )
}

fn any_message_state() -> impl Strategy<Value = Option<MessageState>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(MessageState::Intended)),
        1 => any_edited().prop_map(|edited| Some(MessageState::Repairing(Box::new(edited)))),
        4 => any_copied().prop_map(|copied| Some(MessageState::Done(copied))),
        1 => any_text().prop_map(|reason| Some(MessageState::Skipped(reason))),
    ]
}

fn any_cursor() -> impl Strategy<Value = Cursor> {
    let modseq = prop::option::of(any::<u64>().prop_map(ModSeq));
    (any::<u32>(), any_validity(), prop::option::of(any_uid()), modseq, any::<u32>(), any::<u32>()).prop_map(
        |(messages, uid_validity, uid_next, highest_modseq, skipped, excluded)| Cursor {
            status: FolderStatus { messages, uid_validity, uid_next, highest_modseq },
            skipped,
            excluded,
        },
    )
}

fn any_record() -> impl Strategy<Value = LedgerRecord> {
    let floor = (any_validity(), any_uid())
        .prop_map(|(uid_validity, uid_next)| AppendStart { uid_validity, uid_next });
    let uids =
        || prop::collection::vec(any_uid(), 0..5).prop_map(|uids| uids.into_iter().collect::<UidSet>());
    prop_oneof![
        3 => (any_folder(), prop::option::weighted(0.2, any_folder()), any_validity()).prop_map(
            |(folder, other, uid_validity)| {
                LedgerRecord::Opened { target: other.unwrap_or_else(|| folder.clone()), folder, uid_validity }
            },
        ),
        2 => (any_folder(), floor, uids()).prop_map(|(folder, floor, uids)| LedgerRecord::Intended { folder, append_start: floor, uids }),
        8 => (any_folder(), any_uid(), any_message_state())
            .prop_map(|(folder, uid, state)| LedgerRecord::Message { folder, uid, state }),
        1 => (any_folder(), any_validity())
            .prop_map(|(folder, uid_validity)| LedgerRecord::TargetValidity { folder, uid_validity }),
        1 => (any_folder(), any_cursor(), any_text(), prop::option::of(any_uid())).prop_map(
            |(folder, cursor, rules, target_next)| LedgerRecord::Settled { folder, cursor, rules, target_next },
        ),
        1 => (any_folder(), any::<u64>(), uids())
            .prop_map(|(folder, since, uids)| LedgerRecord::Waiting { folder, waiting: WaitingDeletions { since, uids } }),
    ]
}

/// Calls with some records each. Most consecutive records are of one folder, as in practice.
pub(super) fn any_calls() -> impl Strategy<Value = Vec<Vec<LedgerRecord>>> {
    let opening = any_folder().prop_map(|folder| LedgerRecord::Opened {
        target: folder.clone(),
        folder,
        uid_validity: validity(1),
    });
    let call = (prop::option::of(opening), prop::collection::vec(any_record(), 1..9))
        .prop_map(|(opening, records)| opening.into_iter().chain(records).collect());
    prop::collection::vec(call, 1..12)
}

/// Writes the calls to a mailbox, and compares it with the engine's states.
async fn check_calls(data: &Home, store: Store, target: &str, calls: Vec<Vec<LedgerRecord>>, all_open: bool) {
    let known = store.ledgers().mailbox(SOURCE, target).await.unwrap();
    let mut folders = BTreeMap::new();
    if all_open {
        for folder in FOLDERS {
            known.record(&[opened(folder)]).await.unwrap();
            learn(&mut folders, &opened(folder)).unwrap();
        }
    }
    for mut call in calls {
        let written = known.record(&call).await;
        if store.is_on_server() {
            call.iter_mut().for_each(replace_nul);
        }
        let mut next = folders.clone();
        let is_possible = call.iter().all(|record| learn(&mut next, record).is_some());
        assert_eq!(written.is_ok(), is_possible, "{written:?}");
        if is_possible {
            folders = next;
        }
    }
    drop(known);
    store.close().await;
    let store = data.open().await;
    assert_holds(&store.ledgers().mailbox(SOURCE, target).await.unwrap(), &folders).await;
    store.close().await;
}

/// Runs random calls, each in a mailbox of its own.
fn the_sql_means_what_the_engine_means(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (data, store) = runtime.block_on(service());
    runtime.block_on(store.close());
    let case = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let ran = runner.run(&(any_calls(), any::<bool>()), |(calls, all_open)| {
        case.set(case.get() + 1);
        let target = format!("user{}@new.example", case.get());
        runtime.block_on(async {
            let store = data.open().await;
            check_calls(&data, store, &target, calls, all_open).await;
        });
        Ok(())
    });
    ran.unwrap();
}

mod the_sql_means_what_the_engine_means {
    #[test]
    fn file() {
        super::IS_ON_SERVER.set(false);
        super::the_sql_means_what_the_engine_means(96);
    }

    #[test]
    fn server() {
        super::IS_ON_SERVER.set(true);
        super::the_sql_means_what_the_engine_means(32);
    }
}
