//! Connecting to a server, step by step: DNS, TCP, TLS, greeting, capabilities.

use std::{net::IpAddr, pin::pin};

use jiff::Timestamp;
use mailhaul_imap::{ConnectOptions, Connection, Error, ErrorKind, Security};

use super::certificate_chain;
use crate::probe::{
    conversation::Conversation, findings::Findings, milestones::Milestones, obstacle::Obstacle,
};

// Names of the steps.
const DNS: &str = "DNS";
const TCP: &str = "TCP";
const TLS: &str = "TLS";
const CERTIFICATE: &str = "Certificate";
const GREETING: &str = "Greeting";
const CAPABILITIES: &str = "Capabilities";

impl Conversation {
    /// Opens a connection, and adds its steps to the findings.
    pub(crate) async fn open(&self, findings: &mut Findings) -> Result<Connection, Obstacle> {
        let options = &self.options;
        let mut opening = pin!(self.in_time(Connection::open(options)));
        let outcome = loop {
            tokio::select! {
                outcome = &mut opening => break outcome,
                () = self.recorder.changed() => {
                    self.recorder.look(|milestones| add_steps(milestones, options, findings));
                }
            }
        };
        let milestones = self.recorder.take();
        add_steps(&milestones, options, findings);
        outcome.map_err(|error| {
            let step = failed_step(&milestones, options.security, error.kind);
            let advice = findings.certificates.first().filter(|_| step == CERTIFICATE).map(|own| {
                certificate_chain::advice(own, milestones.names_host, options.tls.pin_sha256.is_some())
            });
            let obstacle = self.obstacle(error).advised(advice);
            findings.failed(step, obstacle.explained());
            obstacle
        })
    }

    /// Opens another connection, without steps in the findings.
    pub(crate) async fn open_another(&self) -> Result<Connection, Error> {
        self.in_time(Connection::open(&self.options)).await
    }
}

/// Returns the step that failed: the one after the last milestone.
fn failed_step(milestones: &Milestones, security: Security, error: ErrorKind) -> &'static str {
    let secured = milestones.secured.is_some();
    let greeted = milestones.greeting.is_some();
    if milestones.addresses.is_none() {
        DNS
    } else if milestones.connected.is_none() {
        TCP
    } else if !greeted && (security != Security::Implicit || secured) {
        GREETING
    } else if !secured && security != Security::Clear {
        // A server that sent its certificate was refused for it, unless the connection broke.
        if milestones.chain.is_empty() || error != ErrorKind::Tls { TLS } else { CERTIFICATE }
    } else {
        CAPABILITIES
    }
}

/// Adds the steps that have succeeded since the last call, in their order.
fn add_steps(milestones: &Milestones, options: &ConnectOptions, findings: &mut Findings) {
    add_addresses(milestones, &options.host, findings);
    if options.security == Security::Implicit {
        add_tls(milestones, options, findings);
        add_greeting(milestones, findings);
    } else {
        add_greeting(milestones, findings);
        add_tls(milestones, options, findings);
    }
    add_capabilities(milestones, findings);
}

fn add_addresses(milestones: &Milestones, host: &str, findings: &mut Findings) {
    if let Some(addresses) = milestones.addresses.as_ref().filter(|_| !findings.has(DNS)) {
        findings.addresses = addresses.iter().map(|address| address.ip().to_string()).collect();
        let detail = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(_) => format!("{host} is an IP address"),
            Err(_) => format!("{host} is {}", findings.addresses.join(", ")),
        };
        findings.success(DNS, detail);
    }
    if let Some(address) = milestones.connected.filter(|_| !findings.has(TCP)) {
        findings.success(TCP, format!("{address} answers"));
    }
}

fn add_tls(milestones: &Milestones, options: &ConnectOptions, findings: &mut Findings) {
    if findings.has(TLS) {
        return;
    }
    let now = Timestamp::now();
    let chain = &milestones.chain;
    findings.certificates =
        chain.iter().map(|certificate| certificate_chain::view(certificate, now)).collect();
    findings.certificate_names_host = if chain.is_empty() { None } else { Some(milestones.names_host) };
    if let Some((version, cipher)) = &milestones.secured {
        (findings.tls_version, findings.tls_cipher) = (Some(version.clone()), Some(cipher.clone()));
        findings.success(TLS, format!("{version}, {cipher}"));
        if let Some(own) = findings.certificates.first().cloned() {
            let description = certificate_chain::describe(&own);
            match certificate_chain::warning(&own, milestones.names_host, &options.host) {
                None => findings.success(CERTIFICATE, description),
                Some(warning) => findings.warning(CERTIFICATE, format!("{warning}: {description}")),
            }
        }
    } else if options.security == Security::Clear && milestones.greeting.is_some() {
        findings.warning(TLS, "none (Security None): anyone on the network path can read passwords and mail");
    }
}

fn add_greeting(milestones: &Milestones, findings: &mut Findings) {
    if let Some(greeting) = milestones.greeting.as_ref().filter(|_| !findings.has(GREETING)) {
        findings.greeting = Some(greeting.clone());
        findings.success(GREETING, greeting.clone());
    }
}

fn add_capabilities(milestones: &Milestones, findings: &mut Findings) {
    let Some(capabilities) = milestones.capabilities.as_ref().filter(|_| !findings.has(CAPABILITIES)) else {
        return;
    };
    findings.capabilities = capabilities.iter().map(str::to_owned).collect();
    findings.capabilities_before_login = findings.capabilities.clone();
    findings.authentication_mechanisms = capabilities.mechanisms().map(str::to_owned).collect();
    let mechanisms = match findings.authentication_mechanisms.join(", ") {
        none if none.is_empty() => "no mechanism".to_owned(),
        some => format!("mechanisms {some}"),
    };
    if capabilities.has("LOGINDISABLED") {
        let words = if milestones.secured.is_some() {
            "the server refuses the command LOGIN (LOGINDISABLED)"
        } else {
            "the server accepts no password without TLS (LOGINDISABLED); use -Security Tls or Ssl"
        };
        findings.warning(CAPABILITIES, format!("{mechanisms}; {words}"));
    } else {
        findings.success(CAPABILITIES, format!("{mechanisms}, and the command LOGIN"));
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_imap::Certificate;

    use super::*;

    #[test]
    fn the_failed_step_follows_the_last_milestone() {
        use Security::{Clear, Implicit, StartTls};
        let address = || "127.0.0.1:1".parse().unwrap();
        let certificate = || Certificate { sha256: [0; 32], content: None };
        let mut seen = Milestones::default();
        let step = |seen: &Milestones, security| failed_step(seen, security, ErrorKind::Tls);
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [DNS; 3]);
        seen.addresses = Some(vec![address()]);
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [TCP; 3]);
        seen.connected = Some(address());
        assert_eq!([Clear, StartTls, Implicit].map(|it| step(&seen, it)), [GREETING, GREETING, TLS]);
        seen.chain.push(certificate());
        assert_eq!(step(&seen, Implicit), CERTIFICATE);
        assert_eq!(failed_step(&seen, Implicit, ErrorKind::Connection), TLS);
        seen.greeting = Some(String::new());
        assert_eq!([Clear, StartTls].map(|it| step(&seen, it)), [CAPABILITIES, CERTIFICATE]);
        seen.secured = Some((String::new(), String::new()));
        assert_eq!([StartTls, Implicit].map(|it| step(&seen, it)), [CAPABILITIES; 2]);
    }
}
