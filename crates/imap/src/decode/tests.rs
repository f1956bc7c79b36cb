use bytes::Bytes;
use mailhaul_mail::{InternalDate, ModSeq, Uid, UidValidity};
use proptest::prelude::*;

use super::*;
use crate::{
    framer::{Frame, Framer},
    response::{Code, Content, Fetch},
};

fn read(line: &[u8]) -> Response {
    let mut framer = Framer::new(ResponseLimits::default());
    framer.buffer_mut().extend_from_slice(line);
    framer.buffer_mut().extend_from_slice(b"\r\n*");
    let Some(Frame::Response(raw)) = framer.next_frame().unwrap() else { panic!("no response in {line:?}") };
    decode(&raw, &ResponseLimits::default()).unwrap()
}

fn data(line: &str) -> Untagged {
    match read(line.as_bytes()) {
        Response::Untagged(untagged) => untagged,
        other => panic!("{other:?}"),
    }
}

fn fetched(items: &str) -> Fetch {
    match data(&format!("* 7 FETCH ({items})")) {
        Untagged::Fetch(fetch) => *fetch,
        other => panic!("{other:?}"),
    }
}

fn code(line: &str) -> Option<Code> {
    match data(&format!("* OK {line}")) {
        Untagged::Status(status) => status.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tagged_lines_are_always_understood() {
    for (line, text) in
        [("a1 OK", ""), ("a1 ok done", "done"), ("a1 NO  [ALERT] hm ", "hm"), ("a1 BAD [x", "[x")]
    {
        let Response::Tagged { tag, status } = read(line.as_bytes()) else { panic!("{line}") };
        assert_eq!((tag.as_str(), status.text.as_str()), ("a1", text), "{line}");
    }
    assert!(matches!(read(b"+"), Response::Continue(text) if text.is_empty()));
    assert!(matches!(read(b"+ idling"), Response::Continue(text) if text == "idling"));
    let Response::Tagged { status, .. } = read(b"a1 NO Gr\xfc\xdfe") else { panic!() };
    assert_eq!(status.text, "Gr\u{fffd}\u{fffd}e");
}

#[test]
fn what_is_no_response_is_an_error() {
    for line in ["", "hello", "a1", "a1 PREAUTH x", "(a) OK", "HTTP/1.1 400 Bad Request"] {
        let raw = RawResponse { text: Bytes::copy_from_slice(line.as_bytes()), streamed: Vec::new() };
        assert!(decode(&raw, &ResponseLimits::default()).is_err(), "{line:?}");
    }
}

#[test]
fn response_codes() {
    let uids = |text: &str| text.parse::<mailhaul_mail::UidSet>().unwrap();
    let validity = UidValidity::new(9).unwrap();
    let uid = |number| Uid::new(number).unwrap();
    let other = |name: &str, rest: &str| Some(Code::Other { name: name.into(), rest: rest.into() });
    let table = [
        ("[APPENDUID 9 1:3] ok", Some(Code::AppendUid { validity, uids: uids("1:3") })),
        ("[appenduid 9 4]", Some(Code::AppendUid { validity, uids: uids("4") })),
        ("[APPENDUID 9 x] ok", other("APPENDUID", "9 x")),
        (
            "[COPYUID 9 5,3 10:11] ok",
            Some(Code::CopyUid { validity, pairs: vec![(uid(5), uid(10)), (uid(3), uid(11))] }),
        ),
        ("[COPYUID 9 5 10:11] ok", other("COPYUID", "9 5 10:11")),
        ("[HIGHESTMODSEQ 715194045007]", Some(Code::HighestModSeq(ModSeq(715_194_045_007)))),
        ("[PERMANENTFLAGS (\\Seen a]b \\*)] ok", Some(Code::PermanentFlags(words(b"\\Seen a]b \\*")))),
        ("[PERMANENTFLAGS ()] ok", Some(Code::PermanentFlags(vec![]))),
        ("[THROTTLED] slow", other("THROTTLED", "")),
        ("[UNSEEN 0]", Some(Code::Unseen(0))),
        ("[UIDVALIDITY 0]", other("UIDVALIDITY", "0")),
        ("[CAPABILITY IMAP4rev1  X] ok", Some(Code::Capability(vec!["IMAP4rev1".into(), "X".into()]))),
        ("[MAILBOXID (F1-2)] ok", Some(Code::MailboxId("F1-2".into()))),
        ("no code here", None),
    ];
    for (line, expected) in table {
        assert_eq!(code(line), expected, "{line}");
    }
}

#[test]
fn fetch_items_known_and_unknown() {
    let fetch = fetched(
        "UID 5 FLAGS (\\Seen $a[1] \\Recent) RFC822.SIZE 5000000000 MODSEQ (12) EMAILID (M1) THREADID NIL \
         X-GM-MSGID 1278455344230334865 X-GM-LABELS (\"\\\\Inbox\" foo) SAVEDATE \"x\" PREVIEW {2}\r\n\"( X-NEW (a (b))",
    );
    assert_eq!(fetch.uid, Uid::new(5));
    assert_eq!(fetch.flags.unwrap().to_string(), "\\Seen $a[1]");
    assert_eq!(fetch.rfc822_size, Some(5_000_000_000));
    assert_eq!(
        (fetch.modseq, fetch.email_id.as_deref(), fetch.thread_id),
        (Some(ModSeq(12)), Some("M1"), None)
    );
    assert_eq!(fetch.gm_msgid, Some(1_278_455_344_230_334_865));
    assert_eq!(fetch.gm_labels.unwrap(), ["\\Inbox", "foo"]);
    let other: Vec<(&str, &[u8])> =
        fetch.other.iter().map(|(name, raw)| (name.as_str(), raw.as_ref())).collect();
    assert_eq!(other, [("SAVEDATE", &b"\"x\""[..]), ("PREVIEW", b"{2}\r\n\"("), ("X-NEW", b"(a (b))")]);
}

#[test]
fn sizes_of_sections_behind_a_section_are_items() {
    let fetch = fetched("BINARY[1] {1}\r\nx BINARY.SIZE[1] 1 UID 5");
    assert_eq!((fetch.uid, fetch.sections.len(), fetch.other.len()), (Uid::new(5), 1, 1));
}

#[test]
fn internal_dates_that_name_no_day_are_kept_as_text() {
    let fetch = fetched("INTERNALDATE \"00-Jan-0000 00:00:00 +0000\"");
    assert_eq!(
        (fetch.internal_date, fetch.internal_date_text.as_deref()),
        (None, Some("00-Jan-0000 00:00:00 +0000"))
    );
    let fetch = fetched("INTERNALDATE \"1-Jan-2020 00:00:00 +0530\"");
    assert_eq!(fetch.internal_date, InternalDate::parse("1-Jan-2020 00:00:00 +0530"));
}

#[test]
fn sections_in_every_form() {
    let content = |items: &str| fetched(items).sections.remove(0);
    assert_eq!(content("BODY[] NIL").content, Content::Nil);
    assert_eq!(content("BODY[] \"\"").content, Content::Inline(Bytes::new()));
    assert_eq!(content("BODY[] {3}\r\n)\r\n").content, Content::Inline(Bytes::from_static(b")\r\n")));
    assert_eq!(content("BINARY[1] ~{2}\r\n\0\n").content, Content::Inline(Bytes::from_static(b"\0\n")));
    assert_eq!(content("RFC822 \"x\"").spec, "");
    let header = content("body[header.fields (\"DATE\" \"x]y\")]<5> {1}\r\na UID 3");
    assert_eq!((header.spec.as_str(), header.origin), ("HEADER.FIELDS (\"DATE\" \"X]Y\")", Some(5)));
}

#[test]
fn a_large_section_is_known_before_it_is_here() {
    let mut framer = Framer::new(ResponseLimits { inline_literal: 2, ..ResponseLimits::default() });
    framer.buffer_mut().extend_from_slice(b"* 3 FETCH (UID 8 BODY[] {5}\r\n");
    let Some(Frame::LiteralStart { head, length: 5 }) = framer.next_frame().unwrap() else { panic!() };
    let found = decode_fetch_head(&head, &ResponseLimits::default()).unwrap();
    assert_eq!(found, FetchHead { uid: Uid::new(8), section: String::new(), origin: None });
    framer.buffer_mut().extend_from_slice(b"hello FLAGS (\\Seen))\r\n");
    let rest: Vec<Frame> = std::iter::from_fn(|| framer.next_frame().unwrap()).collect();
    let [Frame::LiteralChunk(_), Frame::LiteralEnd, Frame::Response(raw)] = rest.as_slice() else {
        panic!("{rest:?}")
    };
    let Response::Untagged(Untagged::Fetch(fetch)) = decode(raw, &ResponseLimits::default()).unwrap() else {
        panic!()
    };
    assert_eq!(fetch.sections[0].content, Content::Streamed(5));
    assert_eq!(fetch.flags.unwrap().to_string(), "\\Seen");
}

/// Answers of a server that counts bytes wrong: the rest of the message stands in place of items.
#[test]
fn a_body_whose_response_does_not_end_well_is_no_body() {
    for rest in [
        "",
        "\n)",
        "y)",
        "Regards, Bob)",
        "Bob (UID 5))",
        " UID 6)",
        " UID)",
        " BODY[] {2}\r\nno)",
        ") x",
        ") FLAGS",
        "3 FETCH (UID 6 FLAGS ())",
    ] {
        let line = format!("* 7 FETCH (UID 5 BODY[] {{2}}\r\nhi{rest}");
        let Untagged::BrokenFetch(fetch) = data(&line) else { panic!("{line}: {:?}", data(&line)) };
        assert_eq!(fetch.uid, Uid::new(5), "{line}");
    }
}

#[test]
fn items_behind_the_parenthesis_are_items() {
    let Untagged::Fetch(fetch) = data("* 7 FETCH (UID 5 BODY[] {2}\r\nhi) FLAGS (\\Seen) RFC822.SIZE 2")
    else {
        panic!()
    };
    assert_eq!((fetch.uid, fetch.rfc822_size), (Uid::new(5), Some(2)));
    assert_eq!(fetch.inline("").map(|bytes| &bytes[..]), Some(&b"hi"[..]));
    let Untagged::Fetch(fetch) = data("* 7 FETCH (BODY[] {2}\r\nhi\r\n UID 5)") else { panic!() };
    assert_eq!((fetch.uid, fetch.sections.len()), (Uid::new(5), 1));
    assert_eq!(data(" UID 5)"), Untagged::Unknown("UID 5)".into()));
    let line = |text: &str| {
        decode(
            &RawResponse { text: Bytes::copy_from_slice(text.as_bytes()), streamed: Vec::new() },
            &ResponseLimits::default(),
        )
    };
    assert!([" UID 5", " hello)", " X 5)", " )"].iter().all(|text| line(text).is_err()));
}

#[test]
fn listings() {
    let list = |line: &str| match data(line) {
        Untagged::List(item) | Untagged::Lsub(item) => item,
        other => panic!("{other:?}"),
    };
    let item =
        list("* LIST (\\HasNoChildren \\sent) \"/\" Sent (\"CHILDINFO\" (\"SUBSCRIBED\") OLDNAME (\"x\"))");
    assert!(item.has("\\Sent"));
    assert_eq!(
        item.extended.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        ["CHILDINFO", "OLDNAME"]
    );
    assert_eq!(list("* LIST () NIL {3}\r\na\"b").name.as_wire(), b"a\"b");
    assert_eq!(list("* LSUB () \"\\\\\" \"Inbox\"").delimiter, Some('\\'));
    assert!(list("* LSUB () \"\\\\\" \"Inbox\"").name.is_inbox());
    assert_eq!(list("* LIST () \".\" INBOX.a&b[1]").name.as_wire(), b"INBOX.a&b[1]");
    assert_eq!(list("* LIST () \"/\" NIL").name.as_wire(), b"NIL");
    assert_eq!(list("* XLIST (\\Noselect) \"/\" \"[Gmail]\" ").name.as_wire(), b"[Gmail]");
}

#[test]
fn states_and_searches() {
    let Untagged::MailboxStatus { items, .. } = data(
        "* STATUS \"a b\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 5 HIGHESTMODSEQ 6 MAILBOXID (F1) APPENDLIMIT NIL X 1)",
    ) else {
        panic!()
    };
    assert_eq!((items.messages, items.uid_next, items.append_limit), (Some(3), Uid::new(4), None));
    assert_eq!(items.mailbox_id.as_deref(), Some("F1"));
    assert_eq!(data("* SEARCH"), Untagged::Search { ids: vec![], modseq: None });
    assert_eq!(
        data("* SEARCH 2 5 (MODSEQ 9) "),
        Untagged::Search { ids: vec![2, 5], modseq: Some(ModSeq(9)) }
    );
    let Untagged::Esearch(found) = data("* ESEARCH (TAG \"a1\") UID COUNT 3 X-NEW (1) ALL 1:3") else {
        panic!()
    };
    assert_eq!((found.uid, found.count, found.all), (true, Some(3), "1:3".parse().ok()));
    let vanished = data("* VANISHED (EARLIER) 41,43:44");
    assert_eq!(vanished, Untagged::Vanished { earlier: true, uids: "41,43:44".parse().unwrap() });
    let Untagged::Namespace(found) =
        data("* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\" \"X\" (\"y\")))")
    else {
        panic!()
    };
    assert_eq!(found.shared[0].prefix.as_wire(), b"#shared.");
    assert_eq!(data("* ID NIL"), Untagged::Id(vec![]));
    let Untagged::Quota { resources, .. } = data("* QUOTA \"User quota\" (STORAGE 10 512 MESSAGE 1 2)")
    else {
        panic!()
    };
    assert_eq!(resources[1].limit, 2);
}

#[test]
fn what_nobody_understands_is_kept() {
    for line in [
        "* X-NEWS 1",
        "* 3 FROB",
        "* SEARCH a",
        "* 7 FETCH (UID 5",
        "* LIST broken",
        "* 99999999999 EXISTS",
        "*",
    ] {
        assert!(matches!(data(line), Untagged::Unknown(_)), "{line}: {:?}", data(line));
    }
    let deep = format!("* FLAGS {}{}", "(".repeat(100), ")".repeat(100));
    assert!(matches!(data(&deep), Untagged::Unknown(_)));
}

proptest! {
    #[test]
    fn never_panics(line in prop::collection::vec(prop_oneof![
        Just(b"* 1 FETCH (".to_vec()), Just(b"BODY[".to_vec()), Just(b"* OK [".to_vec()), Just(b"{3}\r\n".to_vec()),
        Just(b"* LIST (\\A) \"".to_vec()), Just(b"UID 1 ".to_vec()), Just(b")".to_vec()), Just(b"* ESEARCH ".to_vec()),
        prop::collection::vec(any::<u8>(), 0..6)
    ], 0..10)) {
        let raw = RawResponse { text: line.concat().into(), streamed: vec![(20, 3)] };
        _ = decode(&raw, &ResponseLimits::default());
        _ = decode_fetch_head(&raw, &ResponseLimits::default());
    }
}
