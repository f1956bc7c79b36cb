//! The cut-over of a batch: looks at the records of its domains, and the judgement of what is known.

pub(crate) mod known_hosts;
pub(crate) mod look;
pub(crate) mod report;
pub(crate) mod resolvers;
