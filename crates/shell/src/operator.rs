//! Operators of conditions.

/// Operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    Xor,
    Compare(Comparison),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) test: Test,
    /// True if the result of the test is inverted.
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
    /// The right value is an element of the left one.
    Contains,
    /// The left value is an element of the right one.
    In,
}

/// Finds an operator by its name without the dash.
pub(crate) fn find(name: &str) -> Option<Operator> {
    match name.to_ascii_lowercase().as_str() {
        "and" => Some(Operator::And),
        "or" => Some(Operator::Or),
        "xor" => Some(Operator::Xor),
        _ => comparison(name).map(Operator::Compare),
    }
}

/// Finds a comparison by its name: `eq`, or explicitly without (`ieq`) or with (`ceq`) regard to case.
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

/// True for an operator of PowerShell that this language does not have.
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
