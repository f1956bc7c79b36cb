//! The digest of a table: equal for equal rows, in a file and on a server.

use std::fmt;

use super::cells::{Cell, Cells};
use crate::db::catalogue::Table;

/// Number and digest of rows, in the order of the primary key.
pub(super) struct TableDigest {
    pub(super) rows: u64,
    hash: blake3::Hasher,
}

impl TableDigest {
    pub(super) fn new(table: &Table) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(table.column_list().as_bytes());
        Self { rows: 0, hash }
    }

    pub(super) fn add(&mut self, page: &[Cells]) {
        for row in page {
            self.add_row(row);
        }
    }

    fn add_row(&mut self, row: &Cells) {
        let mut gathered = Vec::with_capacity(256);
        for cell in row {
            let number;
            let (tag, bytes) = match cell {
                Cell::Null => (0, [].as_slice()),
                Cell::Number(value) => {
                    number = value.to_le_bytes();
                    (1, number.as_slice())
                }
                Cell::Text(text) => (2, text.as_bytes()),
                Cell::Bytes(bytes) => (3, bytes.as_slice()),
            };
            // The length marks the end of the value.
            gathered.push(tag);
            gathered.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            gathered.extend_from_slice(bytes);
        }
        self.hash.update(&gathered);
        self.rows += 1;
    }

    pub(super) fn finish(&self) -> Digest {
        Digest { rows: self.rows, hash: self.hash.finalize() }
    }
}

/// A finished digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) rows: u64,
    hash: blake3::Hash,
}

impl Digest {
    /// Returns the first half of the digest, as much as a person compares.
    pub(super) fn words(&self) -> String {
        self.hash.to_hex()[..32].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, words) = (self.rows, self.words());
        write!(f, "{rows} {} with the digest {words}", if rows == 1 { "row" } else { "rows" })
    }
}
