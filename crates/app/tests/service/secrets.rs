//! Passwords are never stored in clear text, and their key is protected.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::{Service, files, names};

#[test]
fn the_disk_shows_no_password_and_a_lost_key_destroys_nothing() {
    let mut service = Service::start();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1", "-Port", "9"];
    service.expect(&[&words[..], &["-Security", "None", "-SkipVerification"]].concat());
    let csv = service.csv(&names(50));
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv];
    service.expect(&new);
    assert_eq!(service.stop(), Some(0));
    let mut found = Vec::new();
    files(&service.data(), &mut found);
    assert!(found.iter().any(|it| it.ends_with("mailhaul.db")), "{found:?}");
    for file in &found {
        let octets = fs::read(file).unwrap();
        let shows = |word: &[u8]| octets.windows(word.len()).any(|it| it == word);
        assert!(!shows(b"secret-user1") && !shows(b"c2VjcmV0LXVzZXI"), "{}", file.display());
    }
    let key = service.data().join("master.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    let away = service.directory.path().join("away.key");
    fs::rename(&key, &away).unwrap();
    let lost = service.ask(&["Get-MigrationBatch"]);
    assert_ne!(lost.code, Some(0));
    assert!(lost.stderr.contains("master.key"), "{}", lost.stderr);
    assert!(!key.exists(), "no new key is made in place of the lost one");
    fs::rename(&away, &key).unwrap();
    assert_eq!(service.batch("B")["TotalCount"], 50);
}

#[test]
fn the_key_is_changed_while_the_service_runs() {
    let mut service = Service::start();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1", "-Port", "9"];
    service.expect(&[&words[..], &["-Security", "None", "-SkipVerification"]].concat());
    let csv = service.csv(&names(5));
    service.expect(&["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv]);
    let key = service.data().join("master.key");
    let before = fs::read(&key).unwrap();
    service.expect(&["New-MigrationMasterKey"]);
    let after = fs::read(&key).unwrap();
    assert_ne!(before, after);
    // The running service has the new one, and so has the next.
    service.expect(&["Set-MigrationBatch", "B", "-AddUsers", "-CSVData", &csv]);
    service.kill();
    service.run();
    service.expect(&["Set-MigrationBatch", "B", "-AddUsers", "-CSVData", &csv]);
    assert_eq!(service.stop(), Some(0));
    // The old one opens nothing any more.
    fs::write(&key, before).unwrap();
    let wrong = service.ask(&["Get-MigrationBatch"]);
    assert_ne!(wrong.code, Some(0));
    fs::write(&key, after).unwrap();
    assert_eq!(service.batch("B")["TotalCount"], 5);
}

#[test]
fn a_client_secret_comes_from_a_file_or_the_environment() {
    let mut service = Service::idle();
    let file = service.write("secret", "s3cret-of-file\n");
    let cmdlet = |name: &'static str| {
        [
            "New-MigrationEndpoint",
            "-Microsoft365",
            "-Name",
            name,
            "-TenantId",
            "contoso.com",
            "-ApplicationId",
            "app",
        ]
    };
    let skip = ["-SkipVerification"];
    let made = service.expect(&[&cmdlet("A")[..], &["-ClientSecretFile", &file], &skip].concat());
    assert_eq!(made[0]["TokenSource"], "ClientSecret");
    // There is no terminal to ask on.
    let asked = service.ask(&[&cmdlet("B")[..], &["-ClientSecret"], &skip].concat());
    assert_ne!(asked.code, Some(0));
    for words in ["no ClientSecret: there is no terminal", "-ClientSecretFile", "MAILHAUL_CLIENT_SECRET"] {
        assert!(asked.stderr.contains(words), "{}", asked.stderr);
    }
    for typed in [
        [&cmdlet("C")[..], &["-ClientSecret", "s3cret-of-argv"], &skip].concat(),
        [&["endpoint", "new", "--microsoft365", "--name", "C", "--client-secret", "s3cret-of-argv"][..]]
            .concat(),
        vec!["shell", "-c", "New-MigrationEndpoint -Name C -ClientSecret 's3cret-of-argv'"],
        vec![
            "shell",
            "-c",
            "New-MigrationEndpoint -Name C -ClientSecret (ConvertTo-SecureString 's3cret-of-argv' -AsPlainText -Force)",
        ],
    ] {
        let refused = service.ask(&typed);
        assert_ne!(refused.code, Some(0), "{typed:?}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            said.contains("takes no plain text") || said.contains("ConvertTo-SecureString is not supported"),
            "{said}"
        );
        assert!(!said.contains("s3cret-of-argv"), "{said}");
    }
    service.set("MAILHAUL_CLIENT_SECRET", "s3cret-of-environment".into());
    let options =
        ["endpoint", "new", "--microsoft365", "--name", "D", "--tenant-id", "t", "--application-id", "app"];
    let made = service
        .ask(&[&options[..], &["--client-secret", "--skip-verification", "--output", "json"]].concat());
    made.assert(0);
    let shown = service.ask(&["Get-MigrationEndpoint", "-Output", "json"]);
    shown.assert(0);
    assert!(shown.stdout.contains("\"D\"") && !shown.stdout.contains("s3cret"), "{}", shown.stdout);
    let mut found = Vec::new();
    files(&service.data(), &mut found);
    for file in &found {
        let octets = fs::read(file).unwrap();
        assert!(!octets.windows(9).any(|it| it == b"s3cret-of"), "{}", file.display());
    }
}

#[test]
fn a_password_in_a_shifted_column_is_never_shown() {
    let service = Service::start();
    for name in ["Old", "New"] {
        let port = if name == "Old" { "9" } else { "10" };
        let words =
            ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1", "-Port", port];
        service.expect(&[&words[..], &["-Security", "None", "-SkipVerification"]].concat());
    }
    let secret = "hunter2-shifted";
    let rows = [
        // One column to the left, one to the right, a cell too many, too few, twice the same.
        format!("a@contoso.edu,a,{secret},{secret},"),
        format!("{secret},a@contoso.edu,a,a,{secret}"),
        format!("a@contoso.edu,,{secret},a,{secret}"),
        format!("a@contoso.edu,a,a,{secret},a,{secret}"),
        format!("a@contoso.edu,a,{secret}"),
        format!("\"{secret}"),
        format!("a@contoso.edu,a,\"{secret}\"x,a,{secret}"),
        format!("{secret},a,a,a,a\n{secret},b,b,b,b"),
        format!("a@contoso.edu,a,a,{secret},a\nb@contoso.edu,b,b,{secret},b"),
    ];
    let new = ["New-MigrationBatch", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    for (number, row) in rows.iter().enumerate() {
        let file = format!("EmailAddress,UserName,Password,TargetUserName,TargetPassword\n{row}\n");
        let file = service.write("users.csv", &file);
        let ran = service.ask(&[&new[..], &["-Name", &format!("B{number}"), "-CSVData", &file]].concat());
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains("hunter2"), "{row}: {said}");
    }
    // The first row is no header.
    let file = service.write("users.csv", &format!("a@contoso.edu,a,{secret},a,{secret}\n"));
    let ran = service.ask(&[&new[..], &["-Name", "C", "-CSVData", &file]].concat());
    assert!(ran.code != Some(0) && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    for words in [&["Get-MigrationAuditLog"][..], &["Get-MigrationBatch", "-IncludeReport"]] {
        let mut results = service.expect(words);
        if words[0] == "Get-MigrationBatch" {
            // The last batch is made. Its Message may name the login that its check tried.
            for batch in &mut results {
                batch["Message"] = serde_json::Value::Null;
            }
        }
        let shown = format!("{results:?}");
        assert!(shown.contains("B0") || words.len() > 1, "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
