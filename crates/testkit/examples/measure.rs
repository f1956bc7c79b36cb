//! `make measure`: time and memory of the program on this machine, against real Dovecots.
//!
//! The first argument is the program `mailhaul`. Figures are shown, and nothing is asserted about them.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement shows, and stops where it fails")]

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{Dovecot, Faults, Proxy, Setup, connect, fill};

const USER: &str = "annb";

/// What is measured: its name, how many messages of how many octets, and how far away the servers are.
const WORK: [(&str, u32, usize, Duration); 3] = [
    ("40 messages of 20 MB", 40, 20 << 20, Duration::ZERO),
    ("50,000 messages of 4 kB", 50_000, 4_000, Duration::ZERO),
    ("2,000 messages of 40 kB, 20 ms away", 2_000, 40_000, Duration::from_millis(10)),
];

#[tokio::main]
async fn main() -> ExitCode {
    let Some(program) = std::env::args().nth(1) else {
        println!("usage: measure PROGRAM");
        return ExitCode::from(2);
    };
    println!("{:<38} {:>10} {:>12} {:>12} {:>12}", "work", "first run", "peak RSS", "second run", "peak RSS");
    for (name, messages, octets, delay) in WORK {
        let (from, to) = (Setup::with_users(&[USER]).start(), Setup::with_users(&[USER]).start());
        let mut session = connect(from.port(), USER, &Dovecot::password(USER)).await;
        fill(&mut session, "INBOX", (0..messages).map(|number| message(number, octets))).await;
        session.logout().await.unwrap();
        let faults = Faults { delay, ..Faults::default() };
        let (near, far) = (Proxy::start(from.port(), faults), Proxy::start(to.port(), faults));
        let ports = if delay.is_zero() { (from.port(), to.port()) } else { (near.port(), far.port()) };
        let directory = tempfile::tempdir().unwrap();
        let mut shown = format!("{name:<38}");
        for _ in 0..2 {
            let url = |port: u16| format!("imap+plain://{USER}@127.0.0.1:{port}");
            let mut command = Command::new(&program);
            command.args(["migrate", "--quiet", "--from", &url(ports.0), "--to", &url(ports.1), "--data"]);
            command.arg(directory.path().join("data")).stdout(Stdio::null());
            command.env("MAILHAUL_FROM_PASSWORD", Dovecot::password(USER));
            command.env("MAILHAUL_TO_PASSWORD", Dovecot::password(USER));
            let begun = Instant::now();
            let (succeeded, peak) = watch(command.spawn().unwrap());
            assert!(succeeded, "{name}");
            write!(shown, " {:>8.2} s {:>9.1} MB", begun.elapsed().as_secs_f64(), peak).unwrap();
        }
        println!("{shown}");
    }
    ExitCode::SUCCESS
}

fn message(number: u32, octets: usize) -> (Vec<u8>, Flags, InternalDate) {
    let mut text = format!(
        "From: annb@contoso.example\r\nMessage-ID: <{number}@measure.example>\r\nSubject: {number}\r\n\r\n"
    )
    .into_bytes();
    while text.len() < octets {
        text.extend_from_slice(
            b"The harbour was quiet, and nobody had sent a message about the budget yet.\r\n",
        );
    }
    (text, Flags::new(), InternalDate::new(1_600_000_000 + i64::from(number), 60).unwrap())
}

/// Waits for the program, and reads meanwhile how much memory it had at most, in megabytes.
fn watch(mut child: Child) -> (bool, f64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.success(), peak);
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = kilobytes.map_or(peak, |it| it / 1024.0);
        sleep(Duration::from_millis(2));
    }
}
