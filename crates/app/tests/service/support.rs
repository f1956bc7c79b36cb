//! Service with its own data directory, used as an administrator does.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mailhaul_testkit::{Certificate, Dovecot};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::common::{Ran, assert_same, contents, give, ran};

/// Maximum time to wait for a fact.
const PATIENCE: Duration = Duration::from_mins(2);

/// A data directory, and the service on it where it runs.
pub(crate) struct Service {
    pub(crate) directory: TempDir,
    process: Option<Child>,
    /// Environment variables of the program, in addition to those of this process.
    environment: Vec<(&'static str, PathBuf)>,
    /// Program and arguments that start the service: its own command follows.
    launcher: Vec<String>,
}

impl Service {
    /// A new directory with a running service.
    pub(crate) fn start() -> Self {
        let mut service = Self::idle();
        service.run();
        service
    }

    /// New data directory without a running service.
    pub(crate) fn idle() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            process: None,
            environment: Vec::new(),
            launcher: Vec::new(),
        }
    }

    /// Sets a variable for the program.
    pub(crate) fn set(&mut self, variable: &'static str, value: PathBuf) {
        self.environment.push((variable, value));
    }

    /// Does not set the variable for the program.
    pub(crate) fn unset(&mut self, variable: &str) {
        self.environment.retain(|(name, _)| *name != variable);
    }

    /// Starts the service by another program, which takes its place.
    pub(crate) fn launch_by(&mut self, launcher: &[&str]) {
        self.launcher = launcher.iter().map(ToString::to_string).collect();
    }

    /// Trusts only certificates of this authority.
    pub(crate) fn trust(&mut self, certificate: &Certificate) {
        self.set("SSL_CERT_FILE", certificate.ca_file());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The program with this data directory.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_mailhaul")), words)
    }

    fn prepared(&self, mut command: Command, words: &[&str]) -> Command {
        command
            .env("MAILHAUL_DATA", self.data())
            .env("MAILHAUL_RESOLVERS", "none")
            .args(words)
            .stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the service, and waits until it answers.
    pub(crate) fn run(&mut self) {
        self.run_with(&[]);
    }

    pub(crate) fn run_with(&mut self, options: &[&str]) {
        self.run_saying(options, |_| {});
    }

    /// Starts the service, and appends to this file what it says.
    pub(crate) fn run_logging(&mut self, log: &Path) {
        self.run_noting(&[], log);
    }

    /// The same with options.
    pub(crate) fn run_noting(&mut self, options: &[&str], log: &Path) {
        let mut log = fs::File::options().create(true).append(true).open(log).unwrap();
        self.run_saying(options, move |line| writeln!(log, "{line}").unwrap());
    }

    fn run_saying(&mut self, options: &[&str], mut hear: impl FnMut(&str) + Send + 'static) {
        let words = [&["serve"], options].concat();
        let mut command = match self.launcher.split_first() {
            None => self.command(&words),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(env!("CARGO_BIN_EXE_mailhaul"));
                self.prepared(command, &words)
            }
        };
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            let is_ready = line.contains("mailhaul serves");
            hear(&line);
            said.push(line);
            if is_ready {
                break;
            }
        }
        assert!(said.last().is_some_and(|it| it.contains("mailhaul serves")), "{said:?}");
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| hear(&line)));
        self.process = Some(process);
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut process = self.process.take().unwrap();
        mailhaul_testkit::signal("TERM", &[process.id()]);
        process.wait().unwrap().code()
    }

    pub(crate) fn ask(&self, words: &[&str]) -> Ran {
        ran(&mut self.command(words))
    }

    /// Must succeed; the results as JSON.
    #[track_caller]
    pub(crate) fn expect(&self, words: &[&str]) -> Vec<Value> {
        let ran = self.ask(&[words, &["-Output", "json"]].concat());
        ran.assert(0);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }

    #[track_caller]
    pub(crate) fn batch(&self, name: &str) -> Value {
        self.expect(&["Get-MigrationBatch", "-Identity", name]).remove(0)
    }

    #[track_caller]
    pub(crate) fn user(&self, address: &str) -> Value {
        self.expect(&["Get-MigrationUser", "-Identity", address]).remove(0)
    }

    /// Waits until the batch is in one of these states.
    #[track_caller]
    pub(crate) fn wait_for(&self, batch: &str, states: &[&str]) -> Value {
        until(|| {
            let batch = self.batch(batch);
            states.contains(&batch["Status"].as_str().unwrap()).then_some(batch)
        })
    }

    /// Waits until the user is in one of these states.
    #[track_caller]
    pub(crate) fn wait_for_user(&self, address: &str, states: &[&str]) -> Value {
        until(|| {
            let user = self.user(address);
            states.contains(&user["Status"].as_str().unwrap()).then_some(user)
        })
    }

    /// Endpoints `Old` and `New` on these ports, without TLS.
    pub(crate) fn endpoints(&self, from: u16, to: u16, more: &[&str]) {
        for (name, port) in [("Old", from), ("New", to)] {
            let port = port.to_string();
            let words =
                ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1", "-Port"];
            self.expect(&[&words[..], &[&port, "-Security", "None"], more].concat());
        }
    }

    /// A CSV file of users who have the same name on both sides.
    pub(crate) fn csv(&self, users: &[String]) -> String {
        let mut text = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n".to_owned();
        for user in users {
            let password = Dovecot::password(user);
            text.push_str(&format!("{user}@contoso.edu,{user},{password},{user},{password}\n"));
        }
        self.write("users.csv", &text)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ended = process.kill();
            let _ended = process.wait();
        }
    }
}

/// Waits until there is something.
#[track_caller]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not come");
        sleep(Duration::from_millis(100));
    }
}

/// Names `user1` and so on.
pub(crate) fn names(count: usize) -> Vec<String> {
    (1..=count).map(|it| format!("user{it}")).collect()
}

/// Every file below.
pub(crate) fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}
