//! Report 19: UIDVALIDITY and UIDs that no 32 bits hold, or none.
