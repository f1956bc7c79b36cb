//! Mailboxes on servers in memory, and passes in the order of the service.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use crate::memory::Listener;
pub(crate) use crate::memory::MemoryLedger;
use futures_util::{StreamExt as _, stream};
use mailhaul_engine::{
    Budget, Clock as _, DeletionPolicy, FolderMapping, FolderRules, Mailbox as _, Pass, PassLimits,
    PassOptions, RemovalRules, Report, Slots,
};
use mailhaul_imap::{ConnectOptions, Credentials, Security};
use mailhaul_mail::{Flags, InternalDate, Retry, Secret};
use mailhaul_oauth::{Asking, Token, TokenSource, Tokens};
use mailhaul_remotes::{Account, GmailApi, ImapMailbox, LabelPolicy, LabelRules, Side};
use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, StoredMessage, VirtualClock},
};
use tokio_util::sync::CancellationToken;

pub(crate) const PASSWORD: &str = "pa55 \"word\\";
/// More passes than any mailbox here needs.
const PASSES: usize = 60;
/// Attempts after a pass without progress.
const ATTEMPTS: u32 = 8;
/// Concurrent mailboxes.
const SIDE_BY_SIDE: usize = 4;

/// The way to sign in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    Password,
    /// A token for this mailbox alone, as Google issues them.
    Token,
    /// Such a token; messages go by Gmail's API.
    Api,
    /// An application's token, which opens every mailbox, as Microsoft issues them.
    ApplicationToken,
}

/// Issues the tokens that a server accepts.
struct Issuer {
    server: Arc<Fake>,
    opens_every_mailbox: bool,
}

impl TokenSource for Issuer {
    fn opens_every_mailbox(&self) -> bool {
        self.opens_every_mailbox
    }

    fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
        let text = if self.opens_every_mailbox {
            self.server.issue_application_token()
        } else {
            self.server.issue_token(mailbox)
        };
        // In the server's time. In real time it never seems to end early.
        let life = Some(self.server.token_lifetime().max(Duration::from_hours(1)));
        Box::pin(std::future::ready(Ok(Token { secret: Secret::new(text), life })))
    }
}

/// The tokens of one server, cached as the service caches those of an endpoint.
struct Desk {
    of_users: Tokens,
    of_application: Tokens,
}

impl Desk {
    fn of(server: &Arc<Fake>) -> Self {
        let tokens =
            |opens_every_mailbox| Tokens::new(Issuer { server: Arc::clone(server), opens_every_mailbox });
        Self { of_users: tokens(false), of_application: tokens(true) }
    }
}

/// Two servers, and the settings of a migration between them.
pub(crate) struct Route {
    pub(crate) source: Arc<Fake>,
    pub(crate) target: Arc<Fake>,
    pub(crate) login: (Login, Login),
    desks: (Desk, Desk),
    pub(crate) policy: LabelPolicy,
    pub(crate) deletions: DeletionPolicy,
    /// The operator's folder map.
    pub(crate) map: Vec<FolderMapping>,
    /// Additional lanes per mailbox.
    pub(crate) places: usize,
}

impl Route {
    pub(crate) fn new(source: Fake, target: Fake) -> Self {
        let (source, target) = (Arc::new(source), Arc::new(target));
        Self {
            desks: (Desk::of(&source), Desk::of(&target)),
            source,
            target,
            login: (Login::Password, Login::Password),
            policy: LabelPolicy::default(),
            deletions: DeletionPolicy::Mirror,
            map: Vec::new(),
            places: 0,
        }
    }

    /// Adds users on both servers, each with its own clock.
    pub(crate) fn add_users(&self, count: usize) -> Vec<User> {
        let user = |number| {
            let user = User {
                name: format!("user{number}"),
                clock: VirtualClock::default(),
                ledger: MemoryLedger::default(),
            };
            self.source.add_user(&user.name, PASSWORD, user.clock.clone());
            self.target.add_user(&user.name, PASSWORD, user.clock.clone());
            user
        };
        (0..count).map(user).collect()
    }

    /// Migrates every mailbox, several at the same time. Returns the effort of each.
    pub(crate) async fn migrate(&self, users: &[User]) -> Vec<Migrated> {
        let all = users.iter().map(|user| self.migrate_one(user));
        stream::iter(all).buffered(SIDE_BY_SIDE).collect().await
    }

    /// Migrates one mailbox as the service does: a failed pass is repeated at the time of its error, or
    /// after a while, a limited number of times.
    async fn migrate_one(&self, user: &User) -> Migrated {
        let mut migrated = Migrated::default();
        let mut attempts = 0;
        for _ in 0..PASSES {
            let report = Box::pin(self.pass(user)).await;
            let gained = report.total(|it| it.copied + it.moved + it.removed + it.flags_changed);
            migrated.copied += report.total(|it| it.copied);
            migrated.moved += report.total(|it| it.moved);
            attempts = if gained > 0 { 0 } else { attempts + 1 };
            let of_folder = report.folders.iter().find_map(|it| it.error.as_ref());
            let Some(error) = report.error.as_ref().or(of_folder).cloned() else {
                assert!(report.is_synced(), "{}: {report:#?}", user.name);
                migrated.report = report;
                return migrated;
            };
            migrated.broken.push(error.message.clone());
            let wait = match error.retry {
                Retry::Never => panic!("{}: {error}: {:#?}", user.name, migrated.broken),
                Retry::After(Some(exactly)) => exactly,
                Retry::Now | Retry::After(None) => Duration::from_secs(30) * (1 << attempts.min(8)),
            };
            assert!(attempts < ATTEMPTS, "{}: {:#?}", user.name, migrated.broken);
            user.clock.sleep(wait).await;
        }
        panic!("{}: no end: {:#?}", user.name, migrated.broken);
    }

    pub(crate) async fn pass(&self, user: &User) -> Report {
        let mut source = self.mailbox(Side::Source, user);
        let mut target = self.mailbox(Side::Target, user);
        let pass = Pass {
            source: &mut source,
            target: &mut target,
            ledger: &user.ledger,
            progress: &Listener::default(),
            clock: &user.clock,
            budget: &Budget::new(4 << 20),
            slots: &Slots::new(self.places),
            stop: &CancellationToken::new(),
            limits: &PassLimits { is_resumed: true, ..PassLimits::default() },
            options: &PassOptions {
                folders: FolderRules { map: self.map.clone(), ..FolderRules::default() },
                deletions: self.deletions,
                removals: RemovalRules { is_confirmed: true, ..RemovalRules::default() },
                ..PassOptions::default()
            },
        };
        let report = Box::pin(pass.run()).await;
        source.close().await;
        target.close().await;
        report
    }

    fn mailbox(&self, side: Side, user: &User) -> ImapMailbox {
        let (server, login, desk) = match side {
            Side::Source => (&self.source, self.login.0, &self.desks.0),
            Side::Target => (&self.target, self.login.1, &self.desks.1),
        };
        let with = |tokens: &Tokens| mailhaul_remotes::Login::Tokens {
            user: user.name.clone(),
            tokens: tokens.clone(),
        };
        let account = Account {
            side,
            options: ConnectOptions::new("127.0.0.1", server.port, Security::Clear),
            login: match login {
                Login::Password => {
                    let credentials = Credentials::password(&user.name, Secret::new(PASSWORD));
                    mailhaul_remotes::Login::Password(credentials)
                }
                Login::Token | Login::Api => with(&desk.of_users),
                Login::ApplicationToken => with(&desk.of_application),
            },
            user_root: None,
            profile: None,
        };
        let mailbox = ImapMailbox::new(account)
            .with_labels(LabelRules { policy: self.policy, ..LabelRules::default() });
        if login != Login::Api {
            return mailbox;
        }
        let clock = user.clock.clone();
        let pause = move |wait| {
            let clock = clock.clone();
            let pause: Pin<Box<dyn Future<Output = ()> + Send>> =
                Box::pin(async move { clock.sleep(wait).await });
            pause
        };
        mailbox.uploading_by(GmailApi::new(&server.http_url()).unwrap().pausing(Arc::new(pause)))
    }

    /// Neither server saw a forbidden command.
    #[track_caller]
    pub(crate) fn assert_obedient(&self) {
        let told: Vec<String> =
            self.source.violations().into_iter().chain(self.target.violations()).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

/// A user whose mailbox moves.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) clock: VirtualClock,
    pub(crate) ledger: MemoryLedger,
}

/// The effort of a migration.
#[derive(Debug, Default)]
pub(crate) struct Migrated {
    pub(crate) copied: u64,
    pub(crate) moved: u64,
    /// The errors that ended passes.
    pub(crate) broken: Vec<String>,
    /// The last pass.
    pub(crate) report: Report,
}

/// A message for comparison: bytes, flags, time with zone.
pub(crate) type Seen = (Vec<u8>, String, String);
/// Folders by name, each with its messages, sorted.
pub(crate) type Contents = BTreeMap<String, Vec<Seen>>;

pub(crate) fn seen(kept: &StoredMessage, loses: impl Fn(&str) -> bool) -> Seen {
    let flags = kept.flags.filtered(|it| !loses(it));
    (kept.octets.to_vec(), flags.to_string(), kept.date.to_string())
}

/// All folders with messages, without the flags that are lost.
pub(crate) fn contents(server: &Fake, user: &User, loses: impl Fn(&str) -> bool + Copy) -> Contents {
    server.with(&user.name, |mailbox| {
        let folder = |name: String| {
            let mut messages: Vec<Seen> =
                mailbox.messages(&name).iter().map(|(_, it)| seen(it, loses)).collect();
            messages.sort();
            (name, messages)
        };
        mailbox.folder_names().into_iter().map(folder).filter(|(_, messages)| !messages.is_empty()).collect()
    })
}

#[track_caller]
pub(crate) fn assert_same(user: &User, expected: &Contents, found: &Contents) {
    let names: Vec<(&String, usize)> = expected.iter().map(|(name, it)| (name, it.len())).collect();
    let there: Vec<(&String, usize)> = found.iter().map(|(name, it)| (name, it.len())).collect();
    assert_eq!(names, there, "{}: messages in each folder", user.name);
    for (name, messages) in expected {
        for (one, other) in messages.iter().zip(&found[name]) {
            assert!(one == other, "{}: {name}: {} is not {}", user.name, show(one), show(other));
        }
    }
}

fn show((octets, flags, date): &Seen) -> String {
    let subject = String::from_utf8_lossy(octets);
    let subject = subject.lines().find(|it| it.starts_with("Subject:")).unwrap_or("(none)").to_owned();
    format!("{subject:?} of {} octets ({flags}) {date}", octets.len())
}

/// Mail of one user, spread over the folders.
pub(crate) fn fill(server: &Fake, user: &User, seed: u64, folders: &[&str], count: usize) {
    let mut maker = Mailmaker::new(seed);
    server.with(&user.name, |mailbox| {
        for folder in folders {
            mailbox.create(folder);
        }
        for number in 0..count {
            let (octets, flags, date) = item(&mut maker);
            mailbox.add(folders[number % folders.len()], octets, flags, date);
        }
    });
}

pub(crate) fn item(maker: &mut Mailmaker) -> (Vec<u8>, Flags, InternalDate) {
    // Some are synchronizing literals, if the server wants that.
    let size =
        300 + usize::try_from(maker.number(100)).unwrap() * if maker.number(10) == 0 { 100 } else { 5 };
    maker.item(size)
}

pub(crate) async fn start(personality: mailhaul_testkit::fake::Personality) -> Fake {
    Fake::start(personality).await
}

/// A personality with other limits.
pub(crate) fn limited(
    personality: mailhaul_testkit::fake::Personality,
    change: impl FnOnce(&mut mailhaul_testkit::fake::Limits),
) -> mailhaul_testkit::fake::Personality {
    let mut personality = personality;
    change(&mut personality.limits);
    personality
}
