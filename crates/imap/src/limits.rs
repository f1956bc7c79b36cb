//! Limits on the sizes of responses.

/// Limits on what a server may send. In bytes unless another unit is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// Longest line without its literals. A SEARCH answer for a million messages is one line.
    pub line: usize,
    /// Largest literal that is kept inside its response. A larger one is returned in chunks.
    pub inline_literal: usize,
    /// Largest literal.
    pub literal: u64,
    /// Maximum number of literals in one response.
    pub literals_per_response: usize,
    /// Largest response with its inline literals.
    pub response: usize,
    /// Maximum depth of nested parentheses.
    pub nesting: usize,
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self {
            line: 16 << 20,
            inline_literal: 256 << 10,
            literal: 4 << 30,
            literals_per_response: 4096,
            response: 64 << 20,
            nesting: 64,
        }
    }
}
