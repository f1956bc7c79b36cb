//! `-ContentFilter`: selects messages by their time of arrival, in Exchange's filter language
//! (OPATH).
//!
//! `Received -ge '2024-01-01' -and -not (Received -gt '12/31/2024 11:59 PM')`.
//!
//! There is one property, six operators, `-and`, `-or`, `-not` (or `!`) and parentheses. So a
//! filter is a set of times.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use mailhaul_engine::Received;

/// Maximum depth of parentheses.
const MAX_DEPTH: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ContentFilter, character {position}: {problem}")]
pub struct FilterError {
    /// Character, counted from 1.
    pub position: usize,
    pub problem: String,
}

/// Parses a filter; times without a zone are in `zone`.
///
/// Times are rounded down to the second. A day without a time is its first moment. With `-eq` and
/// `-ne` it is the whole day.
pub fn content_filter(text: &str, zone: &TimeZone) -> Result<Received, FilterError> {
    let mut reader = Reader { words: words(text)?, next: 0, end: text.chars().count() + 1, zone };
    let received = reader.either(0)?;
    match reader.words.get(reader.next) {
        None => Ok(received),
        Some(word) => {
            Err(error(word.position, format!("\"{}\" follows, where -and or -or was expected", word.text)))
        }
    }
}

fn error(position: usize, problem: impl Into<String>) -> FilterError {
    FilterError { position, problem: problem.into() }
}

struct Word {
    text: String,
    position: usize,
    is_quoted: bool,
}

fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut words = Vec::new();
    let mut characters = text.chars().zip(1..).peekable();
    while let Some((character, position)) = characters.next() {
        let mut word = Word { text: character.to_string(), position, is_quoted: false };
        match character {
            _ if character.is_whitespace() => continue,
            '(' | ')' | '!' => {}
            '\'' | '"' => {
                word = Word { text: String::new(), position, is_quoted: true };
                loop {
                    match characters.next() {
                        Some((quote, _)) if quote == character => break,
                        Some((inside, _)) => word.text.push(inside),
                        None => return Err(error(position, "this quote is never closed")),
                    }
                }
            }
            _ => {
                while let Some((inside, _)) =
                    characters.next_if(|(it, _)| !it.is_whitespace() && !matches!(it, '(' | ')' | '\'' | '"'))
                {
                    word.text.push(inside);
                }
            }
        }
        words.push(word);
    }
    Ok(words)
}

struct Reader<'a> {
    words: Vec<Word>,
    next: usize,
    end: usize,
    zone: &'a TimeZone,
}

impl Reader<'_> {
    fn take(&mut self, wanted: &str) -> bool {
        let is_there = self
            .words
            .get(self.next)
            .is_some_and(|word| !word.is_quoted && word.text.eq_ignore_ascii_case(wanted));
        self.next += usize::from(is_there);
        is_there
    }

    fn either(&mut self, depth: usize) -> Result<Received, FilterError> {
        let mut all = self.both(depth)?;
        while self.take("-or") {
            all = all.or(&self.both(depth)?);
        }
        Ok(all)
    }

    fn both(&mut self, depth: usize) -> Result<Received, FilterError> {
        let mut all = self.one(depth)?;
        while self.take("-and") {
            all = all.and(&self.one(depth)?);
        }
        Ok(all)
    }

    fn one(&mut self, depth: usize) -> Result<Received, FilterError> {
        let position = self.position();
        if depth > MAX_DEPTH {
            return Err(error(position, format!("more than {MAX_DEPTH} levels of parentheses")));
        }
        if self.take("-not") || self.take("!") {
            return Ok(self.one(depth + 1)?.not());
        }
        if self.take("(") {
            let inside = self.either(depth + 1)?;
            return if self.take(")") { Ok(inside) } else { Err(error(self.position(), "\")\" is missing")) };
        }
        self.comparison()
    }

    fn position(&self) -> usize {
        self.words.get(self.next).map_or(self.end, |word| word.position)
    }

    fn comparison(&mut self) -> Result<Received, FilterError> {
        let position = self.position();
        if !self.take("Received") {
            let found =
                self.words.get(self.next).map_or("nothing".to_owned(), |it| format!("\"{}\"", it.text));
            return Err(error(position, format!("the property Received was expected instead of {found}")));
        }
        let position = self.position();
        let operators = ["-gt", "-ge", "-lt", "-le", "-eq", "-ne"];
        let Some(operator) = operators.into_iter().find(|it| self.take(it)) else {
            return Err(error(position, format!("one of {} was expected", operators.join(", "))));
        };
        let position = self.position();
        let moment = self.moment().map_err(|problem| error(position, problem))?;
        // In whole seconds: times after this second begin with the next one.
        let next = moment.first.saturating_add(1);
        Ok(match operator {
            "-gt" => Received::since(next),
            "-ge" => Received::since(moment.first),
            "-lt" => Received::before(moment.first),
            "-le" => Received::before(next),
            "-eq" => Received::between(moment.first, moment.end),
            _ => Received::between(moment.first, moment.end).not(),
        })
    }

    /// Parses a quoted text, or words up to the next operator or parenthesis.
    fn moment(&mut self) -> Result<Moment, String> {
        let Some(first) = self.words.get(self.next) else {
            return Err("a date was expected".to_owned());
        };
        let mut text = first.text.clone();
        let is_quoted = first.is_quoted;
        self.next += 1;
        while !is_quoted
            && let Some(word) = self.words.get(self.next)
            && !word.is_quoted
            && !word.text.starts_with(['-', '(', ')', '!'])
        {
            text = format!("{text} {}", word.text);
            self.next += 1;
        }
        moment(&text, self.zone)
    }
}

struct Moment {
    first: i64,
    end: i64,
}

const FORMS: &str =
    "write 2024-12-31, 2024-12-31T08:00:00Z, '2024-12-31 08:00', 12/31/2024 or '12/31/2024 11:59 PM'";

fn moment(text: &str, zone: &TimeZone) -> Result<Moment, String> {
    let text = text.trim();
    let wrong = || format!("\"{text}\" is not a date; {FORMS}");
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(Moment { first: timestamp.as_second(), end: timestamp.as_second() + 1 });
    }
    let seconds = |at: DateTime| {
        at.to_zoned(zone.clone()).map(|it| it.timestamp().as_second()).map_err(|error| error.to_string())
    };
    let formats = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
    ];
    if let Some(at) = formats.iter().find_map(|format| DateTime::strptime(format, text).ok()) {
        let first = seconds(at)?;
        return Ok(Moment { first, end: first + 1 });
    }
    let day = ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y"]
        .iter()
        .find_map(|format| jiff::civil::Date::strptime(format, text).ok())
        .ok_or_else(wrong)?;
    let tomorrow = day.tomorrow().map_err(|error| error.to_string())?;
    Ok(Moment { first: seconds(day.at(0, 0, 0, 0))?, end: seconds(tomorrow.at(0, 0, 0, 0))? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn holds(filter: &str, moment: &str) -> bool {
        content_filter(filter, &TimeZone::UTC).unwrap().contains(at(moment))
    }

    #[test]
    fn the_operators() {
        for (filter, moment, expected) in [
            ("Received -gt '2024-01-01'", "2024-01-01T00:00:00Z", false),
            ("Received -gt '2024-01-01'", "2024-01-01T00:00:01Z", true),
            ("received -GE 2024-01-01", "2024-01-01T00:00:00Z", true),
            ("Received -lt 1/2/2024", "2024-01-01T23:59:59Z", true),
            ("Received -lt 1/2/2024", "2024-01-02T00:00:00Z", false),
            ("Received -ge '2019/4/30'", "2019-04-30T00:00:00Z", true),
            ("Received -ge '2019/4/30'", "2019-04-29T23:59:59Z", false),
            ("Received -lt '2019/4/30 8:30'", "2019-04-30T08:29:59Z", true),
            ("Received -le '12/31/2024 11:59 PM'", "2024-12-31T23:59:00Z", true),
            ("Received -le '12/31/2024 11:59 PM'", "2024-12-31T23:59:01Z", false),
            ("Received -le 12/31/2024 11:59 PM -and Received -gt 2024-01-01", "2024-06-01T00:00:00Z", true),
            ("Received -eq 2024-02-29", "2024-02-29T13:00:00Z", true),
            ("Received -ne 2024-02-29", "2024-02-29T13:00:00Z", false),
            ("Received -eq \"2024-02-29T13:00:00Z\"", "2024-02-29T13:00:01Z", false),
            ("-not (Received -gt 2024-01-01)", "2023-01-01T00:00:00Z", true),
            ("!(Received -gt 2024-01-01)", "2025-01-01T00:00:00Z", false),
            ("Received -lt 2020-01-01 -or Received -ge 2024-01-01", "2022-01-01T00:00:00Z", false),
            // -and binds closer than -or.
            (
                "Received -lt 2020-01-01 -or Received -ge 2024-01-01 -and Received -lt 2025-01-01",
                "2019-01-01T00:00:00Z",
                true,
            ),
            (
                "(Received -lt 2020-01-01 -or Received -ge 2024-01-01) -and Received -lt 2019-06-01",
                "2019-07-01T00:00:00Z",
                false,
            ),
        ] {
            assert_eq!(holds(filter, moment), expected, "{filter} at {moment}");
        }
    }

    #[test]
    fn times_are_in_the_zone_of_the_batch() {
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        let received = content_filter("Received -ge '2024-01-01 00:00'", &zone).unwrap();
        assert!(received.contains(at("2024-01-01T08:00:00Z")));
        assert!(!received.contains(at("2024-01-01T07:59:59Z")));
    }

    #[test]
    fn a_refusal_says_where_and_what() {
        for (filter, position, words) in [
            ("", 1, "property Received"),
            ("Subject -eq 'x'", 1, "\"Subject\""),
            ("Received -like 'x'", 10, "-gt, -ge"),
            ("Received -gt", 13, "a date was expected"),
            ("Received -gt 'yesterday'", 14, "\"yesterday\" is not a date"),
            ("Received -gt '2024-01-01", 14, "never closed"),
            ("(Received -gt 2024-01-01", 25, "\")\" is missing"),
            ("Received -gt 2024-01-01 )", 25, "-and or -or"),
            ("Received -gt 2024-02-30", 14, "not a date"),
        ] {
            let error = content_filter(filter, &TimeZone::UTC).unwrap_err();
            assert_eq!(error.position, position, "{filter}: {error}");
            assert!(error.problem.contains(words), "{filter}: {error}");
        }
        assert!(content_filter(&"(".repeat(100_000), &TimeZone::UTC).is_err());
        assert!(content_filter(&"!".repeat(100_000), &TimeZone::UTC).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error(text in ".{0,40}") {
            let _either = content_filter(&text, &TimeZone::UTC);
        }
    }
}
