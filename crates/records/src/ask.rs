//! Questions to resolvers and to name servers.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::{
    message::{Data, Kind, Message, Name, Record},
    trouble::Trouble,
    wire::Question,
};

/// Patience for each attempt.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions at the same time.
const MAX_SOCKETS: usize = 16;
const DNS_PORT: u16 = 53;
/// Resolvers of this machine that are asked: as many as the C library asks.
const MAX_RESOLVERS: usize = 3;

/// A client of DNS. Clones share its sockets.
#[derive(Clone, Debug)]
pub struct Dns {
    resolvers: Vec<SocketAddr>,
    name_server_port: u16,
    patience: Duration,
    sockets: Arc<Semaphore>,
    /// True for addresses at which no name server is asked.
    is_refused: fn(IpAddr) -> bool,
}

/// An answer that says something about the name.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// False if there is no such name.
    pub(crate) exists: bool,
    pub(crate) is_authoritative: bool,
    pub(crate) records: Vec<Record>,
    /// Name of the zone, where the answer names it beside a missing record.
    pub(crate) zone: Option<Name>,
}

impl Dns {
    /// A client of these resolvers.
    pub fn new(resolvers: Vec<SocketAddr>) -> Self {
        Self {
            resolvers,
            name_server_port: DNS_PORT,
            patience: PATIENCE,
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
            is_refused: |_| false,
        }
    }

    /// A client of the resolvers of this machine.
    pub fn of_machine() -> Self {
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Self::new(resolvers(&text))
    }

    /// Asks name servers at another port: servers of tests have no right to port 53.
    #[must_use]
    pub fn with_name_server_port(mut self, port: u16) -> Self {
        self.name_server_port = port;
        self
    }

    /// Asks no name server at these addresses: the owner of a zone chooses them.
    #[must_use]
    pub fn refusing(mut self, is_refused: fn(IpAddr) -> bool) -> Self {
        self.is_refused = is_refused;
        self
    }

    /// True if a name server may be asked at this address.
    pub(crate) fn may_ask(&self, address: IpAddr) -> bool {
        !(self.is_refused)(address)
    }

    /// Waits this long for each attempt.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the resolvers of this client.
    pub fn resolvers(&self) -> &[SocketAddr] {
        &self.resolvers
    }

    /// Asks the resolvers, one after another, until one answers.
    pub(crate) async fn resolve(&self, name: &Name, kind: Kind) -> Result<Reply, Trouble> {
        let mut trouble = Trouble::NoResolver;
        for resolver in &self.resolvers {
            match self.resolve_at(*resolver, name, kind).await {
                Ok(reply) => return Ok(reply),
                Err(other) => trouble = other,
            }
        }
        Err(trouble)
    }

    pub(crate) async fn resolve_at(
        &self,
        resolver: SocketAddr,
        name: &Name,
        kind: Kind,
    ) -> Result<Reply, Trouble> {
        Reply::read(self.ask(resolver, name, kind, true).await?)
    }

    /// Asks a name server for what it knows itself.
    pub(crate) async fn ask_name_server(
        &self,
        server: IpAddr,
        name: &Name,
        kind: Kind,
    ) -> Result<Reply, Trouble> {
        let server = SocketAddr::new(server, self.name_server_port);
        let answer = self.ask(server, name, kind, false).await?;
        if matches!(answer.code, REFUSED | NOT_AUTHORITATIVE) {
            return Err(Trouble::Lame);
        }
        let reply = Reply::read(answer)?;
        if reply.is_authoritative { Ok(reply) } else { Err(Trouble::Lame) }
    }

    async fn ask(
        &self,
        server: SocketAddr,
        name: &Name,
        kind: Kind,
        is_recursive: bool,
    ) -> Result<Message, Trouble> {
        // The semaphore is never closed.
        let _socket = self.sockets.acquire().await.map_err(|_| Trouble::Silent)?;
        Question { name: name.clone(), kind, is_recursive }.ask(server, self.patience).await
    }

    /// Returns the addresses of a host with their longest TTL. Both are empty if it has none.
    pub(crate) async fn addresses(&self, host: &Name) -> Result<(Vec<IpAddr>, u32), Trouble> {
        let (v4, v6) = tokio::join!(self.resolve(host, Kind::A), self.resolve(host, Kind::Aaaa));
        let (mut addresses, mut ttl) = (Vec::new(), 0);
        // One kind is enough: some servers fail for AAAA.
        let replies = match (v4, v6) {
            (Err(trouble), Err(_)) => return Err(trouble),
            (v4, v6) => [v4.ok(), v6.ok()],
        };
        for record in replies.into_iter().flatten().flat_map(|reply| reply.records) {
            match record.data {
                Data::Address(address) => addresses.push(address),
                Data::Cname(_) => {}
                _ => continue,
            }
            ttl = ttl.max(record.ttl);
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok((addresses, ttl))
    }
}

impl Reply {
    fn read(message: Message) -> Result<Self, Trouble> {
        let exists = match message.code {
            NO_ERROR => true,
            NO_SUCH_NAME => false,
            code => return Err(Trouble::Failed(code_name(code))),
        };
        let zone = message.authorities.into_iter().find(|record| record.data == Data::Soa);
        Ok(Self {
            exists,
            is_authoritative: message.is_authoritative,
            records: message.answers,
            zone: zone.map(|record| record.name),
        })
    }
}

/// Response codes (RFC 1035, section 4.1.1; RFC 2136, section 2.2).
const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;
const NOT_AUTHORITATIVE: u8 = 9;

fn code_name(code: u8) -> String {
    let names = ["", "FORMERR", "SERVFAIL", "", "NOTIMP", "REFUSED"];
    match names.get(usize::from(code)) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ => format!("code {code}"),
    }
}

/// Reads the resolvers of a resolv.conf(5). Addresses with an interface are left out.
fn resolvers(text: &str) -> Vec<SocketAddr> {
    let addresses = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        Some(SocketAddr::new(address.parse().ok()?, DNS_PORT))
    });
    addresses.take(MAX_RESOLVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_of_the_machine_are_read() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n\
                    nameserver  2001:db8::1 \noptions ndots:1\nnameserver x\n";
        let found: Vec<String> = resolvers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1:53", "[2001:db8::1]:53"]);
    }
}
