//! Failures of a pass: class, words, next step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// Reason why a pass failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassFailure {
    /// Class, by which failures are counted.
    pub class: FailureClass,
    /// One sentence, with the server's words.
    pub message: String,
    /// Next step for the administrator, if there is one.
    pub advice: Option<String>,
}

/// Class of a failure.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum FailureClass {
    /// The server refused the login, or does not open the mailbox to it.
    Authentication,
    /// The server could not be reached, or the connection broke.
    Connection,
    /// The server asked for a delay.
    Throttled,
    /// The target mailbox is full.
    Quota,
    /// The server refused a folder or a command.
    Refused,
    /// The database or the data directory failed.
    Storage,
    /// Error in this program.
    Internal,
}
