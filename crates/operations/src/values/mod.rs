//! Types of parameters beyond numbers and text, distinguished by the `format` of their JSON
//! schemas.

mod bytes;
mod change;
mod continuation;
mod credential;
mod date_time;
mod secret_text;
mod time_span;

pub use bytes::Bytes;
pub use change::Change;
pub use continuation::Continuation;
pub use credential::Credential;
pub use date_time::DateTime;
pub use secret_text::SecretText;
pub use time_span::TimeSpan;

pub(crate) use bytes::{encode, is_base64};
pub(crate) use change::CLEARABLE;
pub(crate) use credential::{PASSWORD, USER_NAME};

pub(crate) mod format {
    pub(crate) const BYTES: &str = "byte";
    pub(crate) const CONTINUATION: &str = "continuation";
    pub(crate) const CREDENTIAL: &str = "credential";
    pub(crate) const DATE_TIME: &str = "date-time";
    pub(crate) const SECRET: &str = "password";
    pub(crate) const TIME_SPAN: &str = "time-span";
}

/// Implements serde and schemars for a type that is parsed from text and printed as text.
macro_rules! text_form {
    ($type:ident, $format:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

pub(crate) use text_form;

#[cfg(test)]
mod tests;
