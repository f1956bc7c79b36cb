//! Two other implementations as oracles: imap-codec writes arbitrary responses which the framer and the decoder must
//! read as they were meant, and imap-proto must read the same out of them.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::num::{NonZeroU32, NonZeroU64};

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::{
    ResponseCodec,
    encode::{Encoder, Fragment},
    imap_types::{
        core::{IString, Literal, NString, NString8, Quoted, Vec1},
        fetch::{MessageDataItem, Section},
        flag::{Flag, FlagFetch},
        mailbox::Mailbox,
        response::{Data, Response as Meant},
        status::StatusDataItem,
    },
};
use mailhaul_imap::{
    Frame, Framer, MailboxName, RawResponse, ResponseLimits, decode,
    response::{Content, Fetch, Response, StatusItems, Untagged},
};
use mailhaul_mail::{Flags, ModSeq, Uid, UidValidity};
use proptest::prelude::*;

/// A response and its streamed literals.
type Framed = (RawResponse, Vec<Vec<u8>>);

fn frame(wire: &[u8], limits: &ResponseLimits, lengths: &[usize]) -> Vec<Framed> {
    let mut framer = Framer::new(limits.clone());
    let (mut found, mut literals) = (Vec::new(), Vec::new());
    let (mut rest, mut lengths) = (wire, lengths.iter().cycle());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        framer.buffer_mut().extend_from_slice(piece);
        rest = after;
        while let Some(frame) = framer.next_frame().unwrap() {
            match frame {
                Frame::LiteralStart { .. } => literals.push(Vec::new()),
                Frame::LiteralChunk(chunk) => literals.last_mut().unwrap().extend_from_slice(&chunk),
                Frame::LiteralEnd => {}
                Frame::Response(raw) => found.push((raw, std::mem::take(&mut literals))),
            }
        }
    }
    assert!(!framer.is_inside_response());
    found
}

/// Puts the streamed literals back where they were.
fn restore((raw, literals): &Framed) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut start = 0;
    assert_eq!(raw.streamed.len(), literals.len());
    for (&(offset, length), literal) in raw.streamed.iter().zip(literals) {
        assert_eq!(length, literal.len() as u64);
        wire.extend_from_slice(&raw.text[start..offset]);
        wire.extend_from_slice(literal);
        start = offset;
    }
    wire.extend_from_slice(&raw.text[start..]);
    wire
}

/// Bytes that imap-codec writes, and true if they contain a literal.
fn encode(meant: &Meant<'_>) -> (Vec<u8>, bool) {
    let fragments: Vec<_> = ResponseCodec::new().encode(meant).collect();
    let literals = fragments.iter().any(|fragment| matches!(fragment, Fragment::Literal { .. }));
    let octets = fragments.into_iter().flat_map(|fragment| match fragment {
        Fragment::Line { data } | Fragment::Literal { data, .. } => data,
    });
    (octets.collect(), literals)
}

fn mailbox(name: &Mailbox<'_>) -> MailboxName {
    MailboxName::from_wire(match name {
        Mailbox::Inbox => &b"INBOX"[..],
        Mailbox::Other(other) => other.as_ref(),
    })
}

fn status(meant: &[StatusDataItem]) -> StatusItems {
    let mut items = StatusItems::default();
    for item in meant {
        match item {
            StatusDataItem::Messages(number) => items.messages = Some(*number),
            StatusDataItem::Recent(number) => items.recent = Some(*number),
            StatusDataItem::UidNext(number) => items.uid_next = Uid::new(number.get()),
            StatusDataItem::UidValidity(number) => {
                items.uid_validity = UidValidity::new(u64::from(number.get()));
            }
            StatusDataItem::Unseen(number) => items.unseen = Some(*number),
            StatusDataItem::Deleted(number) => items.deleted = Some(*number),
            StatusDataItem::HighestModSeq(number) => items.highest_modseq = Some(ModSeq(*number)),
            StatusDataItem::DeletedStorage(_) => {}
        }
    }
    items
}

/// A header field's name sent as a literal within the brackets: no server does that, and no client asks for it.
fn names_fields(items: &[MessageDataItem<'_>]) -> bool {
    let fields =
        |section: &Section<'_>| matches!(section, Section::HeaderFields(..) | Section::HeaderFieldsNot(..));
    items.iter().any(|item| matches!(item, MessageDataItem::BodyExt { section: Some(it), .. } if fields(it)))
}

/// Two UIDs or two bodies in one response: no client asks for that, and such a response is not believed.
fn tells_twice(items: &[MessageDataItem<'_>]) -> bool {
    let uids = items.iter().filter(|item| matches!(item, MessageDataItem::Uid(_))).count();
    let is_body = |it: &&MessageDataItem<'_>| {
        use MessageDataItem as I;
        matches!(
            it,
            I::BodyExt { .. } | I::Binary { .. } | I::Rfc822(_) | I::Rfc822Header(_) | I::Rfc822Text(_)
        )
    };
    uids > 1 || items.iter().filter(is_body).count() > 1
}

fn assert_same_fetch(meant: &[MessageDataItem<'_>], found: &Fetch) {
    let (mut uid, mut size, mut modseq, mut flags, mut contents) = (None, None, None, None, Vec::new());
    for item in meant {
        match item {
            MessageDataItem::Uid(number) => uid = Uid::new(number.get()),
            MessageDataItem::Rfc822Size(number) => size = Some(u64::from(*number)),
            MessageDataItem::ModSeq(number) => modseq = Some(ModSeq(number.get())),
            MessageDataItem::Flags(names) => {
                let names: Vec<String> = names
                    .iter()
                    .map(|name| match name {
                        FlagFetch::Flag(flag) => flag.to_string(),
                        FlagFetch::Recent => "\\Recent".to_owned(),
                    })
                    .collect();
                flags = Some(names.iter().map(String::as_str).collect::<Flags>());
            }
            MessageDataItem::BodyExt { data, .. }
            | MessageDataItem::Rfc822(data)
            | MessageDataItem::Rfc822Header(data)
            | MessageDataItem::Rfc822Text(data) => {
                contents.push(data.0.as_ref().map(|string| string.as_ref().to_vec()));
            }
            MessageDataItem::Binary { value, .. } => {
                contents.push(match value {
                    NString8::NString(string) => string.0.as_ref().map(|string| string.as_ref().to_vec()),
                    NString8::Literal8(literal) => Some(literal.data.to_vec()),
                });
            }
            _ => {}
        }
    }
    let sections: Vec<_> = found
        .sections
        .iter()
        .map(|section| match &section.content {
            Content::Nil => None,
            Content::Inline(octets) => Some(octets.to_vec()),
            Content::Streamed(_) => panic!("nothing was streamed"),
        })
        .collect();
    assert_eq!((found.uid, found.rfc822_size, found.modseq, &found.flags), (uid, size, modseq, &flags));
    assert_eq!(sections, contents);
}

/// True if this kind of data was compared.
fn assert_same(meant: &Data<'_>, found: &Untagged) -> bool {
    match (meant, found) {
        (Data::Exists(number), Untagged::Exists(read)) | (Data::Recent(number), Untagged::Recent(read)) => {
            assert_eq!(number, read);
        }
        (Data::Expunge(number), Untagged::Expunge(read)) => assert_eq!(number.get(), *read),
        (Data::Search(numbers, modseq), Untagged::Search { ids, modseq: read }) => {
            assert!(numbers.iter().map(|number| number.get()).eq(ids.iter().copied()));
            assert_eq!(modseq.map(|number| ModSeq(number.get())), *read);
        }
        (Data::Flags(flags), Untagged::Flags(names)) => {
            assert!(flags.iter().map(ToString::to_string).eq(names.iter().cloned()));
        }
        (Data::List { items, delimiter, mailbox: name }, Untagged::List(read))
        | (Data::Lsub { items, delimiter, mailbox: name }, Untagged::Lsub(read)) => {
            assert!(items.iter().map(ToString::to_string).eq(read.attributes.iter().cloned()));
            assert_eq!(delimiter.map(|delimiter| delimiter.inner()), read.delimiter);
            assert_eq!(mailbox(name), read.name);
        }
        (Data::Status { mailbox: name, items: meant }, Untagged::MailboxStatus { name: read, items }) => {
            assert_eq!((mailbox(name), status(meant)), (read.clone(), items.clone()));
        }
        (Data::Capability(meant), Untagged::Capability(words)) => {
            assert!(meant.as_ref().iter().map(ToString::to_string).eq(words.iter().cloned()));
        }
        (Data::Enabled { capabilities }, Untagged::Enabled(words)) => {
            assert!(capabilities.iter().map(ToString::to_string).eq(words.iter().cloned()));
        }
        (Data::Fetch { items, .. }, _) if names_fields(items.as_ref()) => return false,
        (Data::Fetch { items, .. }, Untagged::BrokenFetch(_) | Untagged::Unknown(_))
            if tells_twice(items.as_ref()) =>
        {
            return false;
        }
        (Data::Fetch { seq, items }, Untagged::Fetch(read)) => {
            assert_eq!(seq.get(), read.sequence);
            assert_same_fetch(items.as_ref(), read);
        }
        (Data::Vanished { earlier, .. }, Untagged::Vanished { earlier: read, .. }) => {
            assert_eq!(earlier, read);
        }
        // imap-codec writes the greatest UID as `*`, which the grammar of this response forbids.
        (Data::Vanished { .. }, Untagged::Unknown(octets)) => assert!(octets.contains(&b'*'), "{octets:?}"),
        (Data::Id { .. }, Untagged::Id(_))
        | (Data::Namespace { .. }, Untagged::Namespace(_))
        | (Data::Quota { .. }, Untagged::Quota { .. })
        | (Data::QuotaRoot { .. }, Untagged::QuotaRoot { .. })
        | (Data::Sort(..) | Data::Thread(_), Untagged::Unknown(_)) => {}
        _ => panic!("{meant:?} was read as {found:?}"),
    }
    true
}

/// Data that imap-proto reads, if it reads all of it. It supports less than imap-codec writes.
fn assert_same_as_proto(wire: &[u8], found: &Untagged) {
    use imap_proto::{AttributeValue, MailboxDatum, Response as Proto};
    let Ok((b"", read)) = Proto::parse(wire) else { return };
    match (&read, found) {
        (Proto::MailboxData(MailboxDatum::Exists(number)), Untagged::Exists(ours)) => {
            assert_eq!(number, ours);
        }
        (Proto::MailboxData(MailboxDatum::Search(numbers)), Untagged::Search { ids, .. }) => {
            assert_eq!(numbers, ids);
        }
        (Proto::Fetch(number, values), Untagged::Fetch(fetch)) => {
            assert_eq!(*number, fetch.sequence);
            let uid = values.iter().rev().find_map(|value| match value {
                AttributeValue::Uid(uid) => Some(*uid),
                _ => None,
            });
            assert_eq!(uid, fetch.uid.map(Uid::get));
        }
        _ => {}
    }
}

/// The framer's and the decoder's work on what imap-codec wrote.
fn check(meant: &Data<'_>, wire: &[u8], lengths: &[usize]) {
    for inline_literal in [0, 5, 256 << 10] {
        let found = frame(wire, &ResponseLimits { inline_literal, ..ResponseLimits::default() }, lengths);
        assert_eq!(found.len(), 1);
        assert_eq!(restore(&found[0]), &wire[..wire.len() - 2]);
    }
    let found = frame(wire, &ResponseLimits::default(), lengths);
    let Ok(Response::Untagged(read)) = decode(&found[0].0, &ResponseLimits::default()) else {
        panic!("{:?}", wire.escape_ascii().to_string())
    };
    if assert_same(meant, &read) {
        assert_same_as_proto(wire, &read);
    }
}

fn fetch_item() -> impl Strategy<Value = MessageDataItem<'static>> {
    // Literals that look like syntax. imap-codec refuses NUL in them.
    let octets = prop_oneof![
        prop::collection::vec(1u8.., 0..60),
        prop::collection::vec(prop::sample::select(b"\r\n{}5+)* \"".to_vec()), 0..60),
    ];
    let literal =
        octets.prop_map(|octets| NString(Some(IString::Literal(Literal::try_from(octets).unwrap()))));
    let quoted =
        "[ -~]{0,20}".prop_map(|text| NString(Some(IString::Quoted(Quoted::try_from(text).unwrap()))));
    let section = prop::sample::select(vec![None, Some(Section::Header(None)), Some(Section::Text(None))]);
    let origin = prop::option::of(any::<u32>());
    let flags =
        prop::sample::subsequence(vec![Flag::Seen, Flag::Deleted, Flag::Answered, Flag::Flagged], 0..4);
    prop_oneof![
        4 => (section, origin, prop_oneof![3 => literal, 1 => quoted, 1 => Just(NString(None))])
            .prop_map(|(section, origin, data)| MessageDataItem::BodyExt { section, origin, data }),
        1 => any::<NonZeroU32>().prop_map(MessageDataItem::Uid),
        1 => any::<u32>().prop_map(MessageDataItem::Rfc822Size),
        1 => any::<NonZeroU64>().prop_map(MessageDataItem::ModSeq),
        1 => flags.prop_map(|flags| MessageDataItem::Flags(flags.into_iter().map(FlagFetch::Flag).collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_imap_codec_writes_is_read_as_it_was_meant(
        seed in prop::collection::vec(any::<u8>(), 16..1500),
        lengths in prop::collection::vec(1usize..50, 1..4),
    ) {
        let Ok(meant) = Meant::arbitrary(&mut Unstructured::new(&seed)) else { return Ok(()) };
        let (wire, literals) = encode(&meant);
        let Meant::Data(data) = &meant else {
            // A literal within a response code: the framer takes no literals there, because a `{5}` that ends words
            // for people is far more frequent.
            if !literals {
                let found = frame(&wire, &ResponseLimits::default(), &lengths);
                prop_assert_eq!(found.len(), 1);
                prop_assert_eq!(restore(&found[0]), &wire[..wire.len() - 2]);
                let read = decode(&found[0].0, &ResponseLimits::default());
                let same_kind = matches!(
                    (&meant, &read),
                    (Meant::CommandContinuationRequest(_), Ok(Response::Continue(_)))
                        | (Meant::Status(_), Ok(Response::Tagged { .. } | Response::Untagged(Untagged::Status(_))))
                );
                prop_assert!(same_kind, "{:?} was read as {:?}", meant, read);
            }
            return Ok(());
        };
        check(data, &wire, &lengths);
    }

    /// Few of the responses above are FETCH, and hardly any has a literal.
    #[test]
    fn fetches_with_bodies_are_read_as_they_were_meant(
        items in prop::collection::vec(fetch_item(), 1..8),
        lengths in prop::collection::vec(1usize..50, 1..4),
    ) {
        let data = Data::Fetch { seq: NonZeroU32::MIN, items: Vec1::try_from(items).unwrap() };
        let (wire, _) = encode(&Meant::Data(data.clone()));
        check(&data, &wire, &lengths);
    }
}
