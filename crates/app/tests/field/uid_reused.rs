//! Report 09: UIDs belong to other messages, and UIDVALIDITY stays (Proton Mail Bridge, servers restored from a backup).
