//! Reports 50, 51 and 53: names of folders as no standard writes them.

use mailhaul_testkit::fake::{Fake, when};

use crate::support::{Field, USUAL, message, with};

/// Report 50: 8-bit names, and names that look like modified UTF-7.
#[tokio::test(flavor = "multi_thread")]
async fn case_50_names_with_8_bits() {
    let field = Field::usual().await;
    let names = ["INBOX", "INBOX.Entwürfe", "Gr1n", "Gr2n", "&AGE-", "a&b", "&", "R&D", "&APY-&APY-"];
    for (number, name) in (1..).zip(names) {
        field.give(name, [message(number)]);
    }
    latin_1(&field.source, "Gr1n", b"Gr\xfcn");
    latin_1(&field.source, "Gr2n", b"Gr\xf6n");
    field.keeps_promises(&[]).ends_with(0).copied(9);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

/// On the wire the folder has this name.
fn latin_1(server: &Fake, name: &'static str, wire: &'static [u8]) {
    server.lie(when("").hear(wire, name));
    server.lie(when("").edit(move |replies| replies.change_octets(name, name.as_bytes(), wire)));
}

/// Report 51: names that LIST does not quote as it should.
#[tokio::test(flavor = "multi_thread")]
async fn case_51_names_that_list_writes_oddly() {
    let field = Field::usual().await;
    let names = [
        ("+foo", "+foo"),
        ("Sent Mail 2019", "Sent Mail 2019"),
        ("ab\"cd", "\"ab\"cd\""),
        ("Literal", "{7}\r\nLiteral"),
        ("test(S)C", "test(S)C"),
        ("200", "200"),
    ];
    field.give("INBOX", [message(1)]);
    for (number, (name, _)) in (2..).zip(names) {
        field.give(name, [message(number)]);
    }
    field.source.lie(when("LIST").edit(move |replies| {
        for (name, odd) in names {
            let quoted = format!("\"{}\"", name.replace('"', "\\\""));
            replies.change("* LIST", &format!("{quoted}\r\n"), &format!("{odd}\r\n"));
        }
    }));
    field.keeps_promises(&[]).ends_with(0).copied(7);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}

/// Report 53 (Vandelay): a capability with an address in it, and names without quotes.
#[tokio::test(flavor = "multi_thread")]
async fn case_53_an_address_among_the_capabilities() {
    let odd = "IMAP4rev1 SASL-IR AUTH=PLAIN ID IMAPSIEVE=sieve://127.0.0.1:4190 LITERAL+ UIDPLUS";
    let field = Field::new(with(odd), with(USUAL)).await;
    field.give("INBOX", [message(1)]);
    field.give("Archive", [message(2)]);
    field.source.lie(when("LIST").edit(|replies| {
        for name in ["INBOX", "Archive"] {
            replies.change("* LIST", &format!("\"{name}\""), name);
        }
    }));
    field.keeps_promises(&[]).ends_with(0).copied(2);
    field.keeps_promises(&[]).ends_with(0).copied(0);
}
