//! Questions about mail records to a scripted DNS.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic if it fails")]

use std::{collections::BTreeSet, time::Duration};

use mailhaul_records::{Dns, MailRecords, Mx, ToldMx, Trouble};
use mailhaul_testkit::{DnsFault, DnsWorld, ScriptedDns};

const RESOLVER: &str = "127.53.1.1";
const PUBLIC: &str = "127.53.1.2";
const NS1: &str = "127.53.2.1";
const NS2: &str = "127.53.2.2";
const NS3: &str = "127.53.2.3";

fn world() -> DnsWorld {
    let mut world = DnsWorld::new().with_resolver(RESOLVER).with_resolver(PUBLIC);
    for server in [NS1, NS2, NS3] {
        world = world.with_name_server(server);
    }
    world.delegate("contoso.edu", "hoster.example", &[NS1, NS2]);
    both(&mut world, "contoso.edu", "MX", 3600, &["10 mx.contoso.edu"]);
    both(&mut world, "mx.contoso.edu", "A", 7200, &["203.0.113.7"]);
    world
}

fn both(world: &mut DnsWorld, name: &str, kind: &str, ttl: u32, data: &[&str]) {
    for server in [NS1, NS2] {
        world.set(server, name, kind, ttl, data);
    }
}

fn client(dns: &ScriptedDns) -> Dns {
    Dns::new(vec![dns.address(RESOLVER)])
        .with_name_server_port(dns.port())
        .with_patience(Duration::from_millis(300))
}

async fn records(dns: &ScriptedDns) -> MailRecords {
    client(dns).mail_records("contoso.edu", &[dns.address(PUBLIC)]).await.unwrap()
}

/// Hosts of each answer, or its trouble.
fn told(answers: &[ToldMx]) -> Vec<String> {
    let words = |told: &ToldMx| match &told.answer {
        Ok(Mx::Hosts { ttl, hosts }) => {
            let hosts: Vec<String> =
                hosts.iter().map(|host| format!("{} {}", host.preference, host.name)).collect();
            format!("{} for {ttl}", hosts.join(", "))
        }
        Ok(Mx::Null) => "null".to_owned(),
        Ok(Mx::NoSuchDomain) => "no domain".to_owned(),
        Err(trouble) => trouble.to_string(),
    };
    answers.iter().map(words).collect()
}

#[tokio::test]
async fn name_servers_and_resolvers_are_asked() {
    let dns = ScriptedDns::start(world()).await;
    let found = records(&dns).await;
    let zone = found.zone.clone().unwrap();
    assert_eq!((zone.name.as_str(), zone.ttl, zone.name_servers.len()), ("contoso.edu", 86_400, 2));
    assert_eq!(told(&found.name_servers), ["10 mx.contoso.edu for 3600"; 2]);
    assert_eq!(told(&found.resolvers), ["10 mx.contoso.edu for 3600"; 2]);
    let Ok(Mx::Hosts { hosts, .. }) = &found.name_servers[0].answer else { panic!("{found:?}") };
    assert_eq!(hosts[0].addresses, ["203.0.113.7".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(hosts[0].address_ttl, 7200);
    // Nothing was asked but for the domain and what it names.
    let names: BTreeSet<String> = dns.questions().into_iter().map(|question| question.name).collect();
    let expected = ["contoso.edu", "mx.contoso.edu", "ns1.hoster.example", "ns2.hoster.example"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn public_resolvers_are_asked_only_if_they_are_named() {
    let dns = ScriptedDns::start(world()).await;
    let found = client(&dns).mail_records("contoso.edu", &[]).await.unwrap();
    assert_eq!(found.resolvers.len(), 1);
    let public: std::net::Ipv4Addr = PUBLIC.parse().unwrap();
    assert!(dns.questions().iter().all(|question| question.server != public));
}

#[tokio::test]
async fn a_change_is_seen_at_the_name_servers_first() {
    let dns = ScriptedDns::start(world()).await;
    records(&dns).await;
    dns.change(|world| {
        world.now += 1800;
        world.set(NS1, "contoso.edu", "MX", 300, &["5 mx.new.example"]);
        world.ignore_ttls(PUBLIC, true);
    });
    let found = records(&dns).await;
    let mut servers = told(&found.name_servers);
    servers.sort();
    assert_eq!(servers, ["10 mx.contoso.edu for 3600", "5 mx.new.example for 300"]);
    // Their TTLs have run down.
    assert_eq!(told(&found.resolvers), ["10 mx.contoso.edu for 1800"; 2]);
    dns.change(|world| {
        world.now += 1800;
        world.set(NS2, "contoso.edu", "MX", 300, &["5 mx.new.example"]);
    });
    let found = records(&dns).await;
    assert_eq!(told(&found.resolvers), ["5 mx.new.example for 300", "10 mx.contoso.edu for 0"]);
}

#[tokio::test]
async fn troubles_of_servers_are_told_apart() {
    for (fault, expected) in [
        (DnsFault::Silent, "no answer"),
        (DnsFault::Failing, "answers \"SERVFAIL\""),
        (DnsFault::Refusing, "is no name server of the zone"),
        (DnsFault::NotAuthoritative, "is no name server of the zone"),
    ] {
        let mut world = world();
        world.fault(NS2, fault);
        let dns = ScriptedDns::start(world).await;
        let mut servers = told(&records(&dns).await.name_servers);
        servers.sort();
        let mut wanted = vec!["10 mx.contoso.edu for 3600".to_owned(), expected.to_owned()];
        wanted.sort();
        assert_eq!(servers, wanted, "{fault:?}");
    }
}

#[tokio::test]
async fn silent_resolvers_leave_nothing_known() {
    let mut world = world();
    world.fault(RESOLVER, DnsFault::Silent);
    let dns = ScriptedDns::start(world).await;
    let found = client(&dns).mail_records("contoso.edu", &[]).await.unwrap();
    assert_eq!((found.zone, found.name_servers), (Err(Trouble::Silent), Vec::new()));
    assert_eq!(told(&found.resolvers), ["no answer"]);
    let without = Dns::new(Vec::new()).mail_records("contoso.edu", &[]).await.unwrap();
    assert_eq!(without.zone, Err(Trouble::NoResolver));
}

#[tokio::test]
async fn long_answers_come_by_tcp() {
    let mut world = world();
    let hosts: Vec<String> =
        (0..40).map(|number| format!("{number} mx{number}.a-rather-long-name.contoso.edu")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    both(&mut world, "contoso.edu", "MX", 60, &hosts);
    let dns = ScriptedDns::start(world).await;
    let found = records(&dns).await;
    for told in found.name_servers.iter().chain(&found.resolvers) {
        let Ok(Mx::Hosts { hosts, .. }) = &told.answer else { panic!("{told:?}") };
        assert_eq!(hosts.len(), 40);
    }
    assert!(dns.questions().iter().any(|question| question.is_tcp));
}

#[tokio::test]
async fn odd_records_keep_their_meaning() {
    let mut world = world();
    for (zone, records) in [
        ("null.example", &["0 ."][..]),
        ("plain.example", &[]),
        ("xn--bcher-kva.example", &["10 mx.bcher.example"]),
    ] {
        world.delegate(zone, "hoster.example", &[NS1, NS2]);
        both(&mut world, zone, "MX", 60, records);
    }
    both(&mut world, "plain.example", "A", 60, &["192.0.2.1"]);
    // The MX host is an alias.
    both(&mut world, "mx.contoso.edu", "A", 60, &[]);
    both(&mut world, "mx.contoso.edu", "CNAME", 9000, &["real.contoso.edu"]);
    both(&mut world, "real.contoso.edu", "A", 60, &["203.0.113.8"]);
    let dns = ScriptedDns::start(world).await;
    for (domain, expected) in [
        ("null.example", "null"),
        ("plain.example", "0 plain.example for 0"),
        ("B\u{fc}cher.Example", "10 mx.bcher.example for 60"),
    ] {
        let found = client(&dns).mail_records(domain, &[]).await.unwrap();
        assert_eq!(told(&found.name_servers), [expected; 2], "{domain}");
    }
    let found = client(&dns).mail_records("gone.contoso.edu", &[]).await.unwrap();
    assert_eq!(told(&found.name_servers), ["no domain"; 2]);
    assert_eq!(found.zone.unwrap().name, "contoso.edu");
    let found = records(&dns).await;
    let Ok(Mx::Hosts { hosts, .. }) = &found.resolvers[0].answer else { panic!("{found:?}") };
    assert_eq!(hosts[0].addresses, ["203.0.113.8".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(hosts[0].address_ttl, 9000);
    let bad = client(&dns).mail_records("a..b", &[]).await;
    assert_eq!(bad, Err(Trouble::BadName("a..b".to_owned())));
}

#[tokio::test]
async fn other_name_servers_are_found_after_their_ttl() {
    let dns = ScriptedDns::start(world()).await;
    records(&dns).await;
    dns.change(|world| {
        world.delegate("contoso.edu", "other.example", &[NS3]);
        world.set(NS3, "contoso.edu", "MX", 60, &["1 mx.new.example"]);
        world.now += 86_401;
    });
    let found = records(&dns).await;
    assert_eq!(told(&found.name_servers), ["1 mx.new.example for 60"]);
}

#[tokio::test]
async fn name_servers_at_refused_addresses_are_not_asked() {
    let dns = ScriptedDns::start(world()).await;
    let found = client(&dns)
        .refusing(|address| address.is_loopback())
        .mail_records("contoso.edu", &[])
        .await
        .unwrap();
    assert_eq!(told(&found.name_servers), ["is no name server of the zone"; 2]);
    let resolver: std::net::Ipv4Addr = RESOLVER.parse().unwrap();
    assert!(dns.questions().iter().all(|question| question.server == resolver));
}

#[tokio::test]
async fn policies_are_read() {
    let mut world = world();
    both(&mut world, "contoso.edu", "TXT", 60, &["google-site=1", "v=spf1 mx -all"]);
    both(&mut world, "_mta-sts.contoso.edu", "TXT", 60, &["v=STSv1; id=20261127"]);
    let dns = ScriptedDns::start(world).await;
    let found = client(&dns).policy_records("contoso.edu").await.unwrap();
    assert_eq!(found.spf.as_deref(), Some("v=spf1 mx -all"));
    assert_eq!((found.dmarc, found.mta_sts.as_deref()), (None, Some("v=STSv1; id=20261127")));
}
