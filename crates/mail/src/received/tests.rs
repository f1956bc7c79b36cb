//! Forty chains of real servers' forms, and hostile ones.

use super::*;

fn known() -> KnownHosts {
    let address = |text: &str| text.parse().unwrap();
    KnownHosts {
        source: HostSet {
            names: vec!["mail.old.example".to_owned(), "mx.old.example".to_owned()],
            addresses: vec![address("198.51.100.10"), address("2001:db8:1::10")],
        },
        target: HostSet { names: vec!["out.new.example".to_owned()], addresses: vec![address("192.0.2.80")] },
    }
}

/// `name address` of a deliverer, `-` for a part that is missing; else the word of the way.
fn told(lines: &[&str]) -> String {
    let mut header = lines.join("\r\n");
    header.push_str("\r\nSubject: x\r\n\r\nReceived: from body.example ([203.0.113.99]) by x; today\r\n");
    match via(header.as_bytes(), &known()) {
        Via::External(Deliverer { name, address }) => {
            let address = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
            format!("{} {address}", name.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}

const LMTP: &str = "Received: from mail.old.example ([127.0.0.1]) by mail.old.example with LMTP id aB; Fri, 27 Nov 2026 18:02:01 +0000";

const PARTNER: &str = "smtp.partner.example 203.0.113.7";

/// Name, header fields, and the way.
const CHAINS: &[(&str, &[&str], &str)] = &[
    ("none", &["From: a@b.example"], "Saved"),
    ("empty header", &[], "Saved"),
    (
        "Postfix",
        &[
            "Received: from smtp.partner.example (smtp.partner.example [203.0.113.7])\r\n\tby mail.old.example (Postfix) with ESMTPS id 4; Fri, 27 Nov 2026 18:02:00 +0000 (UTC)",
        ],
        PARTNER,
    ),
    (
        "Postfix, HELO lies",
        &[
            "Received: from mail.old.example (smtp.partner.example [203.0.113.7]) by mail.old.example (Postfix) with ESMTP id 4; now",
        ],
        PARTNER,
    ),
    (
        "Postfix, no reverse name",
        &[
            "Received: from smtp.partner.example (unknown [203.0.113.7]) by mail.old.example (Postfix) with ESMTP id 4; now",
        ],
        PARTNER,
    ),
    (
        "Postfix, neither name",
        &["Received: from [203.0.113.7] (unknown [203.0.113.7]) by mail.old.example (Postfix); now"],
        "- 203.0.113.7",
    ),
    (
        "Yahoo, HELO is an address",
        &[
            "Received: from 127.0.0.1  (EHLO smtp.partner.example) (203.0.113.7)\r\n  by mail.old.example with SMTP; now",
        ],
        PARTNER,
    ),
    (
        "qmail, HELO is an address of its own network",
        &["Received: from unknown (HELO [10.0.0.5]) (203.0.113.7) by mail.old.example with SMTP; now"],
        "- 203.0.113.7",
    ),
    (
        "name and address without a blank",
        &[
            "Received: from [192.0.2.9] (smtp.partner.example[203.0.113.7]) by mail.old.example (out4) with ESMTP; now",
        ],
        PARTNER,
    ),
    (
        "Postfix, IPv6",
        &[
            "Received: from smtp.partner.example (smtp.partner.example [IPv6:2001:db8:7::7]) by mail.old.example (Postfix); now",
        ],
        "smtp.partner.example 2001:db8:7::7",
    ),
    (
        "Postfix, TLS comment",
        &[
            "Received: from smtp.partner.example (smtp.partner.example [203.0.113.7])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\t(No client certificate requested)\r\n\tby mail.old.example (Postfix) with ESMTPS id 4; now",
        ],
        PARTNER,
    ),
    (
        "Postfix pickup",
        &[
            "Received: by mail.old.example (Postfix, from userid 33)\r\n\tid 4F; Fri, 27 Nov 2026 18:02:00 +0000 (UTC)",
        ],
        "Internal",
    ),
    (
        "Postfix pickup behind LMTP",
        &[LMTP, "Received: by mail.old.example (Postfix, from userid 0) id 4F; now"],
        "Internal",
    ),
    (
        "LMTP last hop",
        &[
            LMTP,
            "Received: from smtp.partner.example (smtp.partner.example [203.0.113.7]) by mail.old.example (Postfix) with ESMTP id 4; now",
        ],
        PARTNER,
    ),
    (
        "LMTP without address",
        &[
            "Received: from mail.old.example by mail.old.example with LMTP id aB; now",
            "Received: from smtp.partner.example ([203.0.113.7]) by mail.old.example; now",
        ],
        PARTNER,
    ),
    (
        "Dovecot LMTP over a socket",
        &[
            "Received: from localhost by mail.old.example with LMTP id aB (envelope-from <a@b.example>); now",
            "Received: from smtp.partner.example ([203.0.113.7]) by mail.old.example; now",
        ],
        PARTNER,
    ),
    (
        "filter on loopback",
        &[
            LMTP,
            "Received: from localhost (localhost [127.0.0.1]) by mail.old.example (Postfix) with ESMTP id 1; now",
            "Received: from mail.old.example ([127.0.0.1]) by localhost (mail.old.example [127.0.0.1]) (amavisd-new, port 10024) with ESMTP id 2; now",
            "Received: from smtp.partner.example (smtp.partner.example [203.0.113.7]) by mail.old.example (Postfix) with ESMTP id 3; now",
        ],
        PARTNER,
    ),
    (
        "Exim",
        &[
            "Received: from smtp.partner.example ([203.0.113.7])\r\n\tby mail.old.example with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n\t(Exim 4.96)\r\n\t(envelope-from <a@partner.example>)\r\n\tid 1abc-000-2; now",
        ],
        PARTNER,
    ),
    (
        "Exim, address and HELO",
        &[
            "Received: from [203.0.113.7] (helo=smtp.partner.example)\r\n\tby mail.old.example with esmtp (Exim 4.96) id 1abc; now",
        ],
        PARTNER,
    ),
    (
        "Exim, port",
        &[
            "Received: from smtp.partner.example ([203.0.113.7]:54321 helo=smtp.partner.example) by mail.old.example with esmtp (Exim 4.96); now",
        ],
        PARTNER,
    ),
    (
        "Exim, another HELO",
        &[
            "Received: from smtp.partner.example ([203.0.113.7] helo=inner.local) by mail.old.example with esmtp (Exim 4.96); now",
        ],
        PARTNER,
    ),
    (
        "cPanel, local",
        &[
            "Received: from contoso by server7.hoster.example with local (Exim 4.96)\r\n\t(envelope-from <contoso@server7.hoster.example>)\r\n\tid 1abc; now",
        ],
        "Internal",
    ),
    (
        "cPanel, web form",
        &[
            "Received: from mail.old.example by mail.old.example with LMTP id aB; now",
            "Received: from www-data by mail.old.example with local (Exim 4.96) id 1; now",
        ],
        "Internal",
    ),
    (
        "Exchange",
        &[
            "Received: from smtp.partner.example (203.0.113.7) by EX01.corp.local (10.0.0.5) with Microsoft SMTP Server (version=TLS1_2, cipher=X) id 15.1.2507.6; now",
        ],
        PARTNER,
    ),
    (
        "Exchange, hops inside",
        &[
            "Received: from EX01.corp.local (10.0.0.5) by EX02.corp.local (10.0.0.6) with Microsoft SMTP Server id 15.1; now",
            "Received: from EX03.corp.local (fe80::1%4) by EX01.corp.local (10.0.0.5) with mapi id 15.1; now",
            "Received: from smtp.partner.example (203.0.113.7) by EX03.corp.local (10.0.0.7) with Microsoft SMTP Server; now",
        ],
        PARTNER,
    ),
    (
        "Exchange, sent by a colleague",
        &[
            "Received: from EX01.corp.local (10.0.0.5) by EX02.corp.local (10.0.0.6) with Microsoft SMTP Server id 15.1; now",
        ],
        "Internal",
    ),
    (
        "M365",
        &[
            "Received: from smtp.partner.example (203.0.113.7) by\r\n AM6.mail.protection.outlook.com (10.152.16.1) with Microsoft SMTP Server\r\n (version=TLS1_2) id 15.20; now",
        ],
        PARTNER,
    ),
    (
        "M365 to itself",
        &[
            "Received: from AM6PR01.eurprd01.prod.outlook.com (2603:10a6:20b::7) by AM6PR02.eurprd01.prod.outlook.com (2603:10a6:20b::8) with HTTPS; now",
        ],
        "am6pr01.eurprd01.prod.outlook.com 2603:10a6:20b::7",
    ),
    (
        "Gmail",
        &[
            "Received: by 2002:a05:6402:1234:b0:1 with SMTP id x1csp2; Fri, 27 Nov 2026 10:02:00 -0800 (PST)",
            "Received: from smtp.partner.example (smtp.partner.example. [203.0.113.7])\r\n        by mx.google.com with ESMTPS id x; now",
        ],
        PARTNER,
    ),
    ("Gmail, own mail", &["Received: by 2002:a05:6402:1234:b0:1 with SMTP id x1csp2; now"], "Internal"),
    (
        "qmail",
        &[
            "Received: (qmail 26059 invoked by uid 89); 27 Nov 2026 21:02:45 -0000",
            "Received: from unknown (HELO smtp.partner.example) (203.0.113.7)\r\n  by mail.old.example with SMTP; 27 Nov 2026 21:02:45 -0000",
        ],
        PARTNER,
    ),
    (
        "qmail, reverse name",
        &[
            "Received: (qmail 1 invoked from network); now",
            "Received: from dsl.partner.example (HELO laptop) (203.0.113.7) by mail.old.example with SMTP; now",
        ],
        "dsl.partner.example 203.0.113.7",
    ),
    ("qmail, local", &["Received: (qmail 26059 invoked by uid 501); now"], "Internal"),
    (
        "Sendmail",
        &[
            "Received: from smtp.partner.example (root@smtp.partner.example [203.0.113.7]) by mail.old.example (8.15.2/8.15.2) with ESMTP id g9; now",
        ],
        PARTNER,
    ),
    (
        "Sendmail, local",
        &["Received: (from root@localhost) by mail.old.example (8.15.2/8.15.2/Submit) id g9; now"],
        "Internal",
    ),
    (
        "fetchmail",
        &[
            "Received: from localhost (jalapeno [127.0.0.1]) by mail.old.example (Postfix) with ESMTP id 4; now",
            "Received: from jalapeno [127.0.0.1] by localhost with IMAP (fetchmail-5.9.0) for jm@localhost (single-drop); now",
            "Received: from smtp.partner.example ([203.0.113.7]) by dogma.example (8.11.6/8.11.6) with ESMTP id g9; now",
        ],
        PARTNER,
    ),
    (
        "hosts of the source",
        &[
            "Received: from mx.old.example (mx.old.example [198.51.100.10]) by mail.old.example (Postfix); now",
            "Received: from smtp.partner.example (smtp.partner.example [203.0.113.7]) by mx.old.example (Postfix); now",
        ],
        PARTNER,
    ),
    (
        "address of the source",
        &["Received: from inner.example ([IPv6:2001:db8:1::10]) by mail.old.example (Postfix); now"],
        "Internal",
    ),
    (
        "target forwards back",
        &[
            "Received: from out.new.example (out.new.example [192.0.2.80]) by mail.old.example (Postfix); now",
            "Received: from smtp.partner.example ([203.0.113.7]) by mx.new.example; now",
        ],
        "Returned",
    ),
    (
        "address of the target",
        &["Received: from x.example ([192.0.2.80]) by mail.old.example (Postfix); now"],
        "Returned",
    ),
    (
        "forged lines below",
        &[
            "Received: from evil.example (evil.example [203.0.113.66]) by mail.old.example (Postfix); now",
            "Received: from out.new.example ([192.0.2.80]) by mail.old.example; now",
            "Received: from localhost ([127.0.0.1]) by mail.old.example; now",
        ],
        "evil.example 203.0.113.66",
    ),
    (
        "name that only ends like the source",
        &["Received: from notmail.old.example.evil.example ([203.0.113.66]) by mail.old.example; now"],
        "notmail.old.example.evil.example 203.0.113.66",
    ),
    (
        "folded with tabs",
        &[
            "rEcEiVeD:\r\n\tfrom\r\n\tsmtp.partner.example\r\n\t([203.0.113.7])\r\n\tby\r\n\tmail.old.example; now",
        ],
        PARTNER,
    ),
    ("no sense", &["Received: ;;; ((( from by with"], "Internal"),
    ("shared address space", &["Received: from cpe ([100.64.3.4]) by mail.old.example; now"], "Internal"),
    (
        "mapped address",
        &["Received: from smtp.partner.example ([::ffff:203.0.113.7]) by mail.old.example; now"],
        PARTNER,
    ),
];

#[test]
fn forty_chains_have_their_way() {
    assert!(CHAINS.len() >= 40);
    for (name, lines, expected) in CHAINS {
        assert_eq!(told(lines), *expected, "{name}");
    }
}

#[test]
fn a_hop_names_the_server_that_wrote_it() {
    let hop = Hop::parse(
        " from a.example (b.example [203.0.113.7]) by MX.Old.Example. (Postfix) with ESMTP id 1; now",
    );
    assert_eq!(hop.by.as_deref(), Some("mx.old.example"));
    assert_eq!((hop.from.as_deref(), hop.address), (Some("b.example"), "203.0.113.7".parse().ok()));
}

#[test]
fn names_are_hosts_and_never_addresses_of_people() {
    for value in [
        "from ann@contoso.edu by mail.old.example; now",
        "from <script> ([203.0.113.7]) by mail.old.example; now",
        "from a\u{1b}[31mb.example ([203.0.113.7]) by mail.old.example; now",
    ] {
        assert_eq!(Hop::parse(value).from, None, "{value}");
    }
    let long = format!("from {}.example ([203.0.113.7]) by x; now", "a".repeat(300));
    assert_eq!(Hop::parse(&long).from, None);
}

#[test]
fn a_loop_of_hops_ends() {
    let header = "Received: from localhost ([127.0.0.1]) by localhost; now\r\n".repeat(100_000);
    assert_eq!(via(header.as_bytes(), &KnownHosts::default()), Via::Internal);
}

proptest::proptest! {
    #[test]
    fn no_header_is_too_odd(header in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let mut octets = b"Received: from ".to_vec();
        octets.extend(header);
        _ = via(&octets, &KnownHosts::default());
    }

    #[test]
    fn words_in_any_order_are_read(words in proptest::collection::vec("from|by|with|\\(|\\)|\\[|\\]|;|local|helo=x|[1-9.:]{1,9}|\u{e9}", 0..30)) {
        _ = Hop::parse(&words.join(" "));
    }
}
