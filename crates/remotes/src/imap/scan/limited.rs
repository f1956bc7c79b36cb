//! Servers that deal with a number of messages at a time (MESSAGELIMIT, RFC 9738), and that may show only the newest ones to
//! a client that counts messages (UIDONLY, RFC 9586).

use mailhaul_imap::Session;

/// What is switched on where messages are read. UIDONLY is asked for only where the server has a limit: there it shows more.
pub(crate) fn extensions(session: &Session) -> &'static [&'static str] {
    match session.capabilities().message_limit() {
        Some(_) => &["CONDSTORE", "QRESYNC", "UIDONLY"],
        None => &["CONDSTORE", "QRESYNC"],
    }
}

/// What is said of a folder that shows so many messages, where there may be more. `advice`: what is known of the server.
pub(crate) fn doubt(session: &Session, shown: u32, advice: Option<&str>) -> Option<String> {
    let most = session.capabilities().message_limit()?;
    if shown < most || session.has_enabled("UIDONLY") {
        return None;
    }
    let advice = advice.map_or_else(String::new, |it| format!("; {it}"));
    Some(format!(
        "the server offers MESSAGELIMIT={most} without UIDONLY and shows {shown} messages; it may hold older ones, which it \
         does not show{advice}"
    ))
}
