//! The IMAP framer: any input, cut into reads at any place.

use mailhaul_imap::{Frame, FrameError, Framer, ResponseLimits};

/// The first two bytes select the sizes of the reads, the rest is the server's output.
pub fn framer(octets: &[u8]) {
    let Some(([first, second], wire)) = octets.split_first_chunk() else { return };
    let small = ResponseLimits {
        line: 200,
        inline_literal: 16,
        literal: 2000,
        literals_per_response: 5,
        response: 400,
        ..ResponseLimits::default()
    };
    for limits in [small, ResponseLimits::default()] {
        let whole = frames(&limits, [wire]);
        let lengths = [usize::from(*first) + 1, usize::from(*second % 7) + 1];
        // Byte by byte, a long input would take minutes.
        let longest = 64 << 10;
        if wire.len() < longest {
            assert_eq!(frames(&limits, pieces(wire, lengths)), whole, "cut into reads of {lengths:?}");
        }
    }
}

/// Returns all frames with the chunks of a literal joined, and the error at the end.
fn frames<'a>(
    limits: &ResponseLimits,
    reads: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<FrameError>) {
    let mut framer = Framer::new(limits.clone());
    let (mut found, mut chunks) = (Vec::new(), Vec::new());
    for read in reads {
        framer.buffer_mut().extend_from_slice(read);
        loop {
            match framer.next_frame() {
                Ok(None) => break,
                Ok(Some(Frame::LiteralChunk(chunk))) => chunks.extend_from_slice(&chunk),
                Ok(Some(frame)) => {
                    if !chunks.is_empty() {
                        found.push(Frame::LiteralChunk(std::mem::take(&mut chunks).into()));
                    }
                    found.push(frame);
                }
                Err(error) => {
                    assert_eq!(framer.next_frame(), Err(error), "the error stays");
                    return (found, Some(error));
                }
            }
        }
    }
    if !chunks.is_empty() {
        found.push(Frame::LiteralChunk(chunks.into()));
    }
    (found, None)
}

fn pieces(wire: &[u8], lengths: [usize; 2]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = wire;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
