//! Every grant, from the cmdlet to the copied message, without a visible secret.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
};

use mailhaul_testkit::{Dovecot, TokenServer, TokensOf};

use crate::{
    support::{Service, assert_same, files, names},
    tokens::{source, target},
};

impl Service {
    /// Signs a user in for the endpoint on another device.
    fn login(&self, endpoint: &str, server: &TokenServer, user: &str) {
        let mut process = self.command(&["login", endpoint]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let typed = lines.by_ref().find_map(|it| it.strip_prefix("Type ").map(|it| it.trim().to_owned()));
        server.allow(&typed.unwrap(), user);
        let said: Vec<String> = lines.collect();
        assert!(process.wait().unwrap().success(), "{said:?}");
        assert!(said.iter().any(|it| it.starts_with("signed in")), "{said:?}");
    }

    #[track_caller]
    fn is_synced(&self, name: &str, users: &[String]) {
        self.token_batch(name, name, users);
        let batch = self.wait_for(name, &["Synced", "SyncedWithErrors", "Failed"]);
        assert_eq!(batch["Status"], "Synced", "{:#?}", self.expect(&["Get-MigrationUser", "-BatchId", name]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_copies_mail_and_shows_no_secret() {
    let users = names(8);
    let server = TokenServer::start();
    let from = source(&users, 3).await;
    let application = target(&server, &users, TokensOf::Applications, TokenServer::MICROSOFT);
    // Tokens of persons open what is theirs.
    let person = target(&server, &users, TokensOf::Users, TokenServer::OF_PERSONS);
    let mut service = Service::idle();
    service.set("MAILHAUL_LOG", "trace".into());
    let log = service.directory.path().join("service.log");
    service.run_logging(&log);
    service.with_passwords("Old", from.port());
    let (url, device) = (server.token_url(), server.device_url());

    // A certificate, also where the server's clock is five minutes behind.
    server.set_clock_ahead(-300);
    let certified = ["-TokenUrl", &url, "-ApplicationId", TokenServer::WITH_CERTIFICATE];
    let scope = ["-Scope", TokenServer::DEFAULT_SCOPE];
    let (port, certificate) = (application.port(), server.certificate());
    let more = [&certified[..], &scope].concat();
    service.with_tokens("Certificate", port, ("-CertificateFile", &certificate), &more);
    service.is_synced("Certificate", &users[..3]);
    server.set_clock_ahead(0);
    service.with_secret("Secret", port, &server, TokenServer::CLIENT_SECRET, &scope);
    service.is_synced("Secret", &users[3..4]);

    // A refresh token, which is another one after each use: what came last is known after a restart.
    let of_person = ["-TokenUrl", &url, "-ApplicationId", TokenServer::ON_DEVICES];
    let more = [&of_person[..], &["-Scope", TokenServer::PERSON_SCOPE]].concat();
    let refresh = server.refresh_token(&users[4]);
    service.with_tokens("Refresh", person.port(), ("-RefreshTokenFile", &refresh), &more);
    service.is_synced("Refresh", &users[4..5]);
    service.kill();
    service.run_logging(&log);
    // The token of another user: told in words, after one other token.
    let before = server.count("refresh_token");
    service.token_batch("Another", "Refresh", &users[5..6]);
    let told = service.failures("Another");
    assert!(told[0].contains("refused"), "{told:?}");
    let asked = server.requests().into_iter().filter(|it| it.grant == "refresh_token").skip(before);
    let errors: Vec<_> = asked.map(|it| it.error).collect();
    assert_eq!(errors, [None, None]);

    // A device code.
    let login = [&of_person[..], &["-DeviceUrl", &device, "-Scope", TokenServer::PERSON_SCOPE]].concat();
    let port = person.port().to_string();
    let new = ["New-MigrationEndpoint", "-IMAP", "-Name", "Device", "-RemoteServer", "127.0.0.1", "-Port"];
    service.expect(&[&new[..], &[&port, "-Security", "None", "-SkipVerification"], &login].concat());
    service.login("Device", &server, &users[6]);
    service.is_synced("Device", &users[6..7]);

    // A service account, in the name of each user.
    let address = format!("{}@contoso.edu", users[7]);
    let google = target(&server, &[address], TokensOf::Users, TokenServer::GOOGLE);
    let (key, port) = (service.write("key.json", &server.service_account_key()), google.port().to_string());
    let new = ["New-MigrationEndpoint", "-GoogleWorkspace", "-Name", "Google", "-RemoteServer", "127.0.0.1"];
    let more = ["-Port", &port, "-Security", "None", "-TokenUrl", &url, "-ServiceAccountKeyFileData", &key];
    service.expect(&[&new[..], &more].concat());
    fs::remove_file(key).unwrap();
    let password = Dovecot::password(&users[7]);
    let csv = format!("EmailAddress,UserName,Password\n{0}@contoso.edu,{0},{password}\n", users[7]);
    let csv = service.write("google.csv", &csv);
    let new =
        ["New-MigrationBatch", "-Name", "Google", "-SourceEndpoint", "Old", "-TargetEndpoint", "Google"];
    service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    let batch = service.wait_for("Google", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(
        (batch["Status"].as_str(), batch["SyncedItemCount"].as_u64()),
        (Some("Synced"), Some(3)),
        "{batch:#}"
    );
    for (to, user) in [(&application, 0), (&application, 3), (&person, 4), (&person, 6)] {
        assert_same(&from, to, &users[user]).await;
    }

    no_secret_is_shown(&mut service, &server, &log);
}

/// Searches the output of commands, the process and the data directory for secrets.
fn no_secret_is_shown(service: &mut Service, server: &TokenServer, log: &Path) {
    let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
    for words in [
        &["Get-MigrationEndpoint", "-Output", "json"][..],
        &["Get-MigrationUser", "-Output", "json"],
        &["Get-MigrationUser", "-Output", "csv"],
        &["Get-MigrationBatch", "-Output", "json"],
        &["Get-MigrationAuditLog", "-Output", "json"],
        &["Get-MigrationUserStatistics", "-Identity", "user6@contoso.edu", "-Output", "json"],
    ] {
        let ran = service.ask(words);
        ran.assert(0);
        seen.push((words.join(" "), (ran.stdout + &ran.stderr).into_bytes()));
    }
    let process = service.id();
    for file in ["cmdline", "environ"] {
        seen.push((file.to_owned(), fs::read(format!("/proc/{process}/{file}")).unwrap()));
    }
    let mut found = Vec::new();
    files(&service.data(), &mut found);
    assert!(found.iter().any(|it| it.ends_with("mailhaul.db-wal")), "{found:?}");
    assert_eq!(service.stop(), Some(0));
    files(&service.data(), &mut found);
    found.push(log.to_owned());
    seen.extend(found.iter().filter_map(|it| Some((it.display().to_string(), fs::read(it).ok()?))));
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains("TRACE"), "{logged}");
    // What is no secret is found where it is kept: so would a secret be.
    let finds = |what: &str| seen.iter().any(|(_, it)| String::from_utf8_lossy(it).contains(what));
    assert!(finds(TokenServer::WITH_CERTIFICATE) && finds(&server.token_url()));
    let secrets = server.secrets();
    assert!(secrets.len() > 10, "{}", secrets.len());
    for secret in &secrets {
        for (what, octets) in &seen {
            let text = String::from_utf8_lossy(octets);
            assert!(!text.contains(secret.as_str()), "{what} shows {secret}");
        }
    }
}
