//! Continuations of long answers.

use std::{convert::Infallible, fmt, str::FromStr};

use super::{format, text_form};

/// Value of [`Answer::next`](crate::Answer::next), opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation(pub String);

impl fmt::Display for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Continuation {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

text_form!(Continuation, format::CONTINUATION);
