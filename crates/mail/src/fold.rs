//! Comparison of folder names as servers do it.

use unicode_normalization::UnicodeNormalization as _;

/// Returns the name in Unicode normal form C, in which `é` is one character.
pub fn normalized(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { name.nfc().collect() }
}

/// Returns the name without differences of case and normalisation, for comparison only.
///
/// Servers fold names differently. Two names that any server may treat as one are equal here (`ß`
/// and `SS`).
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
