//! Report 04: the source ends within one message, each time.
