//! Stored form of the repairs that a batch allows: a list of their names.

use mailhaul_mail::repair::{Repair, Repairs};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

pub(crate) fn serialize<S: Serializer>(repairs: &Repairs, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(repairs.iter().map(Repair::name))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Repairs, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|it| it.parse::<Repair>()).collect::<Result<_, _>>().map_err(D::Error::custom)
}
