//! Servers that echo their input: no view and no file of the service shows the password.

use std::fs;

use mailhaul_testkit::fake::when;

use crate::{
    liars::{self, PASSWORD, give},
    support::{Service, files},
    web::Web,
};

/// The password, as hexadecimal digits and in base64; SASL PLAIN of the user with it, plain and in base64.
const FORMS: [&str; 6] =
    [PASSWORD, "2retnuh", "68756e74657232", "aHVudGVyMg", "AHRlcnJ5YQBodW50ZXIy", "terrya\\0hunter2"];

fn echo() -> String {
    FORMS.join(" ")
}

#[track_caller]
fn is_silent(whose: &str, text: &str) {
    let text = text.to_lowercase();
    for form in FORMS {
        assert!(!text.contains(&form.to_lowercase()), "{form:?} is in {whose}:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_view_shows_a_password_that_a_server_sends_back() {
    let [source, target, closed, odd] = [
        liars::server(&["terrya"]).await,
        liars::server(&["terrya"]).await,
        liars::server(&["terrya"]).await,
        liars::server(&["terrya"]).await,
    ];
    for server in [&source, &odd] {
        (1..=3).for_each(|number| give(server, "terrya", "INBOX", &format!("Number {number}")));
        give(server, "terrya", "Archive", "Old");
    }
    let echo = echo();
    target.lie(when("APPEND").answer(&format!("* NO {echo}\nt NO [X-ECHO {echo}] {echo}")));
    closed.lie(when("LOGIN | AUTHENTICATE").answer(&format!("t NO [AUTHENTICATIONFAILED] {echo}")));
    odd.lie(when("ID | NAMESPACE").answer(&format!("* ID (\"name\" \"{echo}\")\n* OK {echo}\nt BAD {echo}")));
    odd.lie(when("SELECT *Archive | EXAMINE *Archive").answer(&format!("* BAD {echo}\nt NO {echo}")));
    let mut service = Service::idle();
    let web = Web::of(&mut service);
    for (name, server) in [("Old", &source), ("New", &target), ("Closed", &closed), ("Odd", &odd)] {
        service.endpoint(name, server);
    }
    let batches = ["refused", "closed", "odd"];
    for (batch, (from, to)) in batches.iter().zip([("Old", "New"), ("Closed", "New"), ("Odd", "New")]) {
        service.migrate(batch, "terrya", from, to);
    }
    let made = service.expect(&["New-MigrationApiToken", "-Name", "all", "-Role", "Admin"]).remove(0);
    let identities =
        ["Old", "closed", "refused", "refused@contoso.edu", "closed@contoso.edu", "odd@contoso.edu", "all"];
    let answers = liars::views(&web, made["Token"].as_str().unwrap(), &identities, "refused");
    assert!(answers.iter().any(|(.., body)| body.contains("[redacted]")), "{answers:?}");
    for (address, _, body) in &answers {
        is_silent(address, body);
    }
    for (command, ran) in liars::commands(&service, &batches) {
        is_silent(&command, &format!("{}{}", ran.stdout, ran.stderr));
    }
    assert_eq!(service.stop(), Some(0));
    let mut found = Vec::new();
    files(&service.data(), &mut found);
    for file in found {
        let octets = fs::read(&file).unwrap();
        is_silent(&file.display().to_string(), &String::from_utf8_lossy(&octets));
    }
}
