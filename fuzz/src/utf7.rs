//! Names of mailboxes in modified UTF-7.

use mailhaul_imap::MailboxName;
use mailhaul_mail::FolderPath;

/// Reads a name as a server sends it.
pub fn utf7(wire: &[u8]) {
    let name = MailboxName::from_wire(wire);
    let text = name.to_text();
    // Two names of a server must never become one: a decoded name is encoded to the same bytes.
    let again = MailboxName::from_text(&text);
    assert_eq!(again.to_text(), text, "{name:?}");
    if wire.iter().all(|octet| matches!(octet, b' '..=b'~')) && text.as_bytes() != wire && !name.is_inbox() {
        assert_eq!(again.as_wire(), wire, "{text:?}");
    }
    let path = FolderPath::parse(&text);
    assert_eq!(FolderPath::parse(&path.to_string()), path);
}
