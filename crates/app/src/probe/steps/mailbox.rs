//! What somebody sees who logged in: the server's name, namespaces, INBOX, folders, quota, speed.

use std::fmt::Write as _;

use mailhaul_imap::{
    Error, ErrorKind, ListQuery, ListedMailbox, MailboxName, SelectOptions, Session, StatusItem,
    response::{NamespaceEntry, Namespaces, StatusItems},
};
use mailhaul_mail::Scope;
use tokio::time::Instant;

use super::{profile::tell_of_profile, speed};
use crate::{
    output::text,
    probe::{
        Asking, Obstacle, Opened, Question,
        findings::{Findings, UsedQuota},
    },
};

const INBOX: &str = "INBOX";
const FOLDERS: &str = "Folders";
const MAILBOX: &str = "Mailbox";

/// Extensions that make a difference to a migration.
const OF_INTEREST: [&str; 9] = [
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

/// Where STATUS has to be asked for each folder, so many are asked with one round trip.
const FOLDERS_AT_ONCE: usize = 50;

impl Asking {
    /// Looks around. What a migration cannot do without ends the look; the rest is told.
    pub(crate) async fn look(
        &self,
        opened: &mut Opened,
        question: &Question,
        findings: &mut Findings,
    ) -> Result<(), Obstacle> {
        let is_thorough = question.is_thorough;
        findings.capabilities = opened.session.capabilities().iter().map(str::to_owned).collect();
        findings.signed_in_by = opened.session.mechanism().map(str::to_owned);
        let mut namespaces = None;
        if is_thorough {
            tell_of_capabilities(&opened.session, findings);
            self.ask_name(&mut opened.session, findings).await.map_err(|it| self.broken(it, findings))?;
            tell_of_profile(&opened.session, question.profile.as_deref(), findings);
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

    /// The connection ended in the middle of a step.
    fn broken(&self, error: Error, findings: &mut Findings) -> Obstacle {
        // Whoever is in, and is told then that the mailbox does not open, has a connection.
        let step = if error.kind == ErrorKind::Authentication { MAILBOX } else { "Connection" };
        let obstacle = self.obstacle(error);
        findings.failed(step, obstacle.explained());
        obstacle
    }

    /// ID, which some servers offer and refuse.
    pub(crate) async fn ask_name(&self, session: &mut Session, findings: &mut Findings) -> Result<(), Error> {
        const STEP: &str = "Server";
        let fields = [("name", "mailhaul"), ("version", env!("CARGO_PKG_VERSION"))];
        match self.in_time(session.id(&fields)).await {
            Ok(told) => {
                let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
                findings.server_id = told.collect();
                let words: Vec<String> =
                    findings.server_id.iter().map(|(name, value)| format!("{name} {value}")).collect();
                let words =
                    if words.is_empty() { "it does not say what it is".to_owned() } else { words.join(", ") };
                findings.success(STEP, words);
                Ok(())
            }
            Err(error) if error.scope >= Scope::Session => Err(error),
            Err(error) => {
                findings.success(STEP, format!("it does not say what it is ({error})"));
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

    /// Logging in is not enough: rights may keep the mailbox closed.
    async fn open_inbox(&self, opened: &mut Opened, findings: &mut Findings) -> Result<(), Obstacle> {
        let inbox = opened.inbox();
        let options = SelectOptions::default();
        match self.in_time(opened.session.examine(&inbox, &options)).await {
            Ok(selected) => {
                let count = text::count(u64::from(selected.data().exists), "message", "messages");
                let told = match &opened.root {
                    None => format!("it can be opened, and has {count}"),
                    Some(root) => {
                        format!("{} is {} here; it can be opened, and has {count}", root.path, root.name)
                    }
                };
                findings.success(INBOX, told);
                Ok(())
            }
            Err(error) => {
                let is_shut = self.side.is_some() && error.kind == ErrorKind::Authentication;
                let obstacle = self.closed(opened, error, findings);
                findings.failed(if is_shut { MAILBOX } else { INBOX }, obstacle.explained());
                Err(obstacle)
            }
        }
    }

    /// The mailbox is closed to somebody who is in.
    pub(crate) fn closed(&self, opened: &Opened, error: Error, findings: &Findings) -> Obstacle {
        if error.scope >= Scope::Session && (error.kind != ErrorKind::Authentication || self.side.is_some()) {
            return self.obstacle(error);
        }
        Obstacle {
            message: format!(
                "the server {} lets {} in, and does not open the mailbox",
                self.options.host, opened.credentials.user
            ),
            advice: closed_advice(&server_words(findings), opened.is_administrator).to_owned(),
            detail: error.message,
        }
    }

    async fn list(
        &self,
        opened: &mut Opened,
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
        opened: &mut Opened,
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
        let mut told = format!(
            "{} of {} are the user's own, with {}",
            text::count(own.len() as u64, "folder", "folders"),
            folders.len(),
            text::count(messages, "message", "messages")
        );
        let uncounted = own.iter().filter(|it| is_selectable(it)).count() - counted.len();
        if uncounted == 0 {
            findings.success(FOLDERS, told);
        } else {
            let _ = write!(
                told,
                " and {} that could not be counted",
                text::count(uncounted as u64, "folder", "folders")
            );
            findings.warning(FOLDERS, told);
        }
        self.ask_quota(opened, findings).await?;
        self.measure(opened, &counted, findings).await
    }

    /// The folders that tell how many messages they have.
    async fn count(
        &self,
        session: &mut Session,
        own: &[&ListedMailbox],
    ) -> Result<Vec<(MailboxName, StatusItems)>, Error> {
        let mut counted = Vec::new();
        let mut silent = Vec::new();
        for folder in own.iter().filter(|it| is_selectable(it)) {
            match &folder.status {
                Some(status) => counted.push((folder.item.name.clone(), status.clone())),
                None => silent.push(folder.item.name.clone()),
            }
        }
        let end = Instant::now() + self.patience;
        for names in silent.chunks(FOLDERS_AT_ONCE).take_while(|_| Instant::now() < end) {
            let told =
                self.in_time(session.status_many(names, &[StatusItem::Messages, StatusItem::Size])).await?;
            let told = names.iter().cloned().zip(told);
            counted.extend(told.filter_map(|(name, status)| Some((name, status.ok()?))));
        }
        Ok(counted)
    }

    async fn ask_quota(&self, opened: &mut Opened, findings: &mut Findings) -> Result<(), Error> {
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
                let told: Vec<String> = findings.quotas.iter().map(quota).collect();
                let told = if told.is_empty() { "none".to_owned() } else { told.join("; ") };
                match fullness(&findings.quotas) {
                    None => findings.success(STEP, told),
                    Some(caution) => findings.warning(STEP, format!("{told}: {caution}")),
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
        opened: &mut Opened,
        counted: &[(MailboxName, StatusItems)],
        findings: &mut Findings,
    ) -> Result<(), Error> {
        const STEP: &str = "Read rate";
        let time = self.in_time(speed::round_trip(&mut opened.session)).await?;
        let milliseconds = (time.as_secs_f64() * 10_000.0).round() / 10.0;
        findings.round_trip_milliseconds = Some(milliseconds);
        findings.success("Round trip", format!("{milliseconds} ms"));

        let weight = |it: &&(MailboxName, StatusItems)| (it.1.size, it.1.messages);
        let largest = counted.iter().filter(|it| it.1.messages > Some(0)).max_by_key(weight);
        let largest = largest.map_or_else(|| opened.inbox(), |it| it.0.clone());
        match self.in_time(speed::read(&mut opened.session, &largest)).await {
            Ok(rate) if rate.messages == 0 && rate.bytes == 0 => {
                findings.step(STEP, crate::probe::findings::StepResult::Skipped, "there is nothing to read");
            }
            Ok(rate) => {
                let told = format!(
                    "{} messages/s, {}/s on one connection ({} of {} in {} ms)",
                    rate.messages_per_second,
                    text::bytes(rate.bytes_per_second),
                    text::count(rate.messages, "message", "messages"),
                    rate.folder,
                    rate.milliseconds
                );
                findings.success(STEP, told);
                findings.read_rate = Some(rate);
            }
            Err(error) => findings.warning(STEP, error.message),
        }
        Ok(())
    }
}

fn tell_of_capabilities(session: &Session, findings: &mut Findings) {
    let (has, lacks): (Vec<&str>, Vec<&str>) =
        OF_INTEREST.iter().partition(|it| session.capabilities().has(it));
    let list =
        |words: &[&str]| if words.is_empty() { "nothing of interest".to_owned() } else { words.join(", ") };
    let total = findings.capabilities.len();
    findings.success(
        "Capabilities after login",
        format!("{total} in all; has {}; lacks {}", list(&has), list(&lacks)),
    );
}

/// What the server says of itself.
pub(crate) fn server_words(findings: &Findings) -> String {
    let id = findings.server_id.values().map(String::as_str);
    findings.greeting.as_deref().into_iter().chain(id).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What can be done about a mailbox that stays closed to somebody who is in.
fn closed_advice(server_words: &str, is_administrator: bool) -> &'static str {
    if is_administrator && server_words.contains("dovecot") {
        "Dovecot's ACL plugin takes an administrator (master user) for a stranger: set acl_user = %u in the section plugin of \
         its configuration, so that the rights are those of the mailbox's owner."
    } else if is_administrator && server_words.contains("cyrus") {
        "Give the administrator rights to the mailbox (in cyradm: setacl user.NAME ADMIN lrs), or let it authorize as the \
         user (proxyservers)."
    } else if is_administrator {
        "The login is right, and the rights to the mailbox are missing: give the administrator at least lookup and read (l, r) \
         on INBOX and on every folder."
    } else {
        "The login is right, and the mailbox cannot be opened: ask the server's administrator whether it exists and is enabled."
    }
}

fn is_selectable(folder: &ListedMailbox) -> bool {
    !folder.item.has("\\Noselect") && !folder.item.has("\\NonExistent")
}

/// Whether the folder is in none of the namespaces of others, or of views.
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
        let octets = |it: u64| text::bytes(it.saturating_mul(1024));
        format!("{} of {}", octets(*usage), octets(*limit))
    } else {
        format!("{usage} of {limit} {}", resource.to_lowercase())
    }
}

/// What is to be known of a mailbox that has no room, or soon will have none.
fn fullness(quotas: &[UsedQuota]) -> Option<&'static str> {
    // A limit of nothing is none.
    let limited = || quotas.iter().filter(|it| it.limit > 0);
    if limited().any(|it| it.usage >= it.limit) {
        return Some("the mailbox is full; as a target it takes nothing more until its quota is raised");
    }
    let is_narrow = |it: &UsedQuota| it.usage / 19 >= it.limit.saturating_sub(it.usage).max(1);
    limited().any(is_narrow).then_some("less than a twentieth is left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_knows_the_server() {
        assert!(closed_advice("dovecot (debian) ready.", true).contains("acl_user = %u"));
        assert!(closed_advice("cyrus imap 3.6.1", true).contains("setacl"));
        assert!(closed_advice("ready", true).contains("lookup and read"));
        assert!(!closed_advice("dovecot ready.", false).contains("acl_user"));
    }

    #[test]
    fn quotas_read_well() {
        let of = |resource: &str, usage, limit| {
            quota(&UsedQuota { root: String::new(), resource: resource.to_owned(), usage, limit })
        };
        assert_eq!(of("STORAGE", 10, 1_048_576), "10.2 kB of 1.0 GB");
        assert_eq!(of("MESSAGE", 7, 100), "7 of 100 message");
    }

    #[test]
    fn a_full_mailbox_is_told() {
        let of = |usage, limit| {
            fullness(&[UsedQuota { root: String::new(), resource: "STORAGE".to_owned(), usage, limit }])
        };
        assert_eq!((of(0, 100), of(90, 100), of(5, 0)), (None, None, None));
        assert!(of(96, 100).unwrap().contains("twentieth"));
        for usage in [100, 101, u64::MAX] {
            assert!(of(usage, 100).unwrap().contains("is full"), "{usage}");
        }
    }

    #[test]
    fn folders_of_others_and_views_are_not_the_users_own() {
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
