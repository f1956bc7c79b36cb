//! Completion at a prompt.

use crate::support::FakeHost;
use mailhaul_shell::complete;

#[test]
fn commands_and_parameters() {
    let host = FakeHost::default();
    for (line, start, candidates) in [
        (
            "get-mig",
            0,
            &["Get-MigrationBatch", "Get-MigrationConfig", "Get-MigrationEndpoint", "Get-MigrationUser"][..],
        ),
        ("Get-MigrationUser -st", 18, &["-Status", "-StatusSummary"]),
        ("get-migrationuser | format-", 20, &["Format-List", "Format-Table"]),
        ("$x = Out-N", 5, &["Out-Null"]),
        ("a (Get-D", 3, &["Get-Date"]),
        ("Get-MigrationUser (Get-Date) -B", 29, &["-BatchId"]),
        ("x | ? { Get-D", 8, &["Get-Date"]),
        ("x | sort -d", 9, &["-Descending"]),
        ("Get-MigrationUser 'a b' -B", 24, &["-BatchId"]),
        ("Get-MigrationUser Ba", 18, &[]),
        ("Get-MigrationUser 'Get-", 23, &[]),
        ("# get-", 6, &[]),
        ("nothing", 0, &[]),
        ("(Get-Date) -", 11, &[]),
        ("a; Out-N", 3, &["Out-Null"]),
    ] {
        let found = complete(line, line.len(), &host);
        assert_eq!(
            (found.start, found.candidates.as_slice()),
            (start, candidates.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()),
            "{line}"
        );
    }
    // Only what is before the cursor counts, which may be in the middle of a character.
    assert_eq!(complete("Out-N | x", 5, &host).candidates, ["Out-Null"]);
    assert_eq!(complete("é", 1, &host).start, 0);
    assert_eq!(complete("a", 99, &host).start, 0);
}

#[test]
fn values() {
    let host = FakeHost::default();
    for (line, start, candidates) in [
        ("Get-MigrationUser -Status S", 26, &["Synced", "Syncing"][..]),
        ("get-migrationuser -status fa", 26, &["Failed"]),
        ("Get-MigrationBatch -Identity w", 29, &["'Wave 1'", "Wave-2"]),
        ("Get-MigrationBatch w", 19, &["'Wave 1'", "Wave-2"]),
        ("Get-MigrationBatch 'wave 1", 19, &["'Wave 1'"]),
        ("Get-MigrationBatch \"Wave-", 19, &["'Wave-2'"]),
        ("Get-MigrationBatch Wave-2,O", 26, &["'O''Neil'", "Other"]),
        ("Get-MigrationBatch Wave-2 w", 26, &[]),
        ("Get-MigrationUser | ? Status -eq Fa", 33, &["Failed"]),
        ("Get-MigrationUser | ? { $_.Status -eq 'Fa", 38, &["'Failed'"]),
        ("Get-Content w", 12, &[]),
        ("$x = 'Wav", 9, &[]),
    ] {
        let found = complete(line, line.len(), &host);
        let expected: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        assert_eq!((found.start, found.candidates), (start, expected), "{line}");
    }
}
