//! Finds domains that the target does not accept. Pure.

/// Check results of one domain at the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainTally {
    /// Domain of the addresses, in lower case.
    pub domain: String,
    /// Addresses of the batch in this domain.
    pub addresses: u64,
    /// Addresses whose mailbox was opened.
    pub opened: u64,
    /// Addresses whose mailbox cannot be opened. The others are not checked yet.
    pub failed: u64,
    /// Server's words about one that cannot be opened.
    pub words: Option<String>,
}

/// Server texts for an unknown domain.
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

/// Warnings for domains that the target seems not to accept.
///
/// Either the server says so, or every address was checked and none can be opened while other
/// domains can.
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
        "{domain}: {which} at \"{target}\"{words}; add it to the accepted domains of the target, or check the addresses"
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
                "contoso.edu: none of its 14 addresses can be opened at \"M365\"; add it to the accepted domains \
                 of the target, or check the addresses"
            ]
        );
        // If no mailbox opens, or some are not checked, the reason need not be the domain.
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
