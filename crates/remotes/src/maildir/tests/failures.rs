//! Disk failures at every step in turn: the process is killed, the disk is full from there on, or it is
//! away for a moment. Also passes that are dropped at any moment.

use super::*;

/// Lets the first pass, or the one after the user's changes, fail at every step in turn, and checks the
/// passes that follow.
async fn fails_everywhere(failure: Failure, in_later_pass: bool) {
    let mut at = 0;
    loop {
        let what = format!("{failure:?} at step {at}");
        let (source, home, ledger) = (filled(), directory(), MemoryLedger::default());
        if in_later_pass {
            assert_synced(&pass(&source, home.path(), &ledger, &Trap::none()).await, &what);
            changed(&source);
        }
        let trap = Trap::at(failure, at);
        let report = pass(&source, home.path(), &ledger, &trap).await;
        let is_over = trap.steps() <= at;
        match failure {
            _ if is_over => assert_synced(&report, &what),
            Failure::Hiccup => {}
            Failure::Killed => assert!(!report.is_synced(), "{what}: {report:#?}"),
            Failure::Full => {
                let error =
                    report.error.as_ref().or_else(|| report.folders.iter().find_map(|it| it.error.as_ref()));
                // A full disk during the clean-up costs nothing.
                if let Some(error) = error {
                    assert_eq!(error.kind, ErrorKind::Quota, "{what}: {error}");
                    assert!(
                        error.message.contains(home.path().to_str().unwrap())
                            && error.message.contains("no room"),
                        "{error}"
                    );
                }
                let half =
                    litter(home.path()).into_iter().filter(|it| it.contains("/tmp/")).collect::<Vec<_>>();
                assert!(half.is_empty(), "{what}: {half:?}");
            }
        }
        let report = pass(&source, home.path(), &ledger, &Trap::none()).await;
        assert_synced(&report, &what);
        assert_eq!(contents(home.path()).await, source.contents(), "{what}");
        // Nothing is done again, and nothing is left behind.
        let idle = Trap::none();
        let report = pass(&source, home.path(), &ledger, &idle).await;
        assert_synced(&report, &what);
        assert_eq!(report.total(|it| it.copied + it.moved + it.removed + it.flags_changed), 0, "{what}");
        assert_eq!(idle.steps(), 0, "{what}");
        if is_over {
            assert!(at > 30, "{at} steps are too few to have been all");
            assert_eq!(litter(home.path()), Vec::<String>::new());
            return;
        }
        at += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_the_first_pass() {
    fails_everywhere(Failure::Killed, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_a_later_pass() {
    fails_everywhere(Failure::Killed, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_from_every_step_of_the_first_pass() {
    fails_everywhere(Failure::Full, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_from_every_step_of_a_later_pass() {
    fails_everywhere(Failure::Full, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn away_for_a_moment_at_every_step() {
    fails_everywhere(Failure::Hiccup, false).await;
    fails_everywhere(Failure::Hiccup, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_message_survives_a_loss_of_power() {
    let (source, home) = (Remote::default(), directory());
    source.server().folder("INBOX").add("\\Seen work", &text(1));
    source.server().folder("INBOX").add("", &text(2));
    let trap = Trap::none();
    assert_synced(&pass(&source, home.path(), &MemoryLedger::default(), &trap).await, "");
    let log = trap.log.lock().unwrap().clone();
    let of =
        |what: &str| log.iter().position(|it| it == what).unwrap_or_else(|| panic!("no {what}: {log:#?}"));
    let mut renamed = 0;
    for (index, step) in log.iter().enumerate() {
        // Unfinished messages only, and not the files of the lists.
        let Some(name) = step.strip_prefix("rename mailhaul-") else { continue };
        renamed += 1;
        let written = log.iter().rposition(|it| *it == format!("write mailhaul-{name}")).unwrap();
        let dated = of(&format!("set time mailhaul-{name}"));
        let synced = of(&format!("sync mailhaul-{name}"));
        assert!(written < synced && dated < synced && synced < index, "{log:#?}");
        let directory = log.iter().rposition(|it| it == "sync directory cur").unwrap();
        let keywords = of("rename dovecot-keywords.tmp");
        let listed = of("append dovecot-uidlist");
        let list_synced =
            log.iter().skip(listed).position(|it| it == "sync dovecot-uidlist").unwrap() + listed;
        assert!(keywords < index && index < directory && directory < listed, "{log:#?}");
        assert!(list_synced < of("recorded"), "{log:#?}");
    }
    assert_eq!(renamed, 2, "{log:#?}");
}

#[test]
fn a_pass_that_is_dropped_at_any_moment_is_taken_up_again() {
    for polls in 0.. {
        let (source, home, ledger) = (filled(), directory(), MemoryLedger::default());
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let trap = Trap::none();
        let mut left = polls;
        let first = runtime().block_on(async {
            let mut pass = Box::pin(pass(&source, home.path(), &ledger, &trap));
            std::future::poll_fn(|context| {
                if left == 0 {
                    return std::task::Poll::Ready(None);
                }
                left -= 1;
                pass.as_mut().poll(context).map(Some)
            })
            .await
        });
        // Dropping the runtime also ended the work on the disk.
        let report = runtime().block_on(pass(&source, home.path(), &ledger, &Trap::none()));
        assert_synced(&report, &format!("dropped after {polls}"));
        assert_eq!(runtime().block_on(contents(home.path())), source.contents(), "dropped after {polls}");
        assert_eq!(litter(home.path()), Vec::<String>::new(), "dropped after {polls}");
        if first.is_some() {
            assert!(polls > 10, "{polls}");
            return;
        }
    }
}
