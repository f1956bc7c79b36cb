//! Generated mail for tests and demonstrations, the same in each run.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_mail::{Flags, InternalDate};

const PEOPLE: [&str; 6] =
    ["Terry Adams", "Ann Beebe", "Paul Cannon", "Jörg Müller", "Yamada Hanako", "Ines Ruiz"];
const WORDS: [&str; 24] = [
    "report", "meeting", "budget", "harbour", "window", "invoice", "Tuesday", "garden", "draft", "contract",
    "train", "figures", "please", "tomorrow", "answer", "library", "lunch", "question", "season", "review",
    "keys", "printer", "holiday", "thanks",
];
const FLAGS: [&str; 8] = [
    "",
    "\\Seen",
    "\\Seen",
    "\\Seen \\Answered",
    "\\Flagged \\Seen",
    "\\Draft",
    "\\Seen $Forwarded",
    "\\Seen Projekt NonJunk",
];
const ZONES: [i16; 4] = [0, 120, -450, 345];

/// A generator of messages, flags and dates from one number.
#[derive(Clone, Debug)]
pub struct Mailmaker {
    state: u64,
    made: u32,
    name: u64,
}

impl Mailmaker {
    /// Creates a generator. Another seed makes other mail.
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, made: 0, name: seed }
    }

    /// The next number below `limit` (splitmix64).
    pub fn number(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        let index = usize::try_from(self.number(from.len() as u64)).unwrap();
        from[index]
    }

    /// A message of about this many bytes. From 20,000 on most of it is an attachment.
    pub fn message(&mut self, octets: usize) -> Vec<u8> {
        self.made += 1;
        let (from, to) = (self.pick(&PEOPLE), self.pick(&PEOPLE));
        let (first, second) = (self.pick(&WORDS), self.pick(&WORDS));
        let number = self.made;
        let mut text = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: Mon, {} Mar 2024 {:02}:{:02}:00 +0100\r\n\
             Message-ID: <{}.{number}@mailmaker.example>\r\nMIME-Version: 1.0\r\n",
            address(from),
            address(to),
            encoded(&format!("{first} {second} {number}")),
            1 + number % 28,
            number % 24,
            number % 60,
            self.name,
        );
        let is_attached = octets >= 20_000;
        if is_attached {
            text.push_str("Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\n");
        }
        text.push_str("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        let prose = if is_attached { 500 } else { octets.saturating_sub(text.len()) };
        self.prose(&mut text, prose);
        if is_attached {
            text.push_str(
                "--part\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; \
                 filename=\"figures.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            );
            while text.len() + 80 < octets {
                let octets: Vec<u8> =
                    (0..8).flat_map(|_| self.number(u64::MAX).to_le_bytes()).take(57).collect();
                text.push_str(&STANDARD.encode(octets));
                text.push_str("\r\n");
            }
            text.push_str("--part--\r\n");
        }
        text.into_bytes()
    }

    fn prose(&mut self, text: &mut String, octets: usize) {
        let end = text.len() + octets;
        while text.len() < end {
            for _ in 0..8 {
                let word = self.pick(&WORDS);
                write!(text, "{word} ").unwrap();
            }
            text.push_str("\r\n");
        }
    }

    /// Sizes as in real mailboxes: half below 10 KB, one in a hundred of some hundred KB, few of some MB.
    pub fn size(&mut self) -> usize {
        let (low, high) = match self.number(1000) {
            0..=2 => (1_000_000, 5_000_000),
            3..=19 => (100_000, 600_000),
            20..=199 => (20_000, 80_000),
            200..=499 => (8_000, 20_000),
            _ => (1_000, 9_000),
        };
        usize::try_from(low + self.number(high - low)).unwrap()
    }

    /// A message without the header fields that identify it.
    pub fn nameless(&mut self) -> Vec<u8> {
        let mut text = "X-Origin: scanner\r\n\r\n".to_owned();
        self.prose(&mut text, 300);
        text.into_bytes()
    }

    /// Flags and keywords.
    pub fn flags(&mut self) -> Flags {
        self.pick(&FLAGS).split_whitespace().collect()
    }

    /// An INTERNALDATE in one of several zones.
    pub fn date(&mut self) -> InternalDate {
        let seconds = 1_000_000_000 + i64::try_from(self.number(700_000_000)).unwrap();
        let zone = ZONES[usize::try_from(self.number(ZONES.len() as u64)).unwrap()];
        InternalDate::new(seconds, zone).unwrap()
    }

    /// A message with flags and a date.
    pub fn item(&mut self, octets: usize) -> (Vec<u8>, Flags, InternalDate) {
        (self.message(octets), self.flags(), self.date())
    }
}

fn encoded(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { format!("=?utf-8?B?{}?=", STANDARD.encode(text)) }
}

fn address(name: &str) -> String {
    let local: String = name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    format!("{} <{local}@contoso.example>", encoded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_same_each_time_and_well_formed() {
        let (mut one, mut other) = (Mailmaker::new(7), Mailmaker::new(7));
        for octets in [300, 9_000, 50_000] {
            let message = one.message(octets);
            assert_eq!(message, other.message(octets));
            assert!(message.len().abs_diff(octets) < 800, "{} for {octets}", message.len());
            let text = String::from_utf8(message).unwrap();
            assert!(
                text.ends_with("\r\n")
                    && text.split("\r\n").all(|line| !line.contains(['\r', '\n']) && line.len() < 998)
            );
        }
        assert_ne!(Mailmaker::new(8).message(300), Mailmaker::new(7).message(300));
    }
}
