//! A private, real `PostgreSQL`.

mod programs;
mod template;

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use self::programs::Programs;
use crate::{
    processes::{GREETING_TIMEOUT, children_of, free_port, signal, state_of},
    room,
};

/// Settings of each server. All others have their defaults: `fsync` is on.
const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    // In files of the cluster: a killed server leaves nothing in `/dev/shm`.
    "dynamic_shared_memory_type=mmap",
    // The default, which `initdb` reduces where the segments of the log are small.
    "max_wal_size=1GB",
    // After a kill one sync of the disk, not one for each of a thousand files.
    "recovery_init_sync_method=syncfs",
    "log_min_messages=info",
];

/// A running `PostgreSQL` with an empty database `mailhaul` of the user `mailhaul`. Stops when dropped.
///
/// The user is no superuser. The superuser is `postgres`, with the same password.
pub struct Postgres {
    directory: TempDir,
    programs: Programs,
    settings: Vec<String>,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Starts a server with these settings: `work_mem=1MB`.
    #[track_caller]
    pub fn start(settings: &[&str]) -> Self {
        let programs = Programs::find();
        let directory = room::directory("mailhaul-postgres");
        programs.give(directory.path());
        template::copy_to(&directory.path().join("data"), &programs);
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut postgres = Self { directory, programs, settings, port: 0, process: None };
        postgres.begin();
        postgres
    }

    /// Runs on a free port.
    #[track_caller]
    fn begin(&mut self) {
        for _ in 0..20 {
            // Another process may take a free port before PostgreSQL does.
            self.port = free_port();
            if self.run() {
                return;
            }
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    /// Returns a backup of the running server. It does not run before its first [`Self::restart_elsewhere`].
    #[track_caller]
    #[must_use]
    pub fn backup(&self) -> Self {
        self.base_backup(&[])
    }

    /// Starts a backup on a free port of its own, or a server that was stopped.
    #[track_caller]
    pub fn restart_elsewhere(&mut self) {
        self.stop();
        self.begin();
    }

    /// Starts a standby. From then on this server confirms a commit when the standby has it too.
    #[track_caller]
    #[must_use]
    pub fn synchronous_standby(&self) -> Self {
        let mut standby = self.base_backup(&["--write-recovery-conf"]);
        standby.begin();
        self.ask_superuser("ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()");
        wait_for("replicate", || {
            self.ask_superuser("SELECT sync_state FROM pg_stat_replication").contains("sync")
        });
        standby
    }

    /// Makes a standby the primary server.
    #[track_caller]
    pub fn promote(&self) {
        assert_eq!(self.ask_superuser("SELECT pg_promote()"), "t");
    }

    #[track_caller]
    fn base_backup(&self, options: &[&str]) -> Self {
        let programs = Programs::find();
        let directory = room::directory("mailhaul-postgres");
        programs.give(directory.path());
        let mut backup = programs.command("pg_basebackup");
        backup.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "--no-password"]);
        backup.args(["--checkpoint=fast", "--no-sync", "-D"]).arg(directory.path().join("data"));
        backup.args(options).env("PGPASSWORD", self.password());
        room::output(&mut backup, "");
        Self { directory, programs, settings: self.settings.clone(), port: 0, process: None }
    }

    /// Returns false if another program has the port.
    fn run(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = self.programs.command("postgres");
        command.arg("-D").arg(self.path("data")).arg("-p").arg(self.port.to_string());
        command.arg("-k").arg(self.directory.path());
        for setting in SETTINGS.iter().copied().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut process = command.spawn().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < GREETING_TIMEOUT {
            if process.try_wait().unwrap().is_some() {
                assert!(
                    self.log().contains("Address already in use"),
                    "PostgreSQL does not start: {}",
                    self.log()
                );
                return false;
            }
            if self.is_ready(process.id()) {
                self.process = Some(process);
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
        panic!("PostgreSQL does not get ready: {}", self.log());
    }

    /// True if the server's own file says that it takes connections. A killed server leaves its file behind.
    fn is_ready(&self, process: u32) -> bool {
        let text = self.state_file();
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(process.to_string().as_str())
            && matches!(lines.nth(6), Some("ready" | "standby"))
    }

    /// The file in which the server keeps its process, port, shared memory and state.
    fn state_file(&self) -> String {
        fs::read_to_string(self.path("data/postmaster.pid")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Its address, without the password: `postgres://mailhaul@127.0.0.1:5432/mailhaul`.
    pub fn url(&self) -> String {
        format!("postgres://mailhaul@127.0.0.1:{}/mailhaul", self.port)
    }

    /// The password of `mailhaul`.
    pub fn password(&self) -> &'static str {
        template::PASSWORD
    }

    /// Its port, on 127.0.0.1. It stays the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket.
    pub fn socket_directory(&self) -> &Path {
        self.directory.path()
    }

    /// The text of its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Returns the rows of the statements, with `|` between columns. An error is a panic.
    #[track_caller]
    pub fn ask(&self, statements: &str) -> String {
        let mut psql = self.psql(&self.url(), self.password());
        room::output(&mut psql, statements).trim_end().to_owned()
    }

    /// The same as the superuser.
    #[track_caller]
    fn ask_superuser(&self, statements: &str) -> String {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        let mut psql = self.psql(&url, self.password());
        room::output(&mut psql, statements).trim_end().to_owned()
    }

    fn psql(&self, url: &str, password: &str) -> Command {
        let mut psql = self.programs.command("psql");
        psql.args(["-X", "-A", "-t", "-q", "--no-password", "-v", "ON_ERROR_STOP=1", url]);
        psql.env("PGPASSWORD", password);
        psql
    }

    /// Stops the server and its sessions as an administrator does.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    fn end(&mut self, with: &str) {
        self.resume();
        if let Some(mut process) = self.process.take() {
            signal(with, &[process.id()]);
            _ = process.wait();
        }
    }

    /// Kills the server with all its processes at once, as if the machine failed.
    #[track_caller]
    pub fn kill(&mut self) {
        let processes = self.pause();
        if let Some(mut process) = self.process.take() {
            signal("KILL", &processes);
            _ = process.wait();
            // Another server refuses the data as long as one process is there.
            wait_for("end", || processes.iter().all(|it| matches!(state_of(*it), None | Some('Z'))));
            self.remove_shared_memory();
        }
    }

    /// Stops the server if it runs, and starts it again on the same port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.run(), "the port was taken: {}", self.log());
    }

    /// Its processes, the first one first.
    pub fn processes(&self) -> Vec<u32> {
        let first = self.process.as_ref().map(Child::id);
        let children = first.map(children_of).unwrap_or_default();
        first.into_iter().chain(children).collect()
    }

    /// Suspends all its processes (SIGSTOP). Returns them when each is suspended, the first one first.
    #[track_caller]
    pub fn pause(&self) -> Vec<u32> {
        let Some(process) = &self.process else { return Vec::new() };
        let mut processes = vec![process.id()];
        suspend(&processes);
        // A suspended server starts no processes.
        let children = children_of(process.id());
        suspend(&children);
        processes.extend(children);
        processes
    }

    /// Lets all its processes go on.
    pub fn resume(&self) {
        if let Some(process) = &self.process {
            let mut processes = children_of(process.id());
            processes.push(process.id());
            signal("CONT", &processes);
        }
    }

    /// Removes the segment that a killed server leaves in the kernel.
    fn remove_shared_memory(&self) {
        let text = self.state_file();
        // The seventh line: key and number.
        let number = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1));
        if let Some(number) = number {
            _ = Command::new("ipcrm").args(["-m", number]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once: what it would still write is removed with the directory.
        self.end("QUIT");
    }
}

#[track_caller]
fn suspend(processes: &[u32]) {
    signal("STOP", processes);
    wait_for("stop", || processes.iter().all(|it| matches!(state_of(*it), None | Some('T' | 'Z'))));
}

#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < GREETING_TIMEOUT, "the processes of PostgreSQL do not {what}");
        sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn servers_run_beside_each_other() {
        let (one, other) = (Postgres::start(&[]), Postgres::start(&["work_mem=1MB"]));
        one.ask("CREATE TABLE one (number BIGINT)");
        assert_eq!(one.ask("SELECT count(*) FROM one; SHOW work_mem; SHOW fsync"), "0\n4MB\non");
        assert_eq!(other.ask("SELECT to_regclass('one') IS NULL; SHOW work_mem"), "t\n1MB");
        let refused =
            other.psql(&other.url(), "another").args(["-c", "SELECT 1"]).stderr(Stdio::null()).status();
        assert!(!refused.unwrap().success(), "a wrong password was taken");
        assert!(other.socket_directory().join(format!(".s.PGSQL.{}", other.port())).exists());
    }

    #[test]
    fn data_outlives_kill_and_restart() {
        let mut postgres = Postgres::start(&[]);
        postgres.ask("CREATE TABLE kept (number BIGINT); INSERT INTO kept VALUES (1)");
        postgres.kill();
        assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_err());
        postgres.restart();
        assert!(postgres.log().contains("was not properly shut down"), "{}", postgres.log());
        postgres.ask("INSERT INTO kept VALUES (2)");
        postgres.restart();
        assert_eq!(postgres.ask("SELECT number FROM kept ORDER BY number"), "1\n2");
    }

    #[test]
    fn a_standby_has_each_commit_and_a_backup_those_before_it() {
        let mut postgres = Postgres::start(&[]);
        postgres.ask("CREATE TABLE kept (number BIGINT); INSERT INTO kept VALUES (1)");
        let mut backup = postgres.backup();
        let standby = postgres.synchronous_standby();
        postgres.ask("INSERT INTO kept VALUES (2)");
        postgres.kill();
        standby.promote();
        standby.ask("INSERT INTO kept VALUES (3)");
        assert_eq!(standby.ask("SELECT number FROM kept ORDER BY number"), "1\n2\n3");
        backup.restart_elsewhere();
        assert_eq!(backup.ask("SELECT number FROM kept ORDER BY number"), "1");
    }

    #[test]
    fn a_paused_server_goes_on_when_it_is_resumed() {
        let postgres = Postgres::start(&[]);
        let processes = postgres.pause();
        assert!(processes.len() > 1 && processes.iter().all(|it| state_of(*it) == Some('T')));
        postgres.resume();
        assert_eq!(postgres.ask("SELECT 1"), "1");
    }

    #[test]
    fn nothing_is_left_after_the_end() {
        let mut postgres = Postgres::start(&[]);
        let directory = postgres.socket_directory().to_owned();
        let first = postgres.pause();
        postgres.kill();
        postgres.restart();
        let second = postgres.pause();
        drop(postgres);
        assert!(!directory.exists());
        for process in first.into_iter().chain(second) {
            assert!(matches!(state_of(process), None | Some('Z')), "process {process} is still there");
        }
    }
}
