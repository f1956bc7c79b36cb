//! Wrong options and input: a clear word, exit code 2, nothing done.

use crate::support::{Haul, Ran, program, ran};

/// No server listens there, and no connection must be tried.
const FROM: &str = "imap+plain://127.0.0.1:1";
const TO: &str = "imap+plain://127.0.0.1:2";

fn with_csv(text: impl AsRef<[u8]>, more: &[&str]) -> Ran {
    let haul = Haul::new("", 1, 2);
    let csv = haul.write("users.csv", text);
    let mut command = program();
    command
        .args(["migrate", "--from", FROM, "--to", TO, "--users"])
        .arg(csv)
        .arg("--data")
        .arg(haul.data())
        .args(more);
    let ran = ran(&mut command);
    assert!(ran.code != Some(2) || !haul.data().exists(), "nothing is made");
    ran
}

#[test]
fn a_wrong_csv_file_is_refused_with_its_row_and_column() {
    let header = "EmailAddress,UserName,Password,TargetPassword\n";
    let table: [(&str, &[&str]); 10] = [
        ("", &["users.csv", "empty"]),
        (header, &["has a header but no users"]),
        ("EmailAddress,UserName\na@x,a\n", &["Column \"Password\" is missing"]),
        (
            "EmailAddress,User_Name,Password\na@x,a,p\n",
            &["\"User_Name\" is unknown", "did you mean \"UserName\""],
        ),
        (
            "EmailAddress,UserName,Password,Shoe\na@x,a,p,46\n",
            &[
                "Row 1",
                "\"Shoe\" is unknown",
                "\n  The columns are EmailAddress, ",
                "--allow-unknown-columns",
            ],
        ),
        (
            &format!("{header}a@x,a,p,q\nb@x,b,hunter2\n"),
            &["Row 3: wrong number of columns (expected: 4, found: 3)"],
        ),
        (&format!("{header}a@x,a,,q\n"), &["Row 2, column 3 (Password): the cell is empty"]),
        (&format!("{header}a@x,a,\"hunter2,q\n"), &["Row 2", "never closed"]),
        (
            "EmailAddress,UserName,Password\na@x,a,p\nb@x,b,hunter2\n",
            &[
                "users.csv: The CSV file has 2 errors:\n",
                "\n  Row 3 (TargetPassword): there is no",
                "--to-password-file",
            ],
        ),
        (
            &format!("{header}a,a,p,q\n,b,hunter2,q\n"),
            &[
                "\n  Row 2, column 1 (EmailAddress): ",
                "\n  Row 3, column 1 (EmailAddress): the cell is empty",
            ],
        ),
    ];
    for (text, words) in table {
        let ran = with_csv(text, &[]);
        ran.assert(2);
        ran.says(words);
        assert!(!ran.stderr.contains("hunter2"), "a cell may be a password: {}", ran.stderr);
    }
    let twice = with_csv(format!("{header}a@x,a,p,q\nA@x,b,p,q\n"), &["--quiet"]);
    twice.says(&["Row 3: the EmailAddress is already in row 2"]);
    let merged = with_csv(
        "EmailAddress,UserName,Password,TargetUserName,TargetPassword\na@x,a,p,one,q\nb@x,b,p,one,q\n",
        &[],
    );
    merged.assert(2);
    merged.says(&["Row 3", "row 2 has the same target mailbox"]);
}

#[test]
fn wrong_options_are_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let empty = file.path().to_str().unwrap();
    let table: [(&[&str], &[&str]); 12] = [
        (&["--from", "imaps://u:hunter2@h", "--to", TO], &["a password in an address"]),
        (&["--from", "pop3://h", "--to", TO], &["unknown scheme"]),
        (&["--from", FROM], &["--to"]),
        (&["--from", FROM, "--to", TO], &["--from names no user"]),
        (&["--from", "imaps://u@h", "--to", "imaps://v@h", "--from-password-file", empty], &["is empty"]),
        (
            &["--from", "imaps://u@h", "--to", "imaps://v@h"],
            &["no password for u at h:993", "--from-password-file", "MAILHAUL_FROM_PASSWORD"],
        ),
        (
            &["--from", FROM, "--to", TO, "--users", "/nowhere/users.csv"],
            &["/nowhere/users.csv cannot be read"],
        ),
        (&["--from", "imaps://u@h", "--to", TO, "--users", "x.csv"], &["remove the user from the address"]),
        (&["--from", FROM, "--to", TO, "--since", "yesterday"], &["--since", "2024-12-31"]),
        (
            &["--from", FROM, "--to", TO, "--exclude-folder", "#Sentt#"],
            &["is not a well-known folder", "#sentitems#"],
        ),
        (&["--from", FROM, "--to", TO, "--concurrency", "0"], &["--concurrency"]),
        (&["--from", FROM, "--to", TO, "--from-pin", "abc"], &["64 hexadecimal digits"]),
    ];
    for (options, words) in table {
        let mut command = program();
        command
            .arg("migrate")
            .args(options)
            .env_remove("MAILHAUL_FROM_PASSWORD")
            .env("MAILHAUL_TO_PASSWORD", "x");
        let ran = ran(&mut command);
        ran.assert(2);
        ran.says(words);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[test]
fn the_same_mailbox_twice_is_refused() {
    let ran = Haul::new("annb", 1143, 1143).run(&[]);
    ran.assert(2);
    ran.says(&["source and target are the same mailbox, annb@127.0.0.1:1143"]);
}

#[test]
fn the_exit_codes_are_in_the_help() {
    for help in [&["--help"][..], &["migrate", "--help"]] {
        let mut command = program();
        let ran = ran(command.args(help));
        ran.assert(0);
        for code in
            ["   0  every", "  10  every", "  20  at least", "   2  wrong", "   1  internal", " 130  stopped"]
        {
            assert!(ran.stdout.contains(code), "{code:?} is not in {}", ran.stdout);
        }
    }
}
