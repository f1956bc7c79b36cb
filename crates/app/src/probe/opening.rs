//! The way to a server, step by step: DNS, TCP, TLS, greeting, capabilities.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::Timestamp;
use mailhaul_imap::{
    Capabilities, Certificate, ConnectOptions, Connection, Direction, Error, ErrorKind, Milestone, Security,
    Trace,
};
use parking_lot::{Mutex, MutexGuard};

use super::{Asking, chain, findings::Findings, obstacle::Obstacle};

/// The steps, by the names under which they are shown.
const DNS: &str = "DNS";
const TCP: &str = "TCP";
const TLS: &str = "TLS";
const CERTIFICATE: &str = "Certificate";
const GREETING: &str = "Greeting";
const CAPABILITIES: &str = "Capabilities";

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    addresses: Option<Vec<SocketAddr>>,
    connected: Option<SocketAddr>,
    chain: Vec<Certificate>,
    names_host: bool,
    /// Version and cipher.
    secured: Option<(String, String)>,
    greeting: Option<String>,
    capabilities: Option<Capabilities>,
}

/// Looks on at all connections of a test.
#[derive(Default)]
pub(super) struct Watch {
    seen: Mutex<Seen>,
    sign_ins: AtomicU32,
}

impl Watch {
    /// How many times a login was tried, as the servers see it.
    pub(super) fn sign_ins(&self) -> u32 {
        self.sign_ins.load(Ordering::Relaxed)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }
}

impl Trace for Watch {
    fn line(&self, direction: Direction, text: &str) {
        let command = text.split(' ').nth(1).unwrap_or_default();
        if direction == Direction::Client && ["LOGIN", "AUTHENTICATE"].contains(&command) {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn milestone(&self, milestone: &Milestone<'_>) {
        let mut seen = self.seen();
        match milestone {
            Milestone::Addresses(addresses) => seen.addresses = Some(addresses.to_vec()),
            Milestone::Connected(address) => seen.connected = Some(*address),
            Milestone::Certificates { chain, names_host } => {
                (seen.chain, seen.names_host) = (chain.to_vec(), *names_host);
            }
            Milestone::Secured { version, cipher } => {
                seen.secured = Some(((*version).to_owned(), (*cipher).to_owned()));
            }
            Milestone::Greeted(text) => seen.greeting = Some((*text).to_owned()),
            Milestone::Capabilities(capabilities) => seen.capabilities = Some((*capabilities).clone()),
            _ => {}
        }
    }
}

impl Asking {
    /// Opens a connection, and tells of each step.
    pub(super) async fn open(&self, findings: &mut Findings) -> Result<Connection, Obstacle> {
        let options = &self.options;
        let outcome = self.in_time(Connection::open(options)).await;
        let seen = std::mem::take(&mut *self.watch.seen());
        seen.tell(options, findings);
        outcome.map_err(|error| {
            let step = seen.stopped_at(options.security, error.kind);
            let advice = findings
                .certificates
                .first()
                .filter(|_| step == CERTIFICATE)
                .map(|it| chain::advice(it, seen.names_host, options.tls.pin_sha256.is_some()));
            let obstacle = self.obstacle(error).advised(advice);
            findings.failed(step, obstacle.explained());
            obstacle
        })
    }

    /// Opens another connection, of which only the failure is of interest.
    pub(super) async fn open_another(&self) -> Result<Connection, Error> {
        self.in_time(Connection::open(&self.options)).await
    }
}

impl Seen {
    /// The step that failed: the one after the last that was taken.
    fn stopped_at(&self, security: Security, error: ErrorKind) -> &'static str {
        let secured = self.secured.is_some();
        let greeted = self.greeting.is_some();
        if self.addresses.is_none() {
            DNS
        } else if self.connected.is_none() {
            TCP
        } else if !greeted && (security != Security::Implicit || secured) {
            GREETING
        } else if !secured && security != Security::Clear {
            // Whoever showed a certificate was refused for it, unless the connection broke.
            if self.chain.is_empty() || error != ErrorKind::Tls { TLS } else { CERTIFICATE }
        } else {
            CAPABILITIES
        }
    }

    /// Tells of the steps that were taken, in the order in which they were.
    fn tell(&self, options: &ConnectOptions, findings: &mut Findings) {
        self.tell_of_way(&options.host, findings);
        if options.security == Security::Implicit {
            self.tell_of_tls(options, findings);
            self.tell_of_greeting(findings);
        } else {
            self.tell_of_greeting(findings);
            self.tell_of_tls(options, findings);
        }
        self.tell_of_capabilities(findings);
    }

    fn tell_of_way(&self, host: &str, findings: &mut Findings) {
        if let Some(addresses) = &self.addresses {
            findings.addresses = addresses.iter().map(|it| it.ip().to_string()).collect();
            let told = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(_) => format!("{host} is an address already"),
                Err(_) => format!("{host} is {}", findings.addresses.join(", ")),
            };
            findings.success(DNS, told);
        }
        if let Some(address) = self.connected {
            findings.success(TCP, format!("{address} answers"));
        }
    }

    fn tell_of_tls(&self, options: &ConnectOptions, findings: &mut Findings) {
        let now = Timestamp::now();
        findings.certificates = self.chain.iter().map(|it| chain::shown(it, now)).collect();
        findings.certificate_names_host = (!self.chain.is_empty()).then_some(self.names_host);
        if let Some((version, cipher)) = &self.secured {
            (findings.tls_version, findings.tls_cipher) = (Some(version.clone()), Some(cipher.clone()));
            findings.success(TLS, format!("{version}, {cipher}"));
            if let Some(own) = findings.certificates.first().cloned() {
                let described = chain::described(&own);
                match chain::caution(&own, self.names_host, &options.host) {
                    None => findings.success(CERTIFICATE, described),
                    Some(caution) => findings.warning(CERTIFICATE, format!("{caution}: {described}")),
                }
            }
        } else if options.security == Security::Clear && self.greeting.is_some() {
            findings.warning(TLS, "none (Security None): whoever listens reads passwords and mail");
        }
    }

    fn tell_of_greeting(&self, findings: &mut Findings) {
        if let Some(greeting) = &self.greeting {
            findings.greeting = Some(greeting.clone());
            findings.success(GREETING, greeting.clone());
        }
    }

    fn tell_of_capabilities(&self, findings: &mut Findings) {
        let Some(capabilities) = &self.capabilities else { return };
        findings.capabilities = capabilities.iter().map(str::to_owned).collect();
        findings.capabilities_before_login = findings.capabilities.clone();
        findings.authentication_mechanisms = capabilities.mechanisms().map(str::to_owned).collect();
        let mechanisms = match findings.authentication_mechanisms.join(", ") {
            none if none.is_empty() => "no mechanism".to_owned(),
            some => format!("mechanisms {some}"),
        };
        if capabilities.has("LOGINDISABLED") {
            let words = if self.secured.is_some() {
                "the command LOGIN is not taken (LOGINDISABLED)"
            } else {
                "no password is taken without TLS (LOGINDISABLED): use -Security Tls or Ssl"
            };
            findings.warning(CAPABILITIES, format!("{mechanisms}; {words}"));
        } else {
            findings.success(CAPABILITIES, format!("{mechanisms}, and the command LOGIN"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_that_failed_is_the_one_after_the_last() {
        use Security::{Clear, Implicit, StartTls};
        let address = || "127.0.0.1:1".parse().unwrap();
        let certificate = || Certificate { sha256: [0; 32], content: None };
        let mut seen = Seen::default();
        let step = |seen: &Seen, security| seen.stopped_at(security, ErrorKind::Tls);
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [DNS; 3]);
        seen.addresses = Some(vec![address()]);
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [TCP; 3]);
        seen.connected = Some(address());
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [GREETING, GREETING, TLS]);
        seen.chain.push(certificate());
        assert_eq!(step(&seen, Implicit), CERTIFICATE);
        assert_eq!(seen.stopped_at(Implicit, ErrorKind::Connection), TLS);
        seen.greeting = Some(String::new());
        assert_eq!([Clear, StartTls].map(|it| step(&seen, it)), [CAPABILITIES, CERTIFICATE]);
        seen.secured = Some((String::new(), String::new()));
        assert_eq!([StartTls, Implicit].map(|it| step(&seen, it)), [CAPABILITIES; 2]);
    }
}
