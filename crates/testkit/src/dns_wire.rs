//! Questions and answers of the scripted DNS on the wire (RFC 1035, section 4). Written for itself, so that the
//! program's reader has another writer as its counterpart.

use crate::dns_world::{Answer, DnsRecord};

/// Names and numbers of the types of records.
const KINDS: [(&str, u16); 7] =
    [("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("MX", 15), ("TXT", 16), ("AAAA", 28)];
/// Offset of the name in the question.
const QUESTION_NAME: u16 = 12;

/// A question.
pub(crate) struct Question {
    octets: Vec<u8>,
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl Question {
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let (mut at, mut labels) = (usize::from(QUESTION_NAME), Vec::new());
        while let length @ 1.. = usize::from(*octets.get(at)?) {
            let label = octets.get(at + 1..at + 1 + length)?;
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            at += 1 + length;
        }
        let kind = u16::from_be_bytes(octets.get(at + 1..at + 3)?.try_into().ok()?);
        let known = KINDS.iter().find(|(_, number)| *number == kind);
        let kind = known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned());
        Some(Self { octets: octets.get(..at + 5)?.to_vec(), name: labels.join("."), kind })
    }
}

/// Writes the answer. One that is longer than the limit says so, and has no records.
pub(crate) fn answer(question: &Question, answer: &Answer, limit: usize) -> Option<Vec<u8>> {
    let mut octets = question.octets.clone();
    // An answer, with recursion available.
    octets[2] |= 0x80 | if answer.is_authoritative { 0x04 } else { 0 };
    octets[3] = 0x80 | answer.code;
    let soa: Vec<DnsRecord> = answer.zone.iter().map(|zone| soa(zone)).collect();
    set(&mut octets, 6, u16::try_from(answer.records.len()).ok()?);
    set(&mut octets, 8, u16::try_from(soa.len()).ok()?);
    let end = octets.len();
    for record in answer.records.iter().chain(&soa) {
        write_record(&mut octets, record, &question.name);
    }
    if octets.len() > limit {
        octets.truncate(end);
        octets[2] |= 0x02;
        set(&mut octets, 6, 0);
        set(&mut octets, 8, 0);
    }
    Some(octets)
}

fn set(octets: &mut [u8], at: usize, number: u16) {
    octets[at..at + 2].copy_from_slice(&number.to_be_bytes());
}

fn soa(zone: &str) -> DnsRecord {
    DnsRecord { name: zone.to_owned(), kind: "SOA".to_owned(), ttl: 60, data: String::new() }
}

fn write_record(octets: &mut Vec<u8>, record: &DnsRecord, question: &str) {
    if record.name == question {
        octets.extend_from_slice(&(0xc000 | QUESTION_NAME).to_be_bytes());
    } else {
        write_name(octets, &record.name);
    }
    let number = KINDS.iter().find(|(name, _)| *name == record.kind).unwrap().1;
    for part in [number, 1] {
        octets.extend_from_slice(&part.to_be_bytes());
    }
    octets.extend_from_slice(&record.ttl.to_be_bytes());
    let data = data(record);
    octets.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    octets.extend_from_slice(&data);
}

/// Writes the data of a record, given as in a zone file.
fn data(record: &DnsRecord) -> Vec<u8> {
    let (text, mut octets) = (record.data.as_str(), Vec::new());
    match record.kind.as_str() {
        "A" => octets.extend(text.parse::<std::net::Ipv4Addr>().unwrap().octets()),
        "AAAA" => octets.extend(text.parse::<std::net::Ipv6Addr>().unwrap().octets()),
        "NS" | "CNAME" => write_name(&mut octets, text),
        "MX" => {
            let (preference, host) = text.split_once(' ').unwrap();
            octets.extend_from_slice(&preference.parse::<u16>().unwrap().to_be_bytes());
            write_name(&mut octets, host);
        }
        "TXT" => {
            for part in text.as_bytes().chunks(255) {
                octets.push(u8::try_from(part.len()).unwrap());
                octets.extend_from_slice(part);
            }
        }
        "SOA" => {
            write_name(&mut octets, &record.name);
            write_name(&mut octets, &record.name);
            for number in [1_u32, 3600, 600, 86_400, 60] {
                octets.extend_from_slice(&number.to_be_bytes());
            }
        }
        other => panic!("records of type {other} are not scripted"),
    }
    octets
}

fn write_name(octets: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend_from_slice(label.as_bytes());
    }
    octets.push(0);
}
