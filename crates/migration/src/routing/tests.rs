//! States of a domain: a table, and the times of a move.

use jiff::ToSpan as _;

use super::*;

const SETTLE: SignedDuration = SignedDuration::from_hours(72);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hosts(names: &[&str], ttl: u32) -> MxAnswer {
    let host = |name: &&str| MxHost {
        preference: 10,
        name: (*name).to_owned(),
        addresses: Vec::new(),
        address_ttl: 300,
    };
    MxAnswer::Hosts { ttl, hosts: names.iter().map(host).collect() }
}

fn old() -> MxAnswer {
    hosts(&["mx.old.example"], 3600)
}

fn new() -> MxAnswer {
    hosts(&["mx.new.example"], 3600)
}

fn silent() -> MxAnswer {
    MxAnswer::Silent("timeout".to_owned())
}

fn look(time: &str, name_servers: &[MxAnswer], resolvers: &[MxAnswer]) -> RoutingLook {
    let servers = |kind: &str, answers: &[MxAnswer]| {
        let server = |(number, answer): (usize, &MxAnswer)| AskedServer {
            name: format!("{kind}{number}"),
            answer: answer.clone(),
        };
        answers.iter().enumerate().map(server).collect()
    };
    RoutingLook {
        at: at(time),
        name_servers: servers("ns", name_servers),
        name_server_ttl: 172_800,
        resolvers: servers("resolver", resolvers),
        trouble: None,
        source_addresses: Vec::new(),
    }
}

fn domain(looks: Vec<RoutingLook>) -> DomainRouting {
    let mut domain = DomainRouting::default();
    for look in looks {
        domain.observe(look, &RoutingRules::default());
    }
    domain
}

const FRIDAY: &str = "2026-11-27T18:02:00Z";

#[test]
fn each_combination_of_answers_has_its_state() {
    use RoutingStatus as S;
    let both = hosts(&["mx.new.example", "mx.old.example"], 3600);
    let lame = MxAnswer::Lame;
    let (old, new, silent) = (old(), new(), silent());
    let of = |name_servers: &[&MxAnswer], resolvers: &[&MxAnswer]| {
        let owned = |them: &[&MxAnswer]| them.iter().map(|it| (*it).clone()).collect::<Vec<_>>();
        let first = look("2026-11-20T12:00:00Z", &[hosts(&["mx.old.example"], 3600)], &[]);
        let last = look(FRIDAY, &owned(name_servers), &owned(resolvers));
        domain(vec![first, last]).state(at(FRIDAY), &RoutingRules::default(), SETTLE).status
    };
    for (name_servers, resolvers, expected) in [
        (vec![&old, &old], vec![&old], S::NotMoved),
        (vec![&old, &new], vec![&old], S::Moving),
        (vec![&old, &new], vec![&new], S::Moving),
        (vec![&new, &new], vec![&old], S::Moving),
        (vec![&new, &both], vec![&new], S::Moving),
        (vec![&both, &both], vec![&both], S::Backup),
        (vec![&new, &new], vec![&new], S::Settling),
        (vec![&new, &new], vec![], S::Settling),
        (vec![&new, &new], vec![&silent], S::Settling),
        (vec![&new, &lame], vec![&new], S::Settling),
        (vec![&new, &silent], vec![&new], S::Unknown),
        (vec![&old, &silent], vec![&old], S::NotMoved),
        (vec![&silent, &silent], vec![], S::Unknown),
        (vec![], vec![&old], S::NotMoved),
        (vec![], vec![&new], S::Settling),
        (vec![], vec![], S::Unknown),
        (vec![&MxAnswer::NullMx], vec![&new], S::Unknown),
        (vec![&MxAnswer::NoSuchDomain], vec![], S::Unknown),
    ] {
        assert_eq!(of(&name_servers, &resolvers), expected, "{name_servers:?} {resolvers:?}");
    }
}

#[test]
fn a_domain_settles_for_72_hours_and_then_has_moved() {
    let moved =
        domain(vec![look("2026-11-27T17:57:00Z", &[old()], &[old()]), look(FRIDAY, &[new()], &[new()])]);
    let state = moved.state(at(FRIDAY), &RoutingRules::default(), SETTLE);
    assert_eq!(state.settled_at, Some(at("2026-11-30T18:02:00Z")));
    assert_eq!(state.changed, Some((Some(at("2026-11-27T17:57:00Z")), at(FRIDAY))));
    let mut later = moved.clone();
    later.observe(look("2026-11-30T18:01:59Z", &[new()], &[new()]), &RoutingRules::default());
    let status = |time: &str| later.state(at(time), &RoutingRules::default(), SETTLE).status;
    assert_eq!(status("2026-11-30T18:01:59Z"), RoutingStatus::Settling);
    assert_eq!(status("2026-11-30T18:02:00Z"), RoutingStatus::Moved);
    // Nothing is known of the present if the watch has stopped, or if the clock went back.
    assert_eq!(status("2026-11-30T21:02:00Z"), RoutingStatus::Unknown);
    assert_eq!(status("2026-11-30T17:00:00Z"), RoutingStatus::Unknown);
}

#[test]
fn long_ttls_outlast_the_settle_period() {
    let week: u32 = 7 * 86_400;
    let mut domain = domain(vec![
        look("2026-11-27T17:00:00Z", &[hosts(&["mx.old.example"], week)], &[]),
        // The TTL was lowered, but caches hold the records with the long one.
        look("2026-11-27T17:30:00Z", &[hosts(&["mx.old.example"], 60)], &[]),
        look(FRIDAY, &[new()], &[]),
    ]);
    let settled = at("2026-11-27T17:30:00Z") + i64::from(week).seconds();
    assert_eq!(domain.settled_at(SETTLE), Some(settled));
    // Former name servers are asked as long as resolvers know them.
    let mut other = look("2026-12-04T17:00:00Z", &[new()], &[]);
    other.name_servers[0].name = "ns9".to_owned();
    domain.observe(other, &RoutingRules::default());
    assert_eq!(domain.settled_at(SETTLE), Some(at("2026-12-04T17:00:00Z") + 176_400_i64.seconds()));
}

#[test]
fn a_move_back_begins_again() {
    let mut domain = domain(vec![
        look("2026-11-26T18:00:00Z", &[old()], &[]),
        look(FRIDAY, &[new()], &[]),
        look("2026-11-28T18:00:00Z", &[old()], &[]),
    ]);
    let rules = RoutingRules::default();
    let state = domain.state(at("2026-11-28T18:00:00Z"), &rules, SETTLE);
    assert_eq!((state.status, state.settled_at), (RoutingStatus::Returned, None));
    domain.observe(look("2026-11-29T18:00:00Z", &[new()], &[]), &rules);
    assert_eq!(domain.settled_at(SETTLE), Some(at("2026-12-02T18:00:00Z")));
}

#[test]
fn expected_hosts_and_addresses_of_the_source_decide() {
    let source: IpAddr = "203.0.113.7".parse().unwrap();
    let rules = RoutingRules { expected: vec!["MX.New.Example.".to_owned()], source_addresses: vec![source] };
    let mut domain = DomainRouting::default();
    // The batch was made after the move: its baseline is the new host.
    domain.observe(look(FRIDAY, &[new()], &[]), &rules);
    assert_eq!(domain.state(at(FRIDAY), &rules, SETTLE).status, RoutingStatus::Settling);
    let mut unaware = DomainRouting::default();
    unaware.observe(look(FRIDAY, &[new()], &[]), &RoutingRules::default());
    assert_eq!(unaware.state(at(FRIDAY), &RoutingRules::default(), SETTLE).status, RoutingStatus::NotMoved);
    let host =
        |addresses| MxHost { preference: 1, name: "mx.new.example".to_owned(), addresses, address_ttl: 1 };
    assert!(domain.is_old(&host(vec![source]), &rules));
    assert!(!domain.is_old(&host(vec!["198.51.100.1".parse().unwrap()]), &rules));
    domain.judge_again(&RoutingRules::default());
    assert_eq!((domain.new_since, domain.has_moved), (None, false));
}

#[test]
fn a_domain_that_was_never_read_is_unknown() {
    let state = DomainRouting::default().state(at(FRIDAY), &RoutingRules::default(), SETTLE);
    assert_eq!(state.status, RoutingStatus::Unknown);
}
