//! Limits that may be unlimited.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Maximum: a number from 1, or `Unlimited`, as in Exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    At(u32),
    Unlimited,
}

impl Limit {
    /// True if one more fits beside `present`.
    pub fn allows(self, present: u64) -> bool {
        match self {
            Self::At(most) => present < u64::from(most),
            Self::Unlimited => true,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => write!(f, "{number}"),
            Self::Unlimited => f.write_str("Unlimited"),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("unlimited") {
            return Ok(Self::Unlimited);
        }
        match text.trim().parse() {
            Ok(number) if number > 0 => Ok(Self::At(number)),
            _ => Err(format!("\"{text}\" is neither a whole number from 1 on nor \"unlimited\"")),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(number) => serializer.serialize_u32(*number),
            Self::Unlimited => serializer.serialize_str("Unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"], "minimum": 1, "pattern": "^([1-9][0-9]*|[Uu]nlimited)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_kept() {
        assert_eq!("25".parse(), Ok(Limit::At(25)));
        assert_eq!("UNLIMITED".parse(), Ok(Limit::Unlimited));
        for wrong in ["0", "-1", "", "many", "99999999999"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
        assert!(Limit::At(2).allows(1) && !Limit::At(2).allows(2) && Limit::Unlimited.allows(u64::MAX));
        assert!(Limit::At(u32::MAX) < Limit::Unlimited);
    }
}
