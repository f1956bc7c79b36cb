//! World of a scenario: the service with its servers, and the browser's script that asks for changes of both.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jiff::{Timestamp, ToSpan as _};
use mailhaul_testkit::{Dovecot, Faults, Proxy, Setup};
use serde_json::{Value, json};

use crate::{
    common::give,
    support::{Service, names},
};

/// A service that listens, between two servers.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) port: u16,
    pub(crate) from: Dovecot,
    pub(crate) to: Dovecot,
    /// In front of the source. It can hold all connections.
    pub(crate) proxy: Proxy,
}

impl World {
    /// Two servers with these users, who have mail on the source, and endpoints for both.
    pub(crate) async fn new(users: usize) -> Self {
        let world = Self::without_endpoints(users).await;
        world.service.endpoints(world.proxy.port(), world.to.port(), &[]);
        world
    }

    /// The same, where nothing was made yet.
    pub(crate) async fn without_endpoints(users: usize) -> Self {
        let users = names(users);
        let list: Vec<&str> = users.iter().map(String::as_str).collect();
        let (from, to) = (Setup::with_users(&list).start(), Setup::with_users(&list).start());
        for (seed, user) in (1..).zip(&users) {
            give(&from, user, "INBOX", &[1_500; 20], seed).await;
        }
        let proxy = Proxy::start(from.port(), Faults::default());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut world = Self { service: Service::idle(), port, from, to, proxy };
        world.start();
        world
    }

    pub(crate) fn start(&mut self) {
        let address = format!("127.0.0.1:{}", self.port);
        // While pages are written, they come from the disk.
        match env::var("MAILHAUL_WEB") {
            Ok(directory) => self.service.run_with(&["--listen", &address, "--console", &directory]),
            Err(_) => self.service.run_with(&["--listen", &address]),
        }
    }

    /// Makes a batch of `user1` and so on, which is not started.
    pub(crate) fn batch(&self, name: &str, users: usize) {
        let csv = self.service.csv(&names(users));
        let new = ["New-MigrationBatch", "-Name", name, "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        self.service.expect(&[&new[..], &["-CSVData", &csv]].concat());
    }

    /// Makes a batch of one user with this source, which is not started.
    pub(crate) fn batch_of_one(&self, name: &str, source: &str, user: &str) {
        let csv = self.service.csv(&[user.to_owned()]);
        let new = ["New-MigrationBatch", "-Name", name, "-SourceEndpoint", source, "-TargetEndpoint", "New"];
        self.service.expect(&[&new[..], &["-CSVData", &csv]].concat());
    }

    /// Makes a token with this name and role.
    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        let made = self.service.expect(&["New-MigrationApiToken", "-Name", name, "-Role", role]).remove(0);
        made["Token"].as_str().unwrap().to_owned()
    }

    /// Runs a scenario to its end.
    #[track_caller]
    pub(crate) fn play(&mut self, scenario: &str, facts: &Value) {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console/tests/scenarios");
        let (packages, pictures) = (packages(), pictures());
        let mut facts = facts.clone();
        facts["base"] = format!("http://127.0.0.1:{}", self.port).into();
        let mut script = Command::new("node")
            .arg(scenarios.join(format!("{scenario}.mjs")))
            .env("CONSOLE_PACKAGES", packages)
            .env("CONSOLE_PICTURES", pictures)
            .env("CONSOLE_FACTS", facts.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = script.stdin.take().unwrap();
        for line in BufReader::new(script.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let words: Vec<String> =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let answer = self.carry_out(&words.iter().map(String::as_str).collect::<Vec<_>>());
            writeln!(answers, "{answer}").unwrap();
        }
        assert!(script.wait().unwrap().success(), "the scenario {scenario} failed; its words are above");
    }

    fn carry_out(&mut self, words: &[&str]) -> Value {
        match words {
            ["kill"] => self.service.kill(),
            ["stop"] => assert_eq!(self.service.stop(), Some(0)),
            ["start"] => self.start(),
            ["hold"] => self.proxy.hold(true),
            ["release"] => self.proxy.hold(false),
            ["lead to the source"] => self.proxy.lead_to(self.from.port()),
            ["age sessions"] => self.age_sessions(),
            ["batch", name, users] => self.batch(name, users.parse().unwrap()),
            ["batch of one", name, user] => self.batch_of_one(name, "Old", user),
            ["token", name, role] => return self.token(name, role).into(),
            ["wait for batch", name, status] => _ = self.service.wait_for(name, &[*status]),
            ["wait for user", name, status] => _ = self.service.wait_for_user(name, &[*status]),
            ["run", words @ ..] => {
                let ran = self.service.ask(words);
                return json!({ "code": ran.code, "stdout": ran.stdout, "stderr": ran.stderr });
            }
            ["results", words @ ..] => return self.service.expect(words).into(),
            _ => panic!("the world does not know {words:?}"),
        }
        Value::Null
    }

    /// Makes all sessions two hours old. The service must be stopped.
    fn age_sessions(&self) {
        let database = self.service.data().join("mailhaul.db");
        let seen = Timestamp::now().checked_sub(2.hours()).unwrap().as_millisecond();
        let change = format!("UPDATE console_session SET seen = {seen}; SELECT changes();");
        let done = Command::new("sqlite3").arg(&database).arg(&change).output().unwrap();
        let changed = String::from_utf8_lossy(&done.stdout);
        assert!(changed.trim().parse::<u32>().unwrap() > 0, "scripts/servers.sh installs sqlite3");
    }
}

/// Directory of the browser's packages.
fn packages() -> PathBuf {
    let test = env::current_exe().unwrap();
    let found =
        test.ancestors().map(|it| it.join("servers/console")).find(|it| it.join("node_modules").exists());
    found.unwrap_or_else(|| {
        panic!("the browser's packages are not below the build directory: `sh scripts/console.sh tests` installs them")
    })
}

/// Directory of the pictures of scenarios: all of them if `MAILHAUL_PICTURES` names it, else those of failures.
fn pictures() -> PathBuf {
    let named = env::var_os("MAILHAUL_PICTURES").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("console"))
}
