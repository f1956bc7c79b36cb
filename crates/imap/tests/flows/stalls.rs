//! Servers that keep a connection alive and give nothing of what was asked for.

use std::time::Duration;

use mailhaul_imap::{ConnectOptions, ErrorKind, MailboxName, Session};
use mailhaul_mail::Flags;
use mailhaul_testkit::peer::{Peer, session_with};

/// A session whose server answers the first command, which ends with this script, by keep-alives alone.
async fn kept_alive(command: &str) -> (Session, Peer) {
    // More than enough: the client gives up before.
    let script = format!("{command}\n{}", "S: * OK still here\nQUIET: 200\n".repeat(3000));
    let patience = |options: &mut ConnectOptions| options.timeouts.read = Duration::from_secs(2);
    session_with("LITERAL+", &script, patience).await
}

#[tokio::test]
async fn keep_alives_are_no_progress() {
    let (mut reader, _reader_peer) = kept_alive("C: a1 NOOP").await;
    let (mut writer, _writer_peer) = kept_alive("C: a1 APPEND \"INBOX\" {5+}\nB: hello%").await;
    let (inbox, flags) = (MailboxName::from_wire("INBOX"), Flags::new());
    let (read, written) = tokio::join!(reader.noop(), writer.append(&inbox, &flags, None, b"hello"));
    let (read, written) = (read.unwrap_err(), written.unwrap_err());
    assert_eq!((read.kind, written.kind), (ErrorKind::Timeout, ErrorKind::Timeout));
    assert!(read.message.starts_with("the server made no progress within"), "{read}");
    assert!(written.message.starts_with("the server gave no answer within"), "{written}");
}
