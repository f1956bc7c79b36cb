//! What follows a deletion on the source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// What becomes of a message on the target that was deleted on the source.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum Deletions {
    /// It stays.
    #[default]
    Keep,
    /// It is removed, if this migration put it there.
    Mirror,
}
