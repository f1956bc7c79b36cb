//! Records that say who may send for a domain (SPF), and how its MX must be reached (MTA-STS, RFC 8461).

use crate::{
    ask::Dns,
    message::{Data, Kind, Name},
    trouble::Trouble,
};

/// Longest policy that is read (RFC 8461, section 3.2).
const MAX_POLICY: usize = 64 * 1024;

/// Records about the use of a domain's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecords {
    /// The SPF record.
    pub spf: Option<String>,
    /// The DMARC record.
    pub dmarc: Option<String>,
    /// The MTA-STS record. If there is one, the policy is at <https://mta-sts.DOMAIN/.well-known/mta-sts.txt>.
    pub mta_sts: Option<String>,
}

/// Strictness of an MTA-STS policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsMode {
    /// Senders deliver to no host that the policy does not name.
    Enforce,
    /// Senders deliver, and report.
    Testing,
    None,
}

/// An MTA-STS policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    pub mode: StsMode,
    /// Names of MX hosts; `*.example.org` stands for one label.
    pub hosts: Vec<String>,
}

impl Dns {
    /// Asks the resolvers for the SPF, DMARC and MTA-STS records of a domain.
    pub async fn policy_records(&self, domain: &str) -> Result<PolicyRecords, Trouble> {
        let name = Name::parse(domain)?;
        let below = |label: &str| Name::parse(&format!("{label}.{domain}"));
        let (dmarc, sts) = (below("_dmarc")?, below("_mta-sts")?);
        let (spf, dmarc, mta_sts) = tokio::join!(
            self.text_record(&name, "v=spf1"),
            self.text_record(&dmarc, "v=DMARC1"),
            self.text_record(&sts, "v=STSv1"),
        );
        Ok(PolicyRecords { spf: spf?, dmarc: dmarc?, mta_sts: mta_sts? })
    }

    /// Returns the TXT record with this first word.
    async fn text_record(&self, name: &Name, version: &str) -> Result<Option<String>, Trouble> {
        let reply = self.resolve(name, Kind::Txt).await?;
        let texts = reply.records.iter().filter_map(|record| match &record.data {
            Data::Txt(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        });
        Ok(texts.into_iter().find(|text| has_version(text, version)))
    }
}

fn has_version(text: &str, version: &str) -> bool {
    let first = text.split([' ', ';']).next().unwrap_or_default();
    first.eq_ignore_ascii_case(version)
}

impl StsPolicy {
    /// Reads a policy; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_POLICY {
            return None;
        }
        let pairs: Vec<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        let value = |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        if value("version") != Some("STSv1") {
            return None;
        }
        let mode = match value("mode")? {
            "enforce" => StsMode::Enforce,
            "testing" => StsMode::Testing,
            "none" => StsMode::None,
            _ => return None,
        };
        let hosts = pairs.iter().filter(|(name, _)| *name == "mx").map(|(_, host)| host.to_ascii_lowercase());
        Some(Self { mode, hosts: hosts.collect() })
    }

    /// True if the policy lets senders deliver to this host.
    pub fn allows(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.mode != StsMode::Enforce
            || self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => *allowed == host,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_the_rfc_says() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";
        let policy = StsPolicy::parse(text).unwrap();
        for (host, allowed) in [
            ("mail.example.com", true),
            ("MAIL.example.com.", true),
            ("a.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
            ("mail.example.org", false),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
        let testing = StsPolicy::parse(&text.replace("enforce", "testing")).unwrap();
        assert!(testing.allows("mail.example.org"));
        for bad in ["", "<html>", "version: STSv2\nmode: none", "version: STSv1\nmode: sometimes"] {
            assert_eq!(StsPolicy::parse(bad), None, "{bad}");
        }
        assert_eq!(StsPolicy::parse(&format!("{text}{}", "x".repeat(MAX_POLICY))), None);
    }
}
