//! Rules of the CSV file, and the messages of refusals.

use super::*;

const STRICT: CsvOptions =
    CsvOptions { allow_unknown_columns: false, without_passwords: false, without_user_names: false };
const LENIENT: CsvOptions = CsvOptions { allow_unknown_columns: true, ..STRICT };

const SEED: &str = "EmailAddress,UserName,Password,UserRoot\n\
    terrya@contoso.edu,contoso\\terry.adams,1091990,/users/terry.adams\n\
    annb@contoso.edu,contoso\\ann.beebe,\"a,\"\"b\"\"\",\n";

fn read(text: &str) -> Result<UserList, CsvError> {
    read_users(text.as_bytes(), STRICT)
}

/// Message for a file that is refused.
fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(octets).collect()
}

#[test]
fn the_four_columns_of_exchange() {
    let list = read(SEED).unwrap();
    assert_eq!(list.warnings, [""; 0]);
    let [terry, ann] = list.users.as_slice() else { panic!("two users") };
    assert_eq!((terry.row, ann.row), (2, 3));
    assert_eq!(terry.email_address, "terrya@contoso.edu");
    assert_eq!(terry.user_name, "contoso\\terry.adams");
    assert_eq!(terry.password, Some(Secret::new("1091990")));
    assert_eq!(terry.user_root.as_deref(), Some("/users/terry.adams"));
    assert_eq!(terry.target_user_name, "terrya@contoso.edu");
    assert_eq!(terry.target_password, None);
    assert_eq!(ann.password, Some(Secret::new("a,\"b\"")));
    assert_eq!(ann.user_root, None);
}

#[test]
fn our_columns_in_any_order() {
    let list = read(
        "TargetPassword,Password,TargetUserName,UserName,EmailAddress\r\n new , old ,t,u, a@b \r\n,p,,u,c@d",
    );
    let users = list.unwrap().users;
    assert_eq!(users[0].email_address, "a@b");
    assert_eq!(users[0].password, Some(Secret::new(" old ")));
    assert_eq!(users[0].target_user_name, "t");
    assert_eq!(users[0].target_password, Some(Secret::new(" new ")));
    assert_eq!((users[1].target_user_name.as_str(), &users[1].target_password), ("c@d", &None));
}

#[test]
fn every_encoding_and_line_end_reads_the_same() {
    let text = SEED.replace("1091990", "Gr\u{fc}\u{df}e\u{1f4e7}");
    let expected = read(&text).unwrap();
    assert_eq!(expected.users[0].password, Some(Secret::new("Gr\u{fc}\u{df}e\u{1f4e7}")));
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        for octets in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(&text, u16::to_le_bytes),
            utf16(&text, u16::to_be_bytes),
        ] {
            assert_eq!(read_users(&octets, STRICT).unwrap(), expected);
        }
    }
}

#[test]
fn what_is_no_text_is_told_with_its_line() {
    let error = |octets: &[u8]| read_users(octets, STRICT).unwrap_err();
    let latin1 = error(b"EmailAddress,UserName,Password\na@b,a,Gr\xFC\xDFe\n");
    assert_eq!(latin1, CsvError::NotText { line: 2, encoding: "UTF-8" });
    assert_eq!(
        latin1.to_string(),
        "Line 2 of the CSV file is not valid UTF-8 text; save the file as \"CSV UTF-8\""
    );
    let mut odd = utf16(SEED, u16::to_le_bytes);
    odd.pop();
    assert_eq!(error(&odd), CsvError::NotText { line: 3, encoding: "UTF-16" });
    let mut alone = utf16(SEED, u16::to_be_bytes);
    alone.splice(2..2, [0xDC, 0]);
    assert_eq!(error(&alone), CsvError::NotText { line: 1, encoding: "UTF-16" });
    let no_mark = &utf16(SEED, u16::to_le_bytes)[2..];
    assert_eq!(error(no_mark), CsvError::NotText { line: 1, encoding: "UTF-8 or UTF-16" });
}

#[test]
fn empty_files() {
    for text in ["", "\u{feff}", "\r\n\r\n"] {
        assert_eq!(refusal(text), "The CSV file is empty");
    }
    assert_eq!(refusal("EmailAddress,UserName,Password\r\n\r\n"), "The CSV file has a header but no users");
}

#[test]
fn a_missing_column() {
    assert_eq!(
        refusal("EmailAddress,UserName\na@b,a\n"),
        "Column \"Password\" is missing from the CSV file; it is required"
    );
    let error = read_users(b"EmailAddress,User Name,Password\na@b,a,secret\n", LENIENT).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Column \"UserName\" is missing from the CSV file; it is required (is the column \"User Name\" meant?)"
    );
}

#[test]
fn a_misspelt_column_is_hinted_at() {
    for (written, meant) in [
        ("Email Address", "EmailAddress"),
        ("emailaddress", "EmailAddress"),
        ("Username", "UserName"),
        ("Pasword", "Password"),
        (" Password", "Password"),
        ("TargetUsrName", "TargetUserName"),
        ("Root", ""),
        ("", ""),
    ] {
        let text = format!("{written},EmailAddress,UserName,Password\nx,a@b,a,secret\n");
        let hint = if meant.is_empty() { String::new() } else { format!(" (did you mean \"{meant}\"?)") };
        assert_eq!(
            refusal(&text),
            format!(
                "Row 1, column 1: the column name \"{written}\" is unknown{hint}; the columns are EmailAddress, \
                 UserName, Password, UserRoot, TargetUserName, TargetPassword"
            )
        );
    }
}

#[test]
fn unknown_columns_are_left_out_where_allowed() {
    let text = b"EmailAddress,Department,UserName,Password\na@b,Sales,a,secret\n";
    let list = read_users(text, LENIENT).unwrap();
    assert_eq!(list.users[0].user_name, "a");
    assert_eq!(list.warnings.len(), 1);
    assert!(list.warnings[0].starts_with("Row 1, column 2: the column name \"Department\" is unknown;"));
    assert!(list.warnings[0].ends_with("; the column is ignored"));
}

#[test]
fn a_column_twice() {
    assert_eq!(
        refusal("EmailAddress,Password,UserName,Password\na@b,p,a,q\n"),
        "Row 1, column 4 (Password): the column name is repeated; it is first in column 2"
    );
}

#[test]
fn a_file_without_a_header_shows_none_of_its_cells() {
    for options in [STRICT, LENIENT] {
        for (text, words) in [
            (
                "a@b,terry,hunter2\nc@d,anna,hunter2\n",
                "Row 1 of the CSV file must name the columns, but none of ",
            ),
            ("a@b;terry;hunter2\n", "separate the cells by commas, not by semicolons"),
            ("a@b\tterry\thunter2\n", "separate the cells by commas, not by tabs"),
        ] {
            let shown = read_users(text.as_bytes(), options).unwrap_err().to_string();
            assert!(shown.contains(words), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("terry"), "{shown}");
        }
    }
    // A password that looks like a column name.
    let shown = refusal("a@b,terry,Passw0rd\n");
    assert!(
        shown.starts_with("Row 1, column 3: the column name is unknown (did you mean \"Password\"?)"),
        "{shown}"
    );
    assert!(!shown.contains("Passw0rd"), "{shown}");
    let shown = read_users(b"a@b,terry,Passw0rd\n", LENIENT).unwrap_err().to_string();
    assert_eq!(shown, "Column \"EmailAddress\" is missing from the CSV file; it is required");
}

#[test]
fn rows_of_the_wrong_length() {
    for (row, found) in [("a@b,a", 2), ("a@b,a,se,cret", 4)] {
        assert_eq!(
            refusal(&format!("EmailAddress,UserName,Password\nx@y,x,fine\n{row}\n")),
            format!(
                "Row 3 has the wrong number of columns. Expected: 3. Found: {found}. A value that contains a comma must \
                 be in double quotes"
            )
        );
    }
}

#[test]
fn empty_cells_that_are_required() {
    for (row, place) in [
        (" ,a,p", "Row 3, column 1 (EmailAddress)"),
        ("a@b, ,p", "Row 3, column 2 (UserName)"),
        ("a@b,a,", "Row 3, column 3 (Password)"),
    ] {
        assert_eq!(
            refusal(&format!("EmailAddress,UserName,Password\nx@y,x,fine\n{row}\n")),
            format!("{place} is empty; a value is required")
        );
    }
}

#[test]
fn quotes_that_do_not_close() {
    assert_eq!(
        refusal("EmailAddress,UserName,Password\na@b,a,\"hunter2\nc@d,c,p\n"),
        "Row 2, column 3: the double quote at the start of the value is never closed"
    );
    assert_eq!(
        refusal("EmailAddress,UserName,Password\na@b,a,\"hunt\"er2\n"),
        "Row 2, column 3: text follows the closing double quote; write a quote inside a quoted value as two"
    );
}

#[test]
fn a_second_row_for_a_mailbox_is_told_and_left_out() {
    let list = read("EmailAddress,UserName,Password\na@b,a,hunter2\nc@d,c,p\n\nA@B,other,hunter2\n").unwrap();
    assert_eq!(list.users.iter().map(|user| user.row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(list.warnings, ["Row 5: the EmailAddress is already in row 2; row 5 is left out"]);
}

#[test]
fn as_many_rows_as_allowed_and_one_more() {
    use std::fmt::Write as _;
    let mut text = "EmailAddress,UserName,Password\n".to_owned();
    for number in 0..MAX_ROWS {
        writeln!(text, "user{number}@contoso.edu,user{number},p{number}").unwrap();
    }
    let list = read(&text).unwrap();
    assert_eq!((list.users.len(), list.warnings.len()), (MAX_ROWS, 0));
    assert_eq!(list.users.last().unwrap().row, MAX_ROWS + 1);
    text.push_str("last@contoso.edu,last,p\n");
    assert_eq!(refusal(&text), "The CSV file contains more than 50,000 rows; split it into smaller files");
}

#[test]
fn as_many_octets_as_allowed_and_one_more() {
    let mut text = "EmailAddress,UserName,Password\na@b,a,".to_owned();
    text.push_str(&"p".repeat(MAX_OCTETS - text.len()));
    assert_eq!(read(&text).unwrap().users.len(), 1);
    text.push('p');
    assert_eq!(
        refusal(&text),
        "The CSV file is larger than 10 MB (10485761 bytes); split it into smaller files"
    );
}

#[test]
fn no_password_is_shown() {
    let list = read("EmailAddress,UserName,Password,TargetPassword\na@b,a,hunter2,hunter3\n").unwrap();
    let shown = format!("{list:?}");
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn where_an_administrator_opens_the_mailboxes_no_password_is_needed() {
    let options = CsvOptions { without_passwords: true, ..STRICT };
    let list = read_users(b"EmailAddress,UserName\na@x,ann\n", options).unwrap();
    assert_eq!(list.users[0].password, None);
    let list = read_users(b"EmailAddress,UserName,Password\na@x,ann,\nb@x,bob,own\n", options).unwrap();
    assert_eq!((&list.users[0].password, &list.users[1].password), (&None, &Some(Secret::new("own"))));
    let refused = read_users(b"EmailAddress,UserName\na@x,\n", options).unwrap_err();
    assert_eq!(refused.to_string(), "Row 2, column 2 (UserName) is empty; a value is required");
    assert!(refusal("EmailAddress,UserName\na@x,ann\n").contains("\"Password\" is missing"));
}

#[test]
fn where_mailboxes_are_known_by_address_nothing_else_is_needed() {
    let options = CsvOptions { without_passwords: true, without_user_names: true, ..STRICT };
    for (file, user, target) in [
        ("EmailAddress\na@x\n", "a@x", "a@x"),
        ("EmailAddress,UserName\na@x,\n", "a@x", "a@x"),
        ("EmailAddress,UserName\na@x,b@x\n", "b@x", "a@x"),
        ("EmailAddress,TargetUserName\na@x,c@x\n", "a@x", "c@x"),
    ] {
        let user_row = read_users(file.as_bytes(), options).unwrap().users.remove(0);
        assert_eq!(
            (user_row.user_name.as_str(), user_row.target_user_name.as_str()),
            (user, target),
            "{file}"
        );
    }
    let refused = read_users(b"UserName\na@x\n", options).unwrap_err();
    assert!(refused.to_string().contains("\"EmailAddress\" is missing"), "{refused}");
    let with_passwords = CsvOptions { without_user_names: true, ..STRICT };
    let refused = read_users(b"EmailAddress\na@x\n", with_passwords).unwrap_err();
    assert!(refused.to_string().contains("\"Password\" is missing"), "{refused}");
}
