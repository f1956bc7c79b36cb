//! The operators of conditions.

/// What stands between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    Xor,
    Compare(Comparison),
}

/// A comparison, with or without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) test: Test,
    /// The test's outcome is turned round.
    pub(crate) negated: bool,
    pub(crate) case_sensitive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    Match,
    /// The right one is among the left ones.
    Contains,
    /// The left one is among the right ones.
    In,
}

/// The operator of this name, which has no dash.
pub(crate) fn find(name: &str) -> Option<Operator> {
    match name.to_ascii_lowercase().as_str() {
        "and" => Some(Operator::And),
        "or" => Some(Operator::Or),
        "xor" => Some(Operator::Xor),
        _ => comparison(name).map(Operator::Compare),
    }
}

/// The comparison of this name: `eq`, or `ieq` and `ceq` for one that is expressly without or with regard to case.
pub(crate) fn comparison(name: &str) -> Option<Comparison> {
    let name = name.to_ascii_lowercase();
    let plain = |name: &str, case_sensitive| {
        let (test, negated) = match name {
            "eq" => (Test::Equal, false),
            "ne" => (Test::Equal, true),
            "gt" => (Test::Greater, false),
            "ge" => (Test::GreaterOrEqual, false),
            "lt" => (Test::Less, false),
            "le" => (Test::LessOrEqual, false),
            "like" => (Test::Like, false),
            "notlike" => (Test::Like, true),
            "match" => (Test::Match, false),
            "notmatch" => (Test::Match, true),
            "contains" => (Test::Contains, false),
            "notcontains" => (Test::Contains, true),
            "in" => (Test::In, false),
            "notin" => (Test::In, true),
            _ => return None,
        };
        Some(Comparison { test, negated, case_sensitive })
    };
    plain(&name, false)
        .or_else(|| plain(name.strip_prefix('i')?, false))
        .or_else(|| plain(name.strip_prefix('c')?, true))
}

/// Whether PowerShell has an operator of this name that this language leaves out.
pub(crate) fn is_left_out(name: &str) -> bool {
    const LEFT_OUT: [&str; 14] = [
        "replace", "split", "join", "f", "is", "isnot", "as", "band", "bor", "bxor", "bnot", "shl", "shr",
        "creplace",
    ];
    LEFT_OUT.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_comparisons() {
        let equal = |case_sensitive| Some(Comparison { test: Test::Equal, negated: false, case_sensitive });
        assert_eq!(comparison("EQ"), equal(false));
        assert_eq!(comparison("ieq"), equal(false));
        assert_eq!(comparison("ceq"), equal(true));
        assert_eq!(comparison("in").map(|found| found.test), Some(Test::In));
        assert_eq!(comparison("contains").map(|found| found.test), Some(Test::Contains));
        assert_eq!(comparison("and"), None);
        assert_eq!(comparison("equals"), None);
    }
}
