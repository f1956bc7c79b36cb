//! Get-, Test- and Set-MigrationCutover on a scripted DNS, and the policy for removals.

use std::{collections::BTreeSet, time::Duration};

use mailhaul_migration::UserEvent;
use mailhaul_operations::FailureKind::{Conflict, Invalid};
use mailhaul_records::Dns;
use mailhaul_testkit::{DnsFault, DnsWorld, ScriptedDns};
use serde_json::{Value, json};

use super::support::Desk;

const RESOLVER: &str = "127.53.11.1";
const NS1: &str = "127.53.12.1";
const NS2: &str = "127.53.12.2";

async fn dns() -> ScriptedDns {
    let mut world = DnsWorld::new().with_resolver(RESOLVER).with_name_server(NS1).with_name_server(NS2);
    world.delegate("example.org", "hoster.example", &[NS1, NS2]);
    // Nothing is cached, so that the times of the test do not matter.
    world.ns_ttl = 0;
    let dns = ScriptedDns::start(world).await;
    tell(&dns, &[NS1, NS2], "mx.old.example");
    dns
}

fn tell(dns: &ScriptedDns, servers: &[&str], host: &str) {
    dns.change(|world| {
        for server in servers {
            world.set(server, "example.org", "MX", 0, &[&format!("10 {host}")]);
        }
    });
}

async fn desk(dns: &ScriptedDns) -> Desk {
    let client = Dns::new(vec![dns.address(RESOLVER)])
        .with_name_server_port(dns.port())
        .with_patience(Duration::from_millis(300));
    let desk = Desk::asking(client).await.and_endpoint().await;
    desk.batch("Staff", &["ann", "paul"], json!({ "AutoStart": true })).await;
    desk
}

async fn tested(desk: &Desk) -> Value {
    desk.one("Test-MigrationCutover", json!({ "Identity": "Staff" })).await
}

fn condition<'v>(shown: &'v Value, name: &str) -> (&'v str, &'v str) {
    let conditions = shown["Conditions"].as_array().unwrap();
    let found = conditions.iter().find(|condition| condition["Condition"] == name).unwrap();
    (found["State"].as_str().unwrap(), found["Message"].as_str().unwrap())
}

#[tokio::test]
async fn a_batch_moves_and_becomes_safe_to_remove() {
    let dns = dns().await;
    let desk = desk(&dns).await;
    let shown = desk.one("Get-MigrationCutover", json!({ "Identity": "staff" })).await;
    assert_eq!((&shown["Identity"], &shown["Domains"][0]["State"]), (&json!("Staff"), &json!("Unknown")));
    // Get asks nothing of the network.
    assert_eq!(dns.questions(), []);

    let shown = tested(&desk).await;
    assert_eq!(shown["Verdict"], "NotSafe");
    assert!(
        shown["Message"]
            .as_str()
            .unwrap()
            .starts_with("Not safe to remove: example.org: its MX has not moved")
    );
    assert_eq!(shown["Domains"][0]["MX"], json!(["10 mx.old.example"]));
    assert_eq!(shown["SettlePeriod"], "3.00:00:00");

    desk.one("Set-MigrationCutover", json!({ "Identity": "Staff", "SettlePeriod": "0" })).await;
    desk.pass(UserEvent::Synced).await;
    tell(&dns, &[NS1], "mx.new.example");
    let shown = tested(&desk).await;
    assert_eq!(shown["Domains"][0]["State"], "Moving");
    assert!(condition(&shown, "Routing").1.contains("ns2.hoster.example"), "{shown}");

    tell(&dns, &[NS2], "mx.new.example");
    let shown = tested(&desk).await;
    assert_eq!(shown["Domains"][0]["State"], "Moved", "{shown}");
    assert_eq!(shown["Domains"][0]["FirstHosts"], json!(["mx.old.example"]));
    let change = |index: usize| (&shown["Changes"][index]["Old"], &shown["Changes"][index]["New"]);
    let both = json!("10 mx.new.example, 10 mx.old.example");
    assert_eq!(change(0), (&json!("10 mx.old.example"), &both));
    assert_eq!(change(1), (&both, &json!("10 mx.new.example")));
    let (state, words) = condition(&shown, "LastSync");
    assert_eq!(state, "NotMet");
    assert!(
        words.starts_with("2 users were not synced (ann@example.org, paul@example.org) after"),
        "{words}"
    );

    desk.pass(UserEvent::Synced).await;
    let shown = tested(&desk).await;
    assert_eq!((&shown["Verdict"], condition(&shown, "LastSync").0), (&json!("Unknown"), "Met"), "{shown}");
    assert_eq!(condition(&shown, "Verified").0, "Waived");
    assert_eq!(condition(&shown, "SourceIsQuiet"), ("Met", "no message has arrived on the source"));
    assert_eq!(condition(&shown, "SourceIsUnused").0, "Met");
    let waive = json!({
        "Identity": "Staff",
        "Waive": ["DirectMail"],
        "Reason": "looked at both servers",
    });
    let shown = desk.one("Set-MigrationCutover", waive).await;
    assert_eq!(shown["Verdict"], "SafeToRemove", "{shown}");
    assert!(shown["Message"].as_str().unwrap().starts_with("Safe to remove: since "), "{shown}");
    assert!(
        condition(&shown, "DirectMail").1.starts_with("waived by ada: looked at both servers"),
        "{shown}"
    );

    stays_safe_until_it_is_removed(&dns, &desk).await;
}

async fn stays_safe_until_it_is_removed(dns: &ScriptedDns, desk: &Desk) {
    // A name server that falls silent may tell the old.
    dns.change(|world| world.fault(NS1, DnsFault::Silent));
    assert_eq!(tested(desk).await["Verdict"], "Unknown");
    dns.change(|world| world.fault(NS1, DnsFault::None));
    assert_eq!(tested(desk).await["Verdict"], "SafeToRemove");
    assert_eq!(desk.call("Remove-MigrationBatch", json!({ "Identity": "Staff" })).await, Ok(Vec::new()));

    let names: BTreeSet<String> = dns.questions().into_iter().map(|question| question.name).collect();
    let expected = [
        "_dmarc.example.org",
        "_mta-sts.example.org",
        "example.org",
        "mx.new.example",
        "mx.old.example",
        "ns1.hoster.example",
        "ns2.hoster.example",
    ];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_is_unknown_is_never_safe() {
    let desk = Desk::with_endpoint().await;
    desk.batch("Staff", &["ann"], json!({ "AutoStart": true })).await;
    desk.pass(UserEvent::Synced).await;
    let waive = json!({
        "Identity": "Staff",
        "Waive": ["DirectMail", "SourceIsQuiet", "SourceIsUnused", "Records"],
        "Reason": "no DNS here",
    });
    desk.one("Set-MigrationCutover", waive).await;
    let shown = tested(&desk).await;
    assert_eq!(shown["Verdict"], "Unknown");
    let words = condition(&shown, "Routing").1;
    assert!(words.contains("this machine has no resolver"), "{words}");
    // By hand.
    let stated = json!({ "Identity": "Staff", "RoutedAt": "2020-01-01T00:00:00Z" });
    let shown = desk.one("Set-MigrationCutover", stated).await;
    assert_eq!(shown["Verdict"], "SafeToRemove", "{shown}");
    let back = json!({ "Identity": "Staff", "RoutedAt": null, "Waive": null });
    assert_eq!(desk.one("Set-MigrationCutover", back).await["Verdict"], "Unknown");
}

#[tokio::test]
async fn removals_obey_the_policy() {
    let policy = |policy: &'static str| json!({ "CutoverPolicy": policy });
    let remove = |force: bool| json!({ "Identity": "Staff", "Force": force });
    for (word, force, shown) in [
        (None, false, Some(1)),
        (Some("Warn"), false, Some(1)),
        (Some("Off"), false, Some(0)),
        (Some("Refuse"), false, None),
        (Some("Refuse"), true, Some(1)),
    ] {
        let desk = Desk::with_endpoint().await;
        if let Some(word) = word {
            assert_eq!(desk.one("Set-MigrationConfig", policy(word)).await["CutoverPolicy"], word);
        }
        desk.batch("Staff", &["ann"], json!({ "AutoStart": true })).await;
        desk.pass(UserEvent::Synced).await;
        if let Some(count) = shown {
            let shown = desk.call("Remove-MigrationBatch", remove(force)).await.unwrap();
            assert_eq!(shown.len(), count, "{word:?} {force}");
            for batch in shown {
                let words = batch["Message"].as_str().unwrap();
                assert!(words.starts_with("Not known to be safe to remove: example.org"), "{words}");
            }
        } else {
            let words = "\"Staff\" is not removed. Not known to be safe to remove: example.org";
            desk.refused("Remove-MigrationBatch", remove(force), Conflict, words).await;
            assert_eq!(desk.status("Staff").await, "Synced");
        }
        // A batch that never synced anything is removed without a word.
        desk.batch("Other", &["eve"], json!({})).await;
        assert_eq!(desk.call("Remove-MigrationBatch", json!({ "Identity": "Other" })).await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let desk = Desk::with_endpoint().await;
    desk.batch("Staff", &["ann"], json!({})).await;
    for (change, words) in [
        (json!({ "Waive": ["Routing"] }), "Waive needs Reason"),
        (json!({ "Reason": "x" }), "Reason needs Waive"),
        (json!({ "ExpectedMX": ["mx.new.example", "a b"] }), "ExpectedMX: \"a b\" is no domain name"),
        (json!({ "Domain": ["ann@example.org"] }), "Domain: \"ann@example.org\" is no domain name"),
        (json!({ "QuietPeriod": "400.00:00:00" }), "QuietPeriod must be at most 366 days"),
    ] {
        let mut request = json!({ "Identity": "Staff" });
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        desk.refused("Set-MigrationCutover", request, Invalid, words).await;
    }
    let other = json!({ "Identity": "Staff", "Domain": "fabrikam.com" });
    desk.refused("Test-MigrationCutover", other, Invalid, "\"fabrikam.com\"").await;
    let named = json!({ "Identity": "Staff", "Domain": ["Fabrikam.com."] });
    assert_eq!(desk.one("Set-MigrationCutover", named).await["Domains"][0]["Domain"], "fabrikam.com");
    let bad = json!({ "PublicResolvers": ["dns.example"] });
    desk.refused("Set-MigrationConfig", bad, Invalid, "\"dns.example\" is no address of a resolver").await;
    let good = json!({ "PublicResolvers": ["9.9.9.9"] });
    assert_eq!(desk.one("Set-MigrationConfig", good).await["PublicResolvers"], json!(["9.9.9.9:53"]));
}
