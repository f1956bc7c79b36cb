//! The zone of a domain, and its name servers.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use futures_util::future::join_all;

use crate::{
    ask::{Dns, Reply},
    message::{Data, Kind, Name},
    trouble::Trouble,
};

/// Name servers of a zone that are asked. A zone may name any number.
const MAX_NAME_SERVERS: usize = 16;

/// The zone of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    /// TTL of the NS records.
    pub ttl: u32,
    pub name_servers: Vec<NameServer>,
}

/// A name server of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    pub name: String,
    /// Addresses; an error if they cannot be found, and none if there are none.
    pub addresses: Result<Vec<IpAddr>, Trouble>,
}

impl Dns {
    /// Finds the zone of a domain and its name servers, by the first of these resolvers that knows them.
    pub(crate) async fn zone(&self, domain: &Name) -> Result<Zone, Trouble> {
        let mut reply = self.resolve(domain, Kind::Ns).await?;
        let mut apex = domain.clone();
        let mut servers = name_servers(&reply, &apex);
        // The domain lies inside of a zone that another name has.
        if servers.is_empty()
            && let Some(zone) = reply.zone.take().filter(|zone| zone.holds(domain) && !zone.is_root())
        {
            reply = self.resolve(&zone, Kind::Ns).await?;
            servers = name_servers(&reply, &zone);
            apex = zone;
        }
        if servers.is_empty() {
            return Err(Trouble::Failed("no NS record".to_owned()));
        }
        let ttl = servers.iter().map(|(_, ttl)| *ttl).max().unwrap_or(0);
        let names: BTreeSet<Name> = servers.into_iter().map(|(name, _)| name).collect();
        let found = join_all(names.iter().take(MAX_NAME_SERVERS).map(|name| async move {
            let addresses = self.addresses(name).await.map(|(addresses, _)| self.preferred(addresses));
            NameServer { name: name.as_str().to_owned(), addresses }
        }));
        Ok(Zone { name: apex.as_str().to_owned(), ttl, name_servers: found.await })
    }

    /// Returns the IPv4 addresses that may be asked, or the others if there are none: many machines reach no
    /// IPv6 address.
    fn preferred(&self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        addresses.retain(|address| self.may_ask(*address));
        if addresses.iter().any(IpAddr::is_ipv4) {
            addresses.retain(IpAddr::is_ipv4);
        }
        addresses
    }

    /// Returns the resolver's address as a server is named in answers.
    pub(crate) fn resolver_name(resolver: SocketAddr) -> String {
        if resolver.port() == 53 { resolver.ip().to_string() } else { resolver.to_string() }
    }
}

fn name_servers(reply: &Reply, zone: &Name) -> Vec<(Name, u32)> {
    let of_zone = reply.records.iter().filter(|record| record.name == *zone);
    let servers = of_zone.filter_map(|record| match &record.data {
        Data::Ns(name) => Some((name.clone(), record.ttl)),
        _ => None,
    });
    servers.collect()
}
