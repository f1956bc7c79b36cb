//! The examples of Microsoft's reference, typed into `mailhaul shell` on a service and real servers.
//!
//! `examples.txt` is the table. In its commands these stand for something else: paths on a desktop for files in the
//! working directory, the hosts for the test's servers, the ports for theirs. Port 143 without `-Security` means STARTTLS
//! in mailhaul, which another port does not say; and Google is not asked.

use std::{collections::BTreeMap, fs, path::Path};

use mailhaul_testkit::{Certificate, Dovecot, Setup};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use regex::Regex;
use serde_json::json;

use crate::support::{Ran, Service, give, ran};

/// Commands that do what they do in Exchange.
const AS_IN_EXCHANGE: usize = 58;
/// Commands that are refused, and why, in a sentence.
const REFUSED: usize = 19;

/// Batches with one user each, who has the name of the batch. Those with an endpoint are there before.
const BATCHES: [(&str, Option<&str>); 12] = [
    ("LocalMove1", Some("Source")),
    ("LocalMove2", Some("exsrv1.contoso.com")),
    ("CrossForestBatch1", None),
    ("RemoteOnBoarding1", None),
    ("RemoteOffBoarding1", Some("Source")),
    ("StagedBatch1", None),
    ("IMAPmigration_1", None),
    ("gmail", None),
    ("SEM1", Some("Source")),
    ("Cutover1", Some("Source")),
    ("MigrationBatch1", Some("Source")),
    ("Failed", None),
];

/// Users of the batch that is synced before.
const STAFF: [&str; 3] = ["laura@contoso.com", "TonySmith@contoso.com", "davidp@corp.contoso.com"];

/// Endpoints of the examples.
const ENDPOINTS: [&str; 7] = [
    "Source",
    "exsrv1.contoso.com",
    "endpoint.contoso.com",
    "OnboardingME01",
    "Onboardingmigrationendpoint01",
    "CutoverExchangeEndpoint01",
    "CrossForestME01",
];

/// GUID in an example of the reference.
const GUID: &str = "b6a6795c-a010-4f67-aaaa-da372d56fcb9";

/// Block of the table.
#[derive(Debug, Default)]
struct Example {
    page: String,
    command: String,
    before: Vec<String>,
    check: String,
    gives: Option<String>,
    refused: Option<String>,
    because: Option<String>,
    /// Batch to remove afterwards.
    after: Option<String>,
}

fn table() -> Vec<Example> {
    let text = include_str!("examples.txt");
    let blocks = text.split("\n== ").skip(1);
    blocks
        .map(|block| {
            let mut lines = block.lines();
            let (page, command) = (lines.next().unwrap().to_owned(), lines.next().unwrap().to_owned());
            let mut example = Example { page, command, ..Example::default() };
            let mut in_exchange = false;
            for line in lines.filter(|line| !line.is_empty()) {
                let (name, value) = line.split_once(": ").unwrap();
                let value = value.to_owned();
                match name {
                    "exchange" => in_exchange = true,
                    "before" => example.before.push(value),
                    "check" => example.check = value,
                    "gives" => example.gives = Some(value),
                    "refused" => example.refused = Some(value),
                    "because" => example.because = Some(value),
                    "after" => example.after = Some(value),
                    _ => panic!("{}: {line}", example.page),
                }
            }
            assert!(in_exchange && example.gives.is_some() != example.refused.is_some(), "{example:?}");
            example
        })
        .collect()
}

struct Stage {
    service: Service,
    source: Dovecot,
    target: Dovecot,
    /// GUID of a user, for that of the reference.
    guid: String,
}

fn login(user: &str) -> String {
    user.split('@').next().unwrap().to_lowercase()
}

impl Stage {
    async fn new() -> Self {
        let logins: Vec<String> =
            BATCHES.iter().map(|(name, _)| login(name)).chain(STAFF.iter().map(|it| login(it))).collect();
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let certificate = Certificate::valid();
        let source = Setup::with_users(&logins).start_tls(&certificate);
        give(&source, "davidp", "INBOX", &[900, 40_000], 1).await;
        give(&source, "laura", "INBOX", &[700], 2).await;
        let extra = "plugin {\n quota_max_mail_size = 20k\n}\n".to_owned();
        let target = Setup { quota: Some("10M".to_owned()), extra, ..Setup::with_users(&logins) }.start();
        let mut service = Service::idle();
        let authority = service.write("authority.pem", &fs::read_to_string(certificate.ca_file()).unwrap());
        service.set("SSL_CERT_FILE", authority.into());
        service.run();
        let stage = Self { service, source, target, guid: String::new() };
        stage.endpoints();
        stage.batches();
        let guid = stage.service.user("laura@contoso.com")["Guid"].as_str().unwrap().to_owned();
        Self { guid, ..stage }
    }

    fn endpoints(&self) {
        let new = |name: &str, port: u16| {
            let words =
                ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "localhost", "-Port"];
            self.service.expect(&[&words[..], &[&port.to_string(), "-Security", "None"]].concat());
        };
        for name in ENDPOINTS {
            new(name, self.source.port());
        }
        new("New", self.target.port());
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap().serialize_pem();
        let key = json!({
            "type": "service_account", "private_key_id": "1", "private_key": key, "client_id": "1234",
            "client_email": "haul@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
        });
        self.service.write("gmailonboarding.json", &key.to_string());
    }

    fn batches(&self) {
        let new = |name: &str, endpoint: &str, file: &str, more: &[&str]| {
            let words = ["New-MigrationBatch", "-Name", name, "-SourceEndpoint", endpoint, "-CSVData", file];
            self.service.expect(&[&words[..], more].concat());
        };
        for (name, endpoint) in BATCHES {
            let user = login(name);
            let text = format!(
                "EmailAddress,UserName,Password\n{name}@contoso.com,{user},{}\n",
                Dovecot::password(&user)
            );
            let file = self.service.write(&format!("{name}.csv"), &text);
            if let Some(endpoint) = endpoint {
                new(name, endpoint, &file, &[]);
            }
        }
        let mut text = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n".to_owned();
        for user in STAFF {
            let (name, password) = (login(user), Dovecot::password(&login(user)));
            text.push_str(&format!("{user},{name},{password},{name},{password}\n"));
        }
        let file = self.service.write("staff.csv", &text);
        new("MigrationBatch01", "Source", &file, &["-TargetEndpoint", "New", "-AutoStart"]);
        self.service.wait_for("MigrationBatch01", &["Synced"]);
    }

    /// A command as it is here.
    fn here(&self, command: &str) -> String {
        let mut text = command.replace("C:\\Users\\Administrator\\Desktop\\", "").replace(GUID, &self.guid);
        for host in ["imap.contoso.com", "Server01.contoso.com"] {
            text = text.replace(&format!("-RemoteServer {host}"), "-RemoteServer localhost");
        }
        if text.contains("-Port 143") && !text.contains("-Security") {
            text = text.replace("-Port 143", "-Port 143 -Security Tls");
        }
        text = text.replace("-Gmail", "-Gmail -SkipVerification");
        let ports = [("-Port 993", self.source.tls_port()), ("-Port 143", self.source.port())];
        ports.into_iter().fold(text, |text, (word, port)| text.replace(word, &format!("-Port {port}")))
    }

    fn run(&self, script: &str) -> Ran {
        let mut command = self.service.command(&["shell", "-c", script]);
        ran(command.current_dir(self.directory()))
    }

    fn directory(&self) -> &Path {
        self.service.directory.path()
    }

    /// Runs an example. Returns what is wrong.
    fn try_out(&self, example: &Example) -> Result<(), String> {
        let mut lines: Vec<String> = example.before.clone();
        lines.extend([self.here(&example.command), "'== check'".to_owned(), example.check.clone()]);
        let ran = self.run(&lines.join("\n"));
        let all = || format!("{:?}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
        if let Some(pattern) = &example.gives {
            let shown = ran.stdout.split_once("== check\n").map_or("nothing", |(_, shown)| shown.trim_end());
            let is_so = Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(shown);
            return if is_so && ran.code == Some(0) { Ok(()) } else { Err(format!("{shown}\n{}", all())) };
        }
        let mut said = ran.stderr.lines().skip_while(|line| line.starts_with("warning: "));
        let first = said.next().and_then(|line| line.split_once("`: ")).map(|(_, text)| text.to_owned());
        let second = said.next().map(|line| line.trim().to_owned());
        let is_so = first == example.refused && (example.because.is_none() || second == example.because);
        if is_so && ran.code != Some(0) { Ok(()) } else { Err(all()) }
    }

    /// Removes a batch, so that another example can make it.
    fn remove(&self, batch: &str) {
        let script = format!(
            "Remove-MigrationBatch {batch} -Confirm:$false\nwhile ((Get-MigrationBatch).Identity -contains '{batch}') {{ Start-Sleep -Milliseconds 200 }}"
        );
        self.run(&script).assert(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_examples_do_what_they_do_in_exchange() {
    let stage = Stage::new().await;
    let (mut works, mut refused, mut wrong) = (0, 0, Vec::new());
    // Examples, with true if all their commands work.
    let mut whole: BTreeMap<String, bool> = BTreeMap::new();
    for example in table() {
        let outcome = stage.try_out(&example);
        *whole.entry(example.page.clone()).or_insert(true) &= outcome.is_ok() && example.gives.is_some();
        match outcome {
            Ok(()) if example.gives.is_some() => works += 1,
            Ok(()) => refused += 1,
            Err(why) => wrong.push(format!("== {}\n{}\n{why}", example.page, example.command)),
        }
        if let Some(batch) = &example.after {
            stage.remove(batch);
        }
    }
    let examples =
        format!("{} of {} whole examples", whole.values().filter(|works| **works).count(), whole.len());
    assert_eq!(
        (works, refused, wrong.len()),
        (AS_IN_EXCHANGE, REFUSED, 0),
        "{works} commands ({examples}) as in Exchange, {refused} refused, {} otherwise than the table says:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{works} commands ({examples}) as in Exchange, {refused} refused with a reason");
}
