//! Refusals of token servers, with advice for the administrator.

use std::time::Duration;

use mailhaul_mail::{Redactor, Retry, Search};

use crate::error::TokenError;

/// Subject of a token request, for messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
    /// Mailbox that the token is for.
    pub(crate) mailbox: &'a str,
}

/// Effect of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// No mailbox gets a token until the administrator changes something.
    All,
    /// This mailbox gets no token.
    Mailbox,
    /// A later request may succeed.
    Later,
}

use Means::{All, Later, Mailbox};

/// Delay before a busy server is asked again, if it names no delay.
const BUSY_DELAY: Duration = Duration::from_mins(1);

const NEW_SECRET: &str = "Make a new client secret (Microsoft Entra admin center, App registrations, the application {client}, \
                          Certificates & secrets), and give its value, not its ID, with Set-MigrationEndpoint -ClientSecret";
const CERTIFICATE: &str = "Upload the certificate (its public part) to the application {client} (Microsoft Entra admin center, App \
                           registrations, Certificates & secrets), check that it has not expired, and give the file with its \
                           private key with Set-MigrationEndpoint -CertificateFile";
const SCOPE: &str = "An application asks for https://outlook.office365.com/.default, a user who signs in for \
                     https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
const SIGN_IN: &str = "Sign in again with `mailhaul login`";
const CLOCK: &str = "The times in the request differ from the token server's; set this machine's clock (NTP)";
const POLICY: &str = "A conditional access policy of the organisation forbids it: exempt the application {client}, or allow this \
                      machine's address (Microsoft Entra admin center, Protection, Conditional Access)";
const TENANT: &str =
    "Check -TenantId: the organisation's GUID or a domain of it, in the cloud of this token endpoint";

/// Microsoft's error numbers (AADSTS),
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.
const MICROSOFT: &[(u32, Means, &str)] = &[
    (7_000_215, All, NEW_SECRET),
    (7_000_222, All, NEW_SECRET),
    (
        7_000_218,
        All,
        "The request contains neither secret nor certificate. For an application that has one, give -ClientSecret or \
         -CertificateFile; for users who sign in, turn on \"Allow public client flows\" (App registrations, the application \
         {client}, Authentication)",
    ),
    (
        7_000_112,
        All,
        "The application {client} is disabled in the organisation (Enterprise applications, Properties)",
    ),
    (
        7_000_229,
        All,
        "The application {client} has no enterprise application in the organisation; an administrator must consent to it",
    ),
    (
        700_016,
        All,
        "The organisation has no application {client}; check -ApplicationId and -TenantId, and that an administrator \
         has consented to it",
    ),
    (90_002, All, TENANT),
    (900_023, All, TENANT),
    (90_023, All, SCOPE),
    (700_027, All, CERTIFICATE),
    (700_024, All, CLOCK),
    (700_021, All, "The assertion belongs to another application; check -ApplicationId"),
    (700_023, All, "The assertion is for another URL; check -TokenUrl and -TenantId"),
    (70_011, All, SCOPE),
    (1_002_012, All, SCOPE),
    (900_144, All, SCOPE),
    (
        500_011,
        All,
        "The organisation has no resource for the scope {scope}; check the scope, and that the organisation has Exchange Online",
    ),
    (
        65_001,
        All,
        "The consent is missing; an administrator opens App registrations, the application {client}, API permissions, and \
         chooses \"Grant admin consent\"",
    ),
    (
        50_105,
        All,
        "The application {client} is limited to users who are assigned to it (Enterprise applications, Users and groups)",
    ),
    (53_000, All, POLICY),
    (53_001, All, POLICY),
    (53_003, All, POLICY),
    (50_076, All, "A second factor is required; sign in again with `mailhaul login`"),
    (50_079, All, "A second factor must be set up; do that in a browser, then run `mailhaul login`"),
    (50_158, All, "A second factor is required; sign in again with `mailhaul login`"),
    (70_000, All, SIGN_IN),
    (70_008, All, SIGN_IN),
    (70_043, All, SIGN_IN),
    (700_082, All, SIGN_IN),
    (700_084, All, SIGN_IN),
    (50_173, All, SIGN_IN),
    (50_034, Mailbox, "The organisation has no such user; check the address and -TenantId"),
    (50_020, Mailbox, "The user belongs to another organisation; check the address and -TenantId"),
    (90_072, Mailbox, "The user belongs to another organisation; check the address and -TenantId"),
    (50_057, Mailbox, "The user is disabled (Microsoft Entra admin center, Users)"),
    (50_055, Mailbox, "The user's password has expired; change it in a browser first"),
    (50_053, Mailbox, "The user is locked after too many attempts, or this machine's address is blocked"),
    (90_033, Later, "Microsoft calls the error temporary"),
    (50_196, Later, "Microsoft received the same request too often"),
];

/// Errors of other servers, mainly Google's: error code (RFC 6749, section 5.2; empty for any),
/// text, effect, advice. The first match applies.
const OTHERS: &[(&str, &str, Means, &str)] = &[
    (
        "unauthorized_client",
        "unauthorized to retrieve access tokens",
        All,
        "The domain of {mailbox} has not delegated to this service account: a super administrator opens admin.google.com, \
         Security, Access and data control, API controls, Manage domain-wide delegation, Add new, and enters the client ID \
         {client} with the scope {scope}. It may take some minutes",
    ),
    (
        "invalid_grant",
        "invalid email or user id",
        Mailbox,
        "Google Workspace has no user {mailbox}, or it is an alias or a group; check the address",
    ),
    (
        "invalid_grant",
        "invalid impersonation",
        Mailbox,
        "{mailbox} is not the address of a user in Google Workspace; check it",
    ),
    (
        "invalid_grant",
        "not a valid email",
        Mailbox,
        "{mailbox} is not the address of a user in Google Workspace; check it",
    ),
    (
        "invalid_grant",
        "account not found",
        All,
        "The service account no longer exists; make a key of an existing one, and give it with Set-MigrationEndpoint \
         -ServiceAccountKeyFileData",
    ),
    (
        "invalid_grant",
        "invalid jwt signature",
        All,
        "The key of the service account was deleted or replaced; make a new one (console.cloud.google.com, IAM & Admin, Service \
         Accounts, Keys), and give its file with Set-MigrationEndpoint -ServiceAccountKeyFileData",
    ),
    ("invalid_grant", "short-lived token", All, CLOCK),
    ("invalid_grant", "reasonable timeframe", All, CLOCK),
    ("invalid_grant", "audience", All, "The assertion is for another URL; check -TokenUrl"),
    (
        "invalid_grant",
        "reauth",
        All,
        "The organisation requires a new sign-in from time to time (Google Cloud session control); exempt the application, or \
         sign in again with `mailhaul login`",
    ),
    ("invalid_grant", "expired or revoked", All, SIGN_IN),
    (
        "disabled_client",
        "",
        All,
        "The application or the service account {client} is disabled (console.cloud.google.com)",
    ),
    ("deleted_client", "", All, "The application {client} was deleted"),
    (
        "admin_policy_enforced",
        "",
        All,
        "The organisation does not trust the application: admin.google.com, Security, API controls, App access control, {client}",
    ),
    (
        "org_internal",
        "",
        All,
        "The application {client} is limited to users of its own organisation (console.cloud.google.com, OAuth consent screen)",
    ),
    (
        "access_denied",
        "",
        All,
        "An administrator or the user refused; allow the application {client} the scope {scope}",
    ),
    ("invalid_client", "", All, "Check the client id {client} and its secret"),
    (
        "invalid_scope",
        "",
        All,
        "Check the scope \"{scope}\": Google requires https://mail.google.com/ for IMAP",
    ),
    ("temporarily_unavailable", "", Later, "The server calls the error temporary"),
    ("server_error", "", Later, "The server calls the error temporary"),
];

/// Describes a refusal. `code` and `said` are the server's, without secrets and control characters.
pub(crate) fn refusal(host: &str, code: &str, said: &str, about: About<'_>) -> TokenError {
    let (means, advice) = meaning(code, said).unwrap_or((All, ""));
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.trim_end_matches('.')) };
    let mut message = format!("{host} refused to issue a token ({code}{said})");
    if !advice.is_empty() {
        message = format!("{message}. {}", fill(advice, about));
    }
    TokenError {
        message,
        code: Some(code.to_owned()),
        retry: if means == Later { Retry::After(Some(BUSY_DELAY)) } else { Retry::Never },
        concerns_all: means != Mailbox,
    }
}

fn meaning(code: &str, said: &str) -> Option<(Means, &'static str)> {
    if let Some(number) = microsoft_number(said) {
        let row = MICROSOFT.iter().find(|(row, ..)| *row == number)?;
        return Some((row.1, row.2));
    }
    let said = said.to_ascii_lowercase();
    let row = OTHERS.iter().find(|(error, words, ..)| *error == code && said.contains(words))?;
    Some((row.2, row.3))
}

/// Returns the number in `AADSTS7000215: Invalid client secret provided.`
fn microsoft_number(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("AADSTS")?;
    let digits = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    rest[..digits].parse().ok()
}

fn fill(advice: &str, about: About<'_>) -> String {
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    advice
        .replace("{client}", &or(about.client_id, "that is asked for"))
        .replace("{scope}", &or(about.scope, "that is asked for"))
        .replace("{mailbox}", &or(about.mailbox, "the mailbox"))
}

/// Server text that is safe to display: the first line, truncated, without any form of the secrets
/// that were sent.
pub(crate) fn clean(said: &str, secrets: &Redactor) -> String {
    const SEARCHED: usize = 4096;
    const SHOWN: usize = 400;
    // The following lines contain ids for Microsoft's own support.
    let mut said = said.split(['\r', '\n']).next().unwrap_or_default();
    if let Some((words, _)) = said.split_once(" Trace ID:") {
        said = words;
    }
    let said: String = said.chars().take(SEARCHED).collect();
    let said = secrets.redact(&said, Search::Decoded);
    said.chars().take(SHOWN).map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Secret;

    use super::*;

    const ABOUT: About<'_> =
        About { client_id: "1234", scope: "https://mail.google.com/", mailbox: "ann@example.org" };

    #[test]
    fn microsofts_numbers_are_told_apart() {
        let told = |said: &str| refusal("login.microsoftonline.com", "invalid_client", said, ABOUT);
        let secret = told("AADSTS7000215: Invalid client secret provided.");
        assert_eq!(
            secret.message.split(". ").next().unwrap(),
            "login.microsoftonline.com refused to issue a token (invalid_client: AADSTS7000215: Invalid client secret provided)"
        );
        assert!(secret.message.contains("the application 1234"), "{secret}");
        // One number is a prefix of the other.
        assert!(told("AADSTS70008: expired").message.contains("mailhaul login"));
        assert!(told("AADSTS700082: expired").message.contains("mailhaul login"));
        assert!(told("AADSTS70001: what is that").message.ends_with("what is that)"));
        assert!(told("AADSTS700016: no application").message.contains("-ApplicationId"));
        for (number, whom) in [(50_034, false), (7_000_222, true), (65_001, true), (53_003, true)] {
            assert_eq!(told(&format!("AADSTS{number}: x")).concerns_all, whom, "{number}");
        }
        assert_eq!(told("AADSTS90033: A transient error").retry, Retry::After(Some(BUSY_DELAY)));
        assert_eq!(told("AADSTS99999999999999999: x").retry, Retry::Never);
    }

    #[test]
    fn each_number_stands_once() {
        let mut numbers: Vec<u32> = MICROSOFT.iter().map(|it| it.0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), MICROSOFT.len());
    }

    #[test]
    fn googles_words_say_whom_they_concern() {
        let told = |code: &str, said: &str| refusal("oauth2.googleapis.com", code, said, ABOUT);
        let delegation = told(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
             scopes requested.",
        );
        for word in ["client ID 1234", "scope https://mail.google.com/", "domain-wide delegation"] {
            assert!(delegation.message.contains(word), "{word}: {delegation}");
        }
        assert!(delegation.concerns_all);
        for (said, whom, word) in [
            ("Invalid email or User ID", false, "ann@example.org"),
            ("Invalid impersonation &quot;sub&quot; field: ann", false, "ann@example.org"),
            ("Invalid grant: account not found", true, "service account"),
            ("Invalid JWT Signature.", true, "-ServiceAccountKeyFileData"),
            (
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
                true,
                "clock",
            ),
            ("Token has been expired or revoked.", true, "mailhaul login"),
        ] {
            let error = told("invalid_grant", said);
            assert_eq!(error.concerns_all, whom, "{said}");
            assert!(error.message.contains(word), "{error}");
        }
        // An unknown error is shown as it is.
        assert_eq!(
            told("invalid_grant", "Bad Request").message,
            "oauth2.googleapis.com refused to issue a token (invalid_grant: Bad Request)"
        );
        assert!(told("org_internal", "").message.contains("(org_internal). "));
    }

    #[test]
    fn words_of_a_server_hold_no_secret_and_no_command() {
        let said = "AADSTS1: hunter2 is \x1bwrong. Trace ID: 5 Correlation ID: 6 Timestamp: 7";
        let (mut secrets, none) = (Redactor::default(), Redactor::default());
        secrets.add(&Secret::new("hunter2"));
        assert_eq!(clean(said, &secrets), "AADSTS1: [redacted] is \u{fffd}wrong.");
        for form in ["HUNTER2", "68756e74657232", "aHVudGVyMg==", "%68unter2"] {
            assert_eq!(clean(&format!("no {form} here"), &secrets), "no [redacted] here", "{form}");
        }
        assert_eq!(clean("one\r\ntwo", &none), "one");
        assert_eq!(clean(&"x".repeat(9999), &none).len(), 400);
    }
}
