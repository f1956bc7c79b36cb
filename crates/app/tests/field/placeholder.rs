//! Report 08: Exchange sends its own text instead of a message.

use mailhaul_testkit::fake::{Personality, when};

use crate::{
    bodies::BODIES,
    support::{Field, USUAL, message, with},
};

const PLACEHOLDER: &str = "MIME-Version: 1.0\r\nFrom: Microsoft Exchange Server 2010\r\n\
     Subject: Retrieval using the IMAP4 protocol failed for the following\r\n message: 2\r\n\
     Content-Type: text/plain; charset=\"us-ascii\"\r\n\r\n\
     The server couldn't retrieve the following message:\r\n\r\nSubject: \"Number 002\"\r\nFrom: ann@example.org\r\n\
     Sent date: 2/1/2024 9:05:00 AM\r\n\r\n\
     The message hasn't been deleted. You might be able to view it using either Outlook or Outlook Web App.\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn case_08_a_placeholder_is_not_taken_for_the_message() {
    let exchange = Personality { greeting: "The Microsoft Exchange IMAP4 service is ready.", ..with(USUAL) };
    let field = Field::new(exchange, with(USUAL)).await;
    field.give("INBOX", (1..=5).map(message));
    let answer = format!("* 2 FETCH (UID 2 BODY[] {{{}}}\r\n{PLACEHOLDER})\r\n", PLACEHOLDER.len());
    field.source.lie(when(BODIES).edit(move |replies| {
        for line in replies.lines.iter_mut().filter(|line| line.starts_with(b"* 2 FETCH (UID 2 ")) {
            *line = answer.clone().into_bytes();
        }
    }));
    field.keeps_promises(&[2]).ends_with(10).copied(4);
    field.source.be_honest();
    field.keeps_promises(&[]).ends_with(0).copied(1);
}
