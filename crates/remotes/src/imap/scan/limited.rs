//! Servers that process a limited number of messages at a time (MESSAGELIMIT, RFC 9738). A client that
//! counts messages may see only the newest ones (UIDONLY, RFC 9586).

use mailhaul_imap::Session;

/// Extensions to enable for reading. UIDONLY is used only on servers with a limit, where it shows more.
pub(crate) fn extensions(session: &Session) -> &'static [&'static str] {
    match session.capabilities().message_limit() {
        Some(_) => &["CONDSTORE", "QRESYNC", "UIDONLY"],
        None => &["CONDSTORE", "QRESYNC"],
    }
}

/// Note on a folder that may have more messages than it shows. `advice` is the profile's.
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
