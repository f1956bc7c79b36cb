//! Recognises messages whose form every server accepts.

use memchr::{memchr, memchr2};

/// True if no strict server is known to refuse the message's form.
///
/// It has no NUL byte, every line ends in CRLF, and its header consists of ASCII fields (RFC 5322,
/// section 2).
pub fn is_strictly_formed(message: &[u8]) -> bool {
    memchr(0, message).is_none() && has_strict_line_ends(message) && has_strict_header(message)
}

/// True if each CR and LF is part of a CRLF, and the last line ends.
fn has_strict_line_ends(message: &[u8]) -> bool {
    let mut rest = message;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        match rest[at..].strip_prefix(b"\r\n") {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

fn has_strict_header(message: &[u8]) -> bool {
    let lines = message.split_inclusive(|octet| *octet == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r\n").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .all(is_header_line)
}

/// True for a field with its name, and for a folded line.
fn is_header_line(line: &[u8]) -> bool {
    let is_field = || match line.iter().position(|octet| *octet == b':') {
        Some(end) => end > 0 && line[..end].iter().all(u8::is_ascii_graphic),
        None => false,
    };
    line.is_ascii() && (line.starts_with(b" ") || line.starts_with(b"\t") || is_field())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strict_servers_refuse_is_told_from_what_they_accept() {
        for accepted in ["A: b\r\n\r\ntext\r\n", "A: b\r\n c\r\n\r\nGr\u{fc}n\r\n", "\r\n", "A: b\r\n", ""] {
            assert!(is_strictly_formed(accepted.as_bytes()), "{accepted:?}");
        }
        for refused in [
            "A: b\n\r\ntext\r\n",
            "A: b\r\n\r\nte\rxt\r\n",
            "A: b\r\n\r\ntext",
            "A: b\r\n\r\nte\0xt\r\n",
            "A: Gr\u{fc}n\r\n\r\n",
            "no colon\r\n\r\n",
            ": no name\r\n\r\n",
            "A b: blank in the name\r\n\r\n",
        ] {
            assert!(!is_strictly_formed(refused.as_bytes()), "{refused:?}");
        }
    }
}
