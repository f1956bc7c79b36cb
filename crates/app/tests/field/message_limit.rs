//! Report 11: the server answers with so many messages at a time (RFC 9738).
