//! Where the mail of Gmail goes, which has labels in place of folders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// What becomes of a message of Gmail that has several labels.
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
    /// With `EveryFolder` where the target is Gmail too, which makes one message with all its labels of the copies; else with
    /// `PrimaryFolder`.
    #[default]
    Automatic,
    /// It goes into one folder: each message arrives once.
    PrimaryFolder,
    /// It is copied into the folder of every label.
    EveryFolder,
}
