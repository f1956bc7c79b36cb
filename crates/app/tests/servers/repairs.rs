//! Messages that real servers refuse.

use mailhaul_imap::{AppendHead, Begin, MailboxName, Session};
use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{CourierSetup, CyrusSetup, Server, Setup, connect};

async fn append(session: &mut Session, octets: &[u8]) -> Result<(), String> {
    let (mut sink, mut replies) = session.append_pipeline(&MailboxName::from_text("INBOX")).await.unwrap();
    let flags = Flags::new();
    let head =
        AppendHead { flags: &flags, date: InternalDate::new(1_500_000_000, 0), length: octets.len() as u64 };
    let sending = async move {
        if sink.begin(&head).await.unwrap() == Begin::Ready {
            sink.write(octets).await.unwrap();
            sink.end_message().unwrap();
            sink.end_command();
        }
        sink.flush().await.unwrap();
    };
    let reading = async move {
        let mut outcome = Ok(());
        while let Some(reply) = replies.next().await.unwrap() {
            outcome = reply.outcome().map_err(|it| it.to_string());
        }
        outcome
    };
    tokio::join!(sending, reading).1
}

#[tokio::test(flavor = "multi_thread")]
async fn measure() {
    let cyrus = CyrusSetup::with_users(&["annb"]).start();
    let courier = CourierSetup::with_users(&["annb"]).start();
    let dovecot = Setup::with_users(&["annb"]).start();
    let long = "x".repeat(200_000);
    for (name, server) in [("cyrus", &cyrus as &dyn Server), ("courier", &courier), ("dovecot", &dovecot)] {
        for text in [
            "A: b\r\n\r\ntext\0\r\n",
            "A: b\0\r\n\r\ntext\r\n",
            "A: b\n\ntext\n",
            "A: b\r\n\r\ntext\n",
            "A: b\r\r\n\r\ntext\rtext\r\n",
            "A: b\r\nno colon\r\nC: d\r\n\r\ntext\r\n",
            "A  : b\r\nC: d\r\n\r\ntext\r\n",
            ": b\r\nC: d\r\n\r\ntext\r\n",
            "From a@b Mon Jan 1 00:00:00 2024\r\nC: d\r\n\r\ntext\r\n",
            ">From a@b Mon Jan 1 00:00:00 2024\r\nC: d\r\n\r\ntext\r\n",
            "Grüße: x\r\nC: d\r\n\r\ntext\r\n",
            "A: ü\r\nC: d\r\n\r\ntext\r\n",
            "A: b\r\ntext\r\n",
            "A: b",
            "",
            "\r\ntext",
            "text",
            " A: b\r\n\r\nx",
            "A: b\r\nword:\r\n \r\n\r\nx",
            &format!("A: {long}\r\n\r\ntext"),
            &format!("{long}: b\r\n\r\ntext"),
            &format!("A: b\r\n\r\n{long}\r\n"),
        ] {
            let mut session = connect(server.port(), "annb", "secret-annb").await;
            let answer = append(&mut session, text.as_bytes()).await;
            eprintln!("{name}: {:?}: {answer:?}", text.chars().take(40).collect::<String>());
        }
    }
}
