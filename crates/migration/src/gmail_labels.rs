//! Handling of Gmail's labels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// Handling of a Gmail message with several labels.
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
pub enum GmailLabels {
    /// `EveryFolder` if the target is Gmail too, which merges the copies into one message with all
    /// labels; else `PrimaryFolder`.
    #[default]
    Automatic,
    /// Copied into one folder: each message arrives once.
    PrimaryFolder,
    /// Copied into the folder of every label.
    EveryFolder,
}
