//! Between which two mailboxes a user's mail goes, and how they are opened.

use std::path::PathBuf;

use mailhaul_engine::{Error, ErrorKind, PassOptions};
use mailhaul_mail::{Retry, Scope, Secret};
use mailhaul_migration::{BatchSettings, Endpoint, EndpointType, GmailLabels, MigrationUser};
use mailhaul_remotes::{
    Account, GmailApi, ImapMailbox, LabelPolicy, LabelRules, Login, MaildirMailbox, Side,
};
use mailhaul_store::SecretName;

use super::{account, archive, pass_options::pass_options, workplace::Workplace};

/// Between which endpoints a user's mail goes, and what the batch says about it.
pub(crate) struct Route {
    pub(super) settings: BatchSettings,
    pub(super) options: PassOptions,
    pub(super) source: Endpoint,
    /// `None`: into the archive.
    pub(super) target: Option<Endpoint>,
    /// By which the ledger knows both ends.
    pub(crate) keys: (String, String),
}

/// Where the mail goes.
pub(super) enum Destination {
    Imap(Box<ImapMailbox>),
    Archive(MaildirMailbox),
}

impl Workplace {
    pub(crate) async fn route(&self, user: &MigrationUser) -> Result<Route, Error> {
        let batch = self.store.batch_by_guid(user.batch).await?;
        let options = pass_options(&batch.settings).map_err(misconfigured)?;
        let source = self.store.endpoint_by_guid(batch.source_endpoint).await?;
        let target = match batch.target_endpoint {
            Some(target) => Some(self.store.endpoint_by_guid(target).await?),
            None => None,
        };
        let source_key = account::ledger_key(&source, &user.user_name, user.user_root.as_deref());
        let target_key = match &target {
            Some(target) => account::ledger_key(target, &user.target_user_name, None),
            None => format!("archive:{}", archive::directory_name(&user.email_address)),
        };
        Ok(Route { settings: batch.settings, options, source, target, keys: (source_key, target_key) })
    }

    /// The user's mailbox at the endpoint that mail comes from. What becomes of labels depends on the target.
    pub(crate) async fn source(&self, user: &MigrationUser, route: &Route) -> Result<ImapMailbox, Error> {
        let endpoint = &route.source;
        let password = self.store.secret(user.guid, SecretName::Password).await?;
        let mailbox = ImapMailbox::new(Account {
            side: Side::Source,
            options: self.sign_ins.connect_options(endpoint),
            login: self.login(endpoint, &user.user_name, password).await?,
            user_root: user.user_root.clone(),
            profile: endpoint.server_profile.clone(),
        });
        let rules = LabelRules {
            policy: label_policy(route.settings.gmail_labels, route.target.as_ref()),
            folders: route.options.folders.clone(),
        };
        Ok(mailbox.with_labels(rules).with_profile_listener(self.acquaintance(endpoint.guid)))
    }

    /// The user's mailbox at the endpoint that mail goes to, or the user's archive.
    pub(super) async fn destination(
        &self,
        user: &MigrationUser,
        route: &Route,
    ) -> Result<Destination, Error> {
        Ok(match &route.target {
            Some(endpoint) => Destination::Imap(Box::new(self.target(user, endpoint).await?)),
            None => Destination::Archive(MaildirMailbox::new(self.archive(user), user.email_address.clone())),
        })
    }

    /// The user's mailbox at the endpoint that mail goes to.
    pub(super) async fn target(
        &self,
        user: &MigrationUser,
        endpoint: &Endpoint,
    ) -> Result<ImapMailbox, Error> {
        let password = self.store.secret(user.guid, SecretName::TargetPassword).await?;
        let login = self.login(endpoint, &user.target_user_name, password).await?;
        let has_tokens = matches!(login, Login::Tokens { .. });
        let mailbox = ImapMailbox::new(Account {
            side: Side::Target,
            options: self.sign_ins.connect_options(endpoint),
            login,
            user_root: None,
            profile: endpoint.server_profile.clone(),
        })
        .with_profile_listener(self.acquaintance(endpoint.guid));
        match &endpoint.gmail_api {
            None => Ok(mailbox),
            Some(url) => {
                Ok(mailbox.uploading_by(gmail_api(endpoint, url, has_tokens).map_err(misconfigured)?))
            }
        }
    }

    /// Where the user's archive is.
    fn archive(&self, user: &MigrationUser) -> PathBuf {
        self.data.join("archive").join(archive::directory_name(&user.email_address))
    }

    async fn login(
        &self,
        endpoint: &Endpoint,
        user_name: &str,
        password: Option<Secret>,
    ) -> Result<Login, Error> {
        let login = account::login(&self.store, &self.tokens, endpoint, user_name, password).await?;
        // Where each brings a password, others may have theirs.
        let scope = if endpoint.access.opens_every_mailbox() { Scope::Endpoint } else { Scope::Mailbox };
        login.map_err(|words| Error::new(scope, Retry::Never, ErrorKind::Authentication, words))
    }
}

fn misconfigured(words: String) -> Error {
    Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Refused, words)
}

/// Gmail's API, as the endpoint has it.
fn gmail_api(endpoint: &Endpoint, url: &str, has_tokens: bool) -> Result<GmailApi, String> {
    if !has_tokens {
        return Err(format!(
            "messages are to be uploaded by Gmail's API, which takes access tokens, and the endpoint \"{}\" has passwords",
            endpoint.name
        ));
    }
    GmailApi::reaching(url, endpoint.reach)
        .map_err(|words| format!("the address of Gmail's API at the endpoint \"{}\": {words}", endpoint.name))
}

/// What becomes of labels, where mail goes to this target.
fn label_policy(labels: GmailLabels, target: Option<&Endpoint>) -> LabelPolicy {
    match labels {
        GmailLabels::Automatic if target.is_some_and(is_gmail) => LabelPolicy::EveryFolder,
        GmailLabels::Automatic | GmailLabels::PrimaryFolder => LabelPolicy::PrimaryFolder,
        GmailLabels::EveryFolder => LabelPolicy::EveryFolder,
    }
}

fn is_gmail(endpoint: &Endpoint) -> bool {
    endpoint.endpoint_type == EndpointType::GoogleWorkspace
        || endpoint.server_profile.as_deref() == Some("Gmail")
        || endpoint.remote_server.eq_ignore_ascii_case("imap.gmail.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gmail_is_not_uploaded_to_with_passwords_nor_in_clear() {
        let endpoint = Endpoint { name: "G".to_owned(), ..account::tests::endpoint() };
        let words = gmail_api(&endpoint, "https://gmail.googleapis.com", false).unwrap_err();
        assert!(words.contains("takes access tokens, and the endpoint \"G\" has passwords"), "{words}");
        let words = gmail_api(&endpoint, "http://gmail.example.org", true).unwrap_err();
        assert!(words.starts_with("the address of Gmail's API at the endpoint \"G\": "), "{words}");
        assert!(gmail_api(&endpoint, "https://gmail.googleapis.com", true).is_ok());
    }

    #[test]
    fn labels_stay_together_where_the_target_has_labels() {
        let endpoint = |change: fn(&mut Endpoint)| {
            let mut endpoint = account::tests::endpoint();
            change(&mut endpoint);
            endpoint
        };
        let (plain, workspace) =
            (endpoint(|_| {}), endpoint(|it| it.endpoint_type = EndpointType::GoogleWorkspace));
        let (named, addressed) = (
            endpoint(|it| it.server_profile = Some("Gmail".to_owned())),
            endpoint(|it| it.remote_server = "IMAP.gmail.com".to_owned()),
        );
        let automatic = |target| label_policy(GmailLabels::Automatic, target);
        for gmail in [&workspace, &named, &addressed] {
            assert_eq!(automatic(Some(gmail)), LabelPolicy::EveryFolder);
            assert_eq!(label_policy(GmailLabels::PrimaryFolder, Some(gmail)), LabelPolicy::PrimaryFolder);
        }
        for other in [None, Some(&plain)] {
            assert_eq!(automatic(other), LabelPolicy::PrimaryFolder);
            assert_eq!(label_policy(GmailLabels::EveryFolder, other), LabelPolicy::EveryFolder);
        }
    }
}
