//! Kills at any moment: the next run loses and duplicates nothing.

use std::{fs, thread::sleep, time::Duration};

use mailhaul_testkit::{Mailmaker, Setup};

use crate::{
    copying::{corpus, fill_oddly},
    support::{Haul, assert_same, give, ran},
};

/// Number of kills.
const KILLS: u32 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn killed_fifty_times_and_everything_is_there_once() {
    let (from, to) = (Setup::with_users(&["terrya"]).start(), Setup::with_users(&["terrya"]).start());
    let mut maker = Mailmaker::new(11);
    let sizes: Vec<usize> = (0..800).map(|_| maker.size()).collect();
    give(&from, "terrya", "INBOX", &sizes, 1).await;
    let mut odd = corpus();
    odd.push(maker.message(60 << 20));
    fill_oddly(&from, "terrya", odd).await;
    give(&from, "terrya", "small", &vec![400; 6_000], 2).await;
    give(&from, "terrya", "small", &[400; 500], 2).await; // each of these is there twice
    give(&from, "terrya", "Sent", &[2_000; 500], 3).await;
    let haul = Haul::new("terrya", from.port(), to.port());
    let mut killed = 0;
    let mut seed = 100;
    while killed < KILLS {
        let mut child = haul.spawn(&[]);
        // A run that follows a crash waits for a second before it goes on.
        let longest = if killed % 5 == 0 { 200 } else { 1_900 };
        sleep(Duration::from_millis(10 + maker.number(longest)));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        } else {
            // All is copied, and there is nothing to kill: more mail comes.
            seed += 1;
            give(&from, "terrya", "INBOX", &[700; 900], seed).await;
            give(&from, "terrya", "later", &[20_000; 100], seed).await;
        }
        child.wait().unwrap();
    }
    haul.expect(0, &[]);
    assert_same(&from, &to, "terrya").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_the_ledger_lost() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    let mut maker = Mailmaker::new(12);
    let sizes: Vec<usize> = (0..400).map(|_| maker.size()).collect();
    give(&from, "annb", "INBOX", &sizes, 1).await;
    fill_oddly(&from, "annb", corpus()).await;
    give(&from, "annb", "small", &vec![400; 3_000], 2).await;
    give(&from, "annb", "small", &[400; 300], 2).await;
    let haul = Haul::new("annb", from.port(), to.port());
    for _ in 0..6 {
        let mut child = haul.spawn(&[]);
        sleep(Duration::from_millis(100 + maker.number(2_000)));
        let _ended_already = child.kill();
        child.wait().unwrap();
        fs::remove_dir_all(haul.data()).unwrap();
    }
    let last = haul.mailbox(&[]);
    assert!(last["alreadyThere"].as_u64() > Some(0), "{last:#}");
    assert_same(&from, &to, "annb").await;
}

/// Two runs at once with one data directory, and two names of the target's server.
#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_one_server_double_nothing() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[700; 600], 1).await;
    give(&from, "annb", "Sent", &[2_000; 200], 2).await;
    let mut haul = Haul::new("annb", from.port(), to.port());
    let mut commands = vec![haul.command(&[])];
    haul.to = format!("imap+plain://annb@localhost:{}", to.port());
    commands.push(haul.command(&[]));
    let runs: Vec<_> =
        commands.into_iter().map(|mut command| std::thread::spawn(move || ran(&mut command))).collect();
    for run in runs {
        run.join().unwrap().assert(0);
    }
    assert_same(&from, &to, "annb").await;
}
