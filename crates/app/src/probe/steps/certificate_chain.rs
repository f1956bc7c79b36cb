//! Certificates of a server: views, descriptions, warnings and advice.

use jiff::Timestamp;
use mailhaul_imap::{Certificate, CertificateContent};

use crate::{output::text, probe::findings::ChainCertificate};

/// A certificate that expires in fewer days is a warning.
const EXPIRY_WARNING_DAYS: i64 = 30;

const SECONDS_PER_DAY: i64 = 86_400;

/// Returns the view of the certificate at this time.
pub(crate) fn view(certificate: &Certificate, now: Timestamp) -> ChainCertificate {
    let content = certificate.content.as_ref();
    let moment = |it: i64| Timestamp::from_second(it).ok();
    ChainCertificate {
        subject: content.map(|it| it.subject.clone()),
        issuer: content.map(|it| it.issuer.clone()),
        names: content.map(|it| it.names.clone()).unwrap_or_default(),
        valid_from: content.and_then(|it| moment(it.not_before)),
        valid_to: content.and_then(|it| moment(it.not_after)),
        days_left: content.map(|it| days_left(it, now)),
        sha256: text::hexadecimal(&certificate.sha256),
        is_self_signed: certificate.is_self_signed(),
    }
}

fn days_left(content: &CertificateContent, now: Timestamp) -> i64 {
    (content.not_after - now.as_second()).div_euclid(SECONDS_PER_DAY)
}

/// Describes the server's own certificate in one line.
pub(crate) fn describe(certificate: &ChainCertificate) -> String {
    let or_no_name = |name: &Option<String>| match name.as_deref() {
        None | Some("") => "(no name)".to_owned(),
        Some(name) => name.to_owned(),
    };
    if certificate.subject.is_none() {
        return format!("it cannot be read; SHA-256 {}", certificate.sha256);
    }
    let issuer = if certificate.is_self_signed {
        "self-signed".to_owned()
    } else {
        format!("issued by {}", or_no_name(&certificate.issuer))
    };
    let day = |it: &Option<Timestamp>| it.map(|it| it.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let left = match certificate.days_left.unwrap_or_default() {
        days @ 0.. => format!("{} left", text::count(days.unsigned_abs(), "day", "days")),
        days => format!("expired {} ago", text::count(days.unsigned_abs(), "day", "days")),
    };
    format!(
        "{}, {issuer}, for {}, valid from {} to {} ({left}), SHA-256 {}",
        or_no_name(&certificate.subject),
        names(&certificate.names),
        day(&certificate.valid_from),
        day(&certificate.valid_to),
        certificate.sha256
    )
}

fn names(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match (shown.as_str(), more) {
        ("", _) => "no host".to_owned(),
        (_, 0) => shown,
        _ => format!("{shown} and {more} more"),
    }
}

/// Warning about a certificate that was accepted; `None` if there is nothing to warn of.
pub(crate) fn warning(certificate: &ChainCertificate, names_host: bool, host: &str) -> Option<String> {
    let days = certificate.days_left.unwrap_or(i64::MAX);
    let mut warnings = Vec::new();
    if !names_host {
        warnings.push(format!("it is not valid for {host}"));
    }
    if certificate.is_self_signed {
        warnings.push("no authority signed it".to_owned());
    }
    if days < 0 {
        warnings.push("it has expired".to_owned());
    } else if days < EXPIRY_WARNING_DAYS {
        warnings.push("it expires soon; renew it, or all connections will fail".to_owned());
    }
    if warnings.is_empty() { None } else { Some(warnings.join("; ")) }
}

/// Advice for a certificate that was refused.
pub(crate) fn advice(certificate: &ChainCertificate, names_host: bool, is_pinned: bool) -> String {
    let pin = format!("-CertificateSha256 {} trusts exactly this certificate", certificate.sha256);
    let days = certificate.days_left.unwrap_or_default();
    if is_pinned {
        return format!(
            "Compare it with the server's certificate. If that was renewed, {pin}; otherwise an attacker may intercept the connection."
        );
    }
    if days < 0 {
        return format!("Renew the server's certificate; until then {pin}.");
    }
    if !names_host && !certificate.names.is_empty() {
        return format!(
            "Set -RemoteServer to a name in the certificate ({}), or {pin}.",
            names(&certificate.names)
        );
    }
    if certificate.is_self_signed {
        return format!("If you know this certificate, {pin}.");
    }
    format!("Give the authority's certificate with -CertificateAuthorities, or {pin}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str], days: i64, issuer: &str) -> ChainCertificate {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let content = CertificateContent {
            subject: "mail.example".to_owned(),
            issuer: issuer.to_owned(),
            names: names.iter().map(|it| (*it).to_owned()).collect(),
            not_before: 1_690_000_000,
            not_after: now.as_second() + days * SECONDS_PER_DAY,
            is_self_signed: issuer == "mail.example",
        };
        view(&Certificate { sha256: [0xAB; 32], content: Some(content) }, now)
    }

    #[test]
    fn a_certificate_is_one_line() {
        let sha256 = "ab".repeat(32);
        assert_eq!(
            describe(&certificate(&["mail.example", "127.0.0.1"], 1, "An authority")),
            format!(
                "mail.example, issued by An authority, for mail.example, 127.0.0.1, valid from 2023-07-22 to 2023-11-15 \
                 (1 day left), SHA-256 {sha256}"
            )
        );
        let old = describe(&certificate(&[], -3, "mail.example"));
        assert!(old.contains("self-signed, for no host") && old.contains("(expired 3 days ago)"), "{old}");
        let many = ["a"; 7];
        assert!(
            describe(&certificate(&many, 9, ""))
                .contains("issued by (no name), for a, a, a, a, a and 2 more")
        );
        let unreadable = view(&Certificate { sha256: [1; 32], content: None }, Timestamp::UNIX_EPOCH);
        assert!(describe(&unreadable).starts_with("it cannot be read; SHA-256 0101"));
    }

    #[test]
    fn advice_depends_on_the_fault() {
        let good = certificate(&["mail.example"], 100, "An authority");
        for (certificate, names_host, is_pinned, words) in [
            (certificate(&["mail.example"], -1, "An authority"), true, false, "Renew"),
            (
                certificate(&["www.example"], 9, "An authority"),
                false,
                false,
                "-RemoteServer to a name in the certificate (www.example)",
            ),
            (certificate(&["mail.example"], 9, "mail.example"), true, false, "If you know this certificate"),
            (good.clone(), true, false, "-CertificateAuthorities"),
            (good.clone(), true, true, "was renewed"),
        ] {
            let advice = advice(&certificate, names_host, is_pinned);
            assert!(advice.contains(words) && advice.contains("-CertificateSha256 abab"), "{advice}");
        }
        assert_eq!(warning(&good, true, "mail.example"), None);
        let soon = certificate(&["mail.example"], EXPIRY_WARNING_DAYS - 1, "mail.example");
        let warnings = warning(&soon, false, "other").unwrap();
        assert!(
            warnings.starts_with("it is not valid for other; no authority signed it; it expires soon"),
            "{warnings}"
        );
    }
}
