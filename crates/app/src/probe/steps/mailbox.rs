//! Steps after the sign-in: server name, namespaces, INBOX, folders, quota, speed.

use std::fmt::Write as _;

use mailhaul_imap::{
    Error, ErrorKind, ListQuery, ListedMailbox, MailboxName, SelectOptions, Session, StatusItem,
    response::{NamespaceEntry, Namespaces, StatusItems},
};
use mailhaul_mail::Scope;
use tokio::time::Instant;

use super::{profile::add_profile, speed};
use crate::{
    output::text,
    probe::{
        conversation::{Conversation, OpenedMailbox},
        findings::{Findings, StepResult, UsedQuota},
        obstacle::Obstacle,
        request::ProbeRequest,
    },
};

const INBOX: &str = "INBOX";
const FOLDERS: &str = "Folders";
const MAILBOX: &str = "Mailbox";

/// Extensions that matter to a migration.
const RELEVANT_EXTENSIONS: [&str; 9] = [
    "UIDPLUS",
    "CONDSTORE",
    "QRESYNC",
    "MULTIAPPEND",
    "LITERAL+",
    "SPECIAL-USE",
    "LIST-STATUS",
    "COMPRESS=DEFLATE",
    "QUOTA",
];

/// Folders per round trip, if the server needs a STATUS command for each folder.
const FOLDERS_PER_ROUND_TRIP: usize = 50;

impl Conversation {
    /// Inspects the mailbox. A failure that a migration would have too ends the test.
    pub(crate) async fn inspect(
        &self,
        opened: &mut OpenedMailbox,
        request: &ProbeRequest,
        findings: &mut Findings,
    ) -> Result<(), Obstacle> {
        let is_thorough = request.is_thorough;
        findings.capabilities = opened.session.capabilities().iter().map(str::to_owned).collect();
        findings.signed_in_by = opened.session.mechanism().map(str::to_owned);
        let mut namespaces = None;
        if is_thorough {
            add_capabilities(&opened.session, findings);
            self.ask_name(&mut opened.session, findings).await.map_err(|it| self.broken(it, findings))?;
            add_profile(&opened.session, request.profile.as_deref(), findings);
            let asked = self.ask_namespaces(&mut opened.session, findings).await;
            namespaces = asked.map_err(|it| self.broken(it, findings))?;
        }
        self.open_inbox(opened, findings).await?;
        let folders = self.list(opened, is_thorough, findings).await?;
        if is_thorough {
            let measured = self.count_and_measure(opened, &folders, namespaces.as_ref(), findings).await;
            measured.map_err(|it| self.broken(it, findings))?;
        } else if self.side.is_some() {
            self.ask_quota(opened, findings).await.map_err(|it| self.broken(it, findings))?;
        }
        Ok(())
    }

    /// Returns the obstacle for a connection that broke.
    fn broken(&self, error: Error, findings: &mut Findings) -> Obstacle {
        // A refusal after the sign-in concerns the mailbox and not the connection.
        let step = if error.kind == ErrorKind::Authentication { MAILBOX } else { "Connection" };
        let obstacle = self.obstacle(error);
        findings.failed(step, obstacle.explained());
        obstacle
    }

    /// Sends ID. Some servers offer it and refuse it.
    pub(crate) async fn ask_name(&self, session: &mut Session, findings: &mut Findings) -> Result<(), Error> {
        const STEP: &str = "Server";
        let fields = [("name", "mailhaul"), ("version", env!("CARGO_PKG_VERSION"))];
        match self.in_time(session.id(&fields)).await {
            Ok(fields) => {
                let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
                findings.server_id = fields.collect();
                let words: Vec<String> =
                    findings.server_id.iter().map(|(name, value)| format!("{name} {value}")).collect();
                let words = if words.is_empty() {
                    "the server does not identify itself".to_owned()
                } else {
                    words.join(", ")
                };
                findings.success(STEP, words);
                Ok(())
            }
            Err(error) if error.scope >= Scope::Session => Err(error),
            Err(error) => {
                findings.success(STEP, format!("the server does not identify itself ({error})"));
                Ok(())
            }
        }
    }

    async fn ask_namespaces(
        &self,
        session: &mut Session,
        findings: &mut Findings,
    ) -> Result<Option<Namespaces>, Error> {
        const STEP: &str = "Namespaces";
        match self.in_time(session.namespace()).await {
            Ok(None) => {
                findings.success(STEP, "the server has none (NAMESPACE)");
                Ok(None)
            }
            Ok(Some(namespaces)) => {
                findings.namespaces = described(&namespaces);
                findings.success(STEP, findings.namespaces.join("; "));
                Ok(Some(namespaces))
            }
            Err(error) if error.scope >= Scope::Session => Err(error),
            Err(error) => {
                findings.warning(STEP, error.message);
                Ok(None)
            }
        }
    }

    /// Opens INBOX: the account may lack the right to open it.
    async fn open_inbox(&self, opened: &mut OpenedMailbox, findings: &mut Findings) -> Result<(), Obstacle> {
        let inbox = opened.inbox();
        let options = SelectOptions::default();
        match self.in_time(opened.session.examine(&inbox, &options)).await {
            Ok(selected) => {
                let count = text::count(u64::from(selected.data().exists), "message", "messages");
                let detail = match &opened.root {
                    None => format!("it opens and has {count}"),
                    Some(root) => {
                        format!("{} is {} here; it opens and has {count}", root.path, root.name)
                    }
                };
                findings.success(INBOX, detail);
                Ok(())
            }
            Err(error) => {
                let is_refused = self.side.is_some() && error.kind == ErrorKind::Authentication;
                let obstacle = self.closed(opened, error, findings);
                findings.failed(if is_refused { MAILBOX } else { INBOX }, obstacle.explained());
                Err(obstacle)
            }
        }
    }

    /// Returns the obstacle for a mailbox that does not open after the sign-in.
    pub(crate) fn closed(&self, opened: &OpenedMailbox, error: Error, findings: &Findings) -> Obstacle {
        if error.scope >= Scope::Session && (error.kind != ErrorKind::Authentication || self.side.is_some()) {
            return self.obstacle(error);
        }
        Obstacle {
            message: format!(
                "the server {} accepts the login of {} but does not open the mailbox",
                self.options.host, opened.credentials.user
            ),
            advice: closed_advice(&server_words(findings), opened.is_administrator).to_owned(),
            detail: error.message,
        }
    }

    async fn list(
        &self,
        opened: &mut OpenedMailbox,
        with_status: bool,
        findings: &mut Findings,
    ) -> Result<Vec<ListedMailbox>, Obstacle> {
        let status = if with_status { vec![StatusItem::Messages, StatusItem::Size] } else { Vec::new() };
        let listed = match &opened.root {
            None => self.in_time(opened.session.list(&ListQuery { status, ..ListQuery::default() })).await,
            Some(root) => {
                let below = [root.name.as_wire(), b"*"].concat();
                let query = ListQuery { status, pattern: below, ..ListQuery::default() };
                self.in_time(opened.session.list(&query)).await
            }
        };
        match listed {
            Ok(mut folders) => {
                if let Some(root) = &opened.root {
                    folders.retain(|it| root.holds(&it.item.name));
                }
                findings.folder_count = Some(folders.len() as u64);
                Ok(folders)
            }
            Err(error) => {
                let obstacle = self.obstacle(error);
                findings.failed(FOLDERS, obstacle.explained());
                Err(obstacle)
            }
        }
    }

    async fn count_and_measure(
        &self,
        opened: &mut OpenedMailbox,
        folders: &[ListedMailbox],
        namespaces: Option<&Namespaces>,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let is_root = opened.root.is_some();
        let own: Vec<&ListedMailbox> =
            folders.iter().filter(|it| is_root || is_own(&it.item.name, namespaces)).collect();
        let counted = self.count(&mut opened.session, &own).await?;
        let messages = counted.iter().map(|it| u64::from(it.1.messages.unwrap_or_default())).sum();
        findings.message_count = Some(messages);
        let mut detail = format!(
            "{} of {} are the user's own, with {}",
            text::count(own.len() as u64, "folder", "folders"),
            folders.len(),
            text::count(messages, "message", "messages")
        );
        let uncounted = own.iter().filter(|it| is_selectable(it)).count() - counted.len();
        if uncounted == 0 {
            findings.success(FOLDERS, detail);
        } else {
            // Writing into a text cannot fail.
            _ = write!(
                detail,
                " and {} that could not be counted",
                text::count(uncounted as u64, "folder", "folders")
            );
            findings.warning(FOLDERS, detail);
        }
        self.ask_quota(opened, findings).await?;
        self.measure(opened, &counted, findings).await
    }

    /// Returns the folders whose messages the server counted.
    async fn count(
        &self,
        session: &mut Session,
        own: &[&ListedMailbox],
    ) -> Result<Vec<(MailboxName, StatusItems)>, Error> {
        let mut counted = Vec::new();
        let mut unknown = Vec::new();
        for folder in own.iter().filter(|it| is_selectable(it)) {
            match &folder.status {
                Some(status) => counted.push((folder.item.name.clone(), status.clone())),
                None => unknown.push(folder.item.name.clone()),
            }
        }
        let end = Instant::now() + self.step_timeout;
        for names in unknown.chunks(FOLDERS_PER_ROUND_TRIP).take_while(|_| Instant::now() < end) {
            let statuses =
                self.in_time(session.status_many(names, &[StatusItem::Messages, StatusItem::Size])).await?;
            let statuses = names.iter().cloned().zip(statuses);
            counted.extend(statuses.filter_map(|(name, status)| Some((name, status.ok()?))));
        }
        Ok(counted)
    }

    async fn ask_quota(&self, opened: &mut OpenedMailbox, findings: &mut Findings) -> Result<(), Error> {
        const STEP: &str = "Quota";
        let inbox = opened.inbox();
        match self.in_time(opened.session.quota_root(&inbox)).await {
            Ok(quotas) => {
                for quota in quotas {
                    findings.quotas.extend(quota.resources.into_iter().map(|it| UsedQuota {
                        root: quota.root.clone(),
                        resource: it.name,
                        usage: it.usage,
                        limit: it.limit,
                    }));
                }
                let detail: Vec<String> = findings.quotas.iter().map(quota).collect();
                let detail = if detail.is_empty() { "none".to_owned() } else { detail.join("; ") };
                match fullness(&findings.quotas) {
                    None => findings.success(STEP, detail),
                    Some(warning) => findings.warning(STEP, format!("{detail}: {warning}")),
                }
                Ok(())
            }
            Err(error) if error.scope >= Scope::Session => Err(error),
            Err(error) => {
                findings.warning(STEP, error.message);
                Ok(())
            }
        }
    }

    async fn measure(
        &self,
        opened: &mut OpenedMailbox,
        counted: &[(MailboxName, StatusItems)],
        findings: &mut Findings,
    ) -> Result<(), Error> {
        const STEP: &str = "Read rate";
        let time = self.in_time(speed::round_trip(&mut opened.session)).await?;
        let milliseconds = (time.as_secs_f64() * 10_000.0).round() / 10.0;
        findings.round_trip_milliseconds = Some(milliseconds);
        findings.success("Round trip", format!("{milliseconds} ms"));

        let size = |folder: &&(MailboxName, StatusItems)| (folder.1.size, folder.1.messages);
        let largest = counted.iter().filter(|it| it.1.messages > Some(0)).max_by_key(size);
        let largest = largest.map_or_else(|| opened.inbox(), |it| it.0.clone());
        match self.in_time(speed::read(&mut opened.session, &largest)).await {
            Ok(rate) if rate.messages == 0 && rate.bytes == 0 => {
                findings.step(STEP, StepResult::Skipped, "there is nothing to read");
            }
            Ok(rate) => {
                let detail = format!(
                    "{} messages/s, {}/s on one connection ({} of {} in {} ms)",
                    rate.messages_per_second,
                    text::bytes(rate.bytes_per_second),
                    text::count(rate.messages, "message", "messages"),
                    rate.folder,
                    rate.milliseconds
                );
                findings.success(STEP, detail);
                findings.read_rate = Some(rate);
            }
            Err(error) => findings.warning(STEP, error.message),
        }
        Ok(())
    }
}

fn add_capabilities(session: &Session, findings: &mut Findings) {
    let (has, lacks): (Vec<&str>, Vec<&str>) =
        RELEVANT_EXTENSIONS.iter().partition(|it| session.capabilities().has(it));
    let list = |words: &[&str]| {
        if words.is_empty() { "none of the relevant ones".to_owned() } else { words.join(", ") }
    };
    let total = findings.capabilities.len();
    findings.success(
        "Capabilities after login",
        format!("{total} in all; has {}; lacks {}", list(&has), list(&lacks)),
    );
}

/// Returns the server's greeting and ID in lower case.
pub(crate) fn server_words(findings: &Findings) -> String {
    let id = findings.server_id.values().map(String::as_str);
    findings.greeting.as_deref().into_iter().chain(id).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Advice for a mailbox that does not open after the sign-in.
fn closed_advice(server_words: &str, is_administrator: bool) -> &'static str {
    if is_administrator && server_words.contains("dovecot") {
        "Dovecot's ACL plugin gives an administrator (master user) no rights: set acl_user = %u in the section plugin of \
         its configuration, so that the administrator has the rights of the mailbox's owner."
    } else if is_administrator && server_words.contains("cyrus") {
        "Give the administrator rights to the mailbox (in cyradm: setacl user.NAME ADMIN lrs), or let it authorize as the \
         user (proxyservers)."
    } else if is_administrator {
        "The login is correct, but the rights to the mailbox are missing: give the administrator at least lookup and read \
         (l, r) on INBOX and on every folder."
    } else {
        "The login is correct, but the mailbox does not open: ask the server's administrator whether it exists and is enabled."
    }
}

fn is_selectable(folder: &ListedMailbox) -> bool {
    !folder.item.has("\\Noselect") && !folder.item.has("\\NonExistent")
}

/// True if the folder is in no namespace of other users or of views.
fn is_own(name: &MailboxName, namespaces: Option<&Namespaces>) -> bool {
    let Some(namespaces) = namespaces else { return true };
    let others = namespaces.personal.iter().skip(1).chain(&namespaces.other_users).chain(&namespaces.shared);
    !others
        .map(|it| it.prefix.as_wire())
        .filter(|it| !it.is_empty())
        .any(|prefix| name.as_wire().starts_with(prefix))
}

fn described(namespaces: &Namespaces) -> Vec<String> {
    let kinds = [
        ("Personal", &namespaces.personal),
        ("Other users", &namespaces.other_users),
        ("Shared", &namespaces.shared),
    ];
    let one = |kind: &str, it: &NamespaceEntry| {
        let delimiter =
            it.delimiter.map_or_else(|| "no separator".to_owned(), |it| format!("separator {it}"));
        format!("{kind} \"{}\", {delimiter}", it.prefix)
    };
    kinds.iter().flat_map(|(kind, entries)| entries.iter().map(|it| one(kind, it))).collect()
}

fn quota(quota: &UsedQuota) -> String {
    let UsedQuota { resource, usage, limit, .. } = quota;
    if resource.eq_ignore_ascii_case("STORAGE") {
        let bytes = |kibibytes: u64| text::bytes(kibibytes.saturating_mul(1024));
        format!("{} of {}", bytes(*usage), bytes(*limit))
    } else {
        format!("{usage} of {limit} {}", resource.to_lowercase())
    }
}

/// Warning about a mailbox that is full or nearly full.
fn fullness(quotas: &[UsedQuota]) -> Option<&'static str> {
    // A limit of 0 means no limit.
    let limited = || quotas.iter().filter(|it| it.limit > 0);
    if limited().any(|it| it.usage >= it.limit) {
        return Some("the mailbox is full; as a target it accepts nothing until its quota is raised");
    }
    let is_narrow = |it: &UsedQuota| it.usage / 19 >= it.limit.saturating_sub(it.usage).max(1);
    if limited().any(is_narrow) { Some("less than 5 percent is left") } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_depends_on_the_server() {
        assert!(closed_advice("dovecot (debian) ready.", true).contains("acl_user = %u"));
        assert!(closed_advice("cyrus imap 3.6.1", true).contains("setacl"));
        assert!(closed_advice("ready", true).contains("lookup and read"));
        assert!(!closed_advice("dovecot ready.", false).contains("acl_user"));
    }

    #[test]
    fn quotas_have_units() {
        let of = |resource: &str, usage, limit| {
            quota(&UsedQuota { root: String::new(), resource: resource.to_owned(), usage, limit })
        };
        assert_eq!(of("STORAGE", 10, 1_048_576), "10.2 kB of 1.0 GB");
        assert_eq!(of("MESSAGE", 7, 100), "7 of 100 message");
    }

    #[test]
    fn a_full_mailbox_is_a_warning() {
        let of = |usage, limit| {
            fullness(&[UsedQuota { root: String::new(), resource: "STORAGE".to_owned(), usage, limit }])
        };
        assert_eq!((of(0, 100), of(90, 100), of(5, 0)), (None, None, None));
        assert!(of(96, 100).unwrap().contains("5 percent"));
        for usage in [100, 101, u64::MAX] {
            assert!(of(usage, 100).unwrap().contains("is full"), "{usage}");
        }
    }

    #[test]
    fn shared_folders_and_views_are_not_the_users_own() {
        let entry =
            |prefix: &str| NamespaceEntry { prefix: MailboxName::from_wire(prefix), delimiter: Some('/') };
        let namespaces = Namespaces {
            personal: vec![entry(""), entry("virtual/")],
            other_users: vec![entry("user/")],
            shared: vec![entry("")],
        };
        let is_own = |name: &str| is_own(&MailboxName::from_wire(name), Some(&namespaces));
        assert_eq!(["INBOX", "virtual/All", "user/ann", "users"].map(is_own), [true, false, false, true]);
        assert_eq!(
            described(&namespaces),
            [
                "Personal \"\", separator /",
                "Personal \"virtual/\", separator /",
                "Other users \"user/\", separator /",
                "Shared \"\", separator /"
            ]
        );
    }
}
