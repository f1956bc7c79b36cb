//! Setup of a service: commands with the real values, ready to paste.
//!
//! Lines that begin with `#` describe steps in a browser.

use EndpointType::{GoogleWorkspace, Imap, Microsoft365};
use mailhaul_migration::{EndpointType, Grant};

use crate::probe::other_side::OtherSide;

/// Variable with the service principal that gets the permissions.
const PRINCIPAL: &str = "$principal";

/// Returns the commands; none for a plain IMAP server, whose setup is unknown.
pub(crate) fn setup(side: &OtherSide) -> Vec<String> {
    match side.endpoint_type {
        Imap => Vec::new(),
        Microsoft365 if side.is_application() => microsoft_application(side),
        Microsoft365 => microsoft_user(side),
        GoogleWorkspace => google(side),
    }
}

fn microsoft_application(side: &OtherSide) -> Vec<String> {
    let (application, tenant) = (side.application(), tenant(side));
    let proof = match side.oauth.grant {
        Grant::ClientCertificate { .. } => {
            "Certificates & secrets > Certificates > Upload certificate (its public part)."
        }
        _ => {
            "Certificates & secrets > Client secrets > New client secret: its value goes into -ClientSecret."
        }
    };
    vec![
        "# Microsoft Entra admin center (https://entra.microsoft.com), once:".to_owned(),
        format!("#   App registrations > the application {application} of {tenant} > API permissions > Add a permission >"),
        "#   APIs my organization uses > Office 365 Exchange Online > Application permissions > IMAP.AccessAsApp,".to_owned(),
        "#   then Grant admin consent.".to_owned(),
        format!("#   {proof}"),
        "#   Enterprise applications > the same application: its Object ID goes below. (The one of App registrations is \
         different and does not work.)"
            .to_owned(),
        "# Exchange Online PowerShell (Install-Module ExchangeOnlineManagement):".to_owned(),
        format!("Connect-ExchangeOnline{}", organization(side)),
        format!(
            "{PRINCIPAL} = New-ServicePrincipal -AppId {application} -ObjectId <object id of the enterprise application> \
             -DisplayName mailhaul"
        ),
        format!(
            "Get-Mailbox -ResultSize Unlimited | Add-MailboxPermission -User {PRINCIPAL}.Identity -AccessRights FullAccess \
             -AutoMapping $false"
        ),
        IMAP_ON.to_owned(),
        SIZES.to_owned(),
    ]
}

const IMAP_ON: &str = "Get-Mailbox -ResultSize Unlimited | Set-CASMailbox -ImapEnabled $true";
const SIZES: &str =
    "Get-Mailbox -ResultSize Unlimited | Set-Mailbox -MaxReceiveSize 150MB -MaxSendSize 150MB";

fn microsoft_user(side: &OtherSide) -> Vec<String> {
    let mut lines = vec![
        "# Microsoft Entra admin center (https://entra.microsoft.com), once:".to_owned(),
        format!(
            "#   App registrations > the application {} of {} > API permissions > Add a permission >",
            side.application(),
            tenant(side)
        ),
        "#   APIs my organization uses > Office 365 Exchange Online > Delegated permissions > IMAP.AccessAsUser.All,".to_owned(),
        "#   then Grant admin consent; Authentication > Allow public client flows > Yes.".to_owned(),
        "# Exchange Online PowerShell (Install-Module ExchangeOnlineManagement):".to_owned(),
        format!("Connect-ExchangeOnline{}", organization(side)),
        "# If one user opens the mailboxes of other users:".to_owned(),
        "Get-Mailbox -ResultSize Unlimited | Add-MailboxPermission -User <user who signs in> -AccessRights FullAccess -AutoMapping \
         $false"
            .to_owned(),
        IMAP_ON.to_owned(),
        SIZES.to_owned(),
    ];
    if let (Grant::RefreshToken { .. }, Some(endpoint)) = (&side.oauth.grant, &side.endpoint) {
        lines.push("# On this machine, to sign in:".to_owned());
        lines.push(format!("mailhaul login {}", super::csv_and_commands::word(endpoint)));
    }
    lines
}

fn google(side: &OtherSide) -> Vec<String> {
    let email = match &side.oauth.grant {
        Grant::ServiceAccount { email, .. } => Some(email.as_str()),
        _ => None,
    };
    let mut lines = Vec::new();
    if email.is_some() {
        lines.extend([
            "# Google Admin console (https://admin.google.com), as a super administrator, once:".to_owned(),
            "#   Security > Access and data control > API controls > Domain-wide delegation > Manage > Add new".to_owned(),
            format!("#     Client ID:    {}", side.application()),
            format!("#     OAuth scopes: {}", side.oauth.scope),
        ]);
    }
    lines.push("#   Apps > Google Workspace > Gmail > End User Access > POP and IMAP access >".to_owned());
    lines.push("#     Enable IMAP access for all users.".to_owned());
    if side.by_gmail_api {
        let project = email.and_then(project).unwrap_or("<project>");
        lines.push(
            "# Google Cloud, to upload messages by Gmail's API (or: APIs & Services > Library > Gmail API):"
                .to_owned(),
        );
        lines.push(format!("gcloud services enable gmail.googleapis.com --project {project}"));
    }
    lines
}

/// Returns the project of a service account: `haul@project.iam.gserviceaccount.com`.
fn project(email: &str) -> Option<&str> {
    email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com")
}

fn tenant(side: &OtherSide) -> &str {
    side.oauth.tenant.as_deref().unwrap_or("the organisation")
}

/// Returns the option -Organization, which accepts a domain but no GUID.
fn organization(side: &OtherSide) -> String {
    match side.oauth.tenant.as_deref() {
        Some(tenant) if tenant.contains('.') => format!(" -Organization {tenant}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::OAuth;

    use super::*;

    fn shown(endpoint_type: EndpointType, grant: Grant, by_gmail_api: bool) -> String {
        let oauth = OAuth {
            grant,
            token_url: String::new(),
            device_url: String::new(),
            client_id: "app-1".to_owned(),
            scope: "https://mail.google.com/".to_owned(),
            tenant: Some("contoso.com".to_owned()),
        };
        let endpoint = Some("M 365".to_owned());
        setup(&OtherSide { endpoint_type, endpoint, oauth, mailbox: None, by_gmail_api }).join("\n")
    }

    #[test]
    fn commands_are_ready_to_paste() {
        let secret = shown(Microsoft365, Grant::ClientSecret, false);
        for words in [
            "the application app-1 of contoso.com",
            "Application permissions > IMAP.AccessAsApp",
            "Grant admin consent",
            "\nConnect-ExchangeOnline -Organization contoso.com\n",
            "New-ServicePrincipal -AppId app-1 -ObjectId <object id of the enterprise application>",
            "Add-MailboxPermission -User $principal.Identity -AccessRights FullAccess -AutoMapping $false",
            "Set-CASMailbox -ImapEnabled $true",
            "-MaxReceiveSize 150MB",
            "New client secret",
        ] {
            assert!(secret.contains(words), "{words}\n{secret}");
        }
        let certificate = Grant::ClientCertificate { certificate: String::new() };
        assert!(shown(Microsoft365, certificate, false).contains("Upload certificate"));
        let user = shown(Microsoft365, Grant::RefreshToken { user: None }, false);
        for words in
            ["Delegated permissions > IMAP.AccessAsUser.All", "mailhaul login 'M 365'", "public client"]
        {
            assert!(user.contains(words) && !user.contains("New-ServicePrincipal"), "{words}\n{user}");
        }
        let account = || Grant::ServiceAccount {
            email: "haul@contoso-mail.iam.gserviceaccount.com".to_owned(),
            key_id: "k".to_owned(),
        };
        let google = shown(GoogleWorkspace, account(), false);
        for words in ["Client ID:    app-1", "OAuth scopes: https://mail.google.com/", "Enable IMAP access"] {
            assert!(google.contains(words) && !google.contains("gcloud"), "{words}\n{google}");
        }
        let api = shown(GoogleWorkspace, account(), true);
        assert!(api.ends_with("gcloud services enable gmail.googleapis.com --project contoso-mail"), "{api}");
        assert_eq!(shown(Imap, Grant::ClientSecret, false), "");
    }
}
