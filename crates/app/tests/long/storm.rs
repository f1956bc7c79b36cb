//! The service with many mailboxes: servers break, refuse and fall silent, users change their mail, the disk fills, the clock
//! jumps, and the process is killed again and again. In the end every mailbox must be what it is on the source.

use std::{collections::BTreeSet, fs, path::Path, process::Command, thread::sleep, time::Duration};

use mailhaul_testkit::{
    Dovecot, Mailmaker,
    fake::{Fake, Flow, Lie, Mailbox, Personality, VirtualClock, when},
};
use serde_json::Value;

use crate::{
    clock::{JumpingClock, clean_up_after},
    service::{Service, names},
    support::{differences, extent, first_seed},
};

/// Mailboxes at extent 1, and at most.
const MAILBOXES: u64 = 12;
const MOST_MAILBOXES: u64 = 200;
/// Rounds of the storm at extent 1.
const ROUNDS: u64 = 4;
/// Maximum number of looks at the users after the storm, one every half second.
const MOST_LOOKS: u32 = 3600;
/// The clock jumps by up to this many seconds to either side: three days, three times the interval of later syncs.
const LONGEST_JUMP: u64 = 3 * 86_400;
/// Room of the disk that fills.
const DISK: &str = "size=64m,mode=0700";

const FOLDERS: [&str; 3] = ["INBOX", "Archive", "Gr&APYA3w-e"];

struct Storm {
    source: Fake,
    target: Fake,
    users: Vec<String>,
    service: Service,
    disk: Option<Disk>,
    clock: Option<JumpingClock>,
    dice: Mailmaker,
    /// Messages that a user deleted: a copy that landed just before a crash may stay.
    deleted: BTreeSet<Vec<u8>>,
    kills: u32,
    jumps: u32,
}

impl Storm {
    async fn new(seed: u64) -> Self {
        let count = (MAILBOXES * extent()).min(MOST_MAILBOXES);
        let users = names(usize::try_from(count).unwrap());
        let [source, target] =
            [Fake::start(Personality::plain()).await, Fake::start(Personality::plain()).await];
        let mut dice = Mailmaker::new(seed);
        for user in &users {
            for server in [&source, &target] {
                server.add_user(user, &Dovecot::password(user), VirtualClock::default());
            }
            source.with(user, |mailbox| {
                for folder in FOLDERS {
                    mailbox.create(folder);
                    (0..2 + dice.number(8)).for_each(|_| arrive(mailbox, folder, &mut dice));
                }
            });
        }
        let mut service = Service::idle();
        let disk = Disk::mount(&service.data());
        let clock = JumpingClock::install(&mut service);
        let deleted = BTreeSet::new();
        Self { source, target, users, service, disk, clock, dice, deleted, kills: 0, jumps: 0 }
    }

    fn begin(&mut self) {
        self.service.run();
        if let Some(clock) = &self.clock {
            clock.check(&self.service);
        }
        self.service.endpoints(self.source.port, self.target.port, &["-MaxConcurrentMigrations", "20"]);
        let csv = self.service.csv(&self.users);
        let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        self.service.expect(&[&new[..], &["-CSVData", &csv, "-Deletions", "Mirror", "-AutoStart"]].concat());
    }

    fn round(&mut self) {
        for _ in 0..3 {
            self.change();
        }
        for _ in 0..self.dice.number(3) {
            let lie = weather(&mut self.dice);
            let server = if self.dice.number(2) == 0 { &self.source } else { &self.target };
            server.lie(lie);
        }
        self.pause(1_500);
        if let Some(disk) = self.disk.as_ref().filter(|_| self.dice.number(4) == 0) {
            disk.fill();
            self.pause(2_000);
            self.disk.as_ref().unwrap().empty();
        }
        if self.dice.number(3) == 0 {
            self.jump();
        }
        match self.dice.number(3) {
            0 => self.kill(),
            1 => {
                self.source.be_honest();
                self.target.be_honest();
            }
            _ => {}
        }
    }

    fn pause(&mut self, longest: u64) {
        sleep(Duration::from_millis(50 + self.dice.number(longest)));
    }

    /// Sets the clock of the service forward or back, mostly across the times at which its users are due.
    fn jump(&mut self) {
        let seconds = self.dice.number(2 * LONGEST_JUMP);
        if let Some(clock) = &self.clock {
            clock.set(i64::try_from(seconds).unwrap() - i64::try_from(LONGEST_JUMP).unwrap());
            self.jumps += 1;
        }
    }

    fn kill(&mut self) {
        let process = self.service.id();
        self.service.kill();
        clean_up_after(process);
        self.kills += 1;
        self.service.run();
    }

    /// A user reads, deletes, and gets mail.
    fn change(&mut self) {
        let user = &self.users[usize::try_from(self.dice.number(self.users.len() as u64)).unwrap()];
        let folder = FOLDERS[usize::try_from(self.dice.number(3)).unwrap()];
        let (dice, deleted) = (&mut self.dice, &mut self.deleted);
        self.source.with(user, |mailbox| {
            let messages = mailbox.messages(folder);
            let some = messages.get(usize::try_from(dice.number(messages.len() as u64)).unwrap());
            match (dice.number(4), some) {
                (0, Some((uid, _))) => mailbox.set_flags(folder, *uid, dice.flags()),
                (1, Some((uid, kept))) if messages.len() > 3 => {
                    deleted.insert(kept.octets.to_vec());
                    mailbox.remove(folder, *uid);
                }
                _ => (0..=dice.number(3)).for_each(|_| arrive(mailbox, folder, dice)),
            }
        });
    }

    /// The sun shines, and everybody is brought to the end.
    fn calm(&mut self) {
        self.source.be_honest();
        self.target.be_honest();
        if let Some(clock) = &self.clock {
            clock.set(0);
        }
        // Connections that fell silent end with it.
        self.kill();
        self.synced();
        let before = self.users();
        self.service.expect(&["Set-MigrationBatch", "B", "-SyncNow"]);
        let old = |user: &Value| {
            before.iter().any(|it| {
                it["Identity"] == user["Identity"]
                    && it["LastSuccessfulSyncTime"] == user["LastSuccessfulSyncTime"]
            })
        };
        self.wait(|user| user["Status"] == "Synced" && !old(user));
    }

    /// Waits until everybody is in step; who failed in the storm is started again.
    fn synced(&self) {
        self.wait(|user| user["Status"] == "Synced");
    }

    fn wait(&self, is_done: impl Fn(&Value) -> bool) {
        let mut looks = 0;
        loop {
            let users = self.users();
            let open: Vec<&Value> = users.iter().filter(|user| !is_done(user)).collect();
            if open.is_empty() {
                return;
            }
            for user in &open {
                if matches!(
                    user["Status"].as_str(),
                    Some("Failed" | "IncrementalFailed" | "SyncedWithErrors")
                ) {
                    _ = self.service.ask(&["Start-MigrationUser", user["Identity"].as_str().unwrap()]);
                }
            }
            looks += 1;
            assert!(looks < MOST_LOOKS, "{} mailboxes are not done: {:#}", open.len(), open[0]);
            sleep(Duration::from_millis(500));
        }
    }

    fn users(&self) -> Vec<Value> {
        self.service.expect(&["Get-MigrationUser", "-ResultSize", "Unlimited"])
    }

    fn compare(&self) {
        let mut told = Vec::new();
        for user in &self.users {
            let source = self.source.with(user, |mailbox| contents(mailbox, |_| true));
            let here: BTreeSet<Vec<u8>> =
                source.values().flatten().map(|message| message.0.clone()).collect();
            let is_known = |octets: &[u8]| here.contains(octets) || !self.deleted.contains(octets);
            let target = self.target.with(user, |mailbox| contents(mailbox, is_known));
            told.extend(differences(&source, &target).into_iter().map(|it| format!("{user}: {it}")));
        }
        assert!(told.is_empty(), "{} differences:\n{}", told.len(), told.join("\n"));
    }
}

fn arrive(mailbox: &mut Mailbox, folder: &str, dice: &mut Mailmaker) {
    let size =
        if dice.number(40) == 0 { 280_000 } else { 300 + usize::try_from(dice.number(4_000)).unwrap() };
    let (octets, flags, date) = dice.item(size);
    mailbox.add(folder, octets, flags, date);
}

fn contents(mailbox: &Mailbox, is_wanted: impl Fn(&[u8]) -> bool) -> crate::support::Contents {
    let folder = |name: String| {
        let kept = mailbox.messages(&name).into_iter().filter(|(_, kept)| is_wanted(&kept.octets));
        let mut messages: Vec<_> = kept
            .map(|(_, kept)| {
                (kept.octets.to_vec(), kept.flags.iter().map(str::to_owned).collect(), kept.date.to_string())
            })
            .collect();
        messages.sort();
        (name, messages)
    };
    mailbox.folder_names().into_iter().map(folder).collect()
}

/// A fault of a server, for some of the next commands.
fn weather(dice: &mut Mailmaker) -> Lie {
    let first = 1 + dice.number(40);
    let turns = first..=first + dice.number(6);
    let cut = usize::try_from(dice.number(200)).unwrap();
    let any = || when("").logged_in().turns(turns.clone());
    match dice.number(8) {
        0 => any().answer_and("* BYE Server shutting down", Flow::HangUp),
        1 => any().answer_and("", Flow::Reset),
        2 => when("").logged_in().turns(first..=first).answer_and("", Flow::Silence),
        // Done, and the answer is lost.
        3 | 4 => any().edit(move |replies| replies.cut("\n", cut, Flow::Reset)),
        5 => when("APPEND")
            .turns(turns)
            .edit(|replies| replies.end("t NO [SERVERBUG] Internal error occurred")),
        6 => when("UID FETCH | STATUS | LIST | SELECT | EXAMINE")
            .turns(turns)
            .answer("t NO [SERVERBUG] Internal error occurred"),
        _ => when("AUTHENTICATE | LOGIN").turns(turns).answer("t NO [UNAVAILABLE] Temporary failure"),
    }
}

/// A file system of its own, so that nothing else fills with it.
struct Disk(std::path::PathBuf);

impl Disk {
    /// `None` where that is not allowed.
    fn mount(place: &Path) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(place).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(place.to_owned()));
        }
        println!("the disk stays free: to fill one needs the right to mount it");
        None
    }

    fn fill(&self) {
        let written = fs::write(self.0.join("filler"), vec![1; 80 << 20]);
        assert!(written.is_err(), "the disk is larger than expected");
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mailbox_is_whole_after_a_storm() {
    let seed = first_seed();
    println!("MAILHAUL_SEED={seed}");
    let mut storm = Storm::new(seed).await;
    tokio::task::block_in_place(|| {
        storm.begin();
        for _ in 0..ROUNDS * extent() {
            storm.round();
        }
        storm.calm();
        storm.compare();
        storm.service.stop();
    });
    let (users, rounds) = (storm.users.len(), ROUNDS * extent());
    println!("{users} mailboxes, {rounds} rounds, {} kills, {} jumps of the clock", storm.kills, storm.jumps);
}
