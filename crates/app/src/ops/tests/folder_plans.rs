//! Folder settings that are tried before they are saved.

use mailhaul_operations::FailureKind::{Invalid, NotFound};
use mailhaul_testkit::{Dovecot, Mailmaker, Setup, connect, fill};
use serde_json::{Value, json};

use super::support::{Desk, base64};

async fn give(dovecot: &Dovecot, user: &str, folders: &[(&str, usize)]) {
    let mut session = connect(dovecot.port(), user, &Dovecot::password(user)).await;
    for (number, (folder, messages)) in folders.iter().enumerate() {
        let mut maker = Mailmaker::new(number as u64 + 1);
        let messages: Vec<_> = (0..*messages).map(|_| maker.item(300)).collect();
        fill(&mut session, folder, messages).await;
    }
    session.logout().await.unwrap();
}

fn row<'a>(shown: &'a Value, folder: &str) -> &'a Value {
    let rows = shown["Folders"].as_array().unwrap();
    rows.iter().find(|row| row["SourceFolder"] == folder).unwrap_or_else(|| panic!("{folder}: {shown:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_users_of_a_batch() {
    let users = ["ann", "bob", "eve"];
    let dovecot = Setup::with_users(&["ann", "bob"]).start();
    give(&dovecot, "ann", &[("INBOX", 2), ("Projects", 3), ("Old", 1)]).await;
    give(&dovecot, "bob", &[("INBOX", 1), ("Projects", 4)]).await;
    let desk = Desk::new().await;
    let server =
        json!({ "Name": "Old", "RemoteServer": "127.0.0.1", "Port": dovecot.port(), "Security": "None" });
    desk.one("New-MigrationEndpoint", server).await;
    let rows = users.iter().map(|user| format!("{user}@example.org,{user},{}\r\n", Dovecot::password(user)));
    let file = base64(&format!("EmailAddress,UserName,Password\r\n{}", rows.collect::<String>()));
    let batch = json!({ "Name": "B", "SourceEndpoint": "Old", "TargetEndpoint": "Archive", "CSVData": file });
    desk.one("New-MigrationBatch", batch).await;

    // Without a draft the settings of the batch apply. The server does not know eve.
    let shown = desk.one("Test-MigrationFolderPlan", json!({ "Identity": "B" })).await;
    assert_eq!((&shown["UserCount"], &shown["Clashes"]), (&json!(2), &json!([])), "{shown:#}");
    let projects = row(&shown, "Projects");
    assert_eq!((&projects["UserCount"], &projects["ItemCount"]), (&json!(2), &json!(7)), "{shown:#}");
    assert_eq!(projects["TargetFolder"], "Projects");
    assert_eq!(shown["Failures"][0]["Identity"], "eve@example.org", "{shown:#}");

    let draft = json!({
        "Identity": "B", "Users": ["ann@example.org", "bob@example.org"],
        "FolderMap": { "Old": "Archive", "Projects": "Archive" }, "ExcludeFolders": ["INBOX"]
    });
    let mut steps = Vec::new();
    let entry = desk.operations.entry("Test-MigrationFolderPlan").unwrap();
    let on_step = |step: &Value| steps.push(step["Step"].clone());
    let shown = desk.client.call_in_steps(entry, draft, on_step).await.unwrap().remove(0);
    assert_eq!(steps, ["ann@example.org", "bob@example.org"]);
    assert_eq!((&row(&shown, "INBOX")["IsLeftOut"], &shown["Failures"]), (&json!(true), &json!([])));
    let clash = json!([{
        "TargetFolder": "Archive", "SourceFolders": ["Old", "Projects"], "UserCount": 1,
        "Example": "ann@example.org"
    }]);
    assert_eq!(shown["Clashes"], clash, "{shown:#}");
    // Nothing was saved.
    let saved = desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!((&saved["FolderMap"], &saved["ExcludedFolders"]), (&json!({}), &json!([])));
    let one = json!({ "Identity": "bob@example.org", "FolderMap": { "Projects": "-" } });
    let shown = desk.one("Test-MigrationFolderPlan", one).await;
    assert_eq!((&shown["UserCount"], &row(&shown, "Projects")["IsLeftOut"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn a_draft_that_is_wrong_is_refused() {
    let desk = Desk::with_endpoint().await;
    desk.batch("B", &["a"], json!({})).await;
    desk.batch("Other", &["b"], json!({})).await;
    for (request, kind, words) in [
        (json!({ "Identity": "Gone" }), NotFound, "the migration user or batch \"Gone\""),
        (json!({ "Identity": "B", "FolderMap": { "A": "" } }), Invalid, "FolderMap: "),
        (json!({ "Identity": "B", "ExcludeFolders": ["#Nothing#"] }), Invalid, "ExcludeFolders: "),
        (json!({ "Identity": "B", "Users": ["b@example.org"] }), NotFound, "b@example.org"),
        (
            json!({ "Identity": "B", "Users": vec!["a@example.org"; 101] }),
            Invalid,
            "Users may have at most 100",
        ),
    ] {
        desk.refused("Test-MigrationFolderPlan", request, kind, words).await;
    }
}
