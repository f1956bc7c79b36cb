//! Names of columns, as people and programs write them.

use crate::{address::is_blank, user_row::COLUMNS};

/// Relation of a written name to the known columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameMatch {
    /// Index of the column. Case, blanks and invisible characters make no difference.
    Column(usize),
    /// A few letters or marks differ from this column.
    NearMiss(&'static str),
    /// Another program's name of this column. It is only proposed, never taken.
    Synonym(&'static str),
    Unknown,
}

/// Names in other programs and languages, letters and digits only.
const SYNONYMS: [(&str, &[&str]); 5] = [
    (
        "EmailAddress",
        &[
            "email",
            "mail",
            "emailadresse",
            "mailadresse",
            "smtpaddress",
            "primarysmtpaddress",
            "windowsemailaddress",
            "userprincipalname",
            "targetemail",
            "targetemailaddress",
            "destinationemail",
            "destinationemailaddress",
            "newemail",
            "adressemail",
            "correo",
        ],
    ),
    (
        "UserName",
        &[
            "login",
            "loginname",
            "user",
            "benutzer",
            "benutzername",
            "sourceemail",
            "sourceemailaddress",
            "sourcelogin",
            "sourceloginname",
            "sourceusername",
            "googleemailaddress",
            "imapmailbox",
            "imapusername",
            "oldemail",
            "identifiant",
            "usuario",
        ],
    ),
    (
        "Password",
        &[
            "kennwort",
            "pass",
            "pwd",
            "sourcepassword",
            "imappassword",
            "oldpassword",
            "motdepasse",
            "contrasena",
        ],
    ),
    ("TargetUserName", &["targetlogin", "targetloginname", "destinationlogin", "destinationloginname"]),
    ("TargetPassword", &["destinationpassword", "newpassword"]),
];

/// Finds the relation of a written name to these columns.
pub(crate) fn match_name(written: &str, columns: &[&'static str]) -> NameMatch {
    let name = visible(written).to_lowercase();
    if let Some(column) = columns.iter().position(|column| column.eq_ignore_ascii_case(&name)) {
        return NameMatch::Column(column);
    }
    let plain: String = name.chars().filter(|it| it.is_alphanumeric()).collect();
    // A cell of this length is no misspelt name, and the cost of comparing grows with its length.
    if plain.is_empty() || plain.len() >= 64 {
        return NameMatch::Unknown;
    }
    if columns == COLUMNS
        && let Some((column, _)) = SYNONYMS.iter().find(|(_, names)| names.contains(&plain.as_str()))
    {
        return NameMatch::Synonym(column);
    }
    columns
        .iter()
        .map(|column| (strsim::damerau_levenshtein(&column.to_lowercase(), &plain), *column))
        .filter(|(distance, column)| distance * 3 <= column.len())
        .min_by_key(|(distance, _)| *distance)
        .map_or(NameMatch::Unknown, |(_, column)| NameMatch::NearMiss(column))
}

/// Returns the name for a message: without blanks at its ends, and not longer than a name is.
pub(crate) fn shown_name(written: &str) -> String {
    const LONGEST: usize = 40;
    let name = written.trim_matches(is_blank);
    let mut shown: String = name.chars().filter(|it| !it.is_control()).take(LONGEST).collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push_str("...");
    }
    shown
}

fn visible(written: &str) -> String {
    written.chars().filter(|it| !is_blank(*it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_make_no_difference() {
        for (written, column) in [
            ("EmailAddress", 0),
            ("emailaddress", 0),
            (" Email Address ", 0),
            ("\u{feff}EmailAddress", 0),
            ("USERNAME", 1),
            ("Password\u{a0}", 2),
            ("\u{200b}UserRoot", 3),
            ("Target User Name", 4),
        ] {
            assert_eq!(match_name(written, &COLUMNS), NameMatch::Column(column), "{written}");
        }
    }

    #[test]
    fn other_names_are_told_apart() {
        for (written, expected) in [
            ("Pasword", NameMatch::NearMiss("Password")),
            ("E-Mail-Address", NameMatch::NearMiss("EmailAddress")),
            ("user_name", NameMatch::NearMiss("UserName")),
            ("TargetUsrName", NameMatch::NearMiss("TargetUserName")),
            ("E-Mail-Adresse", NameMatch::Synonym("EmailAddress")),
            ("Source Login Name", NameMatch::Synonym("UserName")),
            ("Kennwort", NameMatch::Synonym("Password")),
            ("DisplayName", NameMatch::Unknown),
            ("Root", NameMatch::Unknown),
            ("", NameMatch::Unknown),
            ("---", NameMatch::Unknown),
        ] {
            assert_eq!(match_name(written, &COLUMNS), expected, "{written}");
        }
        assert_eq!(match_name("mail", &["Source", "Target"]), NameMatch::Unknown);
        assert_eq!(match_name("source", &["Source", "Target"]), NameMatch::Column(0));
    }

    #[test]
    fn no_synonym_is_also_a_name() {
        for (column, names) in SYNONYMS {
            assert!(COLUMNS.contains(&column));
            for name in names {
                assert_eq!(match_name(name, &COLUMNS), NameMatch::Synonym(column), "{name}");
            }
        }
    }

    #[test]
    fn a_long_name_is_shortened() {
        assert_eq!(shown_name(" Department\u{a0}"), "Department");
        assert_eq!(shown_name(&"n".repeat(41)), format!("{}...", "n".repeat(40)));
    }
}
