//! Report 06: the target refuses one message in words that sound like a request for patience.
