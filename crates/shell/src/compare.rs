//! Comparisons and order of values.

use std::{cmp::Ordering, collections::HashMap, fmt::Write as _};

use regex::{Regex, RegexBuilder};
use serde_json::Number;

use crate::{
    limits::Bounds,
    number,
    operator::{Comparison, Test},
    text, times,
    value::{Form, Object, Value},
    wildcard::Wildcard,
};

/// Sizes of compiled regular expressions, in bytes. The last one is the maximum.
const REGEX_SIZES: [usize; 3] = [1 << 12, 1 << 16, 1 << 20];
/// Maximum product of the size of a regular expression and of the text. A search takes seconds at most.
const MAX_SEARCH: usize = 1 << 36;
/// Maximum product of the lengths of a wildcard pattern and of the text, and of a list and of the value beside it.
const MAX_PRODUCT: usize = 1 << 30;
/// Compiled regular expressions that are kept.
const MAX_REGEXES: usize = 32;

/// Regular expressions of a script, and the work of its comparisons. Each is compiled once, not for each value.
#[derive(Default)]
pub(crate) struct Regexes {
    compiled: HashMap<(String, bool), (Regex, usize)>,
    pub(crate) bounds: Bounds,
    /// Work since it was last taken, in bytes.
    work: usize,
}

impl Regexes {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Returns the work since the last call, in bytes.
    pub(crate) fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.work)
    }

    /// Returns a regular expression for a text of this length.
    ///
    /// Time is at most proportional to the product of both sizes: this engine does not go back.
    fn get(&mut self, pattern: &str, case_sensitive: bool, length: usize) -> Result<&Regex, String> {
        let key = (pattern.to_owned(), case_sensitive);
        if !self.compiled.contains_key(&key) {
            if self.compiled.len() >= MAX_REGEXES {
                self.compiled.clear();
            }
            let (regex, size) = compile(pattern, case_sensitive)?;
            self.work = self.work.saturating_add(size);
            self.compiled.insert(key.clone(), (regex, size));
        }
        let Some((regex, size)) = self.compiled.get(&key) else {
            return Err("the regular expression was lost".to_owned());
        };
        if size.saturating_mul(length) > MAX_SEARCH {
            return Err(format!(
                "a text of {} MB is too long for this regular expression; search its lines one by one",
                length >> 20
            ));
        }
        self.work = self.work.saturating_add((size / REGEX_SIZES[0]).saturating_mul(length));
        Ok(regex)
    }
}

/// Compiles a regular expression. Returns the first size that it fits in too.
fn compile(pattern: &str, case_sensitive: bool) -> Result<(Regex, usize), String> {
    let mut result = Err(String::new());
    for size in REGEX_SIZES {
        let compiled = RegexBuilder::new(pattern).case_insensitive(!case_sensitive).size_limit(size).build();
        match compiled {
            Ok(regex) => return Ok((regex, size)),
            Err(error) => result = Err(format!("the regular expression cannot be used: {error}")),
        }
    }
    result
}

impl Regexes {
    /// Returns the groups of the first match, as in `$Matches`.
    pub(crate) fn groups(&mut self, text: &str, pattern: &str, case_sensitive: bool) -> Option<Object> {
        let regex = self.get(pattern, case_sensitive, text.len()).ok()?;
        let found = regex.captures(text)?;
        let names = regex.capture_names().enumerate();
        let group = |(index, name): (usize, Option<&str>)| {
            let name = name.map_or_else(|| index.to_string(), ToOwned::to_owned);
            Some((name, found.get(index)?.as_str()))
        };
        Some(names.filter_map(group).collect::<Object>().with_form(Form::Table))
    }

    pub(crate) fn replace(
        &mut self,
        text: &str,
        pattern: &str,
        with: &str,
        case_sensitive: bool,
    ) -> Result<String, String> {
        let bounds = self.bounds;
        let regex = self.get(pattern, case_sensitive, text.len())?;
        let with = braced_groups(with);
        // A group is at most as long as the match.
        let groups = with.matches('$').count();
        let mut replaced = String::new();
        let mut last = 0;
        for found in regex.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            replaced.push_str(&text[last..whole.start()]);
            last = whole.end();
            let added = groups.saturating_mul(whole.len()).saturating_add(with.len());
            if replaced.len().saturating_add(added) > bounds.text {
                return Err("this text becomes too long".to_owned());
            }
            found.expand(&with, &mut replaced);
        }
        replaced.push_str(&text[last..]);
        if replaced.len() > bounds.text.max(text.len()) {
            return Err("this text becomes too long".to_owned());
        }
        Ok(replaced)
    }

    /// Splits a text. `most` is the maximum number of parts; 0 means all.
    pub(crate) fn split(
        &mut self,
        text: &str,
        pattern: &str,
        most: usize,
        case_sensitive: bool,
    ) -> Result<Vec<String>, String> {
        let items = self.bounds.items;
        let regex = self.get(pattern, case_sensitive, text.len())?;
        let most = if most == 0 { items + 1 } else { most };
        let parts: Vec<String> = regex.splitn(text, most).take(items + 1).map(ToOwned::to_owned).collect();
        if parts.len() > items { Err("this text has too many parts".to_owned()) } else { Ok(parts) }
    }

    /// Counts a comparison of each element of a list with one value.
    fn count_product(&mut self, one: usize, other: usize) -> Result<(), String> {
        let product = one.saturating_mul(other);
        if product > MAX_PRODUCT {
            return Err("this comparison takes too long; compare shorter texts or lists".to_owned());
        }
        self.work = self.work.saturating_add(product);
        Ok(())
    }

    fn is_like(&mut self, text: &str, pattern: &str, case_sensitive: bool) -> Result<bool, String> {
        self.count_product(text.len(), pattern.len())?;
        Ok(Wildcard::new(pattern, case_sensitive).matches(text))
    }
}

/// Length of a value that is compared with each element of a list.
fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(values) => values.len(),
        _ => 1,
    }
}

/// Writes `$1` as `${1}`, because a letter after it is no part of the name in PowerShell.
fn braced_groups(with: &str) -> String {
    let mut braced = String::new();
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        braced.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits > 0 {
            _ = write!(braced, "${{{}}}", &rest[..digits]);
        } else if rest.starts_with(['{', '$']) {
            braced.push('$');
            if rest.starts_with('$') {
                braced.push('$');
                rest = &rest[1..];
            }
        } else {
            braced.push_str("$$");
        }
        rest = &rest[digits..];
    }
    braced.push_str(rest);
    braced
}

/// Evaluates a comparison. With a list on the left, returns its elements that pass.
pub(crate) fn compare(
    left: &Value,
    comparison: Comparison,
    right: &Value,
    regexes: &mut Regexes,
) -> Result<Value, String> {
    let is_membership = matches!(comparison.test, Test::Contains | Test::In);
    let list = if comparison.test == Test::In { right } else { left };
    if let Value::List(values) = list {
        regexes
            .count_product(values.len(), length(if comparison.test == Test::In { left } else { right }))?;
    }
    match left {
        Value::List(values) if !is_membership => {
            let mut passed = Vec::new();
            for value in values {
                if holds(value, comparison, right, regexes)? {
                    passed.push(value.clone());
                }
            }
            Ok(Value::List(passed))
        }
        _ => holds(left, comparison, right, regexes).map(Value::Bool),
    }
}

fn holds(left: &Value, comparison: Comparison, right: &Value, regexes: &mut Regexes) -> Result<bool, String> {
    let case = comparison.case_sensitive;
    let ordered = |is: fn(Ordering) -> bool| {
        order(left, right, case).map(is).ok_or_else(|| not_comparable(left, right))
    };
    let among = |values: &Value, one: &Value| match values {
        Value::List(values) => values.iter().any(|value| equal(value, one, case)),
        value => equal(value, one, case),
    };
    let outcome = match comparison.test {
        Test::Equal => equal(left, right, case),
        Test::Greater => ordered(Ordering::is_gt)?,
        Test::GreaterOrEqual => ordered(Ordering::is_ge)?,
        Test::Less => ordered(Ordering::is_lt)?,
        Test::LessOrEqual => ordered(Ordering::is_le)?,
        Test::Like => regexes.is_like(&text::interpolate(left), &text::interpolate(right), case)?,
        Test::Match => {
            let left = text::interpolate(left);
            regexes.get(&text::interpolate(right), case, left.len())?.is_match(&left)
        }
        Test::Contains => among(left, right),
        Test::In => among(right, left),
    };
    Ok(outcome != comparison.negated)
}

fn not_comparable(left: &Value, right: &Value) -> String {
    let (left, right) = (text::show(left), text::show(right));
    let is_moment = |text: &str| times::exact_moment(text).is_some();
    let hint = if is_moment(&left) || is_moment(&right) {
        ": one is a date, and the other is none in a form that is known here, such as '2026-12-31 18:00' or '12/31/2026 6:00 PM'"
    } else {
        ""
    };
    format!("`{left}` and `{right}` cannot be compared{hint}")
}

fn equal(left: &Value, right: &Value, case_sensitive: bool) -> bool {
    match order(left, right, case_sensitive) {
        Some(order) => order.is_eq(),
        None => left == right,
    }
}

/// Returns the order of two values. The type of the left one determines the comparison.
///
/// Numbers and dates in text are compared as numbers and dates: `"10"` is greater than `9`.
fn order(left: &Value, right: &Value, case_sensitive: bool) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) => Some(Ordering::Less),
        (_, Value::Null) => Some(Ordering::Greater),
        (Value::Bool(left), right) => Some(left.cmp(&right.is_true())),
        (Value::Number(left), Value::Bool(right)) => order_numbers(left, &Number::from(u8::from(*right))),
        (Value::Number(left), Value::Number(right)) => order_numbers(left, right),
        (Value::Number(left), Value::Text(right)) => order_numbers(left, &number::parse(right.trim())?),
        (Value::Text(text), Value::Number(right)) => match number::parse(text.trim()) {
            Some(left) => order_numbers(&left, right),
            None => Some(order_texts(text, &text::show(&Value::Number(right.clone())), case_sensitive)),
        },
        (Value::Text(left), Value::Bool(_)) => Some(order_texts(left, &text::show(right), case_sensitive)),
        (Value::Text(left), Value::Text(right)) => {
            let times = times::moment(left).zip(times::moment(right)).map(|(left, right)| left.cmp(&right));
            // A date and a text that is none have no order.
            if times.is_none()
                && (times::exact_moment(left).is_some() || times::exact_moment(right).is_some())
            {
                return None;
            }
            let spans = || times::span(left).zip(times::span(right)).map(|(left, right)| left.cmp(&right));
            Some(times.or_else(spans).unwrap_or_else(|| order_texts(left, right, case_sensitive)))
        }
        _ => None,
    }
}

fn order_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn order_texts(left: &str, right: &str, case_sensitive: bool) -> Ordering {
    if case_sensitive { left.cmp(right) } else { left.to_lowercase().cmp(&right.to_lowercase()) }
}

/// Sort key of `Sort-Object`. Values of types that cannot be compared are grouped by type.
#[derive(Clone, Debug)]
pub(crate) enum SortKey {
    Nothing,
    Bool(bool),
    Number(f64, i128),
    Moment(jiff::Timestamp),
    Span(i128),
    Text(String),
}

impl SortKey {
    pub(crate) fn new(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(is) => Self::Bool(*is),
            Value::Number(number) => {
                Self::Number(number.as_f64().unwrap_or_default(), number.as_i128().unwrap_or_default())
            }
            Value::Text(text) => times::moment(text)
                .map(Self::Moment)
                .or_else(|| times::span(text).map(Self::Span))
                .unwrap_or_else(|| Self::Text(text.to_lowercase())),
            value => Self::Text(text::show(value).to_lowercase()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Bool(_) => 1,
            Self::Number(..) => 2,
            Self::Moment(_) => 3,
            Self::Span(_) => 4,
            Self::Text(_) => 5,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Number(one, whole), Self::Number(other, other_whole)) => {
                one.total_cmp(other).then(whole.cmp(other_whole))
            }
            (Self::Moment(one), Self::Moment(other)) => one.cmp(other),
            (Self::Span(one), Self::Span(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operator;

    fn check(left: &serde_json::Value, operator: &str, right: &serde_json::Value) -> Result<Value, String> {
        let comparison = operator::comparison(operator).unwrap();
        compare(&left.clone().into(), comparison, &right.clone().into(), &mut Regexes::default())
    }

    #[test]
    fn comparisons() {
        for (left, operator, right, outcome) in [
            (json!("Failed"), "eq", json!("failed"), true),
            (json!("Failed"), "ceq", json!("failed"), false),
            (json!("Failed"), "ne", json!("Synced"), true),
            (json!(10), "gt", json!(9), true),
            (json!("10"), "gt", json!(9), true),
            (json!(10), "gt", json!("9"), true),
            (json!(9.5), "lt", json!(10), true),
            (json!("b"), "gt", json!("A"), true),
            (json!("2026-11-02T08:00:00Z"), "lt", json!("2026-11-02T07:30:00-01:00"), true),
            (json!("9.00:00:00"), "lt", json!("10.00:00:00"), true),
            (json!(null), "eq", json!(null), true),
            (json!(null), "eq", json!(""), false),
            (json!(null), "lt", json!(0), true),
            (json!(true), "eq", json!("yes"), true),
            (json!("False"), "eq", json!(false), true),
            (json!(5), "eq", json!("five"), false),
            (json!("ann@a.b"), "like", json!("*@A.*"), true),
            (json!("ann@a.b"), "notlike", json!("*@A.*"), false),
            (json!("ann@a.b"), "match", json!("^A.+b$"), true),
            (json!("ann@a.b"), "cmatch", json!("^A"), false),
            (json!("ann@a.b"), "notmatch", json!("c"), true),
            (json!("b"), "in", json!(["A", "B"]), true),
            (json!("b"), "notin", json!(["A", "B"]), false),
            (json!(["A", "B"]), "contains", json!("b"), true),
            (json!("AB"), "contains", json!("b"), false),
            (json!(["A"]), "notcontains", json!("b"), true),
        ] {
            assert_eq!(
                check(&left, operator, &right),
                Ok(Value::Bool(outcome)),
                "{left} -{operator} {right}"
            );
        }
    }

    #[test]
    fn a_list_on_the_left_is_filtered() {
        assert_eq!(check(&json!([1, 5, 9]), "gt", &json!(4)), Ok(json!([5, 9]).into()));
        assert_eq!(check(&json!(["a"]), "eq", &json!("b")), Ok(json!([]).into()));
    }

    #[test]
    fn values_that_cannot_be_compared_are_an_error() {
        assert!(check(&json!(5), "gt", &json!("five")).is_err());
        assert!(check(&json!({}), "lt", &json!(1)).is_err());
        assert!(check(&json!("a"), "match", &json!("(")).unwrap_err().contains("regular expression"));
        assert!(check(&json!("a"), "match", &json!("(a{1000}){1000}")).is_err());
    }

    #[test]
    fn sort_keys_have_one_order_for_all_kinds() {
        let values =
            json!(["b", 10, null, "2026-01-02", "A", 9, true, "00:05:00", [1], 2.5, "2025-12-31T00:00:00Z"]);
        let Value::List(mut values) = Value::from(values) else { unreachable!() };
        values.sort_by_key(SortKey::new);
        let sorted =
            json!([null, true, 2.5, 9, 10, "2025-12-31T00:00:00Z", "2026-01-02", "00:05:00", "A", "b", [1]]);
        assert_eq!(Value::List(values), sorted.into());
    }
}
