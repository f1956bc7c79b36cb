//! Lines of Exchange administrators that went wrong once, with the right value of each, on a real service and server.
//!
//! | finding | kind of fault | tests, beside the rows below |
//! |---|---|---|
//! | 1 | dates are compared as text | `shell/tests/scripts/findings.rs`: `dates_are_compared_as_dates` |
//! | 2 | a refused block runs, a burst of lines is lost | `prompt.rs`: `blocks_are_typed_line_by_line`, `blocks_are_pasted_with_and_without_bracketed_paste` |
//! | 3 | a pipeline hides what it did | `shell/.../findings.rs`: `a_pipeline_goes_on_after_an_error` |
//! | 4 | a near miss of a column is dropped | `migration/src/csv/tests/shapes.rs`: `headers_that_are_refused`, `shapes_that_are_taken` |
//! | 5 | Windows paths are names of files | `shell/.../findings.rs`: `windows_paths_are_not_names_of_files` |
//! | 6 | addresses that are none | `migration/.../shapes.rs`: `rows_that_are_refused_beside_others` |
//! | 7 | invisible characters | `migration/.../shapes.rs`: `shapes_that_are_taken`, `values_that_are_taken_as_they_are` |
//! | 8 | common parameters | `shell/.../findings.rs`: `common_parameters_are_known_everywhere` |
//! | 9, 10 | control flow, calculated properties, arithmetic | `shell/.../findings.rs`: `scripts_with_control_flow_and_calculations_run`; `statements.rs`, `language.rs`; `scripts.rs` here |
//! | 11 | `.Identity.Name`, `.Status.Value` | `shell/.../findings.rs`: `properties_of_identities_are_the_text` |
//! | 12 | Exchange's parameters | `app/src/cli/exchange_parameters.rs`: `each_cmdlet_accepts_the_parameters_that_it_has_in_exchange` |
//! | 13 | names are checked too late | `shell/.../findings.rs`: `wrong_names_are_found_before_the_first_line` |
//! | 14 | blank properties | `app/src/ops/tests/reports.rs` |
//! | 15 | American dates | `shell/.../findings.rs`, `migration/src/content_filter.rs` |
//! | 16 | a batch of no users | `app/src/ops/tests/batches.rs` |
//! | 17 | refusals of files that do not help | `migration/.../shapes.rs` |
//! | 18 | views are lost in blocks | `shell/.../findings.rs`: `the_view_stays_with_the_object` |
//! | 19 | words that another shell ate, UTF-16, exit codes | `the_direct_form_says_what_the_shell_before_it_took` below; `shell/.../findings.rs` |
//! | 20 | small things | `shell/.../findings.rs`; `app/src/ops/tests/settings.rs`: `a_sync_at_once_is_for_those_who_wait_between_two` |
//! | the module | views, aliases, errors, Booleans, the byte order mark | `operations`: snapshots of the module; `operations/tests/operations/`, `documents.rs` |

use std::fs;

use mailhaul_testkit::{Certificate, Mailmaker, Setup, connect, fill};

use crate::support::{Service, ran};

/// Line with its finding, its exit code, and texts that it shows.
struct Row {
    finding: u8,
    line: &'static str,
    code: i32,
    shows: &'static [&'static str],
}

const fn row(finding: u8, line: &'static str, code: i32, shows: &'static [&'static str]) -> Row {
    Row { finding, line, code, shows }
}

/// Lines on a batch `Wave1` with a user that is synced and one that failed, and a batch `Idle` that was never started.
const ROWS: &[Row] = &[
    row(
        1,
        "(Get-MigrationUser | ? { $_.LastSuccessfulSyncTime -lt '12/01/2126' } | measure).Count",
        0,
        &["3\n"],
    ),
    row(
        1,
        "(Get-MigrationUser | ? { $_.LastSuccessfulSyncTime -gt '12/01/2126' } | measure).Count",
        0,
        &["0\n"],
    ),
    row(
        1,
        "Get-MigrationUser | ? { $_.LastSuccessfulSyncTime -ge '28.11.2026 23:00' }",
        2,
        &["one is a date"],
    ),
    row(2, "trap {\nRemove-MigrationBatch Idle -Confirm:$false\n}", 2, &["not supported"]),
    row(
        3,
        "'ann@b.c','typo','bob@b.c' | Get-MigrationUser | ft Identity",
        3,
        &["ann@b.c\nbob@b.c", "\"typo\" could not be found"],
    ),
    row(
        4,
        "New-MigrationBatch -Name N -SourceEndpoint Old -CSVData (&file 'near.csv') -AllowUnknownColumnsInCsv $true",
        2,
        &["TargetUserNam", "TargetUserName"],
    ),
    row(
        5,
        "Get-MigrationUser | Export-Csv c:\\temp\\errors.csv -NoTypeInformation",
        2,
        &["there is no drive on this machine"],
    ),
    row(
        6,
        "New-MigrationBatch -Name N -SourceEndpoint Old -CSVData (&file 'names.csv')",
        2,
        &["Row 2", "EmailAddress"],
    ),
    row(
        7,
        "Test-MigrationBatch -SourceEndpoint Old -CSVData (&file 'blank.csv') | fl Warnings",
        0,
        &["begins or ends with a blank"],
    ),
    row(
        8,
        "Get-MigrationBatch Idle -ErrorAction Stop -Verbose -WarningAction Ignore -OutVariable b | Out-Null; $b.Count",
        0,
        &["1\n"],
    ),
    row(
        9,
        "foreach ($u in Get-MigrationUser) { if ($u.Status -eq 'Failed') { $bad += 1 } else { $good++ } }; \"$bad $good\"",
        0,
        &["1 2\n"],
    ),
    row(
        10,
        "Get-MigrationUser ann@b.c | select @{n='Mailbox';e={$_.Identity}}, @{l='KB';e={[math]::Round($_.SyncedItemCount/1KB,3)}}",
        0,
        &["Mailbox", "0.002"],
    ),
    row(
        11,
        "$b = Get-MigrationBatch Idle; \"$($b.Identity.Name) $($b.Identity.Id) $($b.Status.Value)\"",
        0,
        &["Idle Idle Created\n"],
    ),
    row(
        12,
        "Set-MigrationBatch Idle -NotificationEmails a@b.c -BadItemLimit 5 -SkipReports $true -AutoRetryCount 2 | Out-Null",
        0,
        &["warning: -BadItemLimit has no effect here", "warning: -AutoRetryCount has no effect here"],
    ),
    row(
        12,
        "Complete-MigrationBatch Idle -NotificationEmails a@b.c -Confirm:$false",
        4,
        &["warning: -NotificationEmails has no effect here"],
    ),
    row(
        12,
        "Get-MigrationEndpoint -BadItemLimit 5",
        2,
        &["Get-MigrationEndpoint has no parameter -BadItemLimit\n"],
    ),
    row(
        12,
        "New-MigrationBatch -Name N -Users $null",
        2,
        &["New-MigrationBatch cannot take -Users here\n", "-CSVData names the users"],
    ),
    row(
        12,
        "New-MigrationBatch -Name N -AutoComplete",
        2,
        &["New-MigrationBatch cannot take -AutoComplete here\n", "-CompleteAfter"],
    ),
    row(12, "Import-Cvs x", 2, &["did you mean Import-Csv?"]),
    row(
        13,
        "Remove-MigrationBatch Idle -Confirm:$false\nGet-MigrationBatch | ? Status -eq Nope | Remove-MigrationBatch -Frobnicate",
        2,
        &["no parameter -Frobnicate"],
    ),
    row(
        14,
        "Get-MigrationUserStatistics bob@b.c | ft Identity,Status,ErrorSummary,EmailAddress",
        0,
        &["AUTHENTICATIONFAILED", "bob@b.c"],
    ),
    row(
        14,
        "$r = (Get-MigrationUserStatistics bob@b.c -IncludeReport).Report; $r.Failures.Message; $r.Failures[0].CreationTime -is [datetime]",
        0,
        &["AUTHENTICATIONFAILED", "True\n"],
    ),
    row(
        14,
        "$r = (Get-MigrationUserStatistics ann@b.c -IncludeReport).Report; $r.Entries.Message -match 'completed'; $r.Failures.Count",
        0,
        &["The sync was completed", "0\n"],
    ),
    row(14, "(Get-MigrationBatch Wave1 -IncludeReport).Report.Failures.Message", 0, &["bob@b.c is Failed"]),
    row(
        15,
        "(Set-MigrationBatch Idle -CompleteAfter '09/01/2127 7:00 PM').CompleteAfter",
        0,
        &["2127-09-01T19:00:00Z\n"],
    ),
    row(
        16,
        "New-MigrationBatch -Name N -SourceEndpoint Old -CSVData (&file 'again.csv')",
        2,
        &["no user is left", "Wave1"],
    ),
    row(
        17,
        "Test-MigrationBatch -SourceEndpoint Old -CSVData (&file 'semicolon.csv') | fl",
        0,
        &["semicolons"],
    ),
    row(
        18,
        "Get-MigrationUser -Status Failed | % { Set-MigrationUser -Identity $_.Identity -ApproveSkippedItems }",
        0,
        &["Identity BatchId Status"],
    ),
    row(
        20,
        "Get-MigrationUser -Identity ann@b.c,bob@b.c | ft Identity -HideTableHeaders",
        0,
        &["ann@b.c\nbob@b.c\n"],
    ),
    row(20, "Get-MigrationUser | ft Identity -GroupBy BatchId", 0, &["   BatchId: Wave1\n"]),
    row(20, "$e = [Get-Date] -Format", 2, &["a type in brackets"]),
    row(
        20,
        "Get-Date -Date '2026-01-02T03:04:05.123456789Z' -Format 'yyyy-MM-dd HH:mm:ss.fff'",
        0,
        &["2026-01-02 03:04:05.123\n"],
    ),
    row(20, "$x = @\"\nab $(1 + 1)\n\"@; $x", 0, &["ab 2\n"]),
    row(
        20,
        "Get-Help Export-Csv | fl",
        0,
        &["Synopsis : Writes objects to a CSV file", "Syntax   : Export-Csv [[-Path] <value>]", "epcsv"],
    ),
    row(
        20,
        "(New-MigrationBatch -Name Warned -SourceEndpoint Old -CSVData (&file 'blank.csv')).TotalCount",
        0,
        &["1\n", "warning: Row 2: the Password begins or ends with a blank"],
    ),
    row(20, "(Set-MigrationBatch Wave1 -SyncNow).Message", 0, &["its synced users are synced now"]),
    row(
        3,
        "Get-MigrationBatch | Complete-MigrationBatch -Confirm:$false | ft Identity",
        4,
        &["Wave1\n", "\"Idle\" cannot be completed"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_line_has_its_right_value() {
    let certificate = Certificate::valid();
    let users = ["ann", "bob"].map(|name| (name.to_owned(), "secret".to_owned()));
    let server = Setup { users: users.to_vec(), ..Setup::default() }.start_tls(&certificate);
    let mut session = connect(server.port(), "ann", "secret").await;
    let mut maker = Mailmaker::new(1);
    fill(&mut session, "INBOX", vec![maker.item(900), maker.item(4_000)]).await;
    session.logout().await.unwrap();
    let mut service = Service::idle();
    service.trust(&certificate);
    service.run();
    let port = server.port().to_string();
    let endpoint = ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "localhost"];
    service.expect(&[&endpoint[..], &["-Port", &port, "-Security", "Tls"]].concat());
    let header = "EmailAddress,UserName,Password";
    for (name, file) in [
        ("wave.csv", format!("{header}\nann@b.c,ann,secret\nbob@b.c,bob,wrong\n")),
        ("again.csv", format!("{header}\nann@b.c,ann,secret\n")),
        ("idle.csv", format!("{header}\ncid@b.c,cid,secret\n")),
        ("near.csv", format!("{header},TargetUserNam\ndan@b.c,dan,secret,x\n")),
        ("names.csv", format!("{header}\nDan <dan@b.c>,dan,secret\n")),
        ("blank.csv", format!("{header}\ndan@b.c,dan, secret\n")),
        ("semicolon.csv", format!("{}\ndan@b.c;dan;secret\n", header.replace(',', ";"))),
    ] {
        service.write(name, &file);
    }
    let file = |name: &str| service.directory.path().join(name).to_str().unwrap().to_owned();
    for (name, users, more) in [("Wave1", "wave.csv", &["-AutoStart"][..]), ("Idle", "idle.csv", &[])] {
        let batch = ["New-MigrationBatch", "-Name", name, "-SourceEndpoint", "Old", "-CSVData"];
        service.expect(&[&batch[..], &[&file(users)], more].concat());
    }
    service.wait_for_user("ann@b.c", &["Synced"]);
    service.wait_for_user("bob@b.c", &["Failed"]);

    let mut wrong = Vec::new();
    for Row { finding, line, code, shows } in ROWS {
        let folder = format!("([System.IO.File]::ReadAllBytes('{}/", service.directory.path().display());
        let script = line.replace("(&file '", &folder).replace(".csv')", ".csv'))");
        let ran = service.ask(&["shell", "-c", &script]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        let lacking: Vec<&&str> = shows.iter().filter(|text| !shown.contains(**text)).collect();
        if ran.code != Some(*code) || !lacking.is_empty() {
            wrong.push(format!("finding {finding}: {line}: {:?}, lacks {lacking:?}\n{shown}", ran.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    service.batch("Idle");
}

/// Finding 19.
#[test]
fn the_direct_form_says_what_the_shell_before_it_took() {
    let service = Service::idle();
    for (words, code, says) in [
        (&["Set-MigrationBatch", "B", "-Confirm:"][..], 2, "write '$true' in single quotes, or true"),
        (
            &["Set-MigrationBatch", "B", "-AllowUnknownColumnsInCsv"],
            2,
            "write '$true' in single quotes, or true",
        ),
        (&["Get-MigrationBatch | ft"], 2, "mailhaul shell -c 'Get-MigrationBatch | ft'"),
        (&["shell", "-c", "PS C:\\> Get-MigrationBatch"], 0, ""),
        (&["shell", "-c", "exit 3"], 3, ""),
        (&["shell", "-c", "Get-MigrationBatch Nope"], 3, "could not be found"),
        (&["shell", "-c", "Get-MigrationBatch Nope -ErrorAction Stop"], 3, "could not be found"),
        (&["shell", "-c", "Start-MigrationBatch -Frobnicate"], 2, "no parameter -Frobnicate"),
    ] {
        let ran = service.ask(words);
        assert_eq!(ran.code, Some(code), "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
    }
    let script = service.directory.path().join("utf16.ps1");
    let units = "\u{feff}'größer'\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    fs::write(&script, units).unwrap();
    let ran = ran(&mut service.command(&["shell", script.to_str().unwrap()]));
    ran.assert(0);
    assert_eq!(ran.stdout, "größer\n");
}
