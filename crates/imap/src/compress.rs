//! COMPRESS=DEFLATE (RFC 4978): raw deflate, flushed after each batch of writes.

use std::io;

use bytes::BytesMut;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Compressor of the client.
pub(crate) struct Deflater(Compress);

/// Decompressor for the server's data.
pub(crate) struct Inflater(Decompress);

impl Deflater {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }

    /// Appends all of `input`, compressed and flushed, to `out`.
    pub(crate) fn compress(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        loop {
            out.reserve(input.len() / 2 + 1024);
            let before = self.0.total_in();
            self.0.compress_vec(input, out, FlushCompress::Sync).map_err(io::Error::other)?;
            let taken = usize::try_from(self.0.total_in() - before).unwrap_or(input.len());
            input = &input[taken..];
            // Free space means that all output, including the flush, is written.
            if input.is_empty() && out.len() < out.capacity() {
                return Ok(());
            }
        }
    }
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self(Decompress::new(false))
    }

    /// Decompresses the start of `input` into `out`, at most `limit` bytes. The rest of `input` is for the next call.
    ///
    /// The limit bounds the memory that a small compressed input can need.
    pub(crate) fn inflate(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
        limit: usize,
    ) -> io::Result<()> {
        let mut chunk = vec![0; limit.min(64 << 10)];
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, &mut chunk, FlushDecompress::None).map_err(io::Error::other)?;
        let read = usize::try_from(self.0.total_in() - read).unwrap_or(input.len());
        let written = usize::try_from(self.0.total_out() - written).unwrap_or(chunk.len());
        _ = input.split_to(read);
        out.extend_from_slice(&chunk[..written]);
        if status == Status::StreamEnd {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_agree() {
        let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
        for text in [b"a1 NOOP\r\n".to_vec(), vec![], vec![7; 300_000], b"a2 OK\r\n".repeat(9000)] {
            let mut wire = Vec::new();
            deflater.compress(&text, &mut wire).unwrap();
            let (mut input, mut output) = (BytesMut::from(wire.as_slice()), BytesMut::new());
            loop {
                let before = output.len();
                inflater.inflate(&mut input, &mut output, 64 << 10).unwrap();
                if output.len() == before {
                    break;
                }
            }
            assert!(output == text.as_slice(), "{} octets became {}", text.len(), output.len());
        }
    }
}
