//! Report 16: the target says BAD without a tag, and nothing more.
