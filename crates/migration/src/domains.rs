//! Domains of which the target opens no mailbox. A pure decision.

/// How the mailboxes of one domain were found at the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainTally {
    /// The domain of their addresses, in small letters.
    pub domain: String,
    /// Addresses of the batch in it.
    pub addresses: u64,
    /// Those that were opened.
    pub opened: u64,
    /// Those that cannot be opened. The others are not checked yet.
    pub failed: u64,
    /// The server's words about one that cannot be opened.
    pub words: Option<String>,
}

/// How servers say that it is the domain that they do not know.
const UNKNOWN: [&str; 8] = [
    "unknown domain",
    "domain not found",
    "domain does not exist",
    "domain is not",
    "invalid domain",
    "no such domain",
    "unrouteable domain",
    "not an accepted domain",
];

/// Warnings for the domains that the target does not seem to accept: those of which every address was tried and none can be
/// opened while others can, and those of which the server says so.
pub fn unaccepted_domains(tallies: &[DomainTally], target: &str) -> Vec<String> {
    let opens_others = tallies.iter().any(|it| it.opened > 0);
    let is_unaccepted = |it: &&DomainTally| {
        let none_opens = it.opened == 0 && it.failed == it.addresses && it.failed > 0;
        (none_opens && opens_others) || says_so(it)
    };
    tallies.iter().filter(is_unaccepted).map(|it| warning(it, target)).collect()
}

fn says_so(tally: &DomainTally) -> bool {
    let words = tally.words.as_deref().unwrap_or_default().to_ascii_lowercase();
    tally.failed > 0 && tally.opened == 0 && UNKNOWN.iter().any(|it| words.contains(it))
}

fn warning(tally: &DomainTally, target: &str) -> String {
    let domain = &tally.domain;
    let which = match tally.addresses {
        _ if tally.failed < tally.addresses => {
            format!("{} of its {} addresses cannot be opened", tally.failed, tally.addresses)
        }
        1 => "its only address cannot be opened".to_owned(),
        addresses => format!("none of its {addresses} addresses can be opened"),
    };
    let words = tally.words.as_deref().filter(|_| says_so(tally));
    let words = words.map(|it| format!(" ({it})")).unwrap_or_default();
    format!(
        "{domain}: {which} at \"{target}\"{words}; add the domain to the target first (accepted domain), or check the addresses"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(domain: &str, [addresses, opened, failed]: [u64; 3]) -> DomainTally {
        DomainTally {
            domain: domain.to_owned(),
            addresses,
            opened,
            failed,
            words: Some("refused".to_owned()),
        }
    }

    fn named(tallies: &[DomainTally]) -> Vec<String> {
        unaccepted_domains(tallies, "M365")
    }

    #[test]
    fn a_domain_without_any_mailbox_is_named_where_others_have_some() {
        let (good, bad) = (tally("contoso.com", [20, 19, 1]), tally("contoso.edu", [14, 0, 14]));
        assert_eq!(
            named(&[good.clone(), bad.clone()]),
            [
                "contoso.edu: none of its 14 addresses can be opened at \"M365\"; add the domain to the target first \
                 (accepted domain), or check the addresses"
            ]
        );
        // Where nothing opens at all, it need not be the domain; nor where some were not tried.
        assert_eq!(named(&[bad]), [""; 0]);
        assert_eq!(named(&[good.clone(), tally("contoso.edu", [14, 0, 13])]), [""; 0]);
        assert_eq!(named(&[good.clone(), tally("contoso.edu", [14, 1, 13])]), [""; 0]);
        assert_eq!(named(&[good.clone(), tally("contoso.edu", [14, 0, 0])]), [""; 0]);
        let only = named(&[good, tally("fabrikam.edu", [1, 0, 1])]);
        assert!(only[0].starts_with("fabrikam.edu: its only address cannot be opened at"), "{only:?}");
    }

    #[test]
    fn a_server_that_knows_no_such_domain_is_believed() {
        let says = |[addresses, opened, failed]: [u64; 3]| DomainTally {
            words: Some("NO [AUTHENTICATIONFAILED] Unknown domain contoso.edu".to_owned()),
            ..tally("contoso.edu", [addresses, opened, failed])
        };
        let words = named(&[says([3, 0, 1])]).remove(0);
        assert!(words.contains("1 of its 3 addresses cannot be opened at \"M365\" (NO [AUTH"), "{words}");
        assert_eq!(named(&[says([3, 1, 1])]), [""; 0]);
        assert_eq!(named(&[says([3, 0, 0])]), [""; 0]);
    }
}
