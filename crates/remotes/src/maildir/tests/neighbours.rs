//! Other programs in the same Maildir: a server, and programs that deliver mail.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_renamed_under_us_is_looked_for_again() {
    let (source, home, ledger) = (filled(), directory(), MemoryLedger::default());
    assert_synced(&pass(&source, home.path(), &ledger, &Trap::none()).await, "");
    changed(&source);
    // Its user marks each message a moment before it is renamed or removed.
    let cur = home.path().join("Maildir/cur");
    let marked = Arc::new(AtomicU32::new(0));
    let mut target = mailbox(home.path(), &Trap::none());
    let counted = marked.clone();
    target.archive.disk.before = Some(Arc::new(move |what: &str, path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        if matches!(what, "rename" | "remove") && path.parent() == Some(&cur) && !name.contains(":2,D") {
            counted.fetch_add(1, Ordering::SeqCst);
            fs::rename(path, cur.join(name.replace(":2,", ":2,D"))).unwrap();
        }
        Ok(())
    }));
    let report = Pass {
        source: &mut source.clone(),
        target: &mut target,
        ledger: &ledger,
        progress: &Listener::default(),
        clock: &NoTime,
        budget: &Budget::new(100),
        slots: &Slots::new(1),
        stop: &CancellationToken::new(),
        limits: &PassLimits::default(),
        options: &PassOptions {
            deletions: DeletionPolicy::Mirror,
            removals: RemovalRules { is_confirmed: true, ..RemovalRules::default() },
            ..PassOptions::default()
        },
    }
    .run()
    .await;
    assert_synced(&report, "");
    assert_eq!(marked.load(Ordering::SeqCst), 4, "two flag changes, a move and a removal");
    let mut there = contents(home.path()).await;
    for messages in there.values_mut() {
        for (_, flags, _) in messages.iter_mut() {
            *flags = flags.replace("\\Draft ", "").replace("\\Draft", "");
        }
        messages.sort();
    }
    assert_eq!(there, source.contents());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_from_other_programs_gets_the_next_uids() {
    let (source, home, ledger) = (filled(), directory(), MemoryLedger::default());
    assert_synced(&pass(&source, home.path(), &ledger, &Trap::none()).await, "");
    let root = home.path().join("Maildir");
    fs::write(root.join("new/1500000000.M2P1.mda"), "second").unwrap();
    fs::write(root.join("cur/1500000000.M1P1.mda:2,FS"), "first").unwrap();
    let mut target = mailbox(home.path(), &Trap::none());
    let inbox = FolderPath::inbox();
    let status = target.status(&inbox).await.unwrap();
    assert_eq!((status.messages, status.uid_next), (11, Uid::new(12)));
    fs::rename(root.join("new/1500000000.M2P1.mda"), root.join("cur/1500000000.M2P1.mda:2,S")).unwrap();
    let scan = target.scan(&inbox, None).await.unwrap();
    let delivered: Vec<_> =
        scan.messages.iter().skip(9).map(|it| (it.uid.get(), it.flags.to_string(), it.size)).collect();
    assert_eq!(delivered, [(10, "\\Flagged \\Seen".to_owned(), 5), (11, "\\Seen".to_owned(), 6)]);
    // An invalid list means new UIDs for all messages, and another UIDVALIDITY.
    fs::write(root.join("dovecot-uidlist"), "nonsense").unwrap();
    let anew = target.status(&inbox).await.unwrap();
    assert_eq!((anew.messages, anew.uid_next), (11, Uid::new(12)));
    assert!(fs::read_to_string(root.join("dovecot-uidlist")).unwrap().starts_with("3 V"));
}
