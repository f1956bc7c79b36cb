//! Processes and ports of this machine, for tests with real servers.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

/// Timeout for the greeting of a server.
pub(crate) const GREETING_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a signal to processes, and ignores those that have ended.
///
/// The shell's own `kill` exists everywhere, the program does not.
pub fn signal(name: &str, processes: &[u32]) {
    if !processes.is_empty() {
        let numbers: Vec<String> = processes.iter().map(ToString::to_string).collect();
        let command = format!("kill -{name} {} 2>/dev/null", numbers.join(" "));
        _ = Command::new("sh").args(["-c", &command]).status();
    }
}

pub(crate) fn children_of(process: u32) -> Vec<u32> {
    let number = |name: std::ffi::OsString| name.to_str()?.parse::<u32>().ok();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|it| number(it.ok()?.file_name()));
    let parent = |it: &u32| -> Option<u32> { stat_of(*it)?.split(' ').nth(1)?.parse().ok() };
    processes.filter(|it| parent(it) == Some(process)).collect()
}

/// Returns the letter of the process's state, as `ps` shows it; `None` if there is no such process.
pub(crate) fn state_of(process: u32) -> Option<char> {
    stat_of(process)?.chars().next()
}

/// Returns `state ppid ...` of the process.
fn stat_of(process: u32) -> Option<String> {
    // `pid (name) state ppid ...`; the name may contain any character.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.to_owned())
}

pub(crate) fn whoami(option: &str) -> String {
    String::from_utf8(Command::new("id").arg(option).output().unwrap().stdout).unwrap().trim().to_owned()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Reads the first line from the port.
pub(crate) fn greeting(port: u16) -> Option<String> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).ok()?;
    tcp.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut line = String::new();
    BufReader::new(tcp).read_line(&mut line).ok()?;
    (!line.is_empty()).then_some(line)
}
