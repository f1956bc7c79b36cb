//! Capabilities of a server (RFC 9051, section 7.2.2).

/// The capabilities that a server announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// In upper case.
    words: Vec<String>,
}

/// Rule for sending literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralMode {
    /// The client never waits (RFC 7888, LITERAL+).
    Plus,
    /// The client does not wait for literals of up to 4096 bytes (LITERAL-; part of `IMAP4rev2`).
    Minus,
    /// The client waits for a continuation before each literal.
    Synchronising,
}

impl LiteralMode {
    /// True if a literal of this length is sent without waiting.
    pub fn is_free(self, length: u64) -> bool {
        match self {
            Self::Plus => true,
            Self::Minus => length <= 4096,
            Self::Synchronising => false,
        }
    }
}

impl Capabilities {
    /// Takes the words of a CAPABILITY response.
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(|word| word.as_ref().to_ascii_uppercase()).collect() }
    }

    /// True if the server announced the capability, in upper or lower case.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    /// True if the server announced nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns the words, in upper case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Returns the SASL mechanisms.
    pub fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.iter().filter_map(|word| word.strip_prefix("AUTH="))
    }

    /// Largest message for APPEND (RFC 7889), if it is the same for all mailboxes.
    pub fn append_limit(&self) -> Option<u64> {
        self.iter().find_map(|word| word.strip_prefix("APPENDLIMIT=")?.parse().ok())
    }

    /// Maximum number of messages of one command (MESSAGELIMIT, RFC 9738).
    pub fn message_limit(&self) -> Option<u32> {
        let limit = self.iter().find_map(|word| word.strip_prefix("MESSAGELIMIT=")?.parse().ok());
        limit.filter(|limit| *limit > 0)
    }

    /// Rule for sending literals to this server.
    pub fn literal_mode(&self) -> LiteralMode {
        if self.has("LITERAL+") {
            LiteralMode::Plus
        } else if self.has("LITERAL-") || self.has("IMAP4rev2") {
            LiteralMode::Minus
        } else {
            LiteralMode::Synchronising
        }
    }
}
