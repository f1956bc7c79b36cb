//! The prompt of `mailhaul shell` in a real terminal, on a real service.
//!
//! A typed line is echoed, so each expected output is one that the line itself does not contain.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{
    support::Service,
    terminal::{CTRL_C, CTRL_U, Terminal, UP},
};

/// A service with an endpoint, and with a batch that no line of these tests may remove.
fn service() -> Service {
    let service = Service::start();
    let endpoint = ["New-MigrationEndpoint", "-IMAP", "-Name", "OldServer", "-RemoteServer", "127.0.0.1"];
    service.expect(&[&endpoint[..], &["-Port", "1", "-Security", "None", "-SkipVerification"]].concat());
    let users = service.write("users.csv", "EmailAddress,UserName,Password\nzoe@contoso.edu,zoe,x\n");
    service.expect(&[
        "New-MigrationBatch",
        "-Name",
        "Paste",
        "-SourceEndpoint",
        "OldServer",
        "-CSVData",
        &users,
    ]);
    service
}

const REFUSED_BLOCK: [&str; 3] = ["trap {", "Remove-MigrationBatch Paste -Confirm:$false", "}"];

#[test]
fn blocks_are_typed_line_by_line() {
    let service = service();
    let mut terminal = Terminal::start(&service, &[], &[]);
    for line in ["foreach ($i in 1..3) {", "if ($i -gt 1) {", "\"in\" + 'side' + $i", "}"] {
        terminal.press(&format!("{line}\r"));
    }
    terminal.run("}", "inside3");
    // Nothing of a refused block runs, and the prompt goes on.
    for line in REFUSED_BLOCK {
        terminal.press(&format!("{line}\r"));
    }
    terminal.wait_for("not supported");
    terminal.run("(Get-MigrationBatch).Identity + ' st' + 'ays'", "Paste stays");
    let (code, _) = terminal.end("exit 7\r");
    assert_eq!(code, Some(7));
    service.batch("Paste");
}

#[test]
fn blocks_are_pasted_with_and_without_bracketed_paste() {
    let service = service();
    let mut terminal = Terminal::start(&service, &[], &[]);
    let paste = |text: &str| format!("\x1b[200~{text}\x1b[201~\r");
    terminal.press(&paste("foreach ($i in 1..3) {\n    \"pas\" + 'ted' + $i\n}"));
    terminal.wait_for("pasted3");
    terminal.press(&paste(&REFUSED_BLOCK.join("\n")));
    terminal.wait_for("not supported");
    terminal.run("'af' + 'ter1'", "after1");
    // Without it, lines that arrive together run one after the other, and none is lost.
    terminal
        .press("'bu' + 'rst1'\r'bu' + 'rst2'\rforeach ($i in 3..4) {\r'bu' + 'rst' + $i\r}\r'bu' + 'rst5'\r");
    let shown = terminal.wait_for("burst5");
    for number in 1..=5 {
        assert!(shown.contains(&format!("burst{number}")), "{number}: {shown}");
    }
    terminal.press(&format!("{}\r'af' + 'ter2'\r", REFUSED_BLOCK.join("\r")));
    let shown = terminal.wait_for("after2");
    assert!(shown.contains("not supported"), "{shown}");
    let (code, _) = terminal.end("quit\r");
    assert_eq!(code, Some(0));
    service.batch("Paste");
}

#[test]
fn ctrl_c_ends_a_loop_and_not_the_prompt() {
    let service = service();
    let mut terminal = Terminal::start(&service, &[], &[]);
    let file = service.write("loop.txt", "x\n");
    for body in [
        "Start-Sleep -Milliseconds 20",
        "",
        "$x = 1..1000",
        "Get-MigrationBatch | Out-Null",
        &format!("Get-Content {file} | Out-Null"),
    ] {
        terminal.run(&format!("'st' + 'arted'; while ($true) {{ {body} }}"), "started");
        terminal.press(CTRL_C);
        terminal.wait_for("stopped;");
        terminal.run("'ali' + 've'", "alive");
    }
    // At the prompt itself, Ctrl-C drops the line, also in the middle of a block.
    terminal.press("if ($true) {\r'dropped'");
    terminal.press(CTRL_C);
    terminal.wait_for("mailhaul> ");
    terminal.run("'ali' + 've again'", "alive again");
    let (code, screen) = terminal.end("exit 3\r");
    assert_eq!(code, Some(3), "{screen}");
    let terminal = Terminal::start(&service, &[], &[]);
    let (code, _) = terminal.end("\x04");
    assert_eq!(code, Some(0));
}

#[test]
fn parameters_and_values_are_completed() {
    let mut service = service();
    let mut terminal = Terminal::start(&service, &[], &[]);
    // Each line is wrong, or says something else, if a word is not completed.
    for (line, output) in [
        ("Get-MigrationBatch -Iden\t pas\t | % { 'got ' + $_.Identity }", "got Paste"),
        ("Get-MigrationBat\t pas\t | % { 'by place ' + $_.Identity }", "by place Paste"),
        ("Get-MigrationUser -BatchId pas\t | % { 'user ' + $_.Identity }", "user zoe@contoso.edu"),
        ("Get-MigrationUser zo\t | % { 'named ' + $_.Identity }", "named zoe@contoso.edu"),
        ("Get-MigrationEndpoint olds\t | % { 'server ' + $_.Identity }", "server OldServer"),
        ("Get-MigrationUser -Status fai\t | measure | % { 'failed ' + $_.Count }", "failed 0"),
        ("Set-MigrationEndpoint OldServer -Security Tl\t -WhatIf", "What if"),
    ] {
        terminal.run(line, output);
    }
    // Without the service there is nothing to propose, and nothing is said.
    service.stop();
    terminal.press("Get-MigrationBatch pas\t");
    terminal.press(CTRL_U);
    terminal.run("'st' + 'ill here'", "still here");
    let (code, screen) = terminal.end("exit\r");
    assert_eq!(code, Some(0));
    assert!(!screen.contains("error"), "{screen}");
}

#[test]
fn the_history_survives_without_secrets() {
    let service = service();
    let file = service.directory.path().join("state/mailhaul/shell-history");
    let mut terminal = Terminal::start(&service, &[], &[]);
    terminal.run("'kept ' + 'line'", "kept line");
    terminal.run("$x = 'hunter2'; 'a Password' + ' is here'", "a Password is here");
    terminal.run("$env:MAILHAUL_X = 'hunter3'", "mailhaul> ");
    terminal.run("'af' + 'ter'", "after");
    assert_eq!(terminal.end("exit\r").0, Some(0));
    let saved = fs::read_to_string(&file).unwrap();
    assert!(saved.contains("'kept ' + 'line'") && !saved.contains("hunter"), "{saved}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let mut terminal = Terminal::start(&service, &[], &[]);
    terminal.press(&UP.repeat(3));
    terminal.run("", "kept line");
    assert_eq!(terminal.end("exit\r").0, Some(0));

    // Nothing is read or written where it is switched off.
    let before = fs::read_to_string(&file).unwrap();
    for (options, variables) in [(&["--no-history"][..], &[][..]), (&[], &[("MAILHAUL_HISTORY", "off")])] {
        let mut terminal = Terminal::start(&service, options, variables);
        terminal.press(UP);
        terminal.run("'no' + 'thing'", "nothing");
        let (_, screen) = terminal.end("exit\r");
        assert!(!screen.contains("kept"), "{screen}");
        assert_eq!(fs::read_to_string(&file).unwrap(), before);
    }

    // A history that cannot be read is told, and the prompt goes on without it.
    let place = service.directory.path().to_str().unwrap();
    let mut terminal = Terminal::start(&service, &[], &[("MAILHAUL_HISTORY", place)]);
    terminal.run("'go' + 'es on'", "goes on");
    let (code, screen) = terminal.end("exit\r");
    assert!(code == Some(0) && screen.contains("warning: the history"), "{screen}");
}

/// Devices have no end: a file is read up to a limit.
#[test]
fn a_device_is_not_read_for_ever() {
    let service = Service::idle();
    let ran = service.ask(&["shell", "-c", "Test-Path /dev/zero; Get-Content /dev/zero"]);
    ran.assert(2);
    assert_eq!(ran.stdout, "True\n");
    assert!(ran.stderr.contains("it has more than 96 MB"), "{}", ran.stderr);
}
