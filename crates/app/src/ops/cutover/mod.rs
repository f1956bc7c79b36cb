//! Cut-over of batches: one file for each operation, with the view beside them.

pub(crate) mod get;
pub(crate) mod removal;
pub(crate) mod set;
pub(crate) mod test;
pub(crate) mod view;
