//! Responses of IMAP servers, framed and decoded.

use mailhaul_imap::{Frame, Framer, ResponseLimits, decode, decode_fetch_head};

/// Reads the output of a server.
pub fn responses(wire: &[u8]) {
    let limits = ResponseLimits { inline_literal: 64, ..ResponseLimits::default() };
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
