//! Parameters with the content of a file.

use std::{borrow::Cow, fmt, io, ops::Deref};

use base64::{Engine as _, prelude::BASE64_STANDARD, read::DecoderReader};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

use super::format;

/// Content of a file: base64 in JSON, a file name on a command line.
///
/// A file of users contains passwords, so the bytes are wiped when dropped. Neither `Debug` nor an
/// error shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bytes(Zeroizing<Vec<u8>>);

impl Bytes {
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(octets.into()))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} octets)", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(self))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // The decoder's own error would show a character.
        BASE64_STANDARD.decode(text.as_bytes()).map(Self::new).map_err(|_| D::Error::custom("must be base64"))
    }
}

impl JsonSchema for Bytes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": format::BYTES, "contentEncoding": "base64" })
    }
}

pub(crate) fn encode(octets: &[u8]) -> String {
    BASE64_STANDARD.encode(octets)
}

/// True if the text can be decoded. Nothing of it is kept.
pub(crate) fn is_base64(text: &str) -> bool {
    io::copy(&mut DecoderReader::new(text.as_bytes(), &BASE64_STANDARD), &mut io::sink()).is_ok()
}
