//! The messages that a target accepts in APPEND.

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Retry, Scope};

/// Rules for all messages of one folder over one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendRules {
    /// Size of the largest message (bytes).
    pub(crate) largest: Option<u64>,
    /// Longest line (bytes).
    pub(crate) longest_line: Option<usize>,
    /// Flags are set after the message has arrived.
    pub(crate) sets_flags_later: bool,
    /// Number of refused commands before the server disconnects.
    pub(crate) allowance: Option<u32>,
}

impl AppendRules {
    /// Reason not to send the message; `None` if it can be sent. `line` is 0 while it is unknown.
    pub(crate) fn refusal(&self, octets: u64, line: usize) -> Option<Error> {
        if let Some(largest) = self.largest.filter(|largest| octets > *largest) {
            let words = format!("the message has {octets} bytes, and the target accepts at most {largest}");
            return Some(Error::new(Scope::Message, Retry::Never, ErrorKind::TooLarge, words));
        }
        let longest = self.longest_line.filter(|longest| line > *longest)?;
        let words =
            format!("its longest line has {line} bytes, and the target refuses lines of more than {longest}");
        Some(Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, words))
    }

    /// Hint for the server's words about a message with a long line. The exact limit of the server is
    /// unknown.
    pub(crate) fn hint(&self, line: usize) -> Option<String> {
        let longest = self.longest_line.filter(|longest| line > longest - longest / 10)?;
        Some(format!("; its longest line has {line} bytes, and this kind of server accepts about {longest}"))
    }

    /// A ruler, if lines must be measured.
    pub(crate) fn ruler(&self) -> Option<Ruler> {
        self.longest_line.map(|_| Ruler::default())
    }
}

/// Measures the lines of a message as it passes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ruler {
    longest: usize,
    /// Bytes of the current line.
    open: usize,
    /// True after a CR, which belongs to the line only if no LF follows.
    is_after_cr: bool,
}

impl Ruler {
    /// Measures the next bytes, in pieces of any size.
    pub(crate) fn measure(&mut self, octets: &[u8]) {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            let held = usize::from(self.is_after_cr);
            match line {
                [text @ .., b'\n'] => {
                    let ends_with_cr = text.last() == Some(&b'\r');
                    let before = if text.is_empty() { 0 } else { held };
                    self.longest =
                        self.longest.max(self.open + before + text.len() - usize::from(ends_with_cr));
                    (self.open, self.is_after_cr) = (0, false);
                }
                text => {
                    self.is_after_cr = text.last() == Some(&b'\r');
                    self.open += held + text.len() - usize::from(self.is_after_cr);
                }
            }
        }
    }

    /// The longest line so far (bytes).
    pub(crate) fn longest(&self) -> usize {
        self.longest.max(self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_measured_in_pieces_of_any_size() {
        let message = b"ab\r\n\r\nlonger\rline\r\nshort\nthe last one is 23 long";
        for size in 1..message.len() {
            let mut ruler = Ruler::default();
            message.chunks(size).for_each(|piece| ruler.measure(piece));
            assert_eq!(ruler.longest(), 23, "pieces of {size}");
            let mut ruler = Ruler::default();
            message[..20].chunks(size).for_each(|piece| ruler.measure(piece));
            assert_eq!(ruler.longest(), 11, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_with_both_figures() {
        let rules = AppendRules {
            largest: Some(100),
            longest_line: Some(10),
            sets_flags_later: false,
            allowance: None,
        };
        let words = |octets, line| rules.refusal(octets, line).map(|it| it.message);
        assert_eq!(words(100, 10), None);
        assert!(words(101, 10).unwrap().contains("has 101 bytes, and the target accepts at most 100"));
        assert!(words(100, 11).unwrap().contains("has 11 bytes"));
        assert!(rules.hint(10).is_some() && rules.hint(9).is_none());
    }
}
