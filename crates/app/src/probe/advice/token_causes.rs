//! Causes of a refused access token: one table, chosen by the service's words.
//!
//! Each text lists the causes in the order of their frequency.

use EndpointType::{GoogleWorkspace, Microsoft365};
use mailhaul_migration::EndpointType;

use crate::probe::other_side::OtherSide;

/// Meaning of a refusal.
struct Cause {
    service: EndpointType,
    /// True for applications in their own name, false for users; `None` for both.
    for_application: Option<bool>,
    /// Words of the server in lower case, one of which must occur; empty for any words.
    words: &'static [&'static str],
    /// Summary. `{mailbox}` and `{application}` are replaced, here and in the advice.
    message: &'static str,
    advice: &'static str,
}

/// The first one that matches counts.
const CAUSES: [Cause; 6] = [
    Cause {
        service: Microsoft365,
        for_application: None,
        words: &["authenticated but not connected"],
        message: "Microsoft 365 accepts the token but does not open the mailbox {mailbox}",
        advice: "One of three causes: (1) no permission: Add-MailboxPermission -Identity {mailbox} -User <service principal or \
                 user> -AccessRights FullAccess -AutoMapping $false; (2) there is no mailbox {mailbox}, or it has no licence: \
                 Get-Mailbox -Identity {mailbox}; (3) IMAP is disabled for it: Set-CASMailbox -Identity {mailbox} \
                 -ImapEnabled $true. A change takes effect within an hour.",
    },
    Cause {
        service: Microsoft365,
        for_application: Some(true),
        words: &[],
        message: "Microsoft 365 refuses the token of the application {application} for {mailbox}",
        advice: "One of these causes: (1) the application has no service principal in Exchange Online, or it was created with the \
                 object id of the app registration instead of that of the ENTERPRISE application: Get-ServicePrincipal, then \
                 New-ServicePrincipal -AppId {application} -ObjectId <object id of the enterprise application>; (2) the service \
                 principal may not open the mailbox: Add-MailboxPermission -Identity {mailbox} -User <service principal> \
                 -AccessRights FullAccess -AutoMapping $false; (3) there is no mailbox {mailbox}; (4) the token lacks the \
                 permission IMAP.AccessAsApp (see the step Token). A change takes effect within an hour.",
    },
    Cause {
        service: Microsoft365,
        for_application: None,
        words: &[],
        message: "Microsoft 365 refuses the token for {mailbox}",
        advice: "One of these causes: (1) the user who signed in may not open {mailbox}: Add-MailboxPermission -Identity {mailbox} \
                 -User <user> -AccessRights FullAccess -AutoMapping $false; (2) there is no mailbox {mailbox}; (3) the token is \
                 not for IMAP.AccessAsUser.All; (4) IMAP is disabled: Set-CASMailbox -Identity {mailbox} \
                 -ImapEnabled $true.",
    },
    Cause {
        service: GoogleWorkspace,
        for_application: None,
        words: &["not enabled for imap", "imap access is disabled", "imap is disabled", "disabled imap"],
        message: "IMAP is disabled for {mailbox} at Google",
        advice: "Enable it for the user's organisational unit: Admin console, Apps, Google Workspace, Gmail, End User Access, POP \
                 and IMAP access, Enable IMAP access for all users. If users choose themselves, the user enables it in Gmail, \
                 Settings, Forwarding and POP/IMAP.",
    },
    Cause {
        service: GoogleWorkspace,
        for_application: None,
        words: &["web browser", "web login", "weblogin"],
        message: "Google requires a sign-in of {mailbox} with a browser first",
        advice: "Let the user sign in once at https://mail.google.com and accept the terms; then run the test again.",
    },
    Cause {
        service: GoogleWorkspace,
        for_application: None,
        words: &[],
        message: "Google refuses the token for {mailbox}",
        advice: "One of these causes: (1) {mailbox} is not the address of a user: aliases and groups have no mailbox; (2) the user is \
                 suspended, or Gmail is disabled for the organisational unit (Admin console, Apps, Google Workspace, Gmail, \
                 Service status); (3) the token is not for the scope https://mail.google.com/, the only one that IMAP accepts.",
    },
];

/// Returns the summary and the advice for a refusal with these words.
pub(crate) fn explain(side: &OtherSide, words: &str) -> Option<(String, String)> {
    let words = words.to_lowercase();
    let cause = CAUSES.iter().find(|cause| {
        cause.service == side.endpoint_type
            && cause.for_application.is_none_or(|wanted| wanted == side.is_application())
            && (cause.words.is_empty() || cause.words.iter().any(|known| words.contains(known)))
    })?;
    let filled =
        |text: &str| text.replace("{mailbox}", side.mailbox()).replace("{application}", side.application());
    Some((filled(cause.message), filled(cause.advice)))
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::{Grant, OAuth};

    use super::*;

    fn side(endpoint_type: EndpointType, grant: Grant) -> OtherSide {
        let oauth = OAuth {
            grant,
            token_url: String::new(),
            device_url: String::new(),
            client_id: "app-1".to_owned(),
            scope: String::new(),
            tenant: None,
        };
        let mailbox = Some("ann@contoso.com".to_owned());
        OtherSide { endpoint_type, endpoint: None, oauth, mailbox, by_gmail_api: false }
    }

    #[test]
    fn words_choose_the_cause() {
        let app = || Grant::ClientSecret;
        let user = || Grant::RefreshToken { user: None };
        for (endpoint_type, grant, words, message, advice) in [
            (
                Microsoft365,
                app(),
                "NO AUTHENTICATE failed.",
                "the token of the application app-1 for ann@contoso.com",
                "New-ServicePrincipal -AppId app-1 -ObjectId <object id of the enterprise application>",
            ),
            (
                Microsoft365,
                user(),
                "NO AUTHENTICATE failed.",
                "the token for ann@contoso.com",
                "the user who signed in",
            ),
            (
                Microsoft365,
                app(),
                "BAD User is authenticated but not connected.",
                "does not open the mailbox ann@contoso.com",
                "Set-CASMailbox -Identity ann@contoso.com -ImapEnabled $true",
            ),
            (
                GoogleWorkspace,
                app(),
                "NO [ALERT] Your account is not enabled for IMAP use. (Failure)",
                "IMAP is disabled for ann@contoso.com",
                "organisational unit",
            ),
            (
                GoogleWorkspace,
                app(),
                "NO IMAP access is disabled for your domain.",
                "IMAP is disabled",
                "End User Access",
            ),
            (GoogleWorkspace, app(), "NO [WEBALERT x] Web login required.", "browser", "mail.google.com"),
            (
                GoogleWorkspace,
                app(),
                "NO [AUTHENTICATIONFAILED] Invalid credentials",
                "refuses the token",
                "suspended",
            ),
        ] {
            let (summary, advised) = explain(&side(endpoint_type, grant), words).unwrap();
            assert!(summary.contains(message) && advised.contains(advice), "{words}: {summary}. {advised}");
            assert!(!summary.contains('{') && !advised.contains('{'), "{advised}");
        }
        assert_eq!(explain(&side(EndpointType::Imap, app()), "NO"), None);
    }
}
