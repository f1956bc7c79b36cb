//! Shapes of CSV files that people and programs make, each with all that is said about it.
//!
//! A file is taken with exactly these logins, or refused with exactly these words. So no shape can
//! become misleading or silently different.

use super::*;

const HEADER: &str = "EmailAddress,UserName,Password\n";
const ADA: &str = "ada@fabrikam.example,ada,pw-ada";
const BOB: &str = "bob@fabrikam.example,bob,pw-bob";

/// File with the usual header and two users.
fn usual() -> String {
    format!("{HEADER}{ADA}\n{BOB}\n")
}

fn users(list: &UserList) -> Vec<String> {
    let secret = |it: &Option<Secret>| {
        it.as_ref().map(|it| String::from_utf8_lossy(it.expose()).into_owned()).unwrap_or_default()
    };
    let show = |user: &UserRow| {
        let (root, password) = (user.user_root.as_deref().unwrap_or_default(), secret(&user.password));
        format!("{} {} {} {password}{root}", user.row, user.email_address, user.user_name)
    };
    list.users.iter().map(show).collect()
}

/// The two users, whose rows have these numbers.
fn usual_users(rows: [usize; 2]) -> Vec<String> {
    vec![
        format!("{} ada@fabrikam.example ada pw-ada", rows[0]),
        format!("{} bob@fabrikam.example bob pw-bob", rows[1]),
    ]
}

const SEMICOLONS: &[&str] = &["The cells are separated by semicolons, not by commas; the file is read so"];
const TABS: &[&str] = &["The cells are separated by tabs, not by commas; the file is read so"];

/// Name of the shape, file, numbers of the two users' rows, and warnings.
type Taken = (&'static str, Vec<u8>, [usize; 2], &'static [&'static str]);

/// Encodings, line ends, separators and names that are taken.
fn taken_forms() -> Vec<Taken> {
    let text = usual();
    let header = |names: &str| text.replacen(HEADER.trim_end(), names, 1).into_bytes();
    let quoted = |separator: &str| {
        let cells = |line: &str| format!("\"{}\"\n", line.replace(',', &format!("\"{separator}\"")));
        text.lines().map(cells).collect::<String>()
    };
    vec![
        ("line feeds", text.clone().into(), [2, 3], &[]),
        ("CRLF", text.replace('\n', "\r\n").into(), [2, 3], &[]),
        ("CR", text.replace('\n', "\r").into(), [2, 3], &[]),
        ("mixed line ends", text.replacen('\n', "\r\n", 1).trim_end().into(), [2, 3], &[]),
        ("UTF-8 with a mark", format!("\u{feff}{text}").into(), [2, 3], &[]),
        ("two marks", format!("\u{feff}\u{feff}{text}").into(), [2, 3], &[]),
        ("UTF-16LE", utf16(&text, u16::to_le_bytes), [2, 3], &[]),
        ("UTF-16BE", utf16(&text, u16::to_be_bytes), [2, 3], &[]),
        ("Unicode text", utf16(&text.replace(',', "\t"), u16::to_le_bytes), [2, 3], TABS),
        ("semicolons", text.replace(',', ";").into(), [2, 3], SEMICOLONS),
        ("tabs", text.replace(',', "\t").into(), [2, 3], TABS),
        ("all in quotes", quoted(",").into(), [2, 3], &[]),
        ("semicolons and quotes", quoted(";").into(), [2, 3], SEMICOLONS),
        ("sep=,", format!("sep=,\n{text}").into(), [2, 3], &[]),
        ("sep=;", format!("SEP=;\r\n{}", text.replace(',', ";")).into(), [2, 3], &[]),
        ("sep=|", format!("sep=|\r\n{}", text.replace(',', "|")).into(), [2, 3], &[]),
        (
            "sep=; without semicolons",
            format!("sep=;\n{text}").into(),
            [2, 3],
            &["The cells are separated by commas, not by semicolons; the file is read so"],
        ),
        ("#TYPE", format!("#TYPE System.Object\n{}", quoted(",")).into(), [3, 4], &[]),
        ("lower case", header("emailaddress,username,password"), [2, 3], &[]),
        ("upper case", header("EMAILADDRESS,USERNAME,PASSWORD"), [2, 3], &[]),
        ("blanks in names", header("Email Address,User Name,Password"), [2, 3], &[]),
        ("blanks around names", header(" EmailAddress, UserName ,Password "), [2, 3], &[]),
        (
            "hidden characters in names",
            header("\u{200b}EmailAddress,UserName\u{a0},Password\u{2060}"),
            [2, 3],
            &[],
        ),
    ]
}

/// Rows and columns without a value, blanks and repetitions that are taken.
fn taken_rows() -> Vec<Taken> {
    let text = usual();
    vec![
        ("empty lines", format!("\n{HEADER}\n{ADA}\n\n{BOB}\n\n\n").into(), [4, 6], &[]),
        ("lines of blanks", format!("{HEADER}{ADA}\n   \n{BOB}\n \u{a0}\n").into(), [2, 4], &[]),
        (
            "lines of commas",
            format!("{text},,\n,,\n").into(),
            [2, 3],
            &["2 rows have no values; they are ignored (first: row 4)"],
        ),
        ("DOS end of file", format!("{text}\u{1a}").into(), [2, 3], &[]),
        (
            "a comma behind each row",
            text.replace('\n', ",\n").into(),
            [2, 3],
            &["Column 4 has no name and no values; it is ignored"],
        ),
        (
            "commas behind each row",
            text.replace('\n', ",,,\n").into(),
            [2, 3],
            &["3 columns have no name and no values; they are ignored (first: column 4)"],
        ),
        (
            "hidden characters around addresses",
            text.replace("ada@", "\u{200b}ada@")
                .replace("bob@fabrikam.example", "bob@fabrikam.example\u{a0}")
                .into(),
            [2, 3],
            &[
                "2 values of EmailAddress begin or end with a blank or an invisible character; it is removed (first in \
               row 2)",
            ],
        ),
        (
            "a blank behind a user name",
            text.replace(",bob,", ",bob ,").into(),
            [2, 3],
            &["Row 3: the UserName begins or ends with a blank or an invisible character; it is removed"],
        ),
        (
            "a repeated user",
            format!("{text}ADA@fabrikam.example,ada,other\n").into(),
            [2, 3],
            &["Row 4: the EmailAddress is already in row 2; row 4 is left out"],
        ),
    ]
}

#[test]
fn shapes_that_are_taken() {
    for (name, file, rows, warnings) in taken_forms().into_iter().chain(taken_rows()) {
        let list = read_users(&file, STRICT).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(users(&list), usual_users(rows), "{name}");
        assert_eq!(list.warnings, warnings, "{name}");
    }
}

/// Files whose values are taken as they are: user, password and warnings.
const VALUES: &[(&str, &str, &str, &[&str])] = &[
    ("a doubled quote", "ada,\"p\"\"w\"", "ada p\"w", &[]),
    ("a quote inside", "ada,p\"w", "ada p\"w", &[]),
    ("a quoted comma", "ada,\"p,w\"", "ada p,w", &[]),
    ("a semicolon", "ada,p;w", "ada p;w", &[]),
    ("letters of all kinds", "ada,p\u{e4}\u{20ac}\u{1f4e7}", "ada p\u{e4}\u{20ac}\u{1f4e7}", &[]),
    ("a domain", "fabrikam\\ada,pw", "fabrikam\\ada pw", &[]),
    ("an administrator", "fabrikam/admin/ada,pw", "fabrikam/admin/ada pw", &[]),
    ("Mirapoint's form", "#ada@fabrikam.example#admin#,pw", "#ada@fabrikam.example#admin# pw", &[]),
    (
        "a blank behind the password",
        "ada,pw ",
        "ada pw ",
        &[
            "Row 2: the Password begins or ends with a blank or an invisible character; it is kept, so remove it if it \
           does not belong to the value",
        ],
    ),
    (
        "a no-break space behind the password",
        "ada,pw\u{a0}",
        "ada pw\u{a0}",
        &[
            "Row 2: the Password begins or ends with a blank or an invisible character; it is kept, so remove it if it \
           does not belong to the value",
        ],
    ),
    (
        "a number that a spreadsheet shortened",
        "ada,1.5E+12",
        "ada 1.5E+12",
        &[
            "Row 2: the Password is a number as a spreadsheet shortens it, such as 1.2E+12; format the column as text, \
           and enter the values again",
        ],
    ),
    (
        "an apostrophe",
        "ada,'pw",
        "ada 'pw",
        &[
            "Row 2: the Password begins with an apostrophe; it is kept, so remove it if a spreadsheet needed it to show \
           the value as text",
        ],
    ),
    (
        "typographic quotes",
        "ada,\u{201c}pw\u{201d}",
        "ada \u{201c}pw\u{201d}",
        &[
            "Row 2: the Password is in typographic quotation marks; they are kept, so remove them if they do not belong \
           to the value",
        ],
    ),
];

#[test]
fn values_that_are_taken_as_they_are() {
    for (name, row, login, warnings) in VALUES {
        let file = format!("{HEADER}ada@fabrikam.example,{row}\n");
        let list = read_users(file.as_bytes(), STRICT).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(users(&list), [format!("2 ada@fabrikam.example {login}")], "{name}");
        assert_eq!(list.warnings, *warnings, "{name}");
    }
    // Of two passwords, one may begin with an apostrophe.
    let file = format!("{HEADER}{ADA}\nbob@fabrikam.example,bob,'pw\n");
    assert_eq!(read_users(file.as_bytes(), STRICT).unwrap().warnings, [""; 0]);
    let file = format!("{HEADER}mu\u{308}ller@fabrikam.example,m,pw\n");
    let warnings = read_users(file.as_bytes(), STRICT).unwrap().warnings;
    assert_eq!(
        warnings,
        ["Row 2: the EmailAddress has letters outside ASCII; most servers have no such addresses"]
    );
}

const NO_HEADER: &str = "Row 1 of the CSV file must name the columns, but none of EmailAddress, UserName, Password, \
                         UserRoot, TargetUserName, TargetPassword is there";

fn unknown(column: usize, name: &str, advice: &str) -> String {
    format!("Row 1, column {column}: the column name \"{name}\" is unknown; {advice}")
}

fn meant(column: usize, name: &str, meant: &str) -> String {
    unknown(column, name, &format!("did you mean \"{meant}\"?"))
}

fn superfluous(column: usize, name: &str) -> String {
    unknown(column, name, "remove the column, or correct its name")
}

fn missing(name: &str) -> String {
    format!("Column \"{name}\" is missing from the CSV file; it is required")
}

/// Name of the shape, file, and all errors.
type Refused = (&'static str, String, Vec<String>);

/// Files whose columns are refused.
fn refused_columns() -> Vec<Refused> {
    let no_header = |advice: &str| vec![format!("{NO_HEADER}{advice}")];
    vec![
        (
            "no header",
            format!("{ADA}\n{BOB}\n"),
            no_header("; the first row seems to be a user: insert the row EmailAddress,UserName,Password before it"),
        ),
        ("a comment first", format!("# wave 1\n{}", usual()), no_header("; row 2 names them: remove the rows before it")),
        ("pipes", usual().replace(',', "|"), no_header("; separate the cells by commas, not by the character |")),
        ("imapsync's file", "# mine\nold;ada;pw;new;ada@fabrikam.example;pw;;\n".into(), no_header("")),
        ("another column", format!("{},Note\n{ADA},x\n", HEADER.trim_end()), vec![superfluous(4, "Note")]),
        (
            "settings of the server",
            format!("{}, Server, Port\n{ADA}, imap, 993\n", HEADER.trim_end()),
            vec![superfluous(4, "Server"), superfluous(5, "Port")],
        ),
        ("a number first", format!("No,{HEADER}1,{ADA}\n"), vec![superfluous(1, "No")]),
        ("only addresses", "EmailAddress\nada@fabrikam.example\n".into(), vec![missing("UserName"), missing("Password")]),
        ("no passwords", "EmailAddress,UserName\nada@fabrikam.example,ada\n".into(), vec![missing("Password")]),
        (
            "a column twice",
            format!("{},Password\n{ADA},x\n", HEADER.trim_end()),
            vec!["Row 1, column 4 (Password): the column name is repeated; it is first in column 3; remove one of them".into()],
        ),
    ]
}

/// Files whose columns have other names.
fn refused_names() -> Vec<Refused> {
    vec![
        (
            "German names",
            "E-Mail-Adresse;Benutzername;Kennwort\nada@fabrikam.example;ada;pw\n".into(),
            vec![
                meant(1, "E-Mail-Adresse", "EmailAddress"),
                meant(2, "Benutzername", "UserName"),
                meant(3, "Kennwort", "Password"),
            ],
        ),
        (
            "another program's names",
            "Source Email,Source Login Name,Source Password,Destination Email,Destination Password\na,b,c,d,e\n".into(),
            vec![
                meant(1, "Source Email", "UserName"),
                meant(2, "Source Login Name", "UserName"),
                meant(3, "Source Password", "Password"),
                meant(4, "Destination Email", "EmailAddress"),
                meant(5, "Destination Password", "TargetPassword"),
            ],
        ),
        (
            "a panel's names",
            "Email,Password,Quota\nada@fabrikam.example,pw,250\n".into(),
            vec![meant(1, "Email", "EmailAddress"), superfluous(3, "Quota"), missing("UserName")],
        ),
        (
            "Exchange's staged migration",
            "EmailAddress,Password,ForceChangePassword\nada@fabrikam.example,pw,False\n".into(),
            vec![superfluous(3, "ForceChangePassword"), missing("UserName")],
        ),
        (
            "Google's names",
            "EmailAddress,GoogleEmailAddress\nada@fabrikam.example,ada@gmail.example\n".into(),
            vec![meant(2, "GoogleEmailAddress", "UserName"), missing("Password")],
        ),
        (
            "mistakes in all names",
            "Emailadress,User_Name,Pasword\nada@fabrikam.example,ada,pw\n".into(),
            vec![
                meant(1, "Emailadress", "EmailAddress"),
                meant(2, "User_Name", "UserName"),
                meant(3, "Pasword", "Password"),
            ],
        ),
        (
            "a blank before a quoted name",
            "EmailAddress, \"UserName\",Password\nada@fabrikam.example,ada,pw\n".into(),
            vec!["Row 1, column 2: a blank precedes the double quote at the start of the value; remove the blank".into()],
        ),
    ]
}

fn assert_refused(name: &str, file: &[u8], options: CsvOptions, expected: &[String]) {
    let errors = read_users(file, options).expect_err(name);
    let found: Vec<String> = errors.kept().iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn headers_that_are_refused() {
    for (name, file, errors) in refused_columns().into_iter().chain(refused_names()) {
        assert_refused(name, file.as_bytes(), STRICT, &errors);
    }
    // Where unknown columns are allowed, those that are probably meant are refused still.
    let file = format!("{},Usr Root,Note\n{ADA},/users/ada,x\n", HEADER.trim_end());
    assert_refused("a near miss", file.as_bytes(), LENIENT, &[meant(4, "Usr Root", "UserRoot")]);
    let file = format!("{},Userroot,Note\n{ADA},/users/ada,x\n", HEADER.trim_end());
    let list = read_users(file.as_bytes(), LENIENT).unwrap();
    assert_eq!(users(&list), ["2 ada@fabrikam.example ada pw-ada/users/ada"]);
    assert_eq!(
        list.warnings,
        ["Row 1, column 5: the column name \"Note\" is unknown; the column is ignored"]
    );
}

/// Second rows that are refused, with all errors: place and words.
const REFUSED_ROWS: &[(&str, &str, &[&str])] = &[
    (
        "a comment",
        "#bob@b.example,b,p",
        &[", column 1 (EmailAddress): the value begins with #; remove the row; a row \
        cannot be commented out"],
    ),
    (
        "a name with an address",
        "\"Bob <bob@b.example>\",b,p",
        &[", column 1 (EmailAddress): the value is a name with an \
        address, not an address alone; keep only the address between < and >"],
    ),
    (
        "mailto:",
        "mailto:bob@b.example,b,p",
        &[", column 1 (EmailAddress): the value begins with mailto: or smtp:; keep \
        only the address behind the colon"],
    ),
    (
        "no @",
        "bob,b,p",
        &[", column 1 (EmailAddress): the value is no e-mail address, because it has no @; write the \
        whole address, as in terry@contoso.com; a login without @ belongs in TargetUserName"],
    ),
    (
        "typographic quotes",
        "\u{201c}bob@b.example\u{201d},\u{201c}bob\u{201d},p",
        &[
            ", column 1 (EmailAddress): the value is in quotation marks; remove the quotation marks",
            ", column 2 (UserName): the value is in quotation marks; remove the quotation marks",
        ],
    ),
    (
        "a blank inside",
        "bob b@b.example,b,p",
        &[", column 1 (EmailAddress): the address contains a blank or an invisible \
        character; remove it"],
    ),
    (
        "an error of a formula",
        "bob@b.example,#NAME?,#N/A",
        &[
            ", column 2 (UserName): the value is an error of a spreadsheet's formula, such as #N/A or #NAME?; mend the \
          formula, or write the value",
            ", column 3 (Password): the value is an error of a spreadsheet's formula, such as #N/A or #NAME?; mend the \
          formula, or write the value",
        ],
    ),
    (
        "a sum",
        "Total: 3 users,,",
        &[
            ", column 1 (EmailAddress): the value is no e-mail address, because it has no @; write the whole address, as in \
          terry@contoso.com; a login without @ belongs in TargetUserName",
            ", column 2 (UserName): the cell is empty; a value is required",
            ", column 3 (Password): the cell is empty; a value is required",
        ],
    ),
    ("no address", ",b,p", &[", column 1 (EmailAddress): the cell is empty; a value is required"]),
    ("no password", "bob@b.example,b,", &[", column 3 (Password): the cell is empty; a value is required"]),
    (
        "too few cells",
        "bob@b.example,b",
        &[": wrong number of columns (expected: 3, found: 2); a comma follows each \
        value but the last, also an empty one"],
    ),
    (
        "a comma in a password",
        "bob@b.example,b,hunt,er2",
        &[": wrong number of columns (expected: 3, found: 4); a value \
        that contains a comma must be in double quotes"],
    ),
    (
        "a comma behind",
        "bob@b.example,b,p,",
        &[": wrong number of columns (expected: 3, found: 4); remove a comma at the \
        end of the row; a value that ends with it must be in double quotes"],
    ),
    (
        "a blank before a quote",
        "bob@b.example, \"b\",p",
        &[", column 2: a blank precedes the double quote at the start of \
        the value; remove the blank"],
    ),
    (
        "a quote that stays open",
        "bob@b.example,b,\"hunter2",
        &[", column 3: the double quote at the start of the value is \
        never closed; close it; write a quote that belongs to the value as two in double quotes"],
    ),
    (
        "text behind a quote",
        "bob@b.example,b,\"hunt\"er2",
        &[", column 3: text follows the closing double quote; write a \
        quote inside a quoted value as two"],
    ),
];

#[test]
fn rows_that_are_refused_beside_others() {
    for (name, row, errors) in REFUSED_ROWS {
        let file = format!("{HEADER}{ADA}\n{row}\ncid@b.example,cid,pw\n,dan,pw\n");
        let mut expected: Vec<String> = errors.iter().map(|words| format!("Row 3{words}")).collect();
        expected.push("Row 5, column 1 (EmailAddress): the cell is empty; a value is required".to_owned());
        assert_refused(name, file.as_bytes(), STRICT, &expected);
        let (list, _) = check_users(file.as_bytes(), STRICT);
        assert_eq!(list.users.iter().map(|user| user.row).collect::<Vec<_>>(), [2, 4], "{name}");
    }
    // The quote that stays open in row 2 is closed by that of row 3.
    let open = format!("{HEADER}ada@fabrikam.example,ada,\"hunter2\nbob@fabrikam.example,bob,pw\"\n");
    let words = "Row 2, column 3 (Password): the value contains a line break; close the double quote at its start in \
                 the same row";
    assert_refused("a line break", open.as_bytes(), STRICT, &[words.to_owned()]);
    let trailing = format!("{},\n{ADA},x\n", HEADER.trim_end());
    let words = "Row 2, column 4: the column has no name, but a value; a value that contains a comma must be in double \
                 quotes; else name or empty the column";
    assert_refused("a value without a column", trailing.as_bytes(), LENIENT, &[words.to_owned()]);
    let lines = format!("{},Name\nada@fabrikam.example,ada,pw,\"Ada\nB\"\nbob,b,p,x\n", HEADER.trim_end());
    let errors = read_users(lines.as_bytes(), LENIENT).unwrap_err().to_string();
    assert!(errors.starts_with("Row 3, column 1 (EmailAddress)"), "{errors}");
}

#[test]
fn files_that_are_no_csv_text() {
    let text = usual();
    let saved = "; save the file as \"CSV UTF-8\"";
    let one = |words: &str| format!("{words}{saved}");
    let latin: Vec<u8> = text.replace("bob,", "b\u{f6}b,").chars().map(|it| it as u8).collect();
    for (name, file, words) in [
        ("nothing", Vec::new(), "The CSV file is empty".to_owned()),
        ("a mark alone", b"\xEF\xBB\xBF".to_vec(), "The CSV file is empty".to_owned()),
        ("a header alone", HEADER.into(), "The CSV file has a header but no users".to_owned()),
        (
            "a header and commas",
            format!("{HEADER},,\n").into(),
            "The CSV file has a header but no users".to_owned(),
        ),
        (
            "UTF-16 without a mark",
            utf16(&text, u16::to_le_bytes)[2..].to_vec(),
            one("The CSV file seems to be UTF-16 text without a byte order mark"),
        ),
        ("Windows-1252", latin.clone(), one("Line 3 of the CSV file is not valid UTF-8 text")),
        (
            "Windows-1252 with CR",
            latin.iter().map(|it| if *it == b'\n' { b'\r' } else { *it }).collect(),
            one("Line 3 of the CSV file is not valid UTF-8 text"),
        ),
        (
            "GBK",
            [text.as_bytes(), b"\xD5\xC5@b.example,c,d\n"].concat(),
            one("Line 4 of the CSV file is not valid UTF-8 text"),
        ),
        (
            "NUL",
            text.replace("bob,", "b\0b,").into(),
            one("Line 3 of the CSV file contains a NUL character, which no text has"),
        ),
        (
            "a workbook",
            [&b"PK\x03\x04"[..], &[0; 26], b"[Content_Types].xml"].concat(),
            "The file is a workbook (.xlsx), not a CSV file; open it in its program and save it as \"CSV UTF-8\"".into(),
        ),
        (
            "a page",
            b"<!DOCTYPE html>\r\n<html></html>".to_vec(),
            "The file is a web page or an XML document, not a CSV file; download the file itself; the page may ask you \
             to sign in"
                .into(),
        ),
    ] {
        assert_refused(name, &file, STRICT, &[words]);
    }
}
