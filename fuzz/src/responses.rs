//! Responses of IMAP servers, framed and decoded.

use mailhaul_imap::{Frame, Framer, Limits, decode, decode_fetch_head};

/// Reads the output of a server.
pub fn responses(wire: &[u8]) {
    let limits = Limits { inline_literal: 64, ..Limits::default() };
    let mut framer = Framer::new(limits.clone());
    framer.buffer_mut().extend_from_slice(wire);
    while let Ok(Some(frame)) = framer.next_frame() {
        match frame {
            Frame::Response(raw) => _ = decode(&raw, &limits),
            Frame::LiteralStart { head, .. } => _ = decode_fetch_head(&head, &limits),
            Frame::LiteralChunk(_) | Frame::LiteralEnd => {}
        }
    }
}
