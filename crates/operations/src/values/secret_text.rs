//! Secret texts.

use std::borrow::Cow;

use mailhaul_mail::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use zeroize::Zeroizing;

use super::format;

/// Secret without a user name, such as an application's.
///
/// On a command line it is never written: it comes from a file, the environment or the terminal.
/// PowerShell uses a `securestring`. It is never part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretText(pub Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not deserialized as text: serde's errors would show the invalid value.
        match Value::deserialize(deserializer)? {
            Value::String(text) if !text.is_empty() => Ok(Self(Secret::new(Zeroizing::new(text).as_bytes()))),
            _ => Err(D::Error::custom("must be a text that is not empty")),
        }
    }
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": format::SECRET, "writeOnly": true, "minLength": 1 })
    }
}
