//! Output of Test-MigrationServerAvailability at a prompt.

use mailhaul_testkit::{Certificate, Setup};

use crate::support::Service;

/// Returns the step's line with its continuation lines.
#[track_caller]
fn step(shown: &str, name: &str) -> String {
    let line = shown.lines().find(|it| it.starts_with(name));
    line.unwrap_or_else(|| panic!("no step {name} in:\n{shown}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_a_line_and_what_to_write_stands_below() {
    let certificate = Certificate::valid();
    let setup = Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2");
    let dovecot = setup.start_tls(&certificate);
    let service = Service::idle();
    let (port, password) = (dovecot.tls_port().to_string(), service.write("password", "admin-hunter2\n"));
    let authorities = certificate.ca_file().display().to_string();
    let shown = service.ask(&[
        "Test-MigrationServerAvailability",
        "-IMAP",
        "-RemoteServer",
        "localhost",
        "-Port",
        &port,
        "-Security",
        "Ssl",
        "-CertificateAuthorities",
        &authorities,
        "-Credential",
        "mailadmin",
        "-CredentialPasswordFile",
        &password,
        "-TestMailbox",
        "ann",
        "-Output",
        "table",
    ]);
    shown.assert(0);
    let text = &shown.stdout;
    assert!(text.starts_with("Result  Message\n"), "{text}");
    for (name, words) in [
        ("DNS", "Success localhost is 127.0.0.1"),
        ("TLS", "TLS 1.3"),
        ("Certificate", "issued by mailhaul test authority"),
        ("Form {user}*{admin}", "Success ann*mailadmin: signs in by PLAIN, and INBOX opens"),
        ("Sign-ins", "2 attempts"),
        ("INBOX", "it opens"),
    ] {
        assert!(step(text, name).contains(words), "{text}");
    }
    let below = "\n\nCSV file with the whole login of each user:\n  EmailAddress,UserName,Password\n  \
                 <e-mail address>,ann*mailadmin,<password>\n";
    assert!(text.contains(below), "{text}");
    assert!(text.contains("-Credential mailadmin -UserNameTemplate '{user}*{admin}'\n"), "{text}");
    assert!(!text.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_without_rights_is_found_before_any_batch() {
    let setup = Setup::with_users(&["ann"]).with_administrator("mailadmin", "admin-hunter2");
    let dovecot = setup.with_acl_trap().start();
    let service = Service::idle();
    let (port, password) = (dovecot.port().to_string(), service.write("password", "admin-hunter2\n"));
    let login = ["-Credential", "mailadmin", "-CredentialPasswordFile", &password];
    let server = ["-RemoteServer", "127.0.0.1", "-Port", &port, "-Security", "None"];
    let endpoint = ["New-MigrationEndpoint", "-Name", "Old", "-UserNameTemplate", "{user}*{admin}"];
    service.expect(&[&endpoint[..], &server, &login].concat());
    let test =
        ["Test-MigrationServerAvailability", "-Endpoint", "Old", "-TestMailbox", "ann", "-Output", "table"];
    let shown = service.ask(&test);
    shown.assert(0);
    assert!(
        shown.stdout.contains("accepts the login of ann*mailadmin but does not open the mailbox"),
        "{}",
        shown.stdout
    );
    let line = step(&shown.stdout, "Form {user}*{admin}");
    assert!(line.contains("Failed") && line.contains("acl_user = %u"), "{line}");
    assert!(!shown.stdout.contains("hunter2") && !shown.stdout.contains("CSV file"), "{}", shown.stdout);
}
