//! MX records of a domain, as each name server and each resolver tells them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use futures_util::future::join_all;

use crate::{
    ask::{Dns, Reply},
    message::{Data, Kind, Name},
    trouble::Trouble,
    zone::Zone,
};

/// Hosts of one answer that are looked at.
const MAX_HOSTS: usize = 32;

/// Answers about the MX records of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRecords {
    /// The zone, found by the resolvers of this machine.
    pub zone: Result<Zone, Trouble>,
    /// One answer for each address of each name server.
    pub name_servers: Vec<ToldMx>,
    /// One answer of the machine's resolvers, and one of each public resolver.
    pub resolvers: Vec<ToldMx>,
}

/// A server with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldMx {
    pub server: String,
    pub answer: Result<Mx, Trouble>,
}

/// MX records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mx {
    /// Hosts in the order of their preference; the domain itself if there is no record (RFC 5321, section 5.1).
    Hosts {
        ttl: u32,
        hosts: Vec<MailHost>,
    },
    /// The domain takes no mail (RFC 7505).
    Null,
    NoSuchDomain,
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailHost {
    pub preference: u16,
    pub name: String,
    pub addresses: Vec<IpAddr>,
    /// Longest TTL of its address records.
    pub address_ttl: u32,
}

/// A server to ask.
enum Server {
    Name(IpAddr),
    Public(SocketAddr),
    Machine,
}

impl Dns {
    /// Asks for the MX records of a domain: each name server of its zone, the machine's resolvers, and these
    /// public ones.
    ///
    /// # Errors
    /// [`Trouble::BadName`]. All other troubles are parts of the answer.
    pub async fn mail_records(&self, domain: &str, public: &[SocketAddr]) -> Result<MailRecords, Trouble> {
        let name = Name::parse(domain)?;
        let zone = self.zone(&name).await;
        let (mut servers, mut unreached) = (Vec::new(), Vec::new());
        for server in zone.iter().flat_map(|zone| &zone.name_servers) {
            match &server.addresses {
                // A name server without an address misleads no mail.
                Ok(none) if none.is_empty() => unreached.push(told(server.name.clone(), Err(Trouble::Lame))),
                Ok(addresses) => servers.extend(
                    addresses
                        .iter()
                        .map(|address| (format!("{} ({address})", server.name), Server::Name(*address))),
                ),
                Err(trouble) => unreached.push(told(server.name.clone(), Err(trouble.clone()))),
            }
        }
        let name_servers = servers.len();
        servers.push(("the resolver of this machine".to_owned(), Server::Machine));
        servers.extend(
            public.iter().map(|resolver| (Self::resolver_name(*resolver), Server::Public(*resolver))),
        );
        let mut answers = join_all(servers.into_iter().map(|(label, server)| {
            let name = &name;
            async move { told(label, self.mx_at(server, name).await) }
        }))
        .await;
        self.add_addresses(&mut answers).await;
        let resolvers = answers.split_off(name_servers);
        answers.extend(unreached);
        Ok(MailRecords { zone, name_servers: answers, resolvers })
    }

    async fn mx_at(&self, server: Server, domain: &Name) -> Result<Mx, Trouble> {
        let reply = match server {
            Server::Name(address) => self.ask_name_server(address, domain, Kind::Mx).await?,
            Server::Public(resolver) => self.resolve_at(resolver, domain, Kind::Mx).await?,
            Server::Machine => self.resolve(domain, Kind::Mx).await?,
        };
        Mx::read(&reply, domain)
    }

    /// Adds the addresses of all hosts, each asked once.
    async fn add_addresses(&self, answers: &mut [ToldMx]) {
        let hosts = answers.iter().filter_map(|told| match &told.answer {
            Ok(Mx::Hosts { hosts, .. }) => Some(hosts.iter().map(|host| host.name.clone())),
            _ => None,
        });
        let names: BTreeSet<String> = hosts.flatten().take(MAX_HOSTS).collect();
        let found = join_all(names.into_iter().map(|host| async move {
            let addresses = match Name::parse(&host) {
                Ok(name) => self.addresses(&name).await.unwrap_or_default(),
                Err(_) => Default::default(),
            };
            (host, addresses)
        }));
        let found: BTreeMap<String, (Vec<IpAddr>, u32)> = found.await.into_iter().collect();
        for told in answers {
            let Ok(Mx::Hosts { hosts, .. }) = &mut told.answer else { continue };
            for host in hosts {
                if let Some((addresses, ttl)) = found.get(&host.name) {
                    (host.addresses, host.address_ttl) = (addresses.clone(), *ttl);
                }
            }
        }
    }
}

impl Mx {
    fn read(reply: &Reply, domain: &Name) -> Result<Self, Trouble> {
        if !reply.exists {
            return Ok(Self::NoSuchDomain);
        }
        let (mut hosts, mut ttl) = (Vec::new(), 0);
        for record in &reply.records {
            let Data::Mx(preference, host) = &record.data else { continue };
            ttl = ttl.max(record.ttl);
            hosts.push(MailHost {
                preference: *preference,
                name: host.as_str().to_owned(),
                addresses: Vec::new(),
                address_ttl: 0,
            });
        }
        if let [only] = hosts.as_slice()
            && only.name.is_empty()
        {
            return Ok(Self::Null);
        }
        if hosts.is_empty() {
            if let Some(alias) = reply.records.iter().find(|record| matches!(record.data, Data::Cname(_))) {
                return Err(Trouble::Failed(format!("{} is an alias (CNAME)", alias.name.as_str())));
            }
            let (name, addresses) = (domain.as_str().to_owned(), Vec::new());
            hosts.push(MailHost { preference: 0, name, addresses, address_ttl: 0 });
        }
        hosts.retain(|host| !host.name.is_empty());
        hosts.sort_by(|one, other| (one.preference, &one.name).cmp(&(other.preference, &other.name)));
        Ok(Self::Hosts { ttl, hosts })
    }
}

fn told(server: String, answer: Result<Mx, Trouble>) -> ToldMx {
    ToldMx { server, answer }
}
