//! Logins.

use std::borrow::Cow;

use mailhaul_mail::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::format;

/// User name and password.
///
/// On a command line, only the name is written; the password comes from a file, the environment or
/// the terminal. A credential is never part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub user_name: String,
    pub password: Secret,
}

/// Properties in JSON.
pub(crate) const USER_NAME: &str = "UserName";
pub(crate) const PASSWORD: &str = "Password";

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not derived: serde's errors would show the invalid value.
        let value = Value::deserialize(deserializer)?;
        let text = |name| value.get(name).and_then(Value::as_str);
        match (text(USER_NAME), text(PASSWORD)) {
            (Some(user_name), Some(password)) if value.as_object().is_some_and(|it| it.len() == 2) => {
                Ok(Self { user_name: user_name.to_owned(), password: Secret::new(password) })
            }
            _ => Err(D::Error::custom("must be an object of UserName and Password")),
        }
    }
}

impl JsonSchema for Credential {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Credential".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "format": format::CREDENTIAL,
            "properties": {
                USER_NAME: { "type": "string" },
                PASSWORD: { "type": "string", "format": "password", "writeOnly": true },
            },
            "required": [USER_NAME, PASSWORD],
            "additionalProperties": false,
        })
    }
}
