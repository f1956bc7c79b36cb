//! What a target demands of the messages that it is given.

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Retry, Scope};

/// What holds for all messages that go into one folder over one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppendRules {
    /// Octets of the largest message.
    pub(crate) largest: Option<u64>,
    /// Octets of the longest line.
    pub(crate) longest_line: Option<usize>,
    /// Flags are set after the message has arrived.
    pub(crate) sets_flags_later: bool,
    /// So many commands may be refused before the server hangs up.
    pub(crate) allowance: Option<u32>,
}

impl AppendRules {
    /// Why the message is not even sent; `None` where it is. The line is 0 where nobody knows it yet.
    pub(crate) fn refusal(&self, octets: u64, line: usize) -> Option<Error> {
        if let Some(largest) = self.largest.filter(|largest| octets > *largest) {
            let words =
                format!("the message has {octets} octets, and the target takes {largest} octets at most");
            return Some(Error::new(Scope::Message, Retry::Never, ErrorKind::TooLarge, words));
        }
        let longest = self.longest_line.filter(|longest| line > *longest)?;
        let words = format!(
            "its longest line has {line} octets, and the target refuses messages with lines of more than {longest}"
        );
        Some(Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, words))
    }

    /// What may be added to the server's words about a message that was sent: where the limit lies is not known to the
    /// octet.
    pub(crate) fn hint(&self, line: usize) -> Option<String> {
        let longest = self.longest_line.filter(|longest| line > longest - longest / 10)?;
        Some(format!(
            "; its longest line has {line} octets, and this kind of server takes about {longest} at most"
        ))
    }

    /// A ruler, where lines are to be measured.
    pub(crate) fn ruler(&self) -> Option<Ruler> {
        self.longest_line.map(|_| Ruler::default())
    }
}

/// Measures the lines of a message that goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ruler {
    longest: usize,
    /// Octets of the line that has not ended.
    open: usize,
    /// The last octet was a CR: it belongs to the line only if no LF follows.
    is_after_cr: bool,
}

impl Ruler {
    /// The next octets, in pieces of any size.
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

    /// Octets of the longest line until here.
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
        assert!(words(101, 10).unwrap().contains("has 101 octets, and the target takes 100"));
        assert!(words(100, 11).unwrap().contains("has 11 octets"));
        assert!(rules.hint(10).is_some() && rules.hint(9).is_none());
    }
}
