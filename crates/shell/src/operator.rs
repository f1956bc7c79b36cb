//! Operators between two values.

/// Operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    Xor,
    Compare(Comparison),
    /// True if case counts.
    Replace(bool),
    /// True if case counts.
    Split(bool),
    Join,
    /// True for `-isnot`.
    Is(bool),
    As,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Format,
    Range,
}

/// Precedence of operators, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Logical,
    Comparison,
    Additive,
    Multiplicative,
    Format,
    Range,
}

impl Operator {
    pub(crate) fn level(self) -> Level {
        match self {
            Self::And | Self::Or | Self::Xor => Level::Logical,
            Self::Compare(_) | Self::Replace(_) | Self::Split(_) | Self::Join | Self::Is(_) | Self::As => {
                Level::Comparison
            }
            Self::Add | Self::Subtract => Level::Additive,
            Self::Multiply | Self::Divide | Self::Remainder => Level::Multiplicative,
            Self::Format => Level::Format,
            Self::Range => Level::Range,
        }
    }
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
    Some(match name.to_ascii_lowercase().as_str() {
        "and" => Operator::And,
        "or" => Operator::Or,
        "xor" => Operator::Xor,
        "replace" | "ireplace" => Operator::Replace(false),
        "creplace" => Operator::Replace(true),
        "split" | "isplit" => Operator::Split(false),
        "csplit" => Operator::Split(true),
        "join" => Operator::Join,
        "is" => Operator::Is(false),
        "isnot" => Operator::Is(true),
        "as" => Operator::As,
        "f" => Operator::Format,
        _ => return comparison(name).map(Operator::Compare),
    })
}

/// Finds an operator by its sign.
pub(crate) fn sign(sign: char) -> Option<Operator> {
    Some(match sign {
        '+' => Operator::Add,
        '-' | '\u{2013}' | '\u{2014}' | '\u{2015}' => Operator::Subtract,
        '*' => Operator::Multiply,
        '/' => Operator::Divide,
        '%' => Operator::Remainder,
        _ => return None,
    })
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
    const LEFT_OUT: [&str; 6] = ["band", "bor", "bxor", "bnot", "shl", "shr"];
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
