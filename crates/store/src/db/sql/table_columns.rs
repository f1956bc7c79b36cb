//! Columns of the tables, for statements that read whole rows: `SELECT folder.* FROM folder`.
//!
//! While nodes of a newer program run, a table can have columns that this program does not know. A server
//! refuses a prepared statement whose columns have changed, so that `*` is replaced before a server sees it.

use std::borrow::Cow;

/// Tables that are read in whole rows, with their columns.
pub(crate) const TABLES: &[(&str, &[&str])] = &[
    ("api_token", &["id", "guid", "name", "role", "digest", "created", "last_used", "revoked"]),
    ("audit", &["id", "time", "who", "operation", "identity", "outcome"]),
    (
        "batch",
        &[
            "id",
            "guid",
            "name",
            "source_endpoint",
            "target_endpoint",
            "archive",
            "intent",
            "settings",
            "start_after",
            "complete_after",
            "submitted_by",
            "validation_warnings",
            "created",
            "started",
            "checksum",
        ],
    ),
    (
        "config",
        &[
            "id",
            "max_number_of_batches",
            "max_concurrent_migrations",
            "target_endpoint",
            "cutover_policy",
            "public_resolvers",
            "notifications",
        ],
    ),
    (
        "edited",
        &[
            "folder_id",
            "uid",
            "original_fingerprint",
            "original_whole",
            "original_text",
            "original_size",
            "copy_fingerprint",
            "copy_whole",
            "copy_text",
            "copy_size",
            "sha256",
            "edits",
            "subject",
        ],
    ),
    (
        "endpoint",
        &[
            "guid",
            "name",
            "remote_server",
            "port",
            "security",
            "accept_untrusted_certificates",
            "certificate_authorities",
            "certificate_sha256",
            "max_concurrent_migrations",
            "max_concurrent_incremental_syncs",
            "admin_user_name",
            "admin_template",
            "created",
            "modified",
            "server_profile",
            "rates",
            "endpoint_type",
            "oauth",
            "gmail_api",
            "auth_mechanism",
            "checksum",
            "reach",
        ],
    ),
    (
        "folder",
        &[
            "id",
            "mailbox_id",
            "source",
            "target",
            "uid_validity",
            "target_validity",
            "floor_validity",
            "floor_uid_next",
            "cursor_messages",
            "cursor_uid_validity",
            "cursor_uid_next",
            "cursor_highest_modseq",
            "cursor_skipped",
            "cursor_excluded",
            "rules",
            "target_next",
            "waiting",
            "waiting_since",
            "done",
            "done_sum",
            "open",
            "open_sum",
            "checksum",
        ],
    ),
    (
        "folder_statistics",
        &[
            "user_id",
            "number",
            "source",
            "target",
            "reason",
            "seen",
            "copied",
            "already",
            "excluded",
            "bytes",
            "flags_changed",
            "moved",
            "removed",
            "skipped",
            "error",
            "repaired",
        ],
    ),
    ("learned", &["endpoint", "mailboxes", "mailboxes_since", "pairs", "pairs_since"]),
    ("mailbox", &["id", "source", "target", "folders", "checksum"]),
    (
        "message",
        &[
            "folder_id",
            "uid",
            "state",
            "target_uid",
            "flags",
            "pending_flags",
            "fingerprint",
            "digest_whole",
            "digest_text",
            "size",
            "ours",
            "reason",
            "arrived",
            "checksum",
        ],
    ),
    (
        "migration_user",
        &[
            "id",
            "guid",
            "batch",
            "source_endpoint",
            "csv_row",
            "email_address",
            "user_name",
            "user_root",
            "target_user_name",
            "status",
            "status_since",
            "pass",
            "due",
            "attempts",
            "start_after",
            "complete_after",
            "failure_class",
            "failure_message",
            "failure_advice",
            "initial_synced",
            "last_synced",
            "approved",
            "score",
            "lease_owner",
            "lease_until",
            "fence",
            "total_items",
            "synced_items",
            "skipped_items",
            "estimated_bytes",
            "bytes_transferred",
            "pass_bytes",
            "pass_items",
            "queued_millis",
            "in_progress_millis",
            "synced_millis",
            "stalled_millis",
            "check_due",
            "check_until",
            "check_number",
            "check_attempts",
            "check_delay",
            "checked",
            "source_opening",
            "target_opening",
            "lost",
            "waiting_deletions",
            "checksum",
        ],
    ),
    (
        "node",
        &[
            "guid",
            "name",
            "program",
            "capacity",
            "keys",
            "draining",
            "started",
            "beat",
            "until",
            "archive",
            "schema_version",
        ],
    ),
    ("parking", &["endpoint", "since", "until", "reason"]),
    ("report_entry", &["user_id", "number", "time", "text"]),
    (
        "skipped_message",
        &[
            "user_id", "number", "folder", "uid", "subject", "date", "size", "reason", "kind", "sender",
            "sent",
        ],
    ),
];

/// Returns the statement with the columns that this program knows in place of `table.*`.
pub(super) fn with_columns(sql: &str) -> Cow<'_, str> {
    if !sql.contains(".*") {
        return sql.into();
    }
    let mut parts = sql.split(".*");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        let start = named.rfind(|it: char| !(it.is_ascii_alphanumeric() || it == '_')).map_or(0, |it| it + 1);
        match TABLES.iter().find(|(table, _)| *table == &named[start..]) {
            Some((table, columns)) => {
                named.truncate(start);
                let columns: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
                named.push_str(&columns.join(", "));
            }
            None => named.push_str(".*"),
        }
        named.push_str(rest);
    }
    named.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_rows_of_a_table_become_its_columns() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            (
                "SELECT report_entry.* FROM report_entry WHERE number > ?",
                "SELECT report_entry.user_id, report_entry.number, report_entry.time, report_entry.text FROM report_entry WHERE number > ?",
            ),
            ("SELECT one.*, 2 FROM one", "SELECT one.*, 2 FROM one"),
            ("SELECT parking.*", "SELECT parking.endpoint, parking.since, parking.until, parking.reason"),
        ] {
            assert_eq!(with_columns(sql), expected);
        }
    }
}
