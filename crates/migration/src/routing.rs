//! The way of a domain's mail, out of what DNS told. Pure.
//!
//! A host is *old* if mail for it arrives on the source. Everything that could still send mail there keeps a
//! domain from being `Moved`: a name server that tells the old or does not answer, a resolver that tells it,
//! and caches that may hold it.

use std::{collections::BTreeSet, net::IpAddr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::routing_state::{RoutingState, RoutingStatus};

/// Age from which on a look says nothing about the present: three looks of the hourly watch.
pub const MAX_LOOK_AGE: SignedDuration = SignedDuration::from_hours(3);
/// Difference of clocks up to which a look may lie in the future.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Answer to the question for the MX records of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MxAnswer {
    /// The hosts that take mail; the domain itself where there is no record (RFC 5321, section 5.1).
    Hosts {
        ttl: u32,
        hosts: Vec<MxHost>,
    },
    /// The domain takes no mail (RFC 7505).
    NullMx,
    NoSuchDomain,
    /// The server knows nothing of the domain; it misleads no mail.
    Lame,
    /// The server did not answer, or failed, with the reason.
    Silent(String),
}

/// A host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MxHost {
    pub preference: u16,
    /// In lower case, without the final dot.
    pub name: String,
    pub addresses: Vec<IpAddr>,
    pub address_ttl: u32,
}

/// A server that was asked, with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedServer {
    pub name: String,
    pub answer: MxAnswer,
}

/// Answers about one domain at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingLook {
    pub at: Timestamp,
    /// Name servers of the zone, each asked directly.
    pub name_servers: Vec<AskedServer>,
    /// TTL of the zone's NS records.
    pub name_server_ttl: u32,
    /// Resolvers: what the world sees.
    pub resolvers: Vec<AskedServer>,
    /// Reason why the name servers are not known.
    pub trouble: Option<String>,
    /// Addresses of the source endpoint at this moment.
    #[serde(default)]
    pub source_addresses: Vec<IpAddr>,
}

/// Facts that tell old hosts from new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingRules {
    /// Hosts that take mail for the target, as the administrator names them; empty if unknown.
    pub expected: Vec<String>,
    /// Addresses of the source endpoint.
    pub source_addresses: Vec<IpAddr>,
}

/// All that is kept of a domain: its first hosts, its last look, and the times of its move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainRouting {
    /// Hosts of the first look.
    pub baseline: Option<BTreeSet<String>>,
    pub look: Option<RoutingLook>,
    /// Time until which caches may hold the old hosts.
    pub old_until: Option<Timestamp>,
    /// Last look in which a server told an old host.
    pub last_old: Option<Timestamp>,
    /// First look since which each name server tells the new hosts alone.
    pub new_since: Option<Timestamp>,
    /// True if all name servers have told the new hosts once.
    pub has_moved: bool,
}

/// Sort of the hosts in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Old,
    New,
    /// Old and new hosts.
    Both,
    /// No host at all: a null MX, or no such domain.
    NoHost,
}

impl DomainRouting {
    /// Adds a look. Looks come in the order of their times.
    pub fn observe(&mut self, look: RoutingLook, rules: &RoutingRules) {
        if self.baseline.is_none() {
            self.baseline = first_hosts(&look);
        }
        if let Some(before) = self.look.take() {
            self.keep_cached(&before, &look, rules);
        }
        let told: Vec<Told> =
            look.name_servers.iter().filter_map(|server| self.told(&server.answer, rules)).collect();
        let is_heard = look.name_servers.iter().all(|server| !is_silent(&server.answer));
        if told.iter().any(|told| *told != Told::New) {
            self.new_since = None;
            if told.iter().any(|told| *told != Told::NoHost) {
                self.last_old = Some(look.at);
            }
        } else if is_heard && !told.is_empty() {
            self.new_since.get_or_insert(look.at);
            self.has_moved = true;
        }
        self.look = Some(look);
    }

    /// Returns the rules for the last look, with these expected hosts.
    pub fn rules(&self, expected: &[String]) -> RoutingRules {
        let look = self.look.as_ref();
        RoutingRules {
            expected: expected.to_vec(),
            source_addresses: look.map(|look| look.source_addresses.clone()).unwrap_or_default(),
        }
    }

    /// Judges the last look by other rules. Times of the move begin again: the earlier looks are not kept.
    pub fn judge_again(&mut self, rules: &RoutingRules) {
        let fresh = Self { baseline: self.baseline.take(), ..Self::default() };
        let old = std::mem::replace(self, fresh);
        if let Some(look) = old.look {
            self.old_until = old.old_until;
            self.observe(look, rules);
        }
    }

    /// Notes how long caches may hold what was told until this look.
    fn keep_cached(&mut self, before: &RoutingLook, look: &RoutingLook, rules: &RoutingRules) {
        let mut longest = 0;
        let mut longest_of_all = 0;
        for server in &before.name_servers {
            let MxAnswer::Hosts { ttl, hosts } = &server.answer else { continue };
            let address_ttl = hosts.iter().map(|host| host.address_ttl).max().unwrap_or(0);
            let ttl = (*ttl).max(address_ttl);
            longest_of_all = longest_of_all.max(ttl);
            if matches!(self.told(&server.answer, rules), Some(Told::Old | Told::Both)) {
                longest = longest.max(ttl);
            }
        }
        let names = |look: &RoutingLook| -> BTreeSet<String> {
            look.name_servers.iter().map(|server| server.name.clone()).collect()
        };
        let mut seconds = i64::from(longest);
        if !before.name_servers.is_empty() && !look.name_servers.is_empty() && names(before) != names(look) {
            // A resolver may ask a former name server as long as it knows it, and keep the answer after that.
            seconds = seconds.max(i64::from(before.name_server_ttl) + i64::from(longest_of_all));
        }
        if seconds > 0 {
            let until = later(look.at, SignedDuration::from_secs(seconds));
            self.old_until = Some(self.old_until.map_or(until, |known| known.max(until)));
        }
    }

    /// Sorts the hosts of an answer; `None` if there was none.
    pub(crate) fn told(&self, answer: &MxAnswer, rules: &RoutingRules) -> Option<Told> {
        let hosts = match answer {
            MxAnswer::Hosts { hosts, .. } => hosts,
            MxAnswer::NullMx | MxAnswer::NoSuchDomain => return Some(Told::NoHost),
            MxAnswer::Lame | MxAnswer::Silent(_) => return None,
        };
        let old = hosts.iter().filter(|host| self.is_old(host, rules)).count();
        Some(match old {
            0 if hosts.is_empty() => Told::NoHost,
            0 => Told::New,
            _ if old == hosts.len() => Told::Old,
            _ => Told::Both,
        })
    }

    /// True if mail for the host arrives on the source, as far as is known.
    pub fn is_old(&self, host: &MxHost, rules: &RoutingRules) -> bool {
        if host.addresses.iter().any(|address| rules.source_addresses.contains(address)) {
            return true;
        }
        if rules.expected.is_empty() {
            // Without a baseline nothing is known to be new.
            return self.baseline.as_ref().is_none_or(|baseline| baseline.contains(&host.name));
        }
        !rules.expected.iter().any(|name| name.trim_end_matches('.').eq_ignore_ascii_case(&host.name))
    }

    /// Time from which on no cache that keeps to its TTL holds the old hosts; `None` before the move.
    pub fn settled_at(&self, settle_period: SignedDuration) -> Option<Timestamp> {
        let settled = later(self.new_since?, settle_period);
        Some(self.old_until.map_or(settled, |until| until.max(settled)))
    }

    /// Returns the state of the domain.
    pub fn state(&self, now: Timestamp, rules: &RoutingRules, settle_period: SignedDuration) -> RoutingState {
        let settled_at = self.settled_at(settle_period);
        let (status, reason) = self.status(now, rules, settled_at);
        RoutingState { status, reason, settled_at, changed: self.new_since.map(|new| (self.last_old, new)) }
    }

    fn status(
        &self,
        now: Timestamp,
        rules: &RoutingRules,
        settled_at: Option<Timestamp>,
    ) -> (RoutingStatus, Option<String>) {
        let Some(look) = &self.look else {
            return (RoutingStatus::Unknown, Some("its records have not been read yet".to_owned()));
        };
        let age = now.duration_since(look.at);
        if age > MAX_LOOK_AGE || age < -CLOCK_TOLERANCE {
            return (RoutingStatus::Unknown, Some(format!("its records were read last at {:.0}", look.at)));
        }
        let by_name_servers = self.answers(&look.name_servers, rules);
        let by_resolvers = self.answers(&look.resolvers, rules);
        let all = || by_name_servers.iter().chain(&by_resolvers);
        let Some(first) = all().next() else {
            let reason = look.trouble.clone().unwrap_or_else(|| silence(look));
            return (RoutingStatus::Unknown, Some(reason));
        };
        if let Some((server, _)) = all().find(|(_, told)| *told == Told::NoHost) {
            let reason = format!("{server} says that the domain takes no mail, or does not exist");
            return (RoutingStatus::Unknown, Some(reason));
        }
        if let Some((_, told)) = Some(first).filter(|(_, told)| all().all(|(_, other)| told == other)) {
            match told {
                Told::Both => return (RoutingStatus::Backup, self.old_host(look, rules)),
                Told::Old if self.has_moved => return (RoutingStatus::Returned, None),
                Told::Old => return (RoutingStatus::NotMoved, None),
                Told::New | Told::NoHost => {}
            }
        } else {
            let old = all().filter(|(_, told)| *told != Told::New).map(|(server, _)| server.as_str());
            let reason = format!("the old is told by {}", old.collect::<Vec<_>>().join(", "));
            return (RoutingStatus::Moving, Some(reason));
        }
        if by_name_servers.is_empty() {
            let reason = "no name server of the zone answers on port 53; state the time with -RoutedAt";
            return (RoutingStatus::Settling, Some(reason.to_owned()));
        }
        let silent = look.name_servers.iter().find(|server| is_silent(&server.answer));
        match (silent, settled_at) {
            (Some(server), _) => (
                RoutingStatus::Unknown,
                Some(format!("the name server {} does not answer; it may tell the old", server.name)),
            ),
            (None, Some(settled)) if now >= settled => (RoutingStatus::Moved, None),
            _ => (RoutingStatus::Settling, None),
        }
    }

    fn answers(&self, servers: &[AskedServer], rules: &RoutingRules) -> Vec<(String, Told)> {
        let told = servers.iter().filter_map(|server| {
            let told = self.told(&server.answer, rules)?;
            Some((server.name.clone(), told))
        });
        told.collect()
    }

    /// Names the old hosts that are still listed.
    fn old_host(&self, look: &RoutingLook, rules: &RoutingRules) -> Option<String> {
        let hosts = look.hosts().into_iter().filter(|host| self.is_old(host, rules));
        let names: BTreeSet<String> = hosts.map(|host| host.name.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        (!names.is_empty()).then(|| format!("remove the old {} from its MX records", names.join(", ")))
    }
}

impl RoutingLook {
    /// Returns the hosts that the servers told: the name servers, or the resolvers if none of them did.
    pub fn hosts(&self) -> Vec<&MxHost> {
        let of = |servers: &'_ [AskedServer]| -> Vec<MxAnswer> {
            servers.iter().map(|server| server.answer.clone()).collect()
        };
        let has_hosts = |answers: &[MxAnswer]| {
            answers.iter().any(|answer| matches!(answer, MxAnswer::Hosts { hosts, .. } if !hosts.is_empty()))
        };
        let servers = if has_hosts(&of(&self.name_servers)) { &self.name_servers } else { &self.resolvers };
        let mut found: Vec<&MxHost> = Vec::new();
        for server in servers {
            let MxAnswer::Hosts { hosts, .. } = &server.answer else { continue };
            for host in hosts {
                if !found.iter().any(|known| known.name == host.name) {
                    found.push(host);
                }
            }
        }
        found.sort_by(|one, other| (one.preference, &one.name).cmp(&(other.preference, &other.name)));
        found
    }

    /// Returns the longest TTL of the MX records, as the name servers told it.
    pub fn ttl(&self) -> Option<u32> {
        let servers = self.name_servers.iter().chain(&self.resolvers);
        let ttls = servers.filter_map(|server| match &server.answer {
            MxAnswer::Hosts { ttl, .. } => Some(*ttl),
            _ => None,
        });
        ttls.max()
    }
}

/// Returns the hosts of a first look; `None` if it told none.
fn first_hosts(look: &RoutingLook) -> Option<BTreeSet<String>> {
    let hosts: BTreeSet<String> = look.hosts().into_iter().map(|host| host.name.clone()).collect();
    (!hosts.is_empty()).then_some(hosts)
}

fn is_silent(answer: &MxAnswer) -> bool {
    matches!(answer, MxAnswer::Silent(_))
}

/// Says why no server told anything.
fn silence(look: &RoutingLook) -> String {
    let servers = look.name_servers.iter().chain(&look.resolvers);
    let reason = servers.into_iter().find_map(|server| match &server.answer {
        MxAnswer::Silent(reason) => Some(format!("{}: {reason}", server.name)),
        _ => None,
    });
    reason.unwrap_or_else(|| "no server told its MX records".to_owned())
}

/// Adds a duration; the end of time stays the end.
fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
