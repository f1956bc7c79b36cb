//! Which messages every server accepts, as far as their form tells.

/// True if no strict server is known to refuse the message for its form: no NUL byte, CRLF and nothing else ends its
/// lines, the last one included, and its header is ASCII fields (RFC 5322, section 2).
pub fn is_strictly_formed(message: &[u8]) -> bool {
    let mut in_header = true;
    !message.contains(&0)
        && message.split_inclusive(|octet| *octet == b'\n').all(|line| {
            let Some(text) = line.strip_suffix(b"\r\n") else { return false };
            in_header &= !text.is_empty();
            !text.contains(&b'\r') && (!in_header || is_header_line(text))
        })
}

/// A field with its name, or a folded line.
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
