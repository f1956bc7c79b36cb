//! Rules of the CSV file, and the messages of refusals.

mod shapes;

use super::*;

const STRICT: CsvOptions =
    CsvOptions { allow_unknown_columns: false, without_passwords: false, without_user_names: false };
const LENIENT: CsvOptions = CsvOptions { allow_unknown_columns: true, ..STRICT };

const SEED: &str = "EmailAddress,UserName,Password,UserRoot\n\
    terrya@contoso.edu,contoso\\terry.adams,1091990,/users/terry.adams\n\
    annb@contoso.edu,contoso\\ann.beebe,\"a,\"\"b\"\"\",\n";

fn read(text: &str) -> Result<UserList, CsvErrors> {
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
    let error = |octets: &[u8]| read_users(octets, STRICT).unwrap_err().to_string();
    let words = |line, encoding| {
        format!("Line {line} of the CSV file is not valid {encoding} text; save the file as \"CSV UTF-8\"")
    };
    assert_eq!(error(b"EmailAddress,UserName,Password\na@b,a,Gr\xFC\xDFe\n"), words(2, "UTF-8"));
    let mut odd = utf16(SEED, u16::to_le_bytes);
    odd.pop();
    assert_eq!(error(&odd), words(3, "UTF-16"));
    let mut alone = utf16(SEED, u16::to_be_bytes);
    alone.splice(2..2, [0xDC, 0]);
    assert_eq!(error(&alone), words(1, "UTF-16"));
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
    let errors = read_users(b"EmailAddress,Login,Password\na@b,a,secret\n", LENIENT).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "Row 1, column 2: the column name \"Login\" is unknown; did you mean \"UserName\"?"
    );
}

#[test]
fn a_misspelt_column_is_hinted_at() {
    for (written, advice) in [
        ("Target-Password", "did you mean \"TargetPassword\"?"),
        ("TargetUsrName", "did you mean \"TargetUserName\"?"),
        ("User_Root", "did you mean \"UserRoot\"?"),
        ("Root", "remove the column, or correct its name"),
        // The column itself is there, so this one is another.
        ("UserName2", "remove the column, or correct its name"),
    ] {
        let text = format!("{written},EmailAddress,UserName,Password\nx,a@b,a,secret\n");
        let words = format!("Row 1, column 1: the column name \"{written}\" is unknown; {advice}");
        assert_eq!(refusal(&text), words);
        let is_misspelt = advice.starts_with("did");
        let lenient = read_users(text.as_bytes(), LENIENT);
        assert_eq!(lenient.map_err(|it| it.to_string()).err(), if is_misspelt { Some(words) } else { None });
    }
}

#[test]
fn unknown_columns_are_left_out_where_allowed() {
    let text = b"EmailAddress,Department,UserName,Password\na@b,Sales,a,secret\n";
    let list = read_users(text, LENIENT).unwrap();
    assert_eq!(list.users[0].user_name, "a");
    let words = "Row 1, column 2: the column name \"Department\" is unknown; the column is ignored";
    assert_eq!(list.warnings, [words]);
    assert_eq!(list.columns, ["EmailAddress", "UserName", "Password"]);
}

#[test]
fn a_column_twice() {
    assert_eq!(
        refusal("EmailAddress,Password,UserName,Password\na@b,p,a,q\n"),
        "Row 1, column 4 (Password): the column name is repeated; it is first in column 2; remove one of them"
    );
}

#[test]
fn a_file_without_a_header_shows_none_of_its_cells() {
    let user = "the first row seems to be a user: insert the row EmailAddress,UserName,Password before it";
    for (text, advice) in [
        ("a@b,terry,hunter2\nc@d,anna,hunter2\n", user),
        ("a@b;terry;hunter2\n", user),
        ("a@b\tterry\thunter2\n", user),
        ("a@b,terry,password\n", user),
        ("a@b,terry,Passw0rd\n", user),
        ("terry,hunter2\nEmailAddress,UserName,Password\n", "row 2 names them: remove the rows before it"),
        ("terry|Password|hunter2\n", "separate the cells by commas, not by the character |"),
    ] {
        for options in [STRICT, LENIENT] {
            let shown = read_users(text.as_bytes(), options).unwrap_err().to_string();
            let words = "Row 1 of the CSV file must name the columns, but none of EmailAddress, UserName, Password, \
                         UserRoot, TargetUserName, TargetPassword is there; ";
            assert_eq!(shown, format!("{words}{advice}"), "{text}");
        }
    }
    // A password that looks like a column name.
    let shown = refusal("terry,Passw0rd\n");
    assert!(
        shown.contains("\n  Row 1, column 2: the column name is unknown; did you mean \"Password\"?"),
        "{shown}"
    );
    assert!(!shown.contains("Passw0rd") && !shown.contains("terry"), "{shown}");
}

#[test]
fn rows_of_the_wrong_length() {
    for (row, found, advice) in [
        ("a@b,a", 2, "a comma follows each value but the last, also an empty one"),
        ("a@b,a,se,cret", 4, "a value that contains a comma must be in double quotes"),
        (
            "a@b,a,secret,,",
            5,
            "remove a comma at the end of the row; a value that ends with it must be in double quotes",
        ),
    ] {
        assert_eq!(
            refusal(&format!("EmailAddress,UserName,Password\nx@y,x,fine\n{row}\n")),
            format!("Row 3: wrong number of columns (expected: 3, found: {found}); {advice}")
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
            format!("{place}: the cell is empty; a value is required")
        );
    }
}

#[test]
fn quotes_that_do_not_close() {
    assert_eq!(
        refusal("EmailAddress,UserName,Password\na@b,a,\"hunter2\nc@d,c,p\n"),
        "Row 2, column 3: the double quote at the start of the value is never closed; close it; write a quote that \
         belongs to the value as two in double quotes"
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
    assert_eq!(refused.to_string(), "Row 2, column 2 (UserName): the cell is empty; a value is required");
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

#[test]
fn all_errors_are_told_at_once_and_their_number_is_bounded() {
    use std::fmt::Write as _;
    let mut text = "EmailAddress,UserName,Password\n".to_owned();
    for number in 0..MAX_ROWS {
        let user = if number % 250 == 7 { "no address".to_owned() } else { format!("u{number}@b") };
        writeln!(text, "{user},u,secret").unwrap();
    }
    let (list, errors) = check_users(text.as_bytes(), STRICT);
    assert_eq!((list.rows, list.users.len(), errors.count()), (50_000, 49_800, 200));
    assert!(
        errors
            .kept()
            .iter()
            .enumerate()
            .all(|(index, it)| it.place == CsvPlace::cell(index * 250 + 9, 1).named("EmailAddress"))
    );
    let shown = errors.to_string();
    assert_eq!(shown.lines().count(), 22);
    assert!(shown.starts_with("The CSV file has 200 errors:\n  Row 9, column 1 (EmailAddress): "), "{shown}");
    assert!(shown.ends_with("\n  and 180 more errors"), "{shown}");

    let every_cell = text.replace(",u,secret", ",,").replace("@b", "");
    let (list, errors) = check_users(every_cell.as_bytes(), STRICT);
    assert_eq!((list.users.len(), errors.count(), errors.kept().len()), (0, 150_000, 1000));
    assert_eq!(errors.to_string().lines().count(), 22);

    let mut again = "EmailAddress,UserName,Password\n".to_owned();
    again.push_str(&"a@b,u,secret\n".repeat(MAX_ROWS));
    let (list, errors) = check_users(again.as_bytes(), STRICT);
    assert_eq!((list.users.len(), list.left_out, errors.count(), list.warnings.len()), (1, 49_999, 0, 101));
    assert_eq!(list.warnings.last().unwrap(), "More rows are left out; they are not named");
}

#[test]
fn a_header_of_many_columns_is_refused() {
    let text = format!("EmailAddress{}\n", ",x".repeat(1_000_000));
    assert_eq!(
        refusal(&text),
        "Row 1: the CSV file has 1000001 columns, and at most 1,000 are read; remove the columns that are not needed"
    );
}

#[test]
fn quotes_that_never_match_cost_no_more_than_others() {
    for line in ["a@b,u,\"\"x\n", "a@b,u,\"\n", "\"\"\"\"x,u\n", ",\"\"\"\n", ",, \"\n"] {
        let text = format!("EmailAddress,UserName,Password\n{}", line.repeat(20_000));
        let (_, errors) = check_users(text.as_bytes(), STRICT);
        assert!(errors.count() >= 10_000, "{line}");
    }
}

mod secrets {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Invariant: no cell below the header is shown.
        #[test]
        fn no_cell_is_shown(
            header in prop::sample::select(vec![
                "EmailAddress,UserName,Password",
                "emailaddress;username;password;",
                "EmailAddress,UserName,Password,TargetPassword,Note",
                "Email,Login,Kennwort",
                "hunter2,UserNme",
            ]),
            cells in prop::collection::vec(
                prop::collection::vec("(hunter2)?[@a\"' ;,#<\u{a0}]{0,3}(hunter2)?", 1..6),
                0..6,
            ),
            allow_unknown_columns in any::<bool>(),
        ) {
            let separator = if header.contains(';') { ";" } else { "," };
            let rows: Vec<String> = cells.iter().map(|row| row.join(separator)).collect();
            let text = format!("{header}\n{}\n", rows.join("\n"));
            let (list, errors) = check_users(text.as_bytes(), CsvOptions { allow_unknown_columns, ..STRICT });
            let shown = format!("{errors}\n{errors:?}\n{:?}", list.warnings);
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
