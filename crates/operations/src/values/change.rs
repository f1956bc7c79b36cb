//! Changes of a setting: keep, clear or set.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// Schema extension for a value that may be null.
pub(crate) const CLEARABLE: &str = "x-clearable";

/// Change of a setting, for fields with `#[serde(default)]`.
///
/// JSON's `null` and the shell's `$null` clear it. All other parameters refuse null, so that it
/// never gets another meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The setting stays.
    #[default]
    Keep,
    /// The setting is cleared.
    Clear,
    /// The setting gets this value.
    To(T),
}

impl<T> Change<T> {
    pub fn apply(self, setting: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *setting = None,
            Self::To(value) => *setting = Some(value),
        }
    }

    /// Maps the new value with a function that can fail.
    pub fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::To(value) => Change::To(map(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::To))
    }
}

impl<T: JsonSchema> JsonSchema for Change<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Change_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Option::<T>::json_schema(generator);
        schema.insert(CLEARABLE.to_owned(), true.into());
        schema
    }
}
