//! E-mail addresses in the CSV file: texts that cannot be one, with the reason.
//!
//! The check refuses what no server takes. It accepts names of hosts without a dot and letters
//! outside ASCII, because some servers have such mailboxes.

/// Maximum length of an address in bytes (RFC 5321, section 4.5.3.1: 64 + 1 + 255).
const MAX_LENGTH: usize = 320;

/// Characters that a spreadsheet or a word processor puts around a value.
pub(crate) const QUOTES: [char; 12] = [
    '"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}',
    '\u{bb}', '\'', '`',
];

/// Characters of an unquoted local part beside letters, digits and the dot (RFC 5322, section 3.2.3).
const LOCAL_MARKS: &str = "!#$%&'*+-/=?^_`{|}~.";

/// Reason why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("the value begins with #")]
    Comment,
    #[error("the value is a name with an address, not an address alone")]
    DisplayName,
    #[error("the value begins with mailto: or smtp:")]
    Scheme,
    #[error("the value is in quotation marks")]
    Quoted,
    #[error("the value contains more than one address")]
    Several,
    #[error("the address contains a blank or an invisible character")]
    Blank,
    #[error("the value is no e-mail address, because it has no @")]
    NoAt,
    #[error("the value is no e-mail address")]
    Invalid,
    #[error("the value is too long for an e-mail address")]
    TooLong,
}

impl AddressFault {
    pub(crate) fn proposal(self) -> &'static str {
        match self {
            Self::Comment => "remove the row; a row cannot be commented out",
            Self::DisplayName => "keep only the address between < and >",
            Self::Scheme => "keep only the address behind the colon",
            Self::Quoted => "remove the quotation marks",
            Self::Several => "keep one address; each mailbox has its own row",
            Self::Blank => "remove it",
            Self::NoAt => {
                "write the whole address, as in terry@contoso.com; a login without @ belongs in TargetUserName"
            }
            Self::Invalid | Self::TooLong => "write an address such as terry@contoso.com",
        }
    }
}

/// Finds the reason why a text without blanks at its ends is no e-mail address.
pub(crate) fn address_fault(text: &str) -> Option<AddressFault> {
    let starts_with =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    if text.len() > MAX_LENGTH {
        Some(AddressFault::TooLong)
    } else if text.starts_with('#') {
        Some(AddressFault::Comment)
    } else if text.contains(['<', '>']) {
        Some(AddressFault::DisplayName)
    } else if starts_with("mailto:") || starts_with("smtp:") {
        Some(AddressFault::Scheme)
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        Some(AddressFault::Quoted)
    } else if text.contains([',', ';']) && text.contains('@') {
        Some(AddressFault::Several)
    } else if !text.contains('@') {
        Some(AddressFault::NoAt)
    } else if text.contains(|it: char| is_blank(it) || it.is_control()) {
        Some(AddressFault::Blank)
    } else if is_address(text) {
        None
    } else {
        Some(AddressFault::Invalid)
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_word = |it: char| it.is_alphanumeric() || !it.is_ascii();
    let is_local = |it: char| is_word(it) || LOCAL_MARKS.contains(it);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|it| is_word(it) || matches!(it, '-' | '_'))
    };
    !local.is_empty() && local.chars().all(is_local) && domain.split('.').all(is_label)
}

/// True for white space and for characters that no program shows.
///
/// Programs leave them at the ends of cells: no-break spaces, byte order marks, marks of direction.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_accepted() {
        for address in [
            "terry@contoso.com",
            "a@b",
            "o'brien@contoso.com",
            "first.last+tag@mail-1.contoso.co.uk",
            "x=y/z@contoso.com",
            "kontakt@m\u{fc}ller.example",
            "\u{4f20}\u{771f}@\u{4f8b}\u{5b50}.example",
            "a..b@docomo.example",
            "under_score@some_host",
        ] {
            assert_eq!(address_fault(address), None, "{address}");
        }
    }

    #[test]
    fn texts_that_are_no_address_are_told_apart() {
        use AddressFault as Fault;
        for (text, fault) in [
            ("#terry@contoso.com", Fault::Comment),
            ("Terry Adams <terry@contoso.com>", Fault::DisplayName),
            ("<terry@contoso.com>", Fault::DisplayName),
            ("mailto:terry@contoso.com", Fault::Scheme),
            ("SMTP:terry@contoso.com", Fault::Scheme),
            ("\u{201c}terry@contoso.com\u{201d}", Fault::Quoted),
            ("'terry@contoso.com", Fault::Quoted),
            ("terry@contoso.com;ann@contoso.com", Fault::Several),
            ("terry@contoso.com, ann@contoso.com", Fault::Several),
            ("terry adams@contoso.com", Fault::Blank),
            ("terry\u{200b}@contoso.com", Fault::Blank),
            ("terry@contoso.com\u{0}", Fault::Blank),
            ("terry", Fault::NoAt),
            ("Total: 3 users", Fault::NoAt),
            ("contoso\\terry", Fault::NoAt),
            ("terry@", Fault::Invalid),
            ("@contoso.com", Fault::Invalid),
            ("terry@@contoso.com", Fault::Invalid),
            ("terry@ann@contoso.com", Fault::Invalid),
            ("terry@contoso..com", Fault::Invalid),
            ("terry@contoso.com.", Fault::Invalid),
            ("terry@-contoso.com", Fault::Invalid),
            ("terry(work)@contoso.com", Fault::Invalid),
            (&format!("{}@contoso.com", "t".repeat(400)), Fault::TooLong),
        ] {
            assert_eq!(address_fault(text), Some(fault), "{text}");
        }
    }
}
