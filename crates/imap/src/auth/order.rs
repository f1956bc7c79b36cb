//! Order in which methods of signing in are tried. Pure. Servers lock accounts after too many refusals.

use super::LineSecurity;

/// Result of a method that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MethodResult {
    pub(crate) name: &'static str,
    /// True if the server received the password.
    pub(crate) reveals: bool,
    /// False if the server does not support the mechanism.
    pub(crate) is_refusal: bool,
}

/// Returns the index of the method to try next; `None` if no further try is worth the risk.
///
/// Each method has a name, and true if it reveals the password.
///
/// - A refusal of the password itself is final.
/// - A refusal of a proof is not: the server may be unable to check it. With TLS, the password is sent next. Without TLS,
///   all other proofs are tried first.
/// - A mechanism that has worked at this server is tried before other proofs, so that its users get no refusals.
pub(crate) fn next(
    methods: &[(&'static str, bool)],
    tries: &[MethodResult],
    worked: &[&'static str],
    line: LineSecurity,
) -> Option<usize> {
    if tries.iter().any(|tried| tried.is_refusal && tried.reveals) {
        return None;
    }
    let is_open = |index: &usize| tries.iter().all(|tried| tried.name != methods[*index].0);
    let open: Vec<usize> = (0..methods.len()).filter(is_open).collect();
    let first = *open.first()?;
    if methods[first].1 {
        return Some(first);
    }
    let is_encrypted = line == LineSecurity::Encrypted;
    let was_refused = tries.iter().any(|tried| tried.is_refusal);
    let rank = |index: &usize| {
        let (name, reveals) = methods[*index];
        let has_worked = worked.contains(&name);
        (!has_worked, !(reveals && is_encrypted && (has_worked || was_refused)))
    };
    open.into_iter().min_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, bool); 5] = [
        ("SCRAM-SHA-256", false),
        ("SCRAM-SHA-1", false),
        ("PLAIN", true),
        ("LOGIN", true),
        ("CRAM-MD5", false),
    ];
    const OPEN: [(&str, bool); 4] =
        [("SCRAM-SHA-256", false), ("CRAM-MD5", false), ("PLAIN", true), ("LOGIN", true)];

    /// Names of the methods that are tried if every try has this result.
    fn tried(
        methods: &[(&'static str, bool)],
        worked: &[&'static str],
        line: LineSecurity,
        is_refusal: bool,
    ) -> Vec<&'static str> {
        let mut tries = Vec::new();
        while let Some(index) = next(methods, &tries, worked, line) {
            let (name, reveals) = methods[index];
            tries.push(MethodResult { name, reveals, is_refusal });
        }
        tries.into_iter().map(|tried| tried.name).collect()
    }

    #[test]
    fn a_wrong_password_costs_few_refusals() {
        use LineSecurity::{ChosenClear, Encrypted};
        assert_eq!(tried(&ALL, &[], Encrypted, true), ["SCRAM-SHA-256", "PLAIN"]);
        assert_eq!(tried(&ALL, &["PLAIN"], Encrypted, true), ["PLAIN"]);
        assert_eq!(tried(&ALL, &["SCRAM-SHA-1"], Encrypted, true), ["SCRAM-SHA-1", "PLAIN"]);
        // Both have worked: the one that decides goes first.
        assert_eq!(tried(&ALL, &["SCRAM-SHA-256", "PLAIN"], Encrypted, true), ["PLAIN"]);
        assert_eq!(tried(&ALL[2..], &[], Encrypted, true), ["PLAIN"]);
        assert_eq!(tried(&[ALL[0], ALL[4]], &[], Encrypted, true), ["SCRAM-SHA-256", "CRAM-MD5"]);
        assert_eq!(tried(&OPEN, &[], ChosenClear, true), ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"]);
        assert_eq!(tried(&OPEN, &["PLAIN"], ChosenClear, true), ["PLAIN"]);
        // A proof that has worked keeps the password off the open line.
        assert_eq!(tried(&OPEN, &["PLAIN", "CRAM-MD5"], ChosenClear, true), ["CRAM-MD5", "PLAIN"]);
    }

    #[test]
    fn each_mechanism_that_is_missing_is_passed_over_once() {
        let all = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"];
        assert_eq!(tried(&ALL, &[], LineSecurity::Encrypted, false), all);
        // What worked elsewhere after a mechanism was missing changes nothing where it is there.
        assert_eq!(tried(&ALL[2..4], &["LOGIN"], LineSecurity::ChosenClear, true), ["PLAIN"]);
    }
}
