//! Report 62: CSV files of Excel and other programs. A refused file moves nothing, and the message says what to do.

use std::{fs, process::Command};

use crate::support::{Field, PASSWORD, USER};

const HEADER: &str = "EmailAddress,UserName,Password,TargetUserName,TargetPassword";

/// The usual file.
fn usual() -> String {
    format!("{HEADER}\nterrya@example.org,{USER},{PASSWORD},{USER},{PASSWORD}\n")
}

fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(octets).collect()
}

/// Runs `mailhaul migrate --users`. Returns the exit code and the output.
fn run(field: &Field, file: &[u8]) -> (Option<i32>, String) {
    let path = field.file("users.csv");
    fs::write(&path, file).unwrap();
    let url = |port: u16| format!("imap+plain://127.0.0.1:{port}");
    let output = Command::new(env!("CARGO_BIN_EXE_mailhaul"))
        .args(["migrate", "--from", &url(field.source.port), "--to", &url(field.target.port), "--users"])
        .arg(&path)
        .arg("--data")
        .arg(field.file("data"))
        .env_remove("MAILHAUL_DATA")
        .env("MAILHAUL_RESOLVERS", "none")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Accepted files.
fn readable() -> Vec<(&'static str, Vec<u8>)> {
    let text = usual();
    let quoted: Vec<String> =
        text.lines().map(|line| format!("\"{}\"\r\n", line.replace(',', "\",\""))).collect();
    vec![
        ("line feeds", text.clone().into()),
        ("CRLF", text.replace('\n', "\r\n").into()),
        ("no line end at the end", text.trim_end().into()),
        ("UTF-8 with a mark", format!("\u{feff}{text}").into()),
        ("UTF-16LE with a mark", utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("UTF-16BE with a mark", utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
        ("all in quotes", quoted.concat().into()),
        ("empty lines", text.replace('\n', "\n\n\r\n").into()),
        ("semicolons", text.replace(',', ";").into()),
        ("tabs", utf16(&format!("\u{feff}{}", text.replace(',', "\t")), u16::to_le_bytes)),
        ("Excel's sep=", format!("sep=;\n{}", text.replace(',', ";")).into()),
        (
            "names in another case",
            text.to_lowercase().replacen("emailaddress", " Email\u{a0}Address", 1).into(),
        ),
        ("commas behind each row", text.replace('\n', ",\n").into()),
        ("rows of commas", format!("{text},,,,\n").into()),
        ("the same mailbox twice", format!("{text}{}", text.lines().nth(1).unwrap()).into()),
    ]
}

/// Refused files, with the message.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = usual();
    let row = text.lines().nth(1).unwrap();
    let header = |from: &str, to: &str| text.replacen(from, to, 1);
    vec![
        ("no header", format!("{row}\n").into(), "the first row seems to be a user"),
        ("nothing", Vec::new(), "The CSV file is empty"),
        ("a header alone", format!("{HEADER}\n").into(), "a header but no users"),
        ("a line in a name", header("UserName", "User_Name").into(), "did you mean \"UserName\"?"),
        ("no address", header("terrya@", "Terry <terrya@").into(), "the value is a name with an address"),
        ("a column lacks", header("Password,", "Passwort,").into(), "did you mean \"Password\"?"),
        ("a column twice", header("TargetPassword", "Password").into(), "the column name is repeated"),
        (
            "a comma in a password",
            text.replace(PASSWORD, "hunt,er2").into(),
            "Row 2: wrong number of columns",
        ),
        ("a quote that stays open", format!("{HEADER}\nt@x,t,\"{PASSWORD},t,x\n").into(), "is never closed"),
        ("UTF-16 without a mark", utf16(&text, u16::to_le_bytes), "UTF-16 text without a byte order mark"),
        (
            "Windows-1252",
            text.replace("terrya@", "t\u{fc}rrya@").chars().map(|it| it as u8).collect(),
            "UTF-8",
        ),
        ("a workbook", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0".to_vec(), "a workbook"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn files_as_programs_write_them_are_read() {
    for (name, file) in readable() {
        let field = Field::of_5().await;
        let (code, text) = run(&field, &file);
        assert_eq!(code, Some(0), "{name}: {text}");
        assert!(field.lacking().is_empty(), "{name}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_move_nothing_and_say_what_to_do() {
    let field = Field::of_5().await;
    let mut wrong = Vec::new();
    for (name, file, words) in refused() {
        let (code, text) = run(&field, &file);
        let shows_secret = text.contains(PASSWORD) || text.contains("er2");
        if code != Some(2) || !text.contains(words) || shows_secret {
            wrong.push(format!("{name}: {code:?}, {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(field.target.commands(), Vec::<String>::new());
    assert_eq!(field.source.commands(), Vec::<String>::new());
}
