//! Report 03: the source announces a small message with a wrong length.
