//! How much of a server's talk is taken before the connection is given up.

/// ResponseLimits against servers that lie or rave. All in octets unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// A line without its literals. A SEARCH answer over a million messages is one line.
    pub line: usize,
    /// A literal up to this size is kept inside its response; a larger one is handed out in chunks.
    pub inline_literal: usize,
    /// The largest literal at all.
    pub literal: u64,
    /// Literals in one response (a number).
    pub literals_per_response: usize,
    /// A response with its inline literals.
    pub response: usize,
    /// Parentheses within parentheses (a number).
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
