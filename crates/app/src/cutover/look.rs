//! A look at a domain: asks DNS, and turns the answers into the values that routing judges.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use jiff::Timestamp;
use mailhaul_migration::{AskedServer, Endpoint, MxAnswer, MxHost, RecordRemark, RemarkKind, RoutingLook};
use mailhaul_records::{Dns, Mx, PolicyRecords, ToldMx, Trouble};

/// Answers about a domain.
pub(crate) struct Look {
    pub(crate) routing: RoutingLook,
    /// Remarks about its other records; `None` if they could not be read.
    pub(crate) remarks: Option<Vec<RecordRemark>>,
}

/// Questions about the domains of one batch.
pub(crate) struct Looks<'d> {
    dns: &'d Dns,
    public: &'d [SocketAddr],
    source_addresses: Vec<IpAddr>,
}

impl<'d> Looks<'d> {
    pub(crate) async fn new(dns: &'d Dns, public: &'d [SocketAddr], source: &Endpoint) -> Self {
        let addresses = tokio::net::lookup_host((source.remote_server.as_str(), source.port)).await;
        // Without its addresses, the baseline alone says which hosts are old.
        let addresses = addresses.map(|found| found.map(|address| address.ip().to_canonical()).collect());
        Self { dns, public, source_addresses: addresses.unwrap_or_default() }
    }

    /// Asks for the records of these domains side by side. The DNS client bounds its sockets.
    pub(crate) async fn at_all(
        &self,
        domains: Vec<String>,
        now: impl Fn() -> Timestamp,
    ) -> Vec<(String, Look)> {
        let looks = domains.into_iter().map(|domain| {
            let now = &now;
            async move {
                let look = self.at(&domain, now()).await;
                (domain, look)
            }
        });
        join_all(looks).await
    }

    /// Asks for the records of a domain.
    async fn at(&self, domain: &str, now: Timestamp) -> Look {
        let (mail, policies) =
            tokio::join!(self.dns.mail_records(domain, self.public), self.dns.policy_records(domain));
        let mut routing = RoutingLook {
            at: now,
            name_servers: Vec::new(),
            name_server_ttl: 0,
            resolvers: Vec::new(),
            trouble: None,
            source_addresses: self.source_addresses.clone(),
        };
        match mail {
            Ok(mail) => {
                match &mail.zone {
                    Ok(zone) => routing.name_server_ttl = zone.ttl,
                    Err(trouble) => routing.trouble = Some(unreadable(trouble)),
                }
                routing.name_servers = mail.name_servers.into_iter().map(asked).collect();
                routing.resolvers = mail.resolvers.into_iter().map(asked).collect();
            }
            Err(trouble) => routing.trouble = Some(unreadable(&trouble)),
        }
        Look { routing, remarks: policies.ok().map(|policies| remarks(domain, &policies)) }
    }
}

fn unreadable(trouble: &Trouble) -> String {
    format!("its name servers cannot be found: {trouble}")
}

fn asked(told: ToldMx) -> AskedServer {
    let answer = match told.answer {
        Ok(Mx::Hosts { ttl, hosts }) => {
            let hosts = hosts.into_iter().map(|host| MxHost {
                preference: host.preference,
                name: host.name,
                addresses: host.addresses,
                address_ttl: host.address_ttl,
            });
            MxAnswer::Hosts { ttl, hosts: hosts.collect() }
        }
        Ok(Mx::Null) => MxAnswer::NullMx,
        Ok(Mx::NoSuchDomain) => MxAnswer::NoSuchDomain,
        Err(Trouble::Lame) => MxAnswer::Lame,
        Err(trouble) => MxAnswer::Silent(trouble.to_string()),
    };
    AskedServer { name: told.server, answer }
}

fn remarks(domain: &str, policies: &PolicyRecords) -> Vec<RecordRemark> {
    let remark = |kind, words: String| RecordRemark { domain: domain.to_owned(), kind, words };
    let mut found = Vec::new();
    if policies.mta_sts.is_some() {
        let words = format!(
            "it has an MTA-STS policy, which this version does not read; see that \
             https://mta-sts.{domain}/.well-known/mta-sts.txt names the new MX, and waive Records"
        );
        found.push(remark(RemarkKind::Unread, words));
    }
    if policies.spf.is_none() {
        let words = "it has no SPF record; other servers may take its mail for spam".to_owned();
        found.push(remark(RemarkKind::Advice, words));
    }
    found
}
