//! Repairs NUL bytes and line ends.

use super::{
    fields::line_ends,
    kinds::{Edit, EditKind, note},
};

pub(super) fn without_nul(message: &[u8], edits: &mut Vec<Edit>) -> Option<Vec<u8>> {
    if !message.contains(&0) {
        return None;
    }
    let mut line = 1;
    let mut kept = Vec::with_capacity(message.len());
    for &octet in message {
        match octet {
            0 => note(edits, EditKind::NulRemoved, line, false),
            octet => {
                line += u64::from(octet == b'\n');
                kept.push(octet);
            }
        }
    }
    Some(kept)
}

pub(super) fn with_crlf(message: &[u8], edits: &mut Vec<Edit>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    // The bytes before `copied` are in `out`.
    let (mut copied, mut line) = (0, 1);
    for (index, &octet) in message.iter().enumerate() {
        let is_alone = match octet {
            b'\r' => message.get(index + 1) != Some(&b'\n'),
            b'\n' => index == 0 || message[index - 1] != b'\r',
            _ => continue,
        };
        if is_alone {
            note(edits, EditKind::NewlineCompleted, line, false);
            out.extend_from_slice(&message[copied..index]);
            out.extend_from_slice(b"\r\n");
            copied = index + 1;
        }
        line += u64::from(is_alone || octet == b'\n');
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&message[copied..]);
    Some(out)
}

pub(super) fn with_last_line_end(message: &[u8], edits: &mut Vec<Edit>) -> Option<Vec<u8>> {
    if message.is_empty() || message.ends_with(b"\r\n") {
        return None;
    }
    let lines = line_ends(message);
    let mut out = message.to_vec();
    // Half of a line end is completed; a whole one would add an empty line.
    let line = match out.last() {
        Some(b'\n') => {
            out.pop();
            lines
        }
        Some(b'\r') => {
            out.pop();
            lines + 1
        }
        _ => lines + 1,
    };
    out.extend_from_slice(b"\r\n");
    note(edits, EditKind::LastLineEnded, line, false);
    Some(out)
}
