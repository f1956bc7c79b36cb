//! Recognition of source messages among the messages of the target.

pub(crate) mod on_target;
pub(crate) mod pairing;
pub(crate) mod records;
