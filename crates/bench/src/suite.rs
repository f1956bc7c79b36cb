//! The plan: the workloads with their links and tools, in turn within each round.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use mailhaul_imap::{MailboxName, SelectOptions, StoreMode};
use mailhaul_mail::{Flags, Uid, UidSet};
use mailhaul_testkit::{Dovecot, connect};
use tempfile::TempDir;

use crate::{
    check::{self, Contents, Fidelity},
    process::{self, Sample},
    profile::Profile,
    results::{Results, ToolRow, Workload},
    servers::{Disk, Link, Servers},
    tool::{Job, Tool},
};

/// The parts of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// 2,000 messages as in real mailboxes
    Small,
    /// 50,000 messages of 4 KiB: copied, unchanged, changed
    Many,
    /// 40 messages of 21 MB
    Big,
    /// eight small mailboxes at once
    Eight,
    /// 1,000 mailboxes of 50 messages
    Fleet,
    /// one folder of 5,000, 50,000 and 500,000 messages
    Long,
}

const FLEET: usize = 1000;
/// Size of a part of the fleet. The difference gives the cost of one more mailbox.
const FLEET_PART: usize = 250;
const EIGHT: usize = 8;
const LENGTHS: [u32; 3] = [5_000, 50_000, 500_000];
const TOOLS: [Tool; 6] =
    [Tool::FloorM1, Tool::FloorM50, Tool::Mailhaul, Tool::Mbsync, Tool::Doveadm, Tool::Imapsync];

/// The servers, the tools and the settings of a run.
pub(crate) struct Suite {
    servers: Servers,
    directory: TempDir,
    mailhaul: PathBuf,
    /// Text that the names of workloads must contain.
    only: String,
    rounds: usize,
    out: PathBuf,
    results: Results,
    /// Contents of the source's mailboxes, by user.
    contents: BTreeMap<String, Contents>,
}

/// A workload with its tools.
struct Task<'a> {
    name: &'a str,
    link: Link,
    disk: Disk,
    /// The users of the source.
    users: Vec<String>,
    /// The directory of the tools' state.
    state: &'a str,
    corpus: String,
    tools: Vec<Tool>,
    /// True if the targets are empty at first.
    is_initial: bool,
}

impl<'a> Task<'a> {
    /// A first copy over loopback without TLS.
    fn initial(name: &'a str, users: Vec<String>, corpus: &str, tools: &[Tool]) -> Self {
        Self {
            name,
            link: Link::Plain,
            disk: Disk::NoSync,
            users,
            state: name,
            corpus: corpus.to_owned(),
            tools: tools.to_vec(),
            is_initial: true,
        }
    }

    fn target_user(&self, tool: Tool, index: usize) -> String {
        match self.users.len() {
            1 => tool.user().to_owned(),
            count if count > EIGHT => self.users[index].clone(),
            _ => format!("{}{}", tool.user(), index + 1),
        }
    }
}

fn numbered(name: &str, count: usize) -> Vec<String> {
    (1..=count).map(|it| format!("{name}{it}")).collect()
}

impl Suite {
    /// Starts the servers.
    pub(crate) fn start(mailhaul: &Path, only: String, rounds: usize, out: &Path) -> Result<Self> {
        let mut sources: Vec<String> =
            [Profile::Small, Profile::Many, Profile::Big].iter().map(|it| it.user()).collect();
        sources.extend(LENGTHS.iter().map(|it| Profile::Long(*it).user()));
        let mut targets: Vec<String> = TOOLS.iter().map(|it| it.user().to_owned()).collect();
        for tool in TOOLS {
            targets.extend(numbered(tool.user(), EIGHT));
        }
        for users in [&mut sources, &mut targets] {
            users.extend(numbered("small", EIGHT));
            users.extend(numbered("fleet", FLEET));
        }
        Ok(Self {
            servers: Servers::start(&sources, &targets),
            directory: tempfile::Builder::new().prefix("mailhaul-bench").tempdir()?,
            mailhaul: mailhaul.canonicalize().with_context(|| mailhaul.display().to_string())?,
            only,
            rounds,
            out: out.to_owned(),
            results: Results { machine: machine(), works: Vec::new() },
            contents: BTreeMap::new(),
        })
    }

    /// Measures one part.
    pub(crate) async fn measure(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Small => self.small().await,
            Part::Many => self.many().await,
            Part::Big => self.big().await,
            Part::Eight => self.eight().await,
            Part::Fleet => self.fleet().await,
            Part::Long => self.long().await,
        }
    }

    async fn small(&mut self) -> Result<()> {
        let users = self.filled(Profile::Small, &["small".to_owned()]).await?;
        let links = [
            ("small, plain", Link::Plain, Disk::NoSync),
            ("small, TLS", Link::Tls, Disk::NoSync),
            ("small, default fsync", Link::Plain, Disk::Sync),
            ("small, 20 ms", Link::Far, Disk::NoSync),
            ("small, 20 ms and 2 MB/s in a connection", Link::Slow, Disk::NoSync),
        ];
        for (name, link, disk) in links {
            let mut tools = TOOLS.to_vec();
            match link {
                Link::Far => tools.retain(|it| *it != Tool::Imapsync), // Minutes for each run.
                Link::Slow => tools = vec![Tool::Mailhaul, Tool::Mbsync],
                Link::Plain | Link::Tls => {}
            }
            let rounds = if link == Link::Slow { 1 } else { self.rounds };
            let task = Task { link, disk, ..Task::initial(name, users.clone(), "small", &tools) };
            self.run(&task, rounds).await?;
        }
        Ok(())
    }

    async fn many(&mut self) -> Result<()> {
        let users = self.filled(Profile::Many, &["many".to_owned()]).await?;
        let mut change = 0;
        for (link, place) in [(Link::Plain, "plain"), (Link::Far, "20 ms")] {
            let initial = format!("many, {place}");
            let mut tools = vec![Tool::FloorM50, Tool::Mailhaul, Tool::Mbsync];
            if link == Link::Plain {
                tools.extend([Tool::Doveadm, Tool::Imapsync]);
            }
            let mut task = Task { link, ..Task::initial(&initial, users.clone(), "many", &tools) };
            self.run(&task, self.rounds).await?;
            let unchanged = format!("many, {place}, nothing changed");
            (task.name, task.is_initial) = (&unchanged, false);
            task.tools.retain(|it| !it.is_floor());
            self.run(&task, self.rounds.max(3)).await?;
            let changed = format!("many, {place}, 1 % new and 1 % flags");
            task.name = &changed;
            for _ in 0..self.rounds {
                change += 1;
                self.change(change).await?;
                self.run(&task, 1).await?;
            }
        }
        Ok(())
    }

    async fn big(&mut self) -> Result<()> {
        let users = self.filled(Profile::Big, &["big".to_owned()]).await?;
        let tools = [Tool::FloorM1, Tool::Mailhaul, Tool::Mbsync, Tool::Doveadm, Tool::Imapsync];
        let task = Task::initial("big, plain", users, "big", &tools);
        self.run(&task, self.rounds).await
    }

    async fn eight(&mut self) -> Result<()> {
        let users = self.filled(Profile::Small, &numbered("small", EIGHT)).await?;
        let task = Task::initial("eight, plain", users, "small", &TOOLS);
        self.run(&task, self.rounds).await
    }

    async fn fleet(&mut self) -> Result<()> {
        let users = self.filled(Profile::Fleet, &numbered("fleet", FLEET)).await?;
        for count in [FLEET_PART, FLEET] {
            let (initial, unchanged) =
                (format!("fleet of {count}"), format!("fleet of {count}, nothing changed"));
            let mut task = Task::initial(&initial, users[..count].to_vec(), "fleet", &[Tool::Mailhaul]);
            self.run(&task, 1).await?;
            (task.name, task.is_initial) = (&unchanged, false);
            self.run(&task, self.rounds).await?;
        }
        Ok(())
    }

    async fn long(&mut self) -> Result<()> {
        for length in LENGTHS {
            let profile = Profile::Long(length);
            let users = self.filled(profile, &[profile.user()]).await?;
            let (initial, unchanged) =
                (format!("one folder of {length}"), format!("one folder of {length}, nothing changed"));
            let mut task = Task::initial(&initial, users, &profile.user(), &[Tool::Mailhaul]);
            self.run(&task, 1).await?;
            (task.name, task.is_initial) = (&unchanged, false);
            self.run(&task, self.rounds).await?;
        }
        Ok(())
    }

    fn corpus(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.corpus"))
    }

    /// Fills the users' mailboxes with the profile's mail: the first by APPEND, the others by copies of its
    /// files.
    async fn filled(&mut self, profile: Profile, users: &[String]) -> Result<Vec<String>> {
        let [first, others @ ..] = users else { bail!("no user to fill") };
        let corpus = self.corpus(&profile.user());
        if !corpus.exists() {
            crate::report_progress(&format!("making the mail of {}", profile.user()));
            profile.write(&corpus)?;
        }
        if !self.servers.source().home(first).exists() {
            self.load(&corpus, first)?;
        }
        let home = self.servers.source().home(first);
        let contents = self.source_contents(first).await?;
        for other in others {
            let copy = self.servers.source().home(other);
            if !copy.exists() {
                ensure!(Command::new("cp").arg("-a").args([&home, &copy]).status()?.success(), "cp failed");
            }
            self.contents.insert(other.clone(), contents.clone());
        }
        Ok(users.to_vec())
    }

    /// Appends a corpus to a mailbox of the source.
    fn load(&self, corpus: &Path, user: &str) -> Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["floor", "--batch", "100", "--target-user", user, "--corpus"]).arg(corpus);
        command.args(["--target", &self.servers.source().port().to_string()]);
        process::run(&[command]).map(drop)
    }

    async fn source_contents(&mut self, user: &str) -> Result<Contents> {
        if let Some(known) = self.contents.get(user) {
            return Ok(known.clone());
        }
        let contents = check::contents(self.servers.source(), user).await?;
        self.contents.insert(user.to_owned(), contents.clone());
        Ok(contents)
    }

    /// Adds one message in a hundred, and gives one in a hundred a flag and a keyword.
    async fn change(&mut self, round: u32) -> Result<()> {
        let new = Profile::New(500, round.into());
        let corpus = self.corpus(&new.user());
        new.write(&corpus)?;
        self.load(&corpus, "many")?;
        let server = self.servers.source();
        let mut session = connect(server.port(), "many", &Dovecot::password("many")).await;
        for folder in ["INBOX", "Archive/2020"] {
            let mut selected =
                session.select(&MailboxName::from_text(folder), &SelectOptions::default()).await?;
            let last = selected.data().uid_next.map_or(1, Uid::get);
            let uids: UidSet = (1..last).filter(|it| it % 100 == round).filter_map(Uid::new).collect();
            let flags: Flags = ["\\Flagged", "$Later"].into_iter().collect();
            selected.uid_store(&uids, StoreMode::Add, &flags).await?;
        }
        session.logout().await?;
        self.contents.remove("many");
        Ok(())
    }

    /// Runs all tools in turn, in another order in each round.
    async fn run(&mut self, task: &Task<'_>, rounds: usize) -> Result<()> {
        if !task.name.contains(&self.only) {
            return Ok(());
        }
        let tools: Vec<Tool> = task.tools.iter().copied().filter(|it| it.is_there()).collect();
        let mut expected = Vec::new();
        for user in &task.users {
            expected.push(self.source_contents(user).await?);
        }
        let (messages, octets) =
            expected.iter().flatten().fold((0, 0), |(messages, octets), it| (messages + 1, octets + it.1));
        for round in 0..rounds {
            for index in 0..tools.len() {
                let tool = tools[(index + round) % tools.len()];
                let (sample, kept) = self
                    .run_one(task, tool, &expected)
                    .await
                    .with_context(|| format!("{} by {}", task.name, tool.name()))?;
                let lost = kept.lost();
                crate::report_progress(&format!(
                    "{:<44} {:<32} {:>8.3} s {:>7.2} s CPU {:>6.1} MB  {}",
                    task.name,
                    tool.name(),
                    sample.wall,
                    sample.cpu,
                    sample.rss,
                    if lost.is_empty() { String::new() } else { format!("lost: {}", lost.join(", ")) }
                ));
                if tool == Tool::Mailhaul && !lost.is_empty() {
                    bail!("{}: the target differs from the source: {}", task.name, lost.join(", "));
                }
                let workload = self.workload(task, messages, octets);
                add_sample(&mut workload.rows, tool, sample, kept);
            }
        }
        self.results.write(&self.out)
    }

    /// Returns the results of the task's workload, new ones if it has none.
    fn workload(&mut self, task: &Task<'_>, messages: u64, octets: u64) -> &mut Workload {
        let works = &mut self.results.works;
        let index = works.iter().position(|work| work.name == task.name).unwrap_or_else(|| {
            let mailboxes = task.users.len() as u64;
            works.push(Workload {
                name: task.name.to_owned(),
                messages,
                octets,
                mailboxes,
                rows: Vec::new(),
            });
            works.len() - 1
        });
        &mut works[index]
    }

    async fn run_one(
        &self,
        task: &Task<'_>,
        tool: Tool,
        expected: &[Contents],
    ) -> Result<(Sample, Fidelity)> {
        let state =
            self.directory.path().join("state").join(task.state.replace([' ', ','], "")).join(tool.user());
        let pairs: Vec<(String, String)> = task
            .users
            .iter()
            .enumerate()
            .map(|(index, user)| (user.clone(), task.target_user(tool, index)))
            .collect();
        if task.is_initial {
            for (_, target) in &pairs {
                self.servers.wipe(target, task.disk)?;
            }
            if state.exists() {
                fs::remove_dir_all(&state)?;
            }
        }
        let job = Job {
            servers: &self.servers,
            mailhaul: &self.mailhaul,
            state,
            link: task.link,
            disk: task.disk,
            pairs,
            corpus: self.corpus(&task.corpus),
        };
        // Writes of earlier runs would slow this one down.
        ensure!(Command::new("sync").status()?.success(), "sync failed");
        let sample = job.run(tool)?;
        let mut kept = Fidelity::everything();
        // The floor always sends the corpus, and all answers were OK. A changed source does not matter.
        let compared = if tool.is_floor() { &[][..] } else { &job.pairs };
        for ((_, target), expected) in compared.iter().zip(expected) {
            let found = check::contents(self.servers.target(task.disk), target).await?;
            kept = kept.and(check::compare(expected, &found));
        }
        Ok((sample, kept))
    }
}

fn machine() -> Vec<String> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|it| it.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let cores = cpu.lines().filter(|it| it.starts_with("processor")).count();
    let mut lines = vec![
        format!("{cores} cores, {}", field(&cpu, "model name").unwrap_or_else(|| "unknown".to_owned())),
        format!("memory {}", field(&memory, "MemTotal").unwrap_or_default()),
        format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("load {} when it began", read("/proc/loadavg").split(' ').next().unwrap_or_default()),
    ];
    for (program, name) in [("dovecot", "Dovecot "), ("mbsync", ""), ("imapsync", "imapsync ")] {
        let mut command = Command::new(program);
        command.arg("--version");
        if let Ok((_, printed)) = process::run(&[command]) {
            lines.push(format!("{name}{}", printed.lines().next().unwrap_or_default()));
        }
    }
    lines
}

fn add_sample(rows: &mut Vec<ToolRow>, tool: Tool, sample: Sample, kept: Fidelity) {
    match rows.iter_mut().find(|row| row.tool == tool) {
        Some(row) => {
            row.samples.push(sample);
            row.kept = row.kept.and(kept);
        }
        None => rows.push(ToolRow { tool, samples: vec![sample], kept }),
    }
    rows.sort_by_key(|row| row.tool);
}
