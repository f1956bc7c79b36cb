//! Report 12: a client that does not enable UIDONLY is shown the newest messages alone (Yahoo).
