//! Hosts of the source and of the target of a user, for the way of messages.

use std::{collections::BTreeSet, net::IpAddr};

use mailhaul_mail::{HostSet, KnownHosts, Reach};
use mailhaul_migration::{DomainRouting, Endpoint};

/// Returns the hosts that belong to each side, as far as they are known without a question to DNS.
pub(crate) fn known_hosts(
    source: &Endpoint,
    target: Option<&Endpoint>,
    routing: Option<&DomainRouting>,
) -> KnownHosts {
    let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    add(source, &mut names, &mut addresses);
    if let Some(routing) = routing {
        names.extend(routing.baseline.iter().flatten().cloned());
        if let Some(look) = &routing.look {
            addresses.extend(look.source_addresses.iter().copied());
            let rules = routing.rules(&[]);
            let old = look.hosts().into_iter().filter(|host| routing.is_old(host, &rules));
            addresses.extend(old.flat_map(|host| host.addresses.iter().copied()));
        }
    }
    let (mut target_names, mut target_addresses) = (BTreeSet::new(), BTreeSet::new());
    if let Some(target) = target {
        add(target, &mut target_names, &mut target_addresses);
    }
    // A host of both sides proves nothing, and neither does an address of this machine.
    target_names.retain(|name| !names.contains(name));
    target_addresses
        .retain(|address| !addresses.contains(address) && Reach::OtherMachines.refusal(*address).is_none());
    KnownHosts { source: set(names, addresses), target: set(target_names, target_addresses) }
}

fn add(endpoint: &Endpoint, names: &mut BTreeSet<String>, addresses: &mut BTreeSet<IpAddr>) {
    match endpoint.remote_server.parse::<IpAddr>() {
        Ok(address) => _ = addresses.insert(address.to_canonical()),
        Err(_) => _ = names.insert(endpoint.remote_server.trim_end_matches('.').to_ascii_lowercase()),
    }
}

fn set(names: BTreeSet<String>, addresses: BTreeSet<IpAddr>) -> HostSet {
    HostSet { names: names.into_iter().collect(), addresses: addresses.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::{AskedServer, MxAnswer, MxHost, RoutingLook};

    use super::*;

    fn endpoint(server: &str) -> Endpoint {
        Endpoint::of_server(server.to_owned())
    }

    #[test]
    fn the_first_mail_hosts_belong_to_the_source() {
        let host = |name: &str, address: &str| MxHost {
            preference: 10,
            name: name.to_owned(),
            addresses: vec![address.parse().unwrap()],
            address_ttl: 60,
        };
        let mut routing = DomainRouting::default();
        for hosts in [
            vec![host("mx.old.example", "198.51.100.10")],
            vec![host("mx.old.example", "198.51.100.10"), host("mx.new.example", "192.0.2.1")],
        ] {
            let answer = MxAnswer::Hosts { ttl: 60, hosts };
            let look = RoutingLook {
                at: "2026-11-27T18:00:00Z".parse().unwrap(),
                name_servers: vec![AskedServer { name: "ns1".to_owned(), answer }],
                name_server_ttl: 60,
                resolvers: Vec::new(),
                trouble: None,
                source_addresses: vec!["198.51.100.9".parse().unwrap()],
            };
            let rules = routing.rules(&[]);
            routing.observe(look, &rules);
        }
        let (old, new) = (endpoint("IMAP.old.example"), endpoint("imap.new.example"));
        let known = known_hosts(&old, Some(&new), Some(&routing));
        assert_eq!(known.source.names, ["imap.old.example", "mx.old.example"]);
        let addresses: Vec<String> = known.source.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["198.51.100.9", "198.51.100.10"]);
        assert_eq!(known.target.names, ["imap.new.example"]);
    }

    #[test]
    fn a_host_of_both_sides_is_not_the_target() {
        for server in ["mail.example", "127.0.0.1"] {
            let known = known_hosts(&endpoint(server), Some(&endpoint(server)), None);
            assert_eq!(known.target, HostSet::default());
        }
        let known = known_hosts(&endpoint("old.example"), Some(&endpoint("127.0.0.1")), None);
        assert_eq!(known.target, HostSet::default());
    }
}
