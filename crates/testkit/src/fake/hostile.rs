//! A hostile server: broken responses, wrong numbers, endless output, silence.
//!
//! The server acts honestly, and only its answers are spoiled. A test therefore knows the real contents.
//! Bytes of messages are never changed, because no client could notice it. They are cut, or announced with a
//! wrong length.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{
    lie::{Lie, when},
    replies::{Flow, Replies},
};
use crate::mailmaker::Mailmaker;

/// Numbers that often cause errors.
const NUMBERS: [&str; 13] = [
    "0",
    "1",
    "2",
    "7",
    "-1",
    "00",
    "255",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999",
];

/// Pieces of the protocol in a wrong place.
const PIECES: [&str; 22] = [
    "(",
    ")",
    "((((",
    "\"",
    "\\",
    "{",
    "}",
    "{5}",
    "{999999999}",
    "~{3}",
    "NIL",
    "[",
    "]",
    "\0",
    "\u{fc}",
    "%",
    "*",
    "\r",
    " ",
    "\\Seen",
    "<0>",
    "&",
];

/// Untagged responses that no command requested.
const UNSOLICITED: [&str; 26] = [
    "* 0 EXISTS",
    "* 3 EXISTS",
    "* 99999 EXISTS",
    "* 4294967295 EXISTS",
    "* 1 RECENT",
    "* 1 FETCH (FLAGS (\\Seen))",
    "* 1 FETCH (UID 1 FLAGS (\\Deleted))",
    "* 2 FETCH (UID 9999 RFC822.SIZE 5)",
    "* 1 FETCH (BODY[] NIL)",
    "* 4294967295 FETCH (UID 4294967295 FLAGS ())",
    "* FLAGS ()",
    "* OK [UIDVALIDITY 5] changed",
    "* OK [UIDVALIDITY 0] none",
    "* OK [UIDNEXT 1] next",
    "* OK [PERMANENTFLAGS ()] none",
    "* OK [HIGHESTMODSEQ 0] none",
    "* OK [NOMODSEQ] none",
    "* OK [CAPABILITY IMAP4rev1] few",
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN",
    "* STATUS INBOX (MESSAGES 0)",
    "* SEARCH 1 2 3",
    "* ENABLED",
    "* BAD what was that",
    "* NO not now",
    "+ go ahead",
    "* X-NOBODY KNOWS (THIS {3}",
];

/// Untagged responses that make messages disappear for the client.
const HIDING_RESPONSES: [&str; 4] =
    ["* 1 EXPUNGE", "* VANISHED (EARLIER) 1:5", "* VANISHED 1:4294967295", "* LIST (\\Noselect) \"/\" INBOX"];

/// Ends of commands.
const ENDS: [&str; 12] = [
    "t NO",
    "t NO no",
    "t BAD bad",
    "t OK",
    "t OK [READ-WRITE",
    "t OK [APPENDUID 1 1] done",
    "t OK [APPENDUID 4294967295 4294967295:1] done",
    "t NO [NONEXISTENT] it is not there",
    "zz OK done",
    "t",
    "t PREAUTH",
    "* BYE that is enough",
];

/// Bytes of a spoiled answer that are kept for the test's output.
const MAX_SHOWN_LENGTH: usize = 400;

/// The answers of a hostile server so far.
#[derive(Clone, Default)]
pub struct Hostile {
    answers: Arc<AtomicU64>,
    /// The beginning of each spoiled answer, as it was sent.
    spoiled: Arc<Mutex<Vec<String>>>,
    has_hidden: Arc<AtomicBool>,
}

impl Hostile {
    /// Number of its answers.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    /// The spoiled answers, each with its number.
    pub fn spoiled(&self) -> Vec<String> {
        self.spoiled.lock().unwrap().clone()
    }

    /// True if an answer that looked right may have left out folders or messages.
    pub fn has_hidden_mail(&self) -> bool {
        self.has_hidden.load(Ordering::SeqCst)
    }

    fn note(&self, number: u64, replies: &Replies) {
        let text: Vec<u8> = replies.lines.iter().flatten().copied().take(MAX_SHOWN_LENGTH).collect();
        let text = format!("{number}: {:?}, then {:?}", String::from_utf8_lossy(&text), replies.flow);
        self.spoiled.lock().unwrap().push(text);
    }
}

/// Creates a lie that spoils this percentage of the answers, selected by the seed.
pub fn hostile(seed: u64, percent: u64) -> (Lie, Hostile) {
    let hostile = Hostile::default();
    let copy = hostile.clone();
    let lie = when("").edit(move |replies| {
        let number = copy.answers.fetch_add(1, Ordering::SeqCst);
        let mut dice = Mailmaker::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
        if dice.number(100) < percent {
            copy.has_hidden.fetch_or(spoil(replies, &mut dice), Ordering::SeqCst);
            copy.note(number, replies);
        }
    });
    (lie, hostile)
}

/// Spoils the answer. Returns true if that may hide mail.
fn spoil(replies: &mut Replies, dice: &mut Mailmaker) -> bool {
    let lines = replies.lines.len() as u64;
    let at = index(dice, lines);
    match dice.number(16) {
        0 | 1 => return leave_out(replies, at),
        2 => replies.lines.insert(at, replies.lines[at].clone()),
        3 => {
            // Lines after the end of a command are not part of its answer.
            replies.lines.swap(at, index(dice, lines));
            return true;
        }
        4 => cut(replies, at, dice),
        5..=7 => return another_number(&mut replies.lines[at], dice),
        8 => return a_piece(&mut replies.lines[at], dice),
        9 | 10 => replies.end(pick(dice, &ENDS)),
        11 => replies.say_first(pick(dice, &UNSOLICITED)),
        12 => {
            replies.say(pick(dice, &HIDING_RESPONSES));
            return true;
        }
        13 => replies.say_first(&wild(dice)),
        14 => {
            replies.say_first(pick(dice, &UNSOLICITED));
            let flood = replies.lines[0].repeat(3_000);
            replies.lines.insert(0, flood);
        }
        _ => replies.flow = pick(dice, &[Flow::HangUp, Flow::Reset, Flow::Endless, Flow::Silence]),
    }
    false
}

fn index(dice: &mut Mailmaker, count: u64) -> usize {
    usize::try_from(dice.number(count)).unwrap()
}

fn pick<T: Copy>(dice: &mut Mailmaker, from: &[T]) -> T {
    from[index(dice, from.len() as u64)]
}

fn leave_out(replies: &mut Replies, at: usize) -> bool {
    replies.lines.remove(at);
    if replies.lines.is_empty() {
        // Without an answer, the client would wait for its timeout.
        replies.flow = Flow::HangUp;
    }
    true
}

/// Ends the answer within a response.
fn cut(replies: &mut Replies, at: usize, dice: &mut Mailmaker) {
    replies.lines.truncate(at + 1);
    let last = &mut replies.lines[at];
    last.truncate(index(dice, last.len() as u64));
    replies.flow = pick(dice, &[Flow::On, Flow::HangUp, Flow::Reset, Flow::HangUp, Flow::Silence]);
}

/// Length of the response before its first literal.
fn protocol(line: &[u8]) -> usize {
    line.windows(3).position(|it| it == b"}\r\n").map_or(line.len(), |at| at + 1)
}

/// Replaces one of the numbers in the response.
fn another_number(line: &mut Vec<u8>, dice: &mut Mailmaker) -> bool {
    let head = &line[..protocol(line)];
    let starts: Vec<usize> = (0..head.len())
        .filter(|at| head[*at].is_ascii_digit() && (*at == 0 || !head[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return false;
    }
    let start = pick(dice, &starts);
    let length = head[start..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    let number = pick(dice, &NUMBERS).as_bytes().to_vec();
    line.splice(start..start + length, number);
    // Another message, or fewer: a number more is no contradiction.
    true
}

fn a_piece(line: &mut Vec<u8>, dice: &mut Mailmaker) -> bool {
    let at = index(dice, protocol(line) as u64 + 1).min(protocol(line));
    let piece = pick(dice, &PIECES).as_bytes().to_vec();
    let replaced = index(dice, 2).min(line.len() - at);
    line.splice(at..at + replaced, piece);
    true
}

/// Returns a response of extreme length or depth, or with a huge literal.
fn wild(dice: &mut Mailmaker) -> String {
    match dice.number(6) {
        0 => format!("* 1 FETCH {}", "(".repeat(200_000)),
        1 => format!("* LIST () \"/\" {}", "x".repeat(1 << 20)),
        2 => "* 1 FETCH (UID 1 BODY[] {4294967295}".to_owned(),
        3 => format!("* 1 FETCH (BODY[HEADER] {{{}}}", 300_000 + dice.number(1000)),
        4 => format!("* SEARCH {}", "4294967295 ".repeat(100_000)),
        _ => format!("* OK [{}", "[".repeat(10_000)),
    }
}
