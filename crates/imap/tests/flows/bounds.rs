//! Answers without end: each kind is an error with words, after a number of bytes that is known before.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mailhaul_imap::{
    ConnectOptions, Connection, Error, ErrorKind, ListQuery, MailboxName, ResponseLimits, SearchKey,
    Security, SelectOptions, Session, StatusItem,
};
use mailhaul_mail::UidSet;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const MIB: usize = 1 << 20;
/// Bytes in the buffers of the two sockets, and bytes that are written before the server notices the end of the client.
const ON_THE_WAY: usize = 16 * MIB;
/// A client that takes more has no bound.
const MOST: usize = 1 << 30;
/// Messages of the mailbox that is selected.
const EXISTS: usize = 100;

/// A server that answers the first command with this name without end, and all others as usual.
struct Endless {
    port: u16,
    written: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Endless {
    /// `head` is sent once, `piece` again and again.
    async fn start(command: &'static str, head: Vec<u8>, piece: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let written = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&written);
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, command, &head, &piece, &count).await;
        });
        Self { port, written, server }
    }

    async fn session(&self) -> Session {
        let mut options = ConnectOptions::new("127.0.0.1", self.port, Security::Clear);
        // Lower than usual, so that the test is quick.
        options.limits = ResponseLimits { line: MIB, response: 4 * MIB, ..ResponseLimits::default() };
        Connection::open(&options).await.unwrap().preauthenticated().await.unwrap()
    }

    /// Bytes that were fed until the client was gone.
    async fn fed(self) -> usize {
        self.server.await.unwrap();
        self.written.load(Ordering::Relaxed)
    }
}

async fn serve(stream: TcpStream, command: &str, head: &[u8], piece: &[u8], written: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    let extensions = "CONDSTORE QRESYNC ENABLE ESEARCH ID NAMESPACE QUOTA UIDPLUS UNSELECT";
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {extensions}] hello\r\n");
    stream.write_all(greeting.as_bytes()).await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let (tag, rest) = line.split_once(' ').unwrap();
        if rest.starts_with(command) {
            return flood(stream, head, piece, written).await;
        }
        let selected = if rest.starts_with("SELECT") {
            format!("* {EXISTS} EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 101] x\r\n")
        } else {
            String::new()
        };
        stream.write_all(format!("{selected}{tag} OK done\r\n").as_bytes()).await.unwrap();
        line.clear();
    }
}

async fn flood(mut stream: BufReader<TcpStream>, head: &[u8], piece: &[u8], written: &AtomicUsize) {
    let pieces = piece.repeat((MIB / 4).div_ceil(piece.len()));
    let mut next = head;
    while stream.write_all(next).await.is_ok() {
        assert!(written.fetch_add(next.len(), Ordering::Relaxed) < MOST, "the client reads for ever");
        next = &pieces;
    }
    // The client's side is closed.
    _ = stream.read(&mut [0; 1]).await;
}

/// The command that is answered without end, and what the client makes of it.
async fn ask(command: &str, mut session: Session) -> Result<(), Error> {
    let inbox = MailboxName::from_wire("INBOX");
    match command {
        "LIST" => session.list(&ListQuery::default()).await.map(drop),
        "LSUB" => session.lsub(&ListQuery::default()).await.map(drop),
        "STATUS" => session.status_many(&[inbox], &[StatusItem::Messages]).await.map(drop),
        "SELECT" => session.select(&inbox, &SelectOptions::default()).await.map(drop),
        "NOOP" => session.noop().await,
        "ID" => session.id(&[]).await.map(drop),
        "NAMESPACE" => session.namespace().await.map(drop),
        "ENABLE" => session.enable(&["CONDSTORE"]).await,
        "GETQUOTAROOT" => session.quota_root(&inbox).await.map(drop),
        _ => {
            let mut selected = session.select(&inbox, &SelectOptions::default()).await?;
            match command {
                "UID SEARCH" => selected.uid_search(&[SearchKey::All]).await.map(drop),
                "UID FETCH" => selected.uids_among(&UidSet::all()).await.map(drop),
                other => panic!("{other}"),
            }
        }
    }
}

struct Case {
    command: &'static str,
    head: String,
    piece: String,
    /// Bytes after which the answer is an error.
    bound: usize,
    kind: ErrorKind,
    words: &'static str,
}

fn case(
    command: &'static str,
    piece: impl Into<String>,
    bound: usize,
    kind: ErrorKind,
    words: &'static str,
) -> Case {
    Case { command, head: String::new(), piece: piece.into(), bound, kind, words }
}

const LINE: &str = "the server sent a line of more than 1048576 octets";
const RESPONSE: &str = "the server sent a response of more than 4194304 octets";
const BYTES: &str = "the server sent more than 64 MiB in answer to one command";
const NUMBER: &str = "the server sent more than 10400 responses to one command, in a mailbox of 100 messages";
const REPEATED: &str = "the server showed the same 1 messages 10005 times in answer to one command";
const NUMBER_UNSELECTED: &str =
    "the server sent more than 10000 responses to one command, in a mailbox of 0 messages";

/// Bounds of one response: lines, literals, nesting.
fn of_one_response() -> Vec<Case> {
    use ErrorKind::Protocol;
    let line = MIB;
    let mut table: Vec<Case> = [
        ("LIST", "* LIST () \"/\" ", "x"),
        ("LIST", "* LIST () \"/\" \"", "x"),
        ("LIST", "* LIST (", "\\A "),
        ("LIST", "* LIST ", "("),
        ("LIST", "* STATUS a (", "MESSAGES 1 "),
        ("NOOP", "* FLAGS (", "abc "),
        ("NOOP", "* CAPABILITY ", "ABC "),
        ("NOOP", "* OK [", "x"),
        ("NOOP", "* OK ", "x"),
        ("NOOP", "* ", "x"),
        ("NOOP", "+ ", "x"),
        ("NOOP", "a1 OK ", "x"),
        ("ID", "* ID (", "\"a\" \"b\" "),
        ("NAMESPACE", "* NAMESPACE (", "(\"a\" \"/\") "),
        ("ENABLE", "* ENABLED ", "ABC "),
        ("GETQUOTAROOT", "* QUOTA a (", "STORAGE 1 2 "),
        ("UID SEARCH", "* SEARCH ", "1 "),
        ("UID SEARCH", "* ESEARCH (TAG \"a2\") UID ALL ", "1,"),
        ("UID FETCH", "* VANISHED ", "1,"),
        ("UID FETCH", "* 1 FETCH (FLAGS (", "a "),
        ("UID FETCH", "* 1 FETCH (BODYSTRUCTURE ", "("),
        ("UID FETCH", "* 1 FETCH (UID ", "1"),
    ]
    .into_iter()
    .map(|(command, head, piece)| Case { head: head.into(), ..case(command, piece, line, Protocol, LINE) })
    .collect();
    let of_literals = [
        (
            "* LIST () \"/\" {4294967297}\r\n",
            "x",
            0,
            "the server announced a literal of 4294967297 octets; at most 4294967296 are taken",
        ),
        (
            "* LIST () \"/\" {99999999999999999999999}\r\n",
            "x",
            0,
            "the server announced a literal of 18446744073709551615 octets; at most 4294967296 are taken",
        ),
        ("* LIST (", "{1}\r\nx ", 8 * 4_097, "the server sent more than 4096 literals in one response"),
    ];
    for (head, piece, bound, words) in of_literals {
        table.push(Case { head: head.into(), ..case("LIST", piece, bound, Protocol, words) });
    }
    let literal = format!("{{262144}}\r\n{} ", "x".repeat(256 << 10));
    table.push(Case { head: "* LIST (".into(), ..case("LIST", literal, 5 * MIB, Protocol, RESPONSE) });
    table
}

/// Bounds of many responses to one command.
fn of_one_command() -> Vec<Case> {
    use ErrorKind::Flood;
    let name = "x".repeat(MIB / 4);
    let mut table = vec![
        case("LIST", format!("* LIST () \"/\" {name}\r\n"), 65 * MIB, Flood, BYTES),
        case("LSUB", format!("* LSUB () \"/\" {name}\r\n"), 65 * MIB, Flood, BYTES),
        case("STATUS", format!("* STATUS {name} (MESSAGES 1)\r\n"), 65 * MIB, Flood, BYTES),
    ];
    let unselected = [
        ("SELECT", "* FLAGS (\\Seen)"),
        ("SELECT", "* 0 EXISTS"),
        ("NOOP", "* CAPABILITY IMAP4rev1"),
        ("NOOP", "* OK still here"),
        ("NOOP", "* NO not now"),
        ("NOOP", "* XYZ"),
        ("NOOP", "+ go on"),
        ("ID", "* ID (\"name\" \"x\")"),
        ("NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL NIL"),
        ("ENABLE", "* ENABLED CONDSTORE"),
        ("GETQUOTAROOT", "* QUOTA \"\" (STORAGE 1 2)"),
        ("GETQUOTAROOT", "* QUOTAROOT INBOX \"\""),
    ];
    let selected = [
        ("UID SEARCH", "* SEARCH 1"),
        ("UID SEARCH", "* ESEARCH (TAG \"a2\") UID ALL 1"),
        ("UID FETCH", "* VANISHED 1"),
        ("UID FETCH", "* 1 EXPUNGE"),
        ("UID FETCH", "* 100 EXISTS"),
        ("UID FETCH", "* 1 RECENT"),
    ];
    for (responses, number, words) in
        [(&unselected[..], 10_001, NUMBER_UNSELECTED), (&selected, 10_401, NUMBER)]
    {
        for (command, text) in responses {
            let piece = format!("{text}\r\n");
            table.push(case(command, piece.clone(), number * piece.len(), Flood, words));
        }
    }
    for text in ["* 1 FETCH (UID 1)", "* 1 FETCH (FLAGS (\\Seen))"] {
        let piece = format!("{text}\r\n");
        table.push(case("UID FETCH", piece.clone(), 10_401 * piece.len(), Flood, REPEATED));
    }
    let nested = format!("* 1 FETCH (BODYSTRUCTURE {}{})\r\n", "(".repeat(1_000), ")".repeat(1_000));
    table.push(case("UID FETCH", nested.clone(), 10_401 * nested.len(), Flood, NUMBER));
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_response_is_an_error_after_known_bytes() {
    are_bounded(of_one_response()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_are_responses_without_end_to_one_command() {
    are_bounded(of_one_command()).await;
}

async fn are_bounded(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for case in cases {
        let Case { command, head, piece, bound, kind, words } = case;
        let shown: String = head.chars().chain(piece.chars()).take(40).collect();
        let endless = Endless::start(command, head.into_bytes(), piece.into_bytes()).await;
        let session = endless.session().await;
        let outcome = ask(command, session).await;
        let fed = endless.fed().await;
        match outcome {
            Err(error) if error.kind == kind && error.message == words && fed < bound + ON_THE_WAY => {}
            other => wrong.push(format!("{command}: {shown:?}: {fed} bytes of {bound}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table above names the bounds by their values.
#[test]
fn the_bounds_are_those_of_the_table() {
    let ResponseLimits { line, inline_literal, literal, literals_per_response, response, nesting } =
        ResponseLimits::default();
    assert_eq!((line, inline_literal, literal), (16 * MIB, 256 << 10, 4 << 30));
    assert_eq!((literals_per_response, response, nesting), (4_096, 64 * MIB, 64));
}
