//! Handling of deletions on the source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// Handling of a copy whose message was deleted on the source.
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
    /// The copy stays.
    #[default]
    Keep,
    /// The copy is removed, if this migration put it there.
    Mirror,
}
