//! Report 17: the target resets the connection within a message, each time and without a word.
