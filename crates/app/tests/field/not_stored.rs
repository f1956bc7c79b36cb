//! Report 07: the target acknowledges a message and does not store it.
