//! What may be changed in a message that a target refuses.

use std::fmt;

use mailhaul_mail::repair;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};

/// One kind of edit that makes a message acceptable. Nothing is edited unless the batch allows it.
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
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum Repair {
    /// NUL octets are taken out.
    NulBytes,
    /// CR and LF that stand alone become CRLF.
    BareNewlines,
    /// Lines that are longer than the target takes are folded, or their part is encoded anew.
    LongLines,
    /// Header lines that are none are mended: octets that are no ASCII, lines without a colon, folded lines that are not
    /// indented.
    InvalidHeaders,
    /// A message that does not end in CRLF gets one.
    MissingFinalNewline,
}

impl From<Repair> for repair::Repair {
    fn from(noun: Repair) -> Self {
        match noun {
            Repair::NulBytes => Self::NulBytes,
            Repair::BareNewlines => Self::BareNewlines,
            Repair::LongLines => Self::LongLines,
            Repair::InvalidHeaders => Self::InvalidHeaders,
            Repair::MissingFinalNewline => Self::MissingFinalNewline,
        }
    }
}

/// The repairs that a batch allows, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Repairs(Vec<Repair>);

impl Repairs {
    /// All that there are.
    pub fn all() -> Self {
        Self(Repair::VARIANTS.to_vec())
    }

    /// Whether this edit is allowed.
    pub fn allows(&self, repair: Repair) -> bool {
        self.0.contains(&repair)
    }

    /// Each that is allowed.
    pub fn iter(&self) -> impl Iterator<Item = Repair> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<I: IntoIterator<Item = Repair>>(repairs: I) -> Self {
        let mut repairs: Vec<Repair> = repairs.into_iter().collect();
        repairs.sort_unstable();
        repairs.dedup();
        Self(repairs)
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|it| it.to_string()).collect();
        f.write_str(&names.join(", "))
    }
}
