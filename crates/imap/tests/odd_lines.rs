//! Lines as real servers send them, most of which break the grammar somewhere, and what must be understood of each.

#![allow(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "a table of tests")]

use mailhaul_imap::{
    Frame, Framer, MailboxName, ResponseLimits, decode,
    response::{
        Code, Content, Esearch, Fetch, ListItem, NamespaceEntry, Namespaces, QuotaResource, Response,
        Section, Status, StatusItems, StatusResponse, Untagged,
    },
};
use mailhaul_mail::{InternalDate, ModSeq, Uid, UidSet, UidValidity};

fn read(line: &[u8]) -> Response {
    let mut framer = Framer::new(ResponseLimits::default());
    framer.buffer_mut().extend_from_slice(line);
    framer.buffer_mut().extend_from_slice(b"\r\n");
    let Ok(Some(Frame::Response(raw))) = framer.next_frame() else { panic!("no response: {line:?}") };
    assert!(!framer.is_inside_response(), "more than one response: {line:?}");
    decode(&raw, &ResponseLimits::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks that each line of the table decodes to its value.
fn check(table: impl IntoIterator<Item = (&'static str, Untagged)>) {
    for (line, expected) in table {
        assert_eq!(read(line.as_bytes()), Response::Untagged(expected), "{line:?}");
    }
}

fn uid(number: u32) -> Option<Uid> {
    Uid::new(number)
}

fn uids(text: &str) -> UidSet {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn status(status: Status, code: Option<Code>, text: &str) -> Untagged {
    Untagged::Status(StatusResponse { status, code, text: text.to_owned() })
}

fn other(name: &str, rest: &str) -> Code {
    Code::Other { name: name.to_owned(), rest: rest.to_owned() }
}

#[test]
fn words_for_people_and_codes() {
    check([
        ("* OK", status(Status::Ok, None, "")),
        ("* OK ", status(Status::Ok, None, "")),
        ("* ok still here", status(Status::Ok, None, "still here")),
        ("* OK\tGimap ready", status(Status::Ok, None, "Gimap ready")),
        ("* BYE", status(Status::Bye, None, "")),
        ("* BYE[UNAVAILABLE] {5}", status(Status::Bye, Some(Code::Unavailable), "{5}")),
        ("* BYE Session expired {12}", status(Status::Bye, None, "Session expired {12}")),
        ("* BAD Command Argument Error. 11", status(Status::Bad, None, "Command Argument Error. 11")),
        ("* NO [ALERT] Account exceeded", status(Status::No, Some(Code::Alert), "Account exceeded")),
        ("* NO [alert]no blank", status(Status::No, Some(Code::Alert), "no blank")),
        ("* OK [", status(Status::Ok, None, "[")),
        ("* OK []", status(Status::Ok, Some(other("", "")), "")),
        ("* NO [THROTTLED] wait", status(Status::No, Some(other("THROTTLED", "")), "wait")),
        ("* NO wait [THROTTLED]", status(Status::No, None, "wait [THROTTLED]")),
        ("* OK [UIDVALIDITY 1", status(Status::Ok, None, "[UIDVALIDITY 1")),
        ("* OK [UIDVALIDITY  1 ] ok", status(Status::Ok, UidValidity::new(1).map(Code::UidValidity), "ok")),
        ("* OK [UIDNEXT 0] empty", status(Status::Ok, Some(other("UIDNEXT", "0")), "empty")),
        ("* OK [UIDNEXT 4294967296]", status(Status::Ok, Some(other("UIDNEXT", "4294967296")), "")),
        (
            "* OK [HIGHESTMODSEQ 18446744073709551615] Highest",
            status(Status::Ok, Some(Code::HighestModSeq(ModSeq(u64::MAX))), "Highest"),
        ),
        (
            "* OK [PERMANENTFLAGS (\\Answered \\* $MDNSent [odd] a]b )] Limited",
            status(
                Status::Ok,
                Some(Code::PermanentFlags(words(&["\\Answered", "\\*", "$MDNSent", "[odd]", "a]b"]))),
                "Limited",
            ),
        ),
        ("* OK [PERMANENTFLAGS] none", status(Status::Ok, Some(Code::PermanentFlags(vec![])), "none")),
        (
            "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN ] ready",
            status(Status::PreAuth, Some(Code::Capability(words(&["IMAP4rev1", "AUTH=PLAIN"]))), "ready"),
        ),
        ("* NO [BADCHARSET (UTF-8 US-ASCII)] which?", status(Status::No, Some(Code::BadCharset), "which?")),
    ]);
    let latin = read(b"* NO Postfach \xfcberf\xfcllt");
    assert_eq!(
        latin,
        Response::Untagged(status(Status::No, None, "Postfach \u{fffd}berf\u{fffd}llt")),
        "what is not UTF-8 is kept as far as it goes"
    );
}

#[test]
fn tagged_lines() {
    let validity = UidValidity::new(38_505).unwrap();
    let pair = |from, to| (uid(from).unwrap(), uid(to).unwrap());
    let table = [
        ("a7 OK", Status::Ok, None, ""),
        ("a7  OK  done", Status::Ok, None, "done"),
        ("a7 no", Status::No, None, ""),
        ("a7 NO[ALERT]full", Status::No, Some(Code::Alert), "full"),
        ("a7 BAD {3}", Status::Bad, None, "{3}"),
        (
            "a7 OK [APPENDUID 38505 3955:3957,9]",
            Status::Ok,
            Some(Code::AppendUid { validity, uids: uids("9,3955:3957") }),
            "",
        ),
        ("a7 OK [APPENDUID 0 3955] odd", Status::Ok, Some(other("APPENDUID", "0 3955")), "odd"),
        ("a7 OK [APPENDUID 38505 ] odd", Status::Ok, Some(other("APPENDUID", "38505")), "odd"),
        (
            "a7 OK [COPYUID 38505 304,319:320 3956:3958] Done",
            Status::Ok,
            Some(Code::CopyUid { validity, pairs: vec![pair(304, 3956), pair(319, 3957), pair(320, 3958)] }),
            "Done",
        ),
        (
            "a7 OK [COPYUID 38505 1:4294967295 1:4294967295]",
            Status::Ok,
            Some(other("COPYUID", "38505 1:4294967295 1:4294967295")),
            "",
        ),
        ("a7 OK [COPYUID]", Status::Ok, Some(other("COPYUID", "")), ""),
        ("a7 NO [OVERQUOTA] Quota exceeded [x]", Status::No, Some(Code::OverQuota), "Quota exceeded [x]"),
        (
            "a7 OK [MODIFIED 7,9] Conditional STORE failed",
            Status::Ok,
            Some(Code::Modified(uids("7,9"))),
            "Conditional STORE failed",
        ),
        ("a7 OK [READ-WRITE]Completed", Status::Ok, Some(Code::ReadWrite), "Completed"),
    ];
    for (line, status, code, text) in table {
        let status = StatusResponse { status, code, text: text.to_owned() };
        assert_eq!(read(line.as_bytes()), Response::Tagged { tag: "a7".to_owned(), status }, "{line:?}");
    }
    for (line, text) in
        [("+", ""), ("+ ", ""), ("+  Ready {5}", "Ready {5}"), ("+ PDE4OTYuNjk3MTcw", "PDE4OTYuNjk3MTcw")]
    {
        assert_eq!(read(line.as_bytes()), Response::Continue(text.to_owned()), "{line:?}");
    }
}

#[test]
fn folders() {
    let item = |attributes: &[&str], delimiter, name: &str| ListItem {
        attributes: words(attributes),
        delimiter,
        name: MailboxName::from_wire(name),
        extended: vec![],
    };
    let list = |attributes: &[&str], delimiter, name: &str| Untagged::List(item(attributes, delimiter, name));
    check([
        ("* LIST () \"/\" \"\"", list(&[], Some('/'), "")),
        ("* LIST (\\Noselect) \"/\" \"\"", list(&["\\Noselect"], Some('/'), "")),
        ("* LIST (\\NoInferiors ) NIL inbox", list(&["\\NoInferiors"], None, "INBOX")),
        ("* LIST NIL \".\" INBOX.Sent", list(&[], Some('.'), "INBOX.Sent")),
        ("* LIST () \"\" flat", list(&[], None, "flat")),
        ("* LIST ()  \"/\"  two-blanks", list(&[], Some('/'), "two-blanks")),
        ("* LIST () / unquoted", list(&[], Some('/'), "unquoted")),
        ("* LIST () \"/\" \" leading and trailing \"", list(&[], Some('/'), " leading and trailing ")),
        ("* LIST () \"\\\\\" \"Inbox\\\\x\"", list(&[], Some('\\'), "Inbox\\x")),
        ("* LIST () \"/\" \"back\\slash\"", list(&[], Some('/'), "back\\slash")),
        ("* LIST () \"/\" {9}\r\nsay \"hi\" ", list(&[], Some('/'), "say \"hi\" ")),
        ("* LIST () \"/\" &Jjo-!", list(&[], Some('/'), "&Jjo-!")),
        ("* LIST () \"/\" \"Gel\u{f6}scht\"", list(&[], Some('/'), "Gel\u{f6}scht")),
        ("* LIST () \"/\" Gel\u{f6}scht", list(&[], Some('/'), "Gel\u{f6}scht")),
        ("* LIST () \"/\" 100%", list(&[], Some('/'), "100%")),
        ("* LIST () \"/\" a*b{5}", list(&[], Some('/'), "a*b{5}")),
        ("* LIST () \"/\" [Gmail]/x]", list(&[], Some('/'), "[Gmail]/x]")),
        ("* LIST () \"/\" Sent Items ", list(&[], Some('/'), "Sent Items")),
        ("* LIST () \"/\" Sent (old", list(&[], Some('/'), "Sent (old")),
        ("* LIST () \"/\" Sent (2)", list(&[], Some('/'), "Sent (2)")),
        ("* LIST () \"/\" Sent(2)", list(&[], Some('/'), "Sent(2)")),
        ("* LIST () \"/\" 5\" disks", list(&[], Some('/'), "5\" disks")),
        ("* LIST () \"/\" \"5\"disks\"", list(&[], Some('/'), "5\"disks")),
        ("* LIST () \"\\\" \"Inbox\\x\\\"", list(&[], Some('\\'), "Inbox\\x\\")),
        ("* LIST () \"/\" \"quoted\" junk", list(&[], Some('/'), "quoted")),
        ("* LIST () \"/\" \"cut", Untagged::Unknown("LIST () \"/\" \"cut".into())),
        ("* LIST () \"/\" NIL", list(&[], Some('/'), "NIL")),
        ("* LIST () \"/\" 2024", list(&[], Some('/'), "2024")),
        (
            "* XLIST (\\HasNoChildren \\Inbox) \"/\" \"Posteingang\"",
            list(&["\\HasNoChildren", "\\Inbox"], Some('/'), "Posteingang"),
        ),
        ("* lsub () \".\" \"INBOX.Drafts\"", Untagged::Lsub(item(&[], Some('.'), "INBOX.Drafts"))),
        (
            "* LIST (\\NonExistent) \"/\" \"Foo\" (\"CHILDINFO\" (\"SUBSCRIBED\") oldname (\"x y\"))",
            Untagged::List(ListItem {
                extended: vec![
                    ("CHILDINFO".to_owned(), "(\"SUBSCRIBED\")".into()),
                    ("OLDNAME".to_owned(), "(\"x y\")".into()),
                ],
                ..item(&["\\NonExistent"], Some('/'), "Foo")
            }),
        ),
    ]);
}

#[test]
fn states_of_folders() {
    let state = |name: &str, items| Untagged::MailboxStatus { name: MailboxName::from_wire(name), items };
    let entry =
        |prefix: &str, delimiter| NamespaceEntry { prefix: MailboxName::from_wire(prefix), delimiter };
    check([
        (
            "* STATUS x (MESSAGES 3 UIDNEXT)",
            state("x", StatusItems { messages: Some(3), ..StatusItems::default() }),
        ),
        ("* STATUS inbox ()", state("INBOX", StatusItems::default())),
        (
            "* STATUS \"a (b)\" (messages 231 UIDNEXT 44292 ) ",
            state(
                "a (b)",
                StatusItems { messages: Some(231), uid_next: uid(44_292), ..StatusItems::default() },
            ),
        ),
        (
            "* STATUS x (SIZE 5000000000 UNSEEN 4294967296 UIDVALIDITY 0 UIDNEXT 1 X-GUID (a b) HIGHESTMODSEQ 0)",
            state(
                "x",
                StatusItems {
                    size: Some(5_000_000_000),
                    uid_next: uid(1),
                    highest_modseq: Some(ModSeq(0)),
                    ..StatusItems::default()
                },
            ),
        ),
        (
            "* STATUS {3}\r\na\"b (APPENDLIMIT 257890 MAILBOXID (F2))",
            state(
                "a\"b",
                StatusItems {
                    append_limit: Some(257_890),
                    mailbox_id: Some("F2".to_owned()),
                    ..StatusItems::default()
                },
            ),
        ),
        (
            "* NAMESPACE ((\"INBOX.\" \".\"))",
            Untagged::Namespace(Namespaces {
                personal: vec![entry("INBOX.", Some('.'))],
                ..Namespaces::default()
            }),
        ),
        (
            "* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\")) ((\"~\" \"/\")) ((NIL NIL))",
            Untagged::Namespace(Namespaces {
                personal: vec![entry("", Some('/')), entry("#mh/", Some('/'))],
                other_users: vec![entry("~", Some('/'))],
                shared: vec![entry("", None)],
            }),
        ),
        ("* FLAGS ()", Untagged::Flags(vec![])),
        ("* FLAGS (\\Seen $a[1] \\$NOTJUNK )", Untagged::Flags(words(&["\\Seen", "$a[1]", "\\$NOTJUNK"]))),
        ("* 23 exists ", Untagged::Exists(23)),
        ("* 0 RECENT", Untagged::Recent(0)),
        ("* 00044 EXPUNGE", Untagged::Expunge(44)),
        ("* VANISHED 300:310", Untagged::Vanished { earlier: false, uids: uids("300:310") }),
        ("* VANISHED (earlier) 9,3:1", Untagged::Vanished { earlier: true, uids: uids("1:3,9") }),
    ]);
}

#[test]
fn searches_and_the_rest() {
    let quota = |root: &str, resources: &[(&str, u64, u64)]| Untagged::Quota {
        root: root.to_owned(),
        resources: resources
            .iter()
            .map(|&(name, usage, limit)| QuotaResource { name: name.to_owned(), usage, limit })
            .collect(),
    };
    check([
        ("* SEARCH", Untagged::Search { ids: vec![], modseq: None }),
        ("* SEARCH  ", Untagged::Search { ids: vec![], modseq: None }),
        ("* search 2  84 882 ", Untagged::Search { ids: vec![2, 84, 882], modseq: None }),
        (
            "* SEARCH 2 (MODSEQ 917162500)",
            Untagged::Search { ids: vec![2], modseq: Some(ModSeq(917_162_500)) },
        ),
        ("* ESEARCH", Untagged::Esearch(Esearch::default())),
        ("* ESEARCH (TAG a1) UID", Untagged::Esearch(Esearch { uid: true, ..Esearch::default() })),
        (
            "* ESEARCH (TAG \"a1\") UID MIN 1 MAX 17 PARTIAL (1:10 1,3) COUNT 2 ALL 1,17",
            Untagged::Esearch(Esearch {
                uid: true,
                min: Some(1),
                max: Some(17),
                count: Some(2),
                all: Some(uids("1,17")),
                modseq: None,
            }),
        ),
        ("* CAPABILITY", Untagged::Capability(vec![])),
        ("* CAPABILITY  IMAP4rev1  X ", Untagged::Capability(words(&["IMAP4rev1", "X"]))),
        ("* ENABLED", Untagged::Enabled(vec![])),
        ("* enabled CONDSTORE", Untagged::Enabled(words(&["CONDSTORE"]))),
        ("* ID NIL", Untagged::Id(vec![])),
        ("* ID ()", Untagged::Id(vec![])),
        (
            "* ID (\"name\" \"Zimbra\" \"support-url\" NIL \"odd\")",
            Untagged::Id(vec![
                ("name".to_owned(), Some("Zimbra".to_owned())),
                ("support-url".to_owned(), None),
            ]),
        ),
        ("* QUOTA \"\" ()", quota("", &[])),
        (
            "* QUOTA User (STORAGE 10 5242880 MESSAGE 1 2)",
            quota("User", &[("STORAGE", 10, 5_242_880), ("MESSAGE", 1, 2)]),
        ),
        ("* QUOTAROOT INBOX", Untagged::QuotaRoot { name: MailboxName::from_wire("INBOX"), roots: vec![] }),
        (
            "* QUOTAROOT \"a b\" \"\" \"User quota\"",
            Untagged::QuotaRoot { name: MailboxName::from_wire("a b"), roots: words(&["", "User quota"]) },
        ),
        ("* SORT 2 3", Untagged::Unknown("SORT 2 3".into())),
        ("* 3 NOVELTY (x", Untagged::Unknown("3 NOVELTY (x".into())),
        ("* ", Untagged::Unknown("".into())),
    ]);
}

/// A FETCH response about message 12.
fn about_12(fetch: Fetch) -> Untagged {
    Untagged::Fetch(Box::new(Fetch { sequence: 12, ..fetch }))
}

#[test]
fn items_of_messages() {
    let dated = |text: &str| Fetch {
        internal_date: InternalDate::parse(text),
        internal_date_text: Some(text.to_owned()),
        ..Fetch::default()
    };
    check([
        ("* 12 FETCH ()", about_12(Fetch::default())),
        ("* 12 fetch ( uid 7 )", about_12(Fetch { uid: uid(7), ..Fetch::default() })),
        ("* 12 FETCH (UID 0)", about_12(Fetch { odd_uid: Some("0".into()), ..Fetch::default() })),
        (
            "* 12 FETCH (UID 19564493749)",
            about_12(Fetch { odd_uid: Some("19564493749".into()), ..Fetch::default() }),
        ),
        (
            "* 12 FETCH (RFC822.SIZE 5000000000)",
            about_12(Fetch { rfc822_size: Some(5_000_000_000), ..Fetch::default() }),
        ),
        ("* 12 FETCH (RFC822.SIZE -1)", about_12(Fetch::default())),
        ("* 12 FETCH (RFC822.SIZE NIL)", about_12(Fetch::default())),
        (
            "* 12 FETCH (FLAGS (\\Seen \\FORWARDED EmailswithStickyNotes:FLAG51135 $a[1] \\Recent))",
            about_12(Fetch {
                flags: Some(
                    ["\\Seen", "\\FORWARDED", "EmailswithStickyNotes:FLAG51135", "$a[1]"]
                        .into_iter()
                        .collect(),
                ),
                ..Fetch::default()
            }),
        ),
        (
            "* 12 FETCH (FLAGS NIL)",
            about_12(Fetch { flags: Some(std::iter::empty::<&str>().collect()), ..Fetch::default() }),
        ),
        (
            "* 12 FETCH (INTERNALDATE \"7-Jul-2002 02:44:25 +0200\")",
            about_12(dated("7-Jul-2002 02:44:25 +0200")),
        ),
        ("* 12 FETCH (INTERNALDATE \" 7-Jul-2002 02:44:25\")", about_12(dated(" 7-Jul-2002 02:44:25"))),
        (
            "* 12 FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\")",
            about_12(Fetch {
                internal_date_text: Some("00-Jan-0000 00:00:00 +0000".to_owned()),
                ..Fetch::default()
            }),
        ),
        ("* 12 FETCH (INTERNALDATE NIL)", about_12(Fetch::default())),
        ("* 12 FETCH (MODSEQ (0))", about_12(Fetch { modseq: Some(ModSeq(0)), ..Fetch::default() })),
        (
            "* 12 FETCH (THREADID NIL EMAILID (M6d))",
            about_12(Fetch { email_id: Some("M6d".to_owned()), ..Fetch::default() }),
        ),
        (
            "* 12 FETCH (X-GM-LABELS (\"\\\\Important\" Muy&AOk- \"a b\") X-GM-THRID 1 X-GM-MSGID 18446744073709551615)",
            about_12(Fetch {
                gm_labels: Some(words(&["\\Important", "Muy&AOk-", "a b"])),
                gm_thrid: Some(1),
                gm_msgid: Some(u64::MAX),
                ..Fetch::default()
            }),
        ),
    ]);
}

#[test]
fn sections_of_messages() {
    let body = |spec: &str, origin, content| Fetch {
        sections: vec![Section { spec: spec.to_owned(), origin, content }],
        ..Fetch::default()
    };
    check([
        ("* 12 FETCH (BODY[] NIL)", about_12(body("", None, Content::Nil))),
        ("* 12 FETCH (BODY[] \"\")", about_12(body("", None, Content::Inline("".into())))),
        ("* 12 FETCH (BODY[] {0}\r\n)", about_12(body("", None, Content::Inline("".into())))),
        ("* 12 FETCH (RFC822 {4}\r\n)\r\n()", about_12(body("", None, Content::Inline(")\r\n(".into())))),
        (
            "* 12 FETCH (RFC822.HEADER {2}\r\n\r\n)",
            about_12(body("HEADER", None, Content::Inline("\r\n".into()))),
        ),
        (
            "* 12 FETCH (body[header.fields (date \"x]y\")]<10> \"D\")",
            about_12(body("HEADER.FIELDS (DATE \"X]Y\")", Some(10), Content::Inline("D".into()))),
        ),
        (
            "* 12 FETCH (BODY[1.MIME] {1}\r\nx UID 7)",
            about_12(Fetch { uid: uid(7), ..body("1.MIME", None, Content::Inline("x".into())) }),
        ),
        (
            "* 12 FETCH (BINARY[1] ~{3+}\r\n\0\r\n)",
            about_12(body("1", None, Content::Inline("\0\r\n".into()))),
        ),
        ("* 12 FETCH (BODY[]{2}\r\n) )", about_12(body("", None, Content::Inline(") ".into())))),
        ("* 12 FETCH (BODY[]<5>{1}\r\n))", about_12(body("", Some(5), Content::Inline(")".into())))),
    ]);
}

#[test]
fn unknown_items_of_messages() {
    let unknown = |name: &str, raw: &'static str| Fetch {
        other: vec![(name.to_owned(), raw.into())],
        ..Fetch::default()
    };
    check([
        (
            "* 12 FETCH (FLAGS (\\Seen NIL) UID 7)",
            about_12(Fetch {
                uid: uid(7),
                flags: Some(["\\Seen", "NIL"].into_iter().collect()),
                ..Fetch::default()
            }),
        ),
        ("* 12 FETCH (FLAGS ((x)) UID 7)", about_12(Fetch { uid: uid(7), ..Fetch::default() })),
        ("* 12 FETCH (SAVEDATE NIL)", about_12(unknown("SAVEDATE", "NIL"))),
        ("* 12 FETCH (X-NEW ((a \"(\") {1}\r\n)))", about_12(unknown("X-NEW", "((a \"(\") {1}\r\n))"))),
        (
            "* 12 FETCH (BODY ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 2 1)(\"x\" NIL) \"MIXED\"))",
            about_12(unknown(
                "BODY",
                "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 2 1)(\"x\" NIL) \"MIXED\")",
            )),
        ),
        ("* 12 FETCH (UID 7", Untagged::Unknown("12 FETCH (UID 7".into())),
    ]);
}

#[test]
fn a_large_folder() {
    let numbers: Vec<u32> = (1_000_001..=1_200_000).collect();
    let line = format!("* SEARCH {}", numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    assert_eq!(
        read(line.as_bytes()),
        Response::Untagged(Untagged::Search { ids: numbers, modseq: None }),
        "each number is looked at once"
    );
}
