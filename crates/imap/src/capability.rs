//! What a server can do (RFC 9051, section 7.2.2).

/// The capabilities that a server named, by their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// In upper case.
    words: Vec<String>,
}

/// How literals are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralMode {
    /// Without waiting (RFC 7888, LITERAL+).
    Plus,
    /// Without waiting up to 4096 octets (LITERAL-; part of `IMAP4rev2`).
    Minus,
    /// The server is asked each time.
    Synchronising,
}

impl LiteralMode {
    /// Whether a literal of this length goes without asking.
    pub fn is_free(self, length: u64) -> bool {
        match self {
            Self::Plus => true,
            Self::Minus => length <= 4096,
            Self::Synchronising => false,
        }
    }
}

impl Capabilities {
    /// From the words of a CAPABILITY response.
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(|word| word.as_ref().to_ascii_uppercase()).collect() }
    }

    /// Whether the server has it; in any case.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|it| it.eq_ignore_ascii_case(word))
    }

    /// Whether nothing was named.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words, in upper case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The SASL mechanisms.
    pub fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.iter().filter_map(|word| word.strip_prefix("AUTH="))
    }

    /// The largest message that APPEND takes (RFC 7889), where it is the same for all mailboxes.
    pub fn append_limit(&self) -> Option<u64> {
        self.iter().find_map(|word| word.strip_prefix("APPENDLIMIT=")?.parse().ok())
    }

    /// How many messages one command may be about (MESSAGELIMIT, RFC 9738).
    pub fn message_limit(&self) -> Option<u32> {
        let limit = self.iter().find_map(|word| word.strip_prefix("MESSAGELIMIT=")?.parse().ok());
        limit.filter(|it| *it > 0)
    }

    /// How literals are sent to this server.
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
