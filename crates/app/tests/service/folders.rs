//! Folder plan: shown before a pass, and followed by it.

use mailhaul_testkit::Setup;

use crate::support::{Service, contents, give};

/// `source -> target: reason`, a line each.
fn plan(service: &Service) -> Vec<String> {
    let plans = service.expect(&["Get-MigrationFolderPlan", "-Identity", "annb@contoso.edu"]);
    let line = |it: &serde_json::Value| {
        let text = |name: &str| it[name].as_str().unwrap_or("-").to_owned();
        format!("{} -> {}: {}", text("SourceFolder"), text("TargetFolder"), text("Reason"))
    };
    plans.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_shown_before_the_first_pass_and_kept_after_it() {
    let from = Setup::with_users(&["annb"]).start();
    let to = Setup {
        separator: '.',
        prefix: "INBOX.".to_owned(),
        mail_location: "maildir:~/Maildir".to_owned(),
        ..Setup::with_users(&["annb"])
    }
    .start();
    give(&from, "annb", "INBOX", &[700; 2], 1).await;
    give(&from, "annb", "Gesendete Elemente", &[700; 2], 2).await;
    give(&from, "annb", "v1.2", &[700], 3).await;
    give(&from, "annb", "v1․2", &[700], 4).await;
    give(&from, "annb", "Alt/x", &[700], 5).await;
    give(&from, "annb", "Chats", &[700], 6).await;
    give(&to, "annb", "INBOX.Sent", &[900], 7).await;
    let service = Service::start();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = service.csv(&["annb".to_owned()]);
    let map = service.write("map.csv", "Source,Target\nAlt/*,Archive/2020\nChats,-\n");
    let wrong = service.write("wrong.csv", "Source,Target\nAlt/*,Archive\nAlt/*,Old\n");
    let batch = [
        "New-MigrationBatch",
        "-Name",
        "B",
        "-SourceEndpoint",
        "Old",
        "-TargetEndpoint",
        "New",
        "-CSVData",
        &csv,
        "-FolderMapData",
    ];
    let refused = service.ask(&[&batch[..], &[&wrong]].concat());
    assert!(
        refused
            .stderr
            .contains("FolderMapData: Row 3, column 1 (Source): the folder \"Alt/*\" is already in row 2"),
        "{}",
        refused.stderr
    );
    service.expect(&[&batch[..], &[&map]].concat());
    let expected = [
        "INBOX -> INBOX: same name",
        "Alt/x -> Archive/2020/x: mapped by the operator",
        "Chats -> -: left out by the operator's map",
        "Gesendete Elemente -> Sent: both names mean \\Sent",
        "v1.2 -> v1․2: the target's names cannot hold \".\"",
        "v1․2 -> v1‛․2: it could be mistaken for another name",
    ];
    let shown = plan(&service);
    let shown: Vec<&String> = shown.iter().filter(|it| !it.starts_with("Alt ->")).collect();
    assert_eq!(shown, expected);
    // A look, and nothing more.
    assert_eq!(contents(to.port(), "annb").await.into_keys().collect::<Vec<_>>(), ["INBOX", "INBOX.Sent"]);

    service.expect(&["Start-MigrationBatch", "B"]);
    service.wait_for("B", &["Synced"]);
    let target = contents(to.port(), "annb").await;
    let counts: Vec<(&str, usize)> =
        target.iter().map(|(name, it)| (name.as_str(), it.messages.len())).collect();
    assert_eq!(
        counts,
        [("INBOX", 2), ("INBOX.Archive.2020.x", 1), ("INBOX.Sent", 3), ("INBOX.v1‛․2", 1), ("INBOX.v1․2", 1),]
    );
    // What was decided stays, whatever the map says now.
    service.expect(&["Set-MigrationBatch", "B", "-FolderMap", "v1.2=Version"]);
    let later = plan(&service);
    assert!(
        later.contains(&"Gesendete Elemente -> Sent: as in the last pass".to_owned())
            && later
                .iter()
                .any(|it| it.starts_with("v1.2 -> v1․2: as in the last pass; the operator's map says")),
        "{later:?}"
    );
}
