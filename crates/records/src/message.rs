//! Messages of DNS, as far as mail needs them (RFC 1035, section 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

use crate::trouble::Trouble;

/// Class of the Internet.
const CLASS_IN: u16 = 1;
/// Longest name on the wire (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
/// Pointers in one name. Each must lead back, so more are an attack.
const MAX_POINTERS: usize = 64;

/// Type of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
}

/// Name in the form in which hosts are compared: ASCII, lower case, without the final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: Name,
    pub(crate) ttl: u32,
    pub(crate) data: Data,
}

/// Content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Address(IpAddr),
    Ns(Name),
    Cname(Name),
    Soa,
    Mx(u16, Name),
    Txt(Vec<u8>),
    /// A record of another type, or class.
    Other,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u16,
    pub(crate) is_answer: bool,
    pub(crate) is_authoritative: bool,
    pub(crate) is_truncated: bool,
    pub(crate) code: u8,
    /// Name and type of the question, if the server repeated one.
    pub(crate) question: Option<(Name, u16)>,
    pub(crate) answers: Vec<Record>,
    pub(crate) authorities: Vec<Record>,
}

impl Name {
    /// Reads a domain name, also one in letters of other scripts (IDNA).
    pub(crate) fn parse(domain: &str) -> Result<Self, Trouble> {
        let bad = || Trouble::BadName(domain.to_owned());
        let Ok(Host::Domain(name)) = Host::parse(domain.trim_end_matches('.')) else { return Err(bad()) };
        let is_fine = |label: &str| !label.is_empty() && label.len() <= MAX_LABEL;
        if name.len() + 2 > MAX_NAME || !name.is_ascii() || !name.split('.').all(is_fine) {
            return Err(bad());
        }
        Ok(Self(name.to_ascii_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the root, and for the host of a null MX.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the other name is this one, or below it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        let rest = other.0.strip_suffix(&self.0);
        self.is_root() || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    fn write(&self, octets: &mut Vec<u8>) {
        for label in self.0.split('.').filter(|label| !label.is_empty()) {
            // A parsed name has no longer label.
            octets.push(u8::try_from(label.len()).unwrap_or(0));
            octets.extend_from_slice(label.as_bytes());
        }
        octets.push(0);
    }
}

/// Writes a question.
pub(crate) fn question(id: u16, name: &Name, kind: Kind, is_recursive: bool) -> Vec<u8> {
    let flags: u16 = if is_recursive { 0x0100 } else { 0 };
    let mut octets = Vec::with_capacity(name.0.len() + 18);
    for number in [id, flags, 1, 0, 0, 0] {
        octets.extend_from_slice(&number.to_be_bytes());
    }
    name.write(&mut octets);
    for number in [kind as u16, CLASS_IN] {
        octets.extend_from_slice(&number.to_be_bytes());
    }
    octets
}

impl Message {
    /// Reads a message; `None` if it is none. Records that are cut off make it none, but for a truncated answer.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader { octets, at: 0 };
        let (id, flags) = (reader.number()?, reader.number()?);
        let [questions, answers, authorities, _] =
            [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
        let mut message = Self {
            id,
            is_answer: flags & 0x8000 != 0,
            is_authoritative: flags & 0x0400 != 0,
            is_truncated: flags & 0x0200 != 0,
            code: flags.to_be_bytes()[1] & 0x0f,
            question: None,
            answers: Vec::new(),
            authorities: Vec::new(),
        };
        if message.is_truncated {
            return Some(message);
        }
        for _ in 0..questions {
            let (name, kind, _) = (reader.name()?, reader.number()?, reader.number()?);
            message.question = Some((name, kind));
        }
        for _ in 0..answers {
            message.answers.push(reader.record()?);
        }
        for _ in 0..authorities {
            message.authorities.push(reader.record()?);
        }
        Some(message)
    }
}

/// Reads the parts of a message.
struct Reader<'m> {
    octets: &'m [u8],
    at: usize,
}

impl<'m> Reader<'m> {
    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let part = self.octets.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(part)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// Reads a name, which may continue at an earlier place (RFC 1035, section 4.1.4).
    fn name(&mut self) -> Option<Name> {
        let mut name = String::new();
        let mut end = None;
        let mut at = self.at;
        let mut pointers = 0;
        loop {
            let length = usize::from(*self.octets.get(at)?);
            match length {
                0 => {
                    self.at = end.unwrap_or(at + 1);
                    return Some(Name(name));
                }
                1..=MAX_LABEL => {
                    let label = self.octets.get(at + 1..at + 1 + length)?;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.extend(label.iter().map(|octet| letter(*octet)));
                    if name.len() > MAX_NAME {
                        return None;
                    }
                    at += 1 + length;
                }
                192.. => {
                    let low = usize::from(*self.octets.get(at + 1)?);
                    let target = ((length & 0x3f) << 8) | low;
                    end.get_or_insert(at + 2);
                    pointers += 1;
                    if target >= at || pointers > MAX_POINTERS {
                        return None;
                    }
                    at = target;
                }
                _ => return None,
            }
        }
    }

    fn record(&mut self) -> Option<Record> {
        let (name, kind, class) = (self.name()?, self.number()?, self.number()?);
        let ttl = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        // A TTL with the upper bit means none (RFC 2181, section 8).
        let ttl = if ttl > i32::MAX.unsigned_abs() { 0 } else { ttl };
        let length = usize::from(self.number()?);
        let end = self.at.checked_add(length)?;
        let data = if class == CLASS_IN { self.data(kind, length)? } else { Data::Other };
        if end > self.octets.len() {
            return None;
        }
        self.at = end;
        Some(Record { name, ttl, data })
    }

    fn data(&mut self, kind: u16, length: usize) -> Option<Data> {
        const A: u16 = Kind::A as u16;
        const AAAA: u16 = Kind::Aaaa as u16;
        const NS: u16 = Kind::Ns as u16;
        const CNAME: u16 = Kind::Cname as u16;
        const SOA: u16 = Kind::Soa as u16;
        const MX: u16 = Kind::Mx as u16;
        const TXT: u16 = Kind::Txt as u16;
        Some(match kind {
            A => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(self.take(length)?).ok()?).into()),
            AAAA => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(self.take(length)?).ok()?).into()),
            NS => Data::Ns(self.name()?),
            CNAME => Data::Cname(self.name()?),
            SOA => Data::Soa,
            MX => Data::Mx(self.number()?, self.name()?),
            TXT => Data::Txt(texts(self.take(length)?)?),
            _ => Data::Other,
        })
    }
}

/// Joins the strings of a TXT record.
fn texts(mut octets: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        joined.extend_from_slice(text);
        octets = rest;
    }
    Some(joined)
}

/// A letter of a name. One that no host has becomes `?`, so that a dot in a label is no border of labels.
fn letter(octet: u8) -> char {
    match octet {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(octet),
        b'A'..=b'Z' => char::from(octet.to_ascii_lowercase()),
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn names_of_other_scripts_are_ascii() {
        assert_eq!(name("B\u{fc}cher.Example.").as_str(), "xn--bcher-kva.example");
        assert_eq!(name("_dmarc.Example").as_str(), "_dmarc.example");
        for bad in ["", ".", "a..b", "192.0.2.1", "a b", &"x".repeat(64), &"x.".repeat(130)] {
            assert_eq!(Name::parse(bad), Err(Trouble::BadName(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_zone_holds_itself_and_names_below() {
        for (zone, other, expected) in [
            ("a.example", "a.example", true),
            ("a.example", "b.a.example", true),
            ("a.example", "ba.example", false),
            ("b.a.example", "a.example", false),
        ] {
            assert_eq!(name(zone).holds(&name(other)), expected, "{zone} {other}");
        }
    }

    /// The answer to a question for `MX example.org`, as BIND 9 writes it, with compression.
    const ANSWER: &[u8] =
        b"\x12\x34\x85\x80\x00\x01\x00\x02\x00\x01\x00\x00\x07example\x03ORG\x00\x00\x0f\x00\x01\
        \xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x09\x00\x0a\x04mail\xc0\x0c\
        \xc0\x0c\x00\x0f\x00\x01\xff\xff\xff\xff\x00\x03\x00\x00\x00\
        \xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x3c\x00\x06\x03ns1\xc0\x0c";

    #[test]
    fn an_answer_with_compressed_names_is_read() {
        let message = Message::parse(ANSWER).unwrap();
        assert!(message.is_answer && message.is_authoritative && !message.is_truncated);
        assert_eq!((message.id, message.code), (0x1234, 0));
        assert_eq!(message.question, Some((name("example.org"), 15)));
        let [first, second] = message.answers.as_slice() else { panic!("{message:?}") };
        assert_eq!((first.ttl, &first.data), (3600, &Data::Mx(10, name("mail.example.org"))));
        assert_eq!((second.ttl, &second.data), (0, &Data::Mx(0, Name(String::new()))));
        assert_eq!(message.authorities[0].data, Data::Ns(name("ns1.example.org")));
    }

    #[test]
    fn a_question_is_written_as_the_rfc_says() {
        let octets = question(0x1234, &name("example.org"), Kind::Mx, true);
        let expected =
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x0f\x00\x01";
        assert_eq!(octets, expected);
    }

    #[test]
    fn cut_and_circular_messages_are_none() {
        for end in 0..ANSWER.len() {
            assert_eq!(Message::parse(&ANSWER[..end]), None, "{end}");
        }
        let mut circle = ANSWER.to_vec();
        // The first name points to itself.
        circle[12..14].copy_from_slice(&[0xc0, 0x0c]);
        assert_eq!(Message::parse(&circle), None);
    }

    #[test]
    fn odd_letters_are_no_borders_of_labels() {
        let mut odd = ANSWER.to_vec();
        odd[15] = b'.';
        assert_eq!(Message::parse(&odd).unwrap().question.unwrap().0.as_str(), "ex?mple.org");
    }

    proptest::proptest! {
        #[test]
        fn no_message_is_too_odd(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            _ = Message::parse(&octets);
        }

        #[test]
        fn changed_answers_are_read_or_refused(at in 0..ANSWER.len(), octet in proptest::num::u8::ANY) {
            let mut changed = ANSWER.to_vec();
            changed[at] = octet;
            _ = Message::parse(&changed);
        }
    }
}
