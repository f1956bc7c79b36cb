use proptest::prelude::*;

use super::*;

fn repaired(message: &[u8], kinds: &[Repair]) -> Option<(String, String)> {
    let repaired = repair(message, &kinds.iter().copied().collect(), LONGEST_LINE)?;
    let words = repaired.words();
    Some((String::from_utf8_lossy(&repaired.octets).into_owned(), words))
}

fn header(message: &str) -> Option<(String, String)> {
    repaired(message.as_bytes(), &[Repair::InvalidHeaders])
}

fn told(octets: &str, words: &str) -> (String, String) {
    (octets.to_owned(), words.to_owned())
}

#[test]
fn what_is_fine_is_left_alone() {
    let message = b"Subject: one\r\n two\r\nX-Empty:\r\n\r\ntext: with\r\nlines\r\n";
    assert_eq!(repair(message, &Repairs::all(), LONGEST_LINE), None);
    assert_eq!(repair(b"", &Repairs::all(), LONGEST_LINE), None);
    assert_eq!(needed(b"A: b\n\nc\0", LONGEST_LINE).to_string(), "NulBytes,BareNewlines,MissingFinalNewline");
}

#[test]
fn nul_octets_and_line_ends() {
    let all = [Repair::NulBytes, Repair::BareNewlines, Repair::MissingFinalNewline];
    assert_eq!(
        repaired(b"A: b\n\r\nc\rd\0\r\ne\0", &all).unwrap(),
        told(
            "A: b\r\n\r\nc\r\nd\r\ne\r\n",
            "NulBytes: NUL removed (line 3 first, 2 times); BareNewlines: lone CR or LF replaced by CRLF (line 1 first, 2 times); \
             MissingFinalNewline: CRLF appended (line 5)"
        )
    );
    let last = [Repair::MissingFinalNewline];
    assert_eq!(repaired(b"A: b\r\n\r\nc\n", &last).unwrap().0, "A: b\r\n\r\nc\r\n");
    assert_eq!(repaired(b"A: b\r\n\r\nc\r", &last).unwrap().0, "A: b\r\n\r\nc\r\n");
}

#[test]
fn lines_that_are_no_fields_find_their_place() {
    assert_eq!(
        header("To  : a@b\r\nSubject: x\r\n\r\n").unwrap(),
        told(
            "To: a@b\r\nSubject: x\r\n\r\n",
            "InvalidHeaders: spaces before a header line's colon removed (line 1)"
        )
    );
    // Fields follow, so the line continues the field before it.
    assert_eq!(header("A: b\r\nof it\r\nC: d\r\n\r\n").unwrap().0, "A: b\r\n of it\r\nC: d\r\n\r\n");
    assert_eq!(
        header("A: b\r\nfew words: c\r\nC: d\r\n\r\n").unwrap().0,
        "A: b\r\n few words: c\r\nC: d\r\n\r\n"
    );
    // No field follows, but the field before it is incomplete.
    assert_eq!(
        header("A: b\r\nRefs: <a@b>, <c\r\nd>\r\n\r\ne").unwrap().0,
        "A: b\r\nRefs: <a@b>, <c\r\n d>\r\n\r\ne"
    );
    // No field follows: the empty line is missing.
    assert_eq!(
        header("A: b\r\nThis is text\r\nand more.\r\n").unwrap(),
        told(
            "A: b\r\n\r\nThis is text\r\nand more.\r\n",
            "InvalidHeaders: empty line inserted between header and text (line 2)"
        )
    );
    assert_eq!(header("Text,\r\n indented\r\n\r\nonly.").unwrap().0, "\r\nText,\r\n indented\r\n\r\nonly.");
    // No field before it.
    assert_eq!(
        header(">From a Mon Jan 1\r\nA: b\r\n\r\n").unwrap(),
        told(
            "X-Invalid-Header: >From a Mon Jan 1\r\nA: b\r\n\r\n",
            "InvalidHeaders: line without a field name kept as X-Invalid-Header (line 1)"
        )
    );
    assert_eq!(header(": x\r\nA: b\r\n\r\n").unwrap().0, "X-Invalid-Header: : x\r\nA: b\r\n\r\n");
}

#[test]
fn header_text_that_is_no_ascii_is_encoded_where_it_stands() {
    let value = |message: &str| header(message).unwrap().0;
    assert_eq!(
        header("A: b\r\nSubject: Grüße an\r\n älle, alle\r\n\r\nü").unwrap(),
        told(
            "A: b\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= an\r\n =?utf-8?Q?=C3=A4lle=2C?= alle\r\n\r\nü",
            "InvalidHeaders: header text encoded as utf-8 (line 2)"
        )
    );
    // Spaces between encoded words do not count, so these are encoded too.
    assert_eq!(value("Subject: ä\r\n  ö\r\n\r\n"), "Subject: =?utf-8?Q?=C3=A4__=C3=B6?=\r\n\r\n");
    assert_eq!(
        value("From: \"Jürgen \\\"J\\\" M\" <j@x>, Ölaf (süß) <o@x>\r\n\r\n"),
        "From: =?utf-8?Q?J=C3=BCrgen_=22J=22_M?= <j@x>, =?utf-8?Q?=C3=96laf?= (=?utf-8?Q?s=C3=BC=C3=9F?=) <o@x>\r\n\r\n"
    );
    assert_eq!(
        value("Content-Type: text/plain; name=\"Ü 1.txt\"; charset=us-ascii\r\n\r\n"),
        "Content-Type: text/plain; name*=utf-8''%C3%9C%201.txt; charset=us-ascii\r\n\r\n"
    );
    let latin = repaired(b"Subject: Gr\xfc\xdfe\r\n\r\n", &[Repair::InvalidHeaders]);
    assert_eq!(
        latin.unwrap(),
        told(
            "Subject: =?unknown-8bit?Q?Gr=FC=DFe?=\r\n\r\n",
            "InvalidHeaders: header text encoded as unknown-8bit (line 1)"
        )
    );
    let long = value(&format!("Subject: {}\r\n\r\n", "ü".repeat(60)));
    assert!(long.lines().all(|it| it.len() < 90), "{long}");
}

#[test]
fn long_lines_of_a_header_are_folded_at_blanks() {
    let message = format!("References: {}\r\n\r\ntext\r\n", "<some.thing@example.net> ".repeat(600));
    let (octets, words) = repaired(message.as_bytes(), &[Repair::LongLines]).unwrap();
    assert!(octets.lines().all(|it| it.len() <= 998), "{octets}");
    assert_eq!(octets.replace("\r\n <", " <"), message.replace(" \r\n", "\r\n"));
    assert!(words.starts_with("LongLines: header line folded (line 1 first, 1"), "{words}");
    let message = format!("X-Long: {}\r\n\r\n", "x".repeat(12_000));
    let (octets, words) = repaired(message.as_bytes(), &[Repair::LongLines]).unwrap();
    assert!(
        octets.lines().all(|it| it.len() <= 999) && words.contains("header line without a space cut"),
        "{words}"
    );
}

#[test]
fn long_lines_of_parts_are_shortened_by_what_the_part_is() {
    let long = "word =ü ".repeat(2_000);
    let base64 = "QUJD".repeat(4_000);
    let soft = "abc=3D-".repeat(2_000);
    let message = format!(
        "From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\npreamble\r\n\
         --b1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nshort\r\n{long}\r\n\
         --b1\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n\
         --b1\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n{soft}\r\n\
         --b1\r\nContent-Type: text/plain\r\n\r\nuntouched = \r\n--b1--\r\n"
    );
    let (octets, words) = repaired(message.as_bytes(), &[Repair::LongLines]).unwrap();
    assert!(octets.lines().all(|it| it.len() <= 80), "{octets}");
    assert_eq!(
        words,
        "LongLines: part encoded as quoted-printable (line 10); LongLines: base64 line wrapped (line 16); \
         LongLines: quoted-printable line broken with soft line ends (line 21)"
    );
    assert!(octets.ends_with("--b1\r\nContent-Type: text/plain\r\n\r\nuntouched = \r\n--b1--\r\n"));
    assert_eq!(bodies(octets.as_bytes()), bodies(message.as_bytes()));
    let signed = format!(
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n{long}\r\n--b\r\n\r\nsignature\r\n--b--\r\n"
    );
    let (_, words) = repaired(signed.as_bytes(), &[Repair::LongLines]).unwrap();
    assert_eq!(words, "LongLines: part encoded as quoted-printable (line 5; its signature no longer holds)");
}

/// The decoded contents of all parts.
fn bodies(message: &[u8]) -> Vec<Vec<u8>> {
    let parsed = mail_parser::MessageParser::default().parse(message);
    parsed.map(|it| it.parts.iter().map(|part| part.contents().to_vec()).collect()).unwrap_or_default()
}

/// Messages of many kinds, most of them with defects.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "A: b",
        "\r\n",
        "\r\n",
        "\r\n",
        "\n",
        "\r",
        "\0",
        " ",
        "\t",
        ":",
        "word",
        "ü",
        "\"",
        "<",
        ">",
        "(",
        ",",
        ";",
        "=",
        "--b",
        "--b--",
        "--",
        "=20",
        "=?utf-8?Q?x?=",
        "Subject",
        "From ",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding:\r\n quoted-printable\r\n",
        "Content-Disposition: attachment; filename=\"ü x\"\r\n",
        "LONG",
        "LONG ",
        "LÖNG",
    ]);
    (prop::collection::vec(pieces, 0..40), any::<bool>()).prop_map(|(pieces, is_latin)| {
        let text = pieces.concat();
        let long = |word: &str, times: usize| word.repeat(times);
        let text = text
            .replace("LONG ", &long("long ", 300))
            .replace("LONG", &long("long", 300))
            .replace("LÖNG", &long("lö", 600));
        let octets = text.into_bytes();
        // Half of them are not UTF-8.
        if is_latin { octets.into_iter().filter(|it| *it != 0xC3).collect() } else { octets }
    })
}

fn some_repairs() -> impl Strategy<Value = Repairs> {
    prop::sample::subsequence(Repair::ALL.to_vec(), 0..=5).prop_map(|it| it.into_iter().collect())
}

/// The visible bytes, to prove that none is lost.
fn letters(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|it| !matches!(it, 0 | b'\r' | b'\n' | b' ' | b'\t')).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_repaired_message_needs_no_more(message in message(), allowed in some_repairs()) {
        // Here, lines are long from 1,000 bytes on.
        if let Some(once) = repair(&message, &allowed, 1_000) {
            prop_assert_ne!(&once.octets, &message);
            prop_assert!(!once.edits.is_empty());
            let twice = repair(&once.octets, &allowed, 1_000);
            let again = twice.map(|it| it.words());
            prop_assert_eq!(again, None, "{}\n{}", once.octets.escape_ascii(), once.words());
        }
    }

    #[test]
    fn repairs_of_lines_and_line_ends_lose_nothing(message in message()) {
        let allowed = [Repair::NulBytes, Repair::BareNewlines, Repair::MissingFinalNewline].into_iter().collect();
        if let Some(repaired) = repair(&message, &allowed, 1_000) {
            prop_assert_eq!(letters(&repaired.octets), letters(&message));
            prop_assert!(repaired.octets.is_empty() || repaired.octets.ends_with(b"\r\n"));
        }
    }

    #[test]
    fn a_repaired_header_leaves_the_text_alone(message in message()) {
        let text = &message[fields::header_length(&message)..];
        if let Some(repaired) = repair(&message, &[Repair::InvalidHeaders].into_iter().collect(), 1_000) {
            prop_assert!(repaired.octets.ends_with(text));
            let header = &repaired.octets[..fields::header_length(&repaired.octets)];
            prop_assert!(header.is_ascii());
        }
    }

    #[test]
    fn text_with_long_lines_decodes_to_the_same(
        lines in prop::collection::vec("([a-zA-Zä =.-]{0,20}|[a-zä =-]{900,1200}|-{1100})[ \t]?", 0..6),
        encoding in prop::sample::select(vec!["", "7bit", "8bit", "binary"]),
        is_ended: bool,
    ) {
        let text = lines.join("\r\n") + if is_ended { "\r\n" } else { "" };
        let encoding = if encoding.is_empty() { String::new() } else { format!("Content-Transfer-Encoding: {encoding}\r\n") };
        let plain = format!("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n{encoding}\r\n{text}");
        let inside = format!("Content-Type: multipart/mixed; boundary=__\r\n\r\n--__\r\n{plain}\r\n--__--\r\n");
        for message in [plain, inside] {
            if let Some(repaired) = repair(message.as_bytes(), &Repairs::all(), 1_000) {
                let mut now = bodies(&repaired.octets);
                let mut then = bodies(message.as_bytes());
                // The end of the last line may be new.
                for body in now.iter_mut().chain(&mut then) {
                    while matches!(body.last(), Some(b'\r' | b'\n')) {
                        body.pop();
                    }
                }
                prop_assert_eq!(now, then);
            }
        }
    }
}
