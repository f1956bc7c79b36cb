//! Hostile texts of servers in every view of the service.

use std::fs;

use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
use serde_json::Value;

use crate::{
    support::{Ran, Service},
    web::Web,
};

pub(crate) const PASSWORD: &str = "hunter2";
const CAPABILITIES: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR ID LITERAL+ UIDPLUS NAMESPACE";

/// A server with these users, who all have one password.
pub(crate) async fn server(users: &[&str]) -> Fake {
    let personality =
        Personality { before_login: CAPABILITIES, after_login: CAPABILITIES, ..Personality::plain() };
    let server = Fake::start(personality).await;
    for user in users {
        server.add_user(user, PASSWORD, VirtualClock::default());
    }
    server
}

/// Puts a message with this subject into a folder, whose name is in modified UTF-7.
pub(crate) fn give(server: &Fake, user: &str, folder: &str, subject: &str) {
    let text = format!("From: ann@example.org\r\nSubject: {subject}\r\n\r\nevil\r\n");
    server.with(user, |mailbox| {
        mailbox.create(folder);
        mailbox.add(folder, text.into_bytes(), Flags::new(), InternalDate::new(1_706_774_700, 60).unwrap());
    });
}

impl Service {
    /// An endpoint at this server, which is not asked.
    pub(crate) fn endpoint(&self, name: &str, server: &Fake) {
        let port = server.port.to_string();
        let words = ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1"];
        let more = ["-Port", &port, "-Security", "None", "-SkipVerification"];
        self.expect(&[&words[..], &more].concat());
    }

    /// Starts a batch of one user, from one endpoint to another, and waits until it has ended.
    pub(crate) fn migrate(&self, batch: &str, user: &str, from: &str, to: &str) {
        let head = "EmailAddress,UserName,Password,TargetUserName,TargetPassword";
        let row = format!("{batch}@contoso.edu,{user},{PASSWORD},{user},{PASSWORD}");
        let file = self.write("users.csv", &format!("{head}\n{row}\n"));
        let new = ["New-MigrationBatch", "-Name", batch, "-SourceEndpoint", from, "-TargetEndpoint", to];
        let ran = self.ask(&[&new[..], &["-CSVData", &file, "-AutoStart"]].concat());
        ran.assert(0);
        fs::remove_file(file).unwrap();
        self.wait_for_user(
            &format!("{batch}@contoso.edu"),
            &["Synced", "Failed", "SyncedWithErrors", "NeedsApproval"],
        );
    }
}

/// Each address of the interface that only reads, and what it answers to the holder of this token. Those with an identity are
/// asked for each of these, and lists of skipped messages for this batch.
pub(crate) fn views(web: &Web, token: &str, identities: &[&str], batch: &str) -> Vec<(String, u16, String)> {
    let document =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut answers = Vec::new();
    // A stream of events never ends.
    let is_view = |methods: &Value| methods["get"].get("x-cmdlet").is_some();
    for path in paths.iter().filter(|(_, methods)| is_view(methods)).map(|(path, _)| path) {
        let all = ["IncludeReport=true", "IncludeSkippedItems=true"];
        let queries = [String::new(), format!("?{}", all[0]), format!("?{}", all.join("&"))];
        let kinds = ["Kind=Errors", "Kind=SkippedItems", &format!("BatchId={batch}")];
        let kinds = kinds.map(|query| format!("?{query}"));
        for identity in if path.contains("{Identity}") { identities } else { &[""] } {
            for query in queries.iter().chain(&kinds) {
                let address = format!("{}{query}", path.replace("{Identity}", identity));
                let (status, body) = web.ask("GET", &address, Some(token), "");
                answers.push((format!("{path} {address}"), status, body));
            }
        }
        let is_answered = |(address, status, _): &(String, u16, String)| {
            address.starts_with(&format!("{path} ")) && *status == 200
        };
        // A data directory has no nodes.
        let has_none = path.starts_with("/api/v1/nodes/");
        assert!(has_none || answers.iter().any(is_answered), "{path} answers nothing: {answers:?}");
    }
    answers
}

/// Each command that shows what servers and callers have said, and what it printed, in every form of output.
pub(crate) fn commands(service: &Service, batches: &[&str]) -> Vec<(String, Ran)> {
    let users: Vec<String> = batches.iter().map(|batch| format!("{batch}@contoso.edu")).collect();
    let mut lines: Vec<Vec<&str>> = vec![
        vec!["endpoint", "get"],
        vec!["batch", "get"],
        vec!["user", "get"],
        vec!["Get-MigrationStatistics"],
        vec!["Get-MigrationConfig"],
        vec!["Get-MigrationSkippedItem"],
        vec!["Get-MigrationAuditLog"],
        vec!["Get-MigrationApiToken"],
    ];
    for (batch, user) in batches.iter().zip(&users) {
        lines.push(vec!["Get-MigrationBatch", "-Identity", batch, "-IncludeReport"]);
        lines.push(vec!["Get-MigrationUser", "-Identity", user]);
        lines.push(vec!["Get-MigrationUserStatistics", user, "-IncludeReport", "-IncludeSkippedItems"]);
        lines.push(vec!["Get-MigrationFolderPlan", user]);
        lines.push(vec!["Get-MigrationSkippedItem", user]);
        for kind in ["Statistics", "Errors", "SkippedItems"] {
            lines.push(vec!["Export-MigrationReport", batch, "-Kind", kind]);
        }
    }
    let mut all = Vec::new();
    for line in &lines {
        for output in ["table", "list", "json", "csv"] {
            let words = [&line[..], &["-Output", output]].concat();
            all.push((words.join(" "), service.ask(&words)));
        }
    }
    for batch in batches {
        all.push((format!("watch {batch}"), service.ask(&["watch", batch])));
        let script = format!("Get-MigrationUser -BatchId '{batch}' | Format-List");
        all.push((script.clone(), service.ask(&["shell", "-c", &script])));
    }
    all
}
