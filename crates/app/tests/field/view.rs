//! Report 10: mail that only a view holds (Proton Mail Bridge; \Flagged and \Important of RFC 8457).
