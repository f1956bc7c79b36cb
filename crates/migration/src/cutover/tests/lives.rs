//! Random lives of a domain, with the truth beside what is seen: no verdict may be safe too early.

use proptest::{prelude::*, test_runner::Config};

use super::*;
use crate::routing::MAX_LOOK_AGE;

/// One minute of virtual time is a step.
const STEP: i64 = 60;
const NAME_SERVERS: usize = 3;
const RESOLVERS: usize = 2;
const USERS: usize = 3;

/// Event of a life.
#[derive(Clone, Copy, Debug)]
enum Act {
    Wait(i64),
    /// A name server tells the new host, the old one, or both.
    Tell(usize, Zone),
    /// The zone gets other name servers; the former ones keep what they tell.
    Delegate,
    Ttl(u32),
    /// A name server falls silent, or answers again.
    Silence(usize, bool),
    /// A resolver asks a name server, and keeps the answer for its TTL.
    Cache(usize, usize),
    /// A sender delivers to a user by a resolver, or by a host that never asks.
    Deliver(usize, usize),
    DeliverOld(usize),
    Sync(usize),
    Fail(usize, bool),
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    Old,
    New,
    Both,
}

fn act() -> impl Strategy<Value = Act> {
    let zone = prop_oneof![1 => Just(Zone::Old), 6 => Just(Zone::New), 1 => Just(Zone::Both)];
    prop_oneof![
        5 => (1..3000_i64).prop_map(Act::Wait),
        6 => (0..NAME_SERVERS, zone).prop_map(|(server, zone)| Act::Tell(server, zone)),
        1 => Just(Act::Delegate),
        1 => prop_oneof![Just(60_u32), Just(3600), Just(86_400), Just(700_000)].prop_map(Act::Ttl),
        1 => (0..NAME_SERVERS, any::<bool>()).prop_map(|(server, is_silent)| Act::Silence(server, is_silent)),
        4 => (0..RESOLVERS, 0..NAME_SERVERS).prop_map(|(resolver, server)| Act::Cache(resolver, server)),
        3 => (0..USERS, 0..RESOLVERS).prop_map(|(user, resolver)| Act::Deliver(user, resolver)),
        1 => (0..USERS).prop_map(Act::DeliverOld),
        6 => (0..USERS).prop_map(Act::Sync),
        1 => (0..USERS, any::<bool>()).prop_map(|(user, fails)| Act::Fail(user, fails)),
        6 => Just(Act::Look),
    ]
}

/// A cached answer of a resolver.
#[derive(Clone, Copy)]
struct Cached {
    zone: Zone,
    until: i64,
}

/// A name server of a former delegation, with the TTL of its answers.
#[derive(Clone, Copy)]
struct Former {
    zone: Zone,
    until: i64,
    ttl: u32,
}

/// The world as it is, and what the gate has seen of it.
struct World {
    now: i64,
    zones: [Zone; NAME_SERVERS],
    silent: [bool; NAME_SERVERS],
    generation: u32,
    ttl: u32,
    /// Former name servers: a resolver may ask them until their delegation is forgotten.
    former: Vec<Former>,
    caches: [Option<Cached>; RESOLVERS],
    /// Messages on the source that are not on the target, for each user.
    missing: [u32; USERS],
    /// Arrivals on the source that no sync has seen yet.
    unseen: [Option<i64>; USERS],
    seen: Option<i64>,
    synced: [Option<i64>; USERS],
    failed: [bool; USERS],
    routing: DomainRouting,
}

/// TTL of the NS records in all lives.
const NS_TTL: u32 = 172_800;

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: 1_000_000_000,
            zones: [Zone::Old; NAME_SERVERS],
            silent: [false; NAME_SERVERS],
            generation: 0,
            ttl: 3600,
            former: Vec::new(),
            caches: [None; RESOLVERS],
            missing: [0; USERS],
            unseen: [None; USERS],
            seen: None,
            synced: [None; USERS],
            failed: [false; USERS],
            routing: DomainRouting::default(),
        };
        world.look();
        world
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    /// The watch looks every hour while time passes, as the service does.
    fn wait(&mut self, minutes: i64) {
        for minute in 0..minutes {
            self.now += STEP;
            if minute % 60 == 59 {
                self.look();
            }
        }
    }

    fn answer(&self, zone: Zone) -> MxAnswer {
        let host = |name: &str| MxHost {
            preference: 1,
            name: name.to_owned(),
            addresses: Vec::new(),
            address_ttl: 60,
        };
        let hosts = match zone {
            Zone::Old => vec![host("old")],
            Zone::New => vec![host("new")],
            Zone::Both => vec![host("new"), host("old")],
        };
        MxAnswer::Hosts { ttl: self.ttl, hosts }
    }

    fn look(&mut self) {
        let name_servers = (0..NAME_SERVERS).map(|server| AskedServer {
            name: format!("ns{server}-{}", self.generation),
            answer: if self.silent[server] {
                MxAnswer::Silent("timeout".to_owned())
            } else {
                self.answer(self.zones[server])
            },
        });
        let look = RoutingLook {
            at: self.time(),
            name_servers: name_servers.collect(),
            name_server_ttl: NS_TTL,
            resolvers: Vec::new(),
            trouble: None,
            source_addresses: Vec::new(),
        };
        self.routing.observe(look, &RoutingRules::default());
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Wait(minutes) => self.wait(minutes),
            // A change is seen before it can be undone: the gate looks at each.
            // A silent server is silent for all: it tells nothing that the gate could miss.
            Act::Tell(server, _) if self.silent[server] => {}
            Act::Tell(server, zone) => {
                self.zones[server] = zone;
                self.look();
            }
            Act::Delegate => {
                let until = self.now + i64::from(NS_TTL);
                self.former =
                    self.zones.iter().map(|zone| Former { zone: *zone, until, ttl: self.ttl }).collect();
                self.generation += 1;
                self.look();
            }
            Act::Ttl(ttl) => {
                self.ttl = ttl;
                self.look();
            }
            Act::Silence(server, is_silent) => self.silent[server] = is_silent,
            Act::Cache(resolver, server) => self.cache(resolver, server),
            Act::Deliver(user, resolver) => {
                let cached = self.caches[resolver].filter(|cached| cached.until > self.now);
                if cached.is_some_and(|cached| cached.zone != Zone::New) {
                    self.arrive(user);
                }
            }
            Act::DeliverOld(user) => self.arrive(user),
            Act::Sync(user) => {
                if !self.failed[user] {
                    self.synced[user] = Some(self.now);
                    self.missing[user] = 0;
                    self.seen = self.seen.max(self.unseen[user].take());
                }
            }
            Act::Fail(user, fails) => self.failed[user] = fails,
            Act::Look => self.look(),
        }
    }

    fn cache(&mut self, resolver: usize, server: usize) {
        let former = self.former.get(server).filter(|former| former.until > self.now);
        let (zone, ttl) = match former {
            Some(former) => (former.zone, former.ttl),
            None if self.silent[server] => return,
            None => (self.zones[server], self.ttl),
        };
        self.caches[resolver] = Some(Cached { zone, until: self.now + i64::from(ttl) });
    }

    fn arrive(&mut self, user: usize) {
        self.missing[user] += 1;
        self.unseen[user] = Some(self.now);
    }

    fn judge(&self) -> Judgement {
        let settings = CutoverSettings::default();
        let state = self.routing.state(self.time(), &RoutingRules::default(), settings.settle_period());
        let last = self.seen.map(|seen| Timestamp::from_second(seen).unwrap());
        let mut facts = CutoverFacts {
            now: self.time(),
            zone: TimeZone::UTC,
            batch: "Life".to_owned(),
            users: USERS as u64,
            domains: vec![DomainFacts {
                domain: "life.example".to_owned(),
                state,
                direct_since: Some(Timestamp::UNIX_EPOCH),
            }],
            sees_direct_mail: true,
            arrivals: Some(Arrivals { last, recent: 1, ..Arrivals::default() }),
            unsynced: NamedUsers::default(),
            failed: NamedUsers {
                count: (0..USERS).filter(|user| self.failed[*user] || self.synced[*user].is_none()).count()
                    as u64,
                first: Vec::new(),
            },
            parked: None,
            skipped: NamedUsers::default(),
            skipped_messages: 0,
            records: Some(Vec::new()),
        };
        let syncs: Vec<Timestamp> =
            self.synced.iter().flatten().map(|at| Timestamp::from_second(*at).unwrap()).collect();
        unsynced(&mut facts, &settings, &syncs);
        judge(&facts, &settings)
    }

    /// Returns what is wrong with the verdict that the batch is safe to remove.
    fn false_safe(&self) -> Option<String> {
        let is_fresh = self
            .routing
            .look
            .as_ref()
            .is_some_and(|look| self.time().duration_since(look.at) <= MAX_LOOK_AGE);
        if !is_fresh {
            return Some("the last look is too old".to_owned());
        }
        if self.zones.iter().any(|zone| *zone != Zone::New) {
            return Some(format!("a name server tells the old: {:?}", self.zones));
        }
        let holds_old = |cached: &&Cached| cached.until > self.now && cached.zone != Zone::New;
        if self.caches.iter().flatten().any(|cached| holds_old(&cached)) {
            return Some("a cache holds the old host".to_owned());
        }
        // Messages that came before the last sync of their user were seen by it.
        let lost = (0..USERS).find(|user| self.missing[*user] > 0 && self.unseen[*user] < self.synced[*user]);
        lost.map(|user| format!("user {user} lacks messages"))
    }
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_life_is_safe_too_early(acts in proptest::collection::vec(act(), 1..60)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            if world.judge().verdict == Verdict::SafeToRemove {
                let wrong = world.false_safe();
                prop_assert!(wrong.is_none(), "after {act:?}: {}", wrong.unwrap_or_default());
            }
        }
    }
}

/// The lives above prove something only if some of them become safe.
#[test]
fn a_quiet_life_becomes_safe() {
    let mut world = World::new();
    for server in 0..NAME_SERVERS {
        world.act(Act::Tell(server, Zone::New));
    }
    world.act(Act::Wait(73 * 60));
    for user in 0..USERS {
        world.act(Act::Sync(user));
    }
    world.act(Act::Look);
    assert_eq!(world.judge().verdict, Verdict::SafeToRemove, "{}", world.judge().sentence);
}
