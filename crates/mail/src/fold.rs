//! When two names are one to a server.

use unicode_normalization::UnicodeNormalization as _;

/// The name in the normal form C: `é` is one character, however it was typed.
pub fn normalized(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { name.nfc().collect() }
}

/// The name without what case and normalisation make of it, only to be compared: servers do not fold alike, and so two
/// names that any of them takes for one are equal here (`ß` and `SS` are).
pub fn ignoring_case(name: &str) -> String {
    normalized(&normalized(name).to_uppercase().to_lowercase().replace('\u{307}', "").replace('ς', "σ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_one_to_a_server_is_equal() {
        assert_eq!(normalized("Entwu\u{308}rfe"), "Entwürfe");
        assert_eq!(normalized("A/B"), "A/B");
        for (one, other) in
            [("TRASH", "trash"), ("Straße", "STRASSE"), ("Σάς", "σάσ"), ("E\u{301}", "é"), ("İ", "i")]
        {
            assert_eq!(ignoring_case(one), ignoring_case(other), "{one} {other}");
        }
        assert_ne!(ignoring_case("Cafe"), ignoring_case("Café"));
    }
}
