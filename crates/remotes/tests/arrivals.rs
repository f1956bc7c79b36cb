//! The way of real messages: each has one, and another parser reads the same hosts.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::net::IpAddr;

use mail_parser::{HeaderValue, MessageParser};
use mailhaul_mail::{KnownHosts, Via, hops, via};
use mailhaul_testkit::{corpus, with_crlf};

/// True if the whole name, its letters and its length are those of a host.
fn is_host(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(is_fine)
}

#[test]
fn each_real_message_has_a_way() {
    let (mut external, mut internal, mut saved, mut same) = (0, 0, 0, 0);
    let mut different = Vec::new();
    for (index, message) in corpus().iter().map(|it| with_crlf(it)).enumerate() {
        // An mbox line is no part of a header.
        let message = match message.strip_prefix(b"From ") {
            Some(rest) => {
                &rest[rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |it| it + 1)..]
            }
            None => &message,
        };
        let found = via(message, &KnownHosts::default());
        match &found {
            Via::External(host) => {
                external += 1;
                assert!(host.name.is_some() || host.address.is_some(), "{index}");
                assert!(host.name.as_deref().is_none_or(is_host), "{index}: {host:?}");
            }
            Via::Internal => internal += 1,
            Via::Saved => saved += 1,
            Via::Returned => panic!("{index}: no target is known"),
        }
        assert_eq!(found == Via::Saved, hops(message).next().is_none(), "{index}");
        let Some(parsed) = MessageParser::default().parse(message) else { continue };
        let theirs: Vec<Option<IpAddr>> = parsed
            .header_values("Received")
            .filter_map(|value| match value {
                HeaderValue::Received(received) => Some(received.from_ip),
                _ => None,
            })
            .collect();
        let ours: Vec<Option<IpAddr>> = hops(message).map(|hop| hop.address).collect();
        if theirs.len() != ours.len() {
            continue;
        }
        for (theirs, ours) in theirs.iter().zip(&ours) {
            if let (Some(theirs), Some(ours)) = (theirs.map(|it| it.to_canonical()), *ours) {
                if theirs == ours {
                    same += 1;
                } else {
                    different.push(format!("{index}: {theirs}, and not {ours}"));
                }
            }
        }
    }
    println!("external {external}, internal {internal}, saved {saved}, same addresses {same}");
    assert_eq!(different, [""; 0]);
    assert!(external + internal + saved >= 300);
}
