//! The data of a scripted DNS: zones on name servers, and caches of resolvers.

use std::{collections::BTreeMap, net::Ipv4Addr};

/// Longest chain of aliases that a resolver follows.
const MAX_ALIASES: usize = 8;
/// Seconds for which a resolver remembers that there is nothing.
const NEGATIVE_TTL: u32 = 60;
/// Response codes (RFC 1035, section 4.1.1).
const FAILED: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;

/// Behaviour of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsFault {
    #[default]
    None,
    /// It answers nothing.
    Silent,
    /// It answers SERVFAIL.
    Failing,
    /// It is a name server of no zone, and refuses (a lame delegation).
    Refusing,
    /// It answers what it knows, but not as an authority.
    NotAuthoritative,
}

/// A record. Its data is written as in a zone file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DnsRecord {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) ttl: u32,
    pub(crate) data: String,
}

/// Answer of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: u8,
    pub(crate) is_authoritative: bool,
    pub(crate) records: Vec<DnsRecord>,
    /// Zone whose SOA record is added, if there is no record.
    pub(crate) zone: Option<String>,
}

/// Name and type of records.
type Key = (String, String);

/// All servers, with their data and the time.
#[derive(Default)]
pub struct DnsWorld {
    /// Seconds since the world began.
    pub now: u64,
    /// TTL of NS records.
    pub ns_ttl: u32,
    /// Name servers of each zone: their names and addresses.
    delegations: BTreeMap<String, Vec<(String, Ipv4Addr)>>,
    name_servers: BTreeMap<Ipv4Addr, NameServerData>,
    resolvers: BTreeMap<Ipv4Addr, ResolverData>,
}

#[derive(Default)]
struct NameServerData {
    records: BTreeMap<Key, (u32, Vec<String>)>,
    fault: DnsFault,
}

#[derive(Default)]
struct ResolverData {
    cache: BTreeMap<Key, Cached>,
    ignores_ttls: bool,
    fault: DnsFault,
    /// Counts questions, so that the name servers of a zone take turns.
    turn: usize,
}

#[derive(Clone)]
struct Cached {
    until: u64,
    exists: bool,
    records: Vec<DnsRecord>,
    zone: String,
}

impl DnsWorld {
    pub fn new() -> Self {
        Self { ns_ttl: 86_400, ..Self::default() }
    }

    /// Adds a resolver.
    #[must_use]
    pub fn with_resolver(mut self, address: &str) -> Self {
        self.resolvers.insert(address.parse().unwrap(), ResolverData::default());
        self
    }

    /// Adds a server that may be a name server of zones.
    #[must_use]
    pub fn with_name_server(mut self, address: &str) -> Self {
        self.name_servers.insert(address.parse().unwrap(), NameServerData::default());
        self
    }

    /// Makes these servers the name servers of a zone; their names are `ns1`, `ns2` and so on below `hoster`.
    pub fn delegate(&mut self, zone: &str, hoster: &str, servers: &[&str]) {
        let names = (1..).zip(servers).map(|(number, server)| {
            let address = server.parse().unwrap();
            assert!(self.name_servers.contains_key(&address), "{server} is no server");
            (format!("ns{number}.{hoster}"), address)
        });
        let names = names.collect();
        self.delegations.insert(zone.to_owned(), names);
    }

    /// Sets the records of a name at one server; no values remove them. `data` is as in a zone file.
    pub fn set(&mut self, server: &str, name: &str, kind: &str, ttl: u32, data: &[&str]) {
        let records = &mut self.name_servers.get_mut(&server.parse().unwrap()).unwrap().records;
        let key = (name.to_ascii_lowercase(), kind.to_owned());
        if data.is_empty() {
            records.remove(&key);
        } else {
            records.insert(key, (ttl, data.iter().map(|text| (*text).to_owned()).collect()));
        }
    }

    /// Sets the behaviour of a server.
    pub fn fault(&mut self, server: &str, fault: DnsFault) {
        let address = server.parse().unwrap();
        if let Some(server) = self.name_servers.get_mut(&address) {
            server.fault = fault;
        } else {
            self.resolvers.get_mut(&address).unwrap().fault = fault;
        }
    }

    /// Lets a resolver keep its answers for ever, or no longer than their TTL.
    pub fn ignore_ttls(&mut self, resolver: &str, ignores_ttls: bool) {
        self.resolvers.get_mut(&resolver.parse().unwrap()).unwrap().ignores_ttls = ignores_ttls;
    }

    pub(crate) fn addresses(&self) -> Vec<Ipv4Addr> {
        self.name_servers.keys().chain(self.resolvers.keys()).copied().collect()
    }

    /// Answers a question; `None` is silence.
    pub(crate) fn answer(&mut self, server: Ipv4Addr, name: &str, kind: &str) -> Option<Answer> {
        let resolver = self.resolvers.get(&server);
        let fault = resolver.map_or_else(|| self.name_servers[&server].fault, |resolver| resolver.fault);
        let code = |code| Some(Answer { code, ..Answer::default() });
        match fault {
            DnsFault::Silent => return None,
            DnsFault::Failing => return code(FAILED),
            DnsFault::Refusing => return code(REFUSED),
            DnsFault::None | DnsFault::NotAuthoritative => {}
        }
        if resolver.is_some() {
            return Some(self.resolve(server, name, kind));
        }
        let Some(zone) = self.zone_of(name) else { return code(REFUSED) };
        let (exists, records) = self.known(server, &zone, name, kind);
        let zone = records.is_empty().then_some(zone);
        let code = if exists { 0 } else { NO_SUCH_NAME };
        Some(Answer { code, is_authoritative: fault == DnsFault::None, records, zone })
    }

    /// The longest zone that holds a name.
    fn zone_of(&self, name: &str) -> Option<String> {
        let holds = |zone: &str| name == zone || name.ends_with(&format!(".{zone}"));
        self.delegations.keys().filter(|zone| holds(zone)).max_by_key(|zone| zone.len()).cloned()
    }

    /// The records of a name at one server, and if the name exists there.
    fn known(&self, server: Ipv4Addr, zone: &str, name: &str, kind: &str) -> (bool, Vec<DnsRecord>) {
        if name == zone && kind == "NS" {
            let servers = &self.delegations[zone];
            let records = servers.iter().map(|(server, _)| record(name, kind, self.ns_ttl, server));
            return (true, records.collect());
        }
        let data = &self.name_servers[&server].records;
        let find = |kind: &str| {
            let (ttl, texts) = data.get(&(name.to_owned(), kind.to_owned()))?;
            Some(texts.iter().map(|text| record(name, kind, *ttl, text)).collect())
        };
        let exists = name == zone || data.keys().any(|(known, _)| known == name);
        (exists, find(kind).or_else(|| find("CNAME")).unwrap_or_default())
    }

    fn resolve(&mut self, resolver: Ipv4Addr, name: &str, kind: &str) -> Answer {
        let (mut records, mut name) = (Vec::new(), name.to_owned());
        for _ in 0..MAX_ALIASES {
            let Some(found) = self.look_up(resolver, &name, kind) else { break };
            let alias = found.records.iter().find(|record| record.kind == "CNAME" && kind != "CNAME");
            let alias = alias.map(|record| record.data.clone());
            records.extend(found.records);
            let Some(target) = alias else {
                let zone = records.is_empty().then_some(found.zone);
                let code = if found.exists { 0 } else { NO_SUCH_NAME };
                return Answer { code, is_authoritative: false, records, zone };
            };
            name = target;
        }
        Answer { code: FAILED, ..Answer::default() }
    }

    /// Looks a name up in the cache, or asks a name server; `None` if none answers.
    fn look_up(&mut self, resolver: Ipv4Addr, name: &str, kind: &str) -> Option<Cached> {
        let key = (name.to_owned(), kind.to_owned());
        let now = self.now;
        let data = &self.resolvers[&resolver];
        if let Some(cached) = data.cache.get(&key).filter(|it| data.ignores_ttls || it.until > now) {
            let mut cached = cached.clone();
            let left = u32::try_from(cached.until.saturating_sub(now)).unwrap();
            cached.records.iter_mut().for_each(|record| record.ttl = left);
            return Some(cached);
        }
        let Some(zone) = self.zone_of(name) else {
            // Of names that no zone holds, those of name servers have addresses.
            let server = self.delegations.values().flatten().find(|(server, _)| server == name);
            let records: Vec<DnsRecord> = server
                .filter(|_| kind == "A")
                .map(|(_, address)| record(name, kind, self.ns_ttl, &address.to_string()))
                .into_iter()
                .collect();
            return Some(Cached { until: now, exists: server.is_some(), records, zone: String::new() });
        };
        let found = self.ask_zone(resolver, &zone, name, kind)?;
        self.resolvers.get_mut(&resolver)?.cache.insert(key, found.clone());
        Some(found)
    }

    fn ask_zone(&mut self, resolver: Ipv4Addr, zone: &str, name: &str, kind: &str) -> Option<Cached> {
        let data = self.resolvers.get_mut(&resolver)?;
        let turn = data.turn;
        data.turn += 1;
        let servers = &self.delegations[zone];
        let mut in_turn = servers.iter().cycle().skip(turn % servers.len()).take(servers.len());
        let (_, server) = in_turn.find(|(_, server)| self.name_servers[server].fault == DnsFault::None)?;
        let (exists, records) = self.known(*server, zone, name, kind);
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(NEGATIVE_TTL);
        Some(Cached { until: self.now + u64::from(ttl), exists, records, zone: zone.to_owned() })
    }
}

fn record(name: &str, kind: &str, ttl: u32, data: &str) -> DnsRecord {
    DnsRecord { name: name.to_owned(), kind: kind.to_owned(), ttl, data: data.to_owned() }
}
