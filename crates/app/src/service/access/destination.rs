//! Route of a user's mail: its two mailboxes, and their connections.

use std::path::PathBuf;

use mailhaul_engine::{ArrivalRules, Error, ErrorKind, PassOptions};
use mailhaul_mail::{Retry, Scope, Secret};
use mailhaul_migration::{BatchSettings, Endpoint, EndpointType, GmailLabels, MigrationUser};
use mailhaul_remotes::{
    Account, GmailApi, ImapMailbox, LabelPolicy, LabelRules, Login, MaildirMailbox, Side,
};
use mailhaul_store::{KEPT_ARRIVALS, SecretName};

use super::{account, archive, pass_options::pass_options};
use crate::{cutover::known_hosts::known_hosts, service::service_context::ServiceContext};

/// Endpoints of a user's mail, with the settings of the batch.
pub(crate) struct Route {
    pub(crate) settings: BatchSettings,
    pub(crate) options: PassOptions,
    pub(crate) source: Endpoint,
    /// `None` is the archive.
    pub(crate) target: Option<Endpoint>,
    /// Keys of source and target in the ledger.
    pub(crate) keys: (String, String),
}

/// Target of the mail.
pub(crate) enum Destination {
    Imap(Box<ImapMailbox>),
    Archive(MaildirMailbox),
}

impl ServiceContext {
    pub(crate) async fn route(&self, user: &MigrationUser) -> Result<Route, Error> {
        let batch = self.store.batches().by_guid(user.batch).await?;
        let mut options = pass_options(&batch.settings).map_err(misconfigured)?;
        let source = self.store.endpoints().by_guid(batch.source_endpoint).await?;
        let target = match batch.target_endpoint {
            Some(target) => Some(self.store.endpoints().by_guid(target).await?),
            None => None,
        };
        let domain = user.email_address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let routing = self.store.cutover().domain_routing(batch.guid, domain).await?;
        let known = known_hosts(&source, target.as_ref(), routing.as_ref().map(|row| &row.routing));
        let since = self.store.now().as_second() - KEPT_ARRIVALS.as_secs();
        options.arrivals = Some(ArrivalRules { known, since });
        let source_key = account::ledger_key(&source, &user.user_name, user.user_root.as_deref());
        let target_key = match &target {
            Some(target) => account::ledger_key(target, &user.target_user_name, None),
            None => format!("archive:{}", archive::directory_name(&user.email_address)),
        };
        Ok(Route { settings: batch.settings, options, source, target, keys: (source_key, target_key) })
    }

    /// Opens the user's source mailbox. The handling of labels depends on the target.
    pub(crate) async fn source(&self, user: &MigrationUser, route: &Route) -> Result<ImapMailbox, Error> {
        let endpoint = &route.source;
        let password = self.store.secrets().get(user.guid, SecretName::Password).await?;
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
        Ok(mailbox.with_labels(rules).with_profile_listener(self.profile_listener(endpoint.guid)))
    }

    /// Opens the user's target mailbox or archive.
    pub(crate) async fn destination(
        &self,
        user: &MigrationUser,
        route: &Route,
    ) -> Result<Destination, Error> {
        Ok(match &route.target {
            Some(endpoint) => Destination::Imap(Box::new(self.target(user, endpoint).await?)),
            None => Destination::Archive(MaildirMailbox::new(self.archive(user), user.email_address.clone())),
        })
    }

    /// Opens the user's target mailbox.
    pub(crate) async fn target(
        &self,
        user: &MigrationUser,
        endpoint: &Endpoint,
    ) -> Result<ImapMailbox, Error> {
        let password = self.store.secrets().get(user.guid, SecretName::TargetPassword).await?;
        let login = self.login(endpoint, &user.target_user_name, password).await?;
        let has_tokens = matches!(login, Login::Tokens { .. });
        let mailbox = ImapMailbox::new(Account {
            side: Side::Target,
            options: self.sign_ins.connect_options(endpoint),
            login,
            user_root: None,
            profile: endpoint.server_profile.clone(),
        })
        .with_profile_listener(self.profile_listener(endpoint.guid));
        match &endpoint.gmail_api {
            None => Ok(mailbox),
            Some(url) => {
                Ok(mailbox.uploading_by(gmail_api(endpoint, url, has_tokens).map_err(misconfigured)?))
            }
        }
    }

    /// Directory of the user's archive.
    fn archive(&self, user: &MigrationUser) -> PathBuf {
        self.archive.join(archive::directory_name(&user.email_address))
    }

    async fn login(
        &self,
        endpoint: &Endpoint,
        user_name: &str,
        password: Option<Secret>,
    ) -> Result<Login, Error> {
        let login = account::login(&self.store, &self.tokens, endpoint, user_name, password).await?;
        // If each user has a password, other users of the endpoint may still have theirs.
        let scope = if endpoint.access.opens_every_mailbox() { Scope::Endpoint } else { Scope::Mailbox };
        login.map_err(|words| Error::new(scope, Retry::Never, ErrorKind::Authentication, words))
    }
}

fn misconfigured(words: String) -> Error {
    Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Refused, words)
}

/// Returns Gmail's API with the endpoint's settings.
fn gmail_api(endpoint: &Endpoint, url: &str, has_tokens: bool) -> Result<GmailApi, String> {
    if !has_tokens {
        return Err(format!(
            "uploads by Gmail's API need access tokens, but the endpoint \"{}\" uses passwords",
            endpoint.name
        ));
    }
    GmailApi::reaching(url, endpoint.reach)
        .map_err(|words| format!("the address of Gmail's API at the endpoint \"{}\": {words}", endpoint.name))
}

/// Handling of labels for this target.
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
    fn uploads_need_tokens_and_https() {
        let endpoint = Endpoint { name: "G".to_owned(), ..account::tests::endpoint() };
        let words = gmail_api(&endpoint, "https://gmail.googleapis.com", false).unwrap_err();
        assert!(words.contains("need access tokens, but the endpoint \"G\" uses passwords"), "{words}");
        let words = gmail_api(&endpoint, "http://gmail.example.org", true).unwrap_err();
        assert!(words.starts_with("the address of Gmail's API at the endpoint \"G\": "), "{words}");
        assert!(gmail_api(&endpoint, "https://gmail.googleapis.com", true).is_ok());
    }

    #[test]
    fn labels_stay_if_the_target_has_labels() {
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
