//! Why a service lets nobody in who shows a token, by its words: one table. Its texts say what to look at, in the order of how
//! often it is the reason.

use EndpointType::{GoogleWorkspace, Microsoft365};
use mailhaul_migration::EndpointType;

use crate::probe::other_side::OtherSide;

/// What a refusal means.
struct Cause {
    of: EndpointType,
    /// Whether it is told to applications in their own name, or to those that somebody signed in to; `None` to both.
    to_application: Option<bool>,
    /// Words of the server, in lower case; none for whatever it says.
    words: &'static [&'static str],
    /// What happened; `{mailbox}` and `{application}` are the real ones, here and below.
    message: &'static str,
    advice: &'static str,
}

/// The first that fits counts.
const CAUSES: [Cause; 6] = [
    Cause {
        of: Microsoft365,
        to_application: None,
        words: &["authenticated but not connected"],
        message: "Microsoft 365 takes the token, and does not open the mailbox {mailbox}",
        advice: "One of three causes: (1) no permission: Add-MailboxPermission -Identity {mailbox} -User <service principal or \
                 user> -AccessRights FullAccess -AutoMapping $false; (2) there is no mailbox {mailbox}, or it has no licence: \
                 Get-Mailbox -Identity {mailbox}; (3) IMAP is switched off for it: Set-CASMailbox -Identity {mailbox} \
                 -ImapEnabled $true. A change takes up to an hour to be heeded.",
    },
    Cause {
        of: Microsoft365,
        to_application: Some(true),
        words: &[],
        message: "Microsoft 365 refuses the token of the application {application} for {mailbox}",
        advice: "One of these causes: (1) the application has no service principal in Exchange Online, or it was made with the \
                 object id of the app registration in place of that of the ENTERPRISE application: Get-ServicePrincipal, then \
                 New-ServicePrincipal -AppId {application} -ObjectId <object id of the enterprise application>; (2) the service \
                 principal may not open the mailbox: Add-MailboxPermission -Identity {mailbox} -User <service principal> \
                 -AccessRights FullAccess -AutoMapping $false; (3) there is no mailbox {mailbox}; (4) the token names no \
                 permission IMAP.AccessAsApp (the step Token shows which). A change takes up to an hour to be heeded.",
    },
    Cause {
        of: Microsoft365,
        to_application: None,
        words: &[],
        message: "Microsoft 365 refuses the token for {mailbox}",
        advice: "One of these causes: (1) whoever signed in may not open {mailbox}: Add-MailboxPermission -Identity {mailbox} \
                 -User <user> -AccessRights FullAccess -AutoMapping $false; (2) there is no mailbox {mailbox}; (3) the token is \
                 for something else than IMAP.AccessAsUser.All; (4) IMAP is switched off: Set-CASMailbox -Identity {mailbox} \
                 -ImapEnabled $true.",
    },
    Cause {
        of: GoogleWorkspace,
        to_application: None,
        words: &["not enabled for imap", "imap access is disabled", "imap is disabled", "disabled imap"],
        message: "Google has IMAP switched off for {mailbox}",
        advice: "Switch it on for the user's organisational unit: Admin console, Apps, Google Workspace, Gmail, End User Access, \
                 POP and IMAP access, Enable IMAP access for all users; where users choose themselves, the user does in Gmail, \
                 Settings, Forwarding and POP/IMAP.",
    },
    Cause {
        of: GoogleWorkspace,
        to_application: None,
        words: &["web browser", "web login", "weblogin"],
        message: "Google wants {mailbox} to sign in with a browser first",
        advice: "The user signs in once at https://mail.google.com, accepts the terms, and the test is made again.",
    },
    Cause {
        of: GoogleWorkspace,
        to_application: None,
        words: &[],
        message: "Google refuses the token for {mailbox}",
        advice: "One of these causes: (1) {mailbox} is no user's own address: aliases and groups have no mailbox; (2) the user is \
                 suspended, or Gmail is switched off for the organisational unit (Admin console, Apps, Google Workspace, Gmail, \
                 Service status); (3) the token is not for the scope https://mail.google.com/, the only one that IMAP takes.",
    },
];

/// What a refusal in these words means there: what happened, and what can be done about it.
pub(crate) fn explain(side: &OtherSide, words: &str) -> Option<(String, String)> {
    let words = words.to_lowercase();
    let cause = CAUSES.iter().find(|it| {
        it.of == side.endpoint_type
            && it.to_application.is_none_or(|wanted| wanted == side.is_application())
            && (it.words.is_empty() || it.words.iter().any(|known| words.contains(known)))
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
    fn words_have_their_causes() {
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
                "whoever signed in",
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
                "IMAP switched off for ann@contoso.com",
                "organisational unit",
            ),
            (
                GoogleWorkspace,
                app(),
                "NO IMAP access is disabled for your domain.",
                "IMAP switched off",
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
            let (told, advised) = explain(&side(endpoint_type, grant), words).unwrap();
            assert!(told.contains(message) && advised.contains(advice), "{words}: {told}. {advised}");
            assert!(!told.contains('{') && !advised.contains('{'), "{advised}");
        }
        assert_eq!(explain(&side(EndpointType::Imap, app()), "NO"), None);
    }
}
