//! Names, subjects and texts of servers with control characters: no command prints them.

use std::fs;

use mailhaul_testkit::fake::when;

use crate::{
    liars::{self, give},
    support::Service,
};

/// Escape sequences, OSC 52, backspaces, C1; direction, zero width.
const WORDS: &str =
    "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}x\u{8}\u{8}\u{9b}31m\u{202e}\u{2066}evil\u{200b}\u{feff}\u{7f}";

/// Asserts that the only control characters are line ends and tabs.
#[track_caller]
fn is_harmless(whose: &str, text: &str) {
    let is_obeyed = |letter: char| match letter {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => true,
        other => other.is_control(),
    };
    // CSV has line ends of its own.
    let text = text.replace("\r\n", "\n");
    if let Some(letter) = text.chars().find(|letter| is_obeyed(*letter)) {
        panic!("{letter:?} is in what {whose} says:\n{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_that_prints_lets_a_terminal_be_commanded() {
    let (source, target, closed) = (
        liars::server(&["terrya"]).await,
        liars::server(&["terrya"]).await,
        liars::server(&["terrya"]).await,
    );
    // U+202E, U+200B and U+009B in modified UTF-7, and characters that stand for themselves.
    for folder in ["INBOX", "Evil&IC4gCwCb-", "Evil\u{8}&ABs-"] {
        give(&source, "terrya", folder, &format!("{WORDS} evil"));
    }
    target.lie(when("APPEND").holding("evil").answer(&format!("t NO [X-{WORDS}] {WORDS}")));
    source.lie(when("SELECT *Cb- | EXAMINE *Cb-").answer(&format!("* OK {WORDS}\nt NO {WORDS}")));
    closed.lie(when("LOGIN | AUTHENTICATE").answer(&format!("t NO [AUTHENTICATIONFAILED] {WORDS}")));
    let mut service = Service::idle();
    let log = service.directory.path().join("log");
    service.run_logging(&log);
    for (name, server) in [("Old", &source), ("New", &target), ("Closed", &closed)] {
        service.endpoint(name, server);
    }
    service.migrate("refused", "terrya", "Old", "New");
    service.migrate("closed", "terrya", "Closed", "New");
    let mut said = liars::commands(&service, &["refused", "closed"]);
    // Names that callers give, and servers that are tried; most are refused, in words with the names in them.
    for name in [WORDS, "evil\u{202e}gpj", "evil\u{200b}"] {
        for words in [
            &["New-MigrationBatch", "-Name", name, "-SourceEndpoint", "Old", "-TargetEndpoint", "New"][..],
            &["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", name, "-SkipVerification"],
            &["Get-MigrationBatch", "-Identity", name],
            &["Get-MigrationUser", "-Identity", name],
            &["batch", "set", "refused", "--notes", name],
            &["watch", name],
            &["New-MigrationApiToken", "-Name", name, "-Role", "Viewer"],
            &["Get-MigrationApiToken", "-Output", "table"],
            &["shell", "-c", &format!("Get-MigrationBatch '{name}'")],
            &["nonsense", name],
        ] {
            said.push((words.join(" "), service.ask(words)));
        }
    }
    let password = service.write("password", liars::PASSWORD);
    for (server, option) in [(&closed, "from"), (&source, "from")] {
        let url = format!("imap+plain://terrya@127.0.0.1:{}", server.port);
        let to = format!("imap+plain://terrya@127.0.0.1:{}", target.port);
        let report = service.directory.path().join("report.csv");
        let words =
            ["migrate", "--from", &url, "--to", &to, "--report", report.to_str().unwrap(), "--verbose"];
        let passwords = ["--from-password-file", &password, "--to-password-file", &password];
        said.push((option.to_owned(), service.ask(&[&words[..], &passwords].concat())));
        if let Ok(text) = fs::read_to_string(report) {
            is_harmless("the report", &text);
        }
    }
    for server in [&closed, &source] {
        let port = server.port.to_string();
        for output in ["table", "list", "json", "csv"] {
            let words =
                ["Test-MigrationServerAvailability", "-IMAP", "-RemoteServer", "127.0.0.1", "-Port", &port];
            let words = [&words[..], &["-Security", "None", "-Output", output]].concat();
            said.push((words.join(" "), service.ask(&words)));
        }
    }
    let evil = said.iter().filter(|(_, ran)| format!("{}{}", ran.stdout, ran.stderr).contains("vil")).count();
    assert!(evil > 30, "the words come into few answers: {evil}");
    for (command, ran) in &said {
        is_harmless(&command.escape_debug().to_string(), &ran.stdout);
        is_harmless(&command.escape_debug().to_string(), &ran.stderr);
    }
    is_harmless("the log", &fs::read_to_string(&log).unwrap());
}
