//! Mailboxes of a run: from the addresses or from the CSV file.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, anyhow, bail};
use mailhaul_imap::{ConnectOptions, Credentials, SignInMemory, Timeouts, TlsOptions, Trace};
use mailhaul_mail::Secret;
use mailhaul_migration::{
    CsvError, CsvErrors, CsvOptions, CsvPlace, CsvRule, UserRow, column_list, read_users,
};
use mailhaul_oauth::{TokenCommand, Tokens};
use mailhaul_remotes::{Account, Login, Side};

use super::trace_file::{LabelledTrace, TraceFile};
use crate::{
    certificate_pin::Pin,
    cli::{args::Migrate, passwords},
    output::ui::Ui,
    server_url::ServerUrl,
};

/// Source and target of one mailbox.
pub(crate) struct MailboxPair {
    /// Name in all output: the `EmailAddress`, or the user at the source.
    pub(crate) name: String,
    /// Row in the CSV file.
    pub(crate) row: Option<usize>,
    pub(crate) source: Account,
    pub(crate) target: Account,
    /// Key of the source in the ledger.
    pub(crate) source_key: String,
    /// Key of the target in the ledger.
    pub(crate) target_key: String,
}

/// Settings of all connections.
pub(crate) struct Settings {
    pub(crate) timeouts: Timeouts,
    pub(crate) trace: Option<Arc<TraceFile>>,
}

/// Server of one side, with the settings of its connections.
struct Server<'a> {
    side: Side,
    url: &'a ServerUrl,
    tls: TlsOptions,
    /// The only sign-in mechanism.
    mechanism: Option<String>,
    /// Mechanisms that work. All mailboxes of this server share it.
    sign_in: SignInMemory,
    /// Access tokens, instead of passwords.
    tokens: Option<Tokens>,
}

impl<'a> Server<'a> {
    fn source(options: &Migrate, url: &'a ServerUrl) -> Result<Self> {
        Ok(Self {
            side: Side::Source,
            url,
            tls: tls(options, options.from_ca.as_ref(), options.from_pin),
            mechanism: options.from_auth.clone(),
            sign_in: SignInMemory::default(),
            tokens: tokens(options.from_token_command.as_ref(), "from-token-command")?,
        })
    }

    fn target(options: &Migrate, url: &'a ServerUrl) -> Result<Self> {
        Ok(Self {
            side: Side::Target,
            url,
            tls: tls(options, options.to_ca.as_ref(), options.to_pin),
            mechanism: options.to_auth.clone(),
            sign_in: SignInMemory::default(),
            tokens: tokens(options.to_token_command.as_ref(), "to-token-command")?,
        })
    }

    /// Returns a login with an access token, or with the password if the server has no tokens.
    fn login(&self, user: &str, password: impl FnOnce() -> Result<Secret>) -> Result<Login> {
        Ok(match &self.tokens {
            Some(tokens) => Login::Tokens { user: user.to_owned(), tokens: tokens.clone() },
            None => Login::Password(Credentials::password(user, password()?)),
        })
    }

    fn account(&self, settings: &Settings, login: Login, root: Option<&str>) -> Account {
        let user = login.user();
        let side = match self.side {
            Side::Source => "from",
            Side::Target => "to",
        };
        let trace = settings
            .trace
            .clone()
            .map(|file| Arc::new(LabelledTrace { file, label: format!("{user} {side}") }) as Arc<dyn Trace>);
        let mut options = ConnectOptions::new(self.url.host.clone(), self.url.port, self.url.security);
        options.tls = self.tls.clone();
        options.mechanism.clone_from(&self.mechanism);
        options.sign_in = self.sign_in.clone();
        options.timeouts = settings.timeouts;
        options.trace = trace;
        Account { side: self.side, options, login, user_root: root.map(str::to_owned), profile: None }
    }

    fn key(&self, user: &str, root: Option<&str>) -> String {
        let root = root.map(|root| format!(" {root}")).unwrap_or_default();
        format!("{user}@{}{root}", self.url)
    }
}

fn tls(options: &Migrate, ca: Option<&PathBuf>, pin: Option<Pin>) -> TlsOptions {
    TlsOptions {
        ca_file: ca.cloned(),
        ca_pem: None,
        pin_sha256: pin.map(|pin| pin.0),
        accept_untrusted: options.accept_untrusted_certificates,
    }
}

fn tokens(command: Option<&String>, option: &str) -> Result<Option<Tokens>> {
    let Some(command) = command else { return Ok(None) };
    let words = command.split_whitespace().map(str::to_owned).collect();
    let command = TokenCommand::new(words).map_err(|words| anyhow!("--{option}: {words}"))?;
    Ok(Some(Tokens::new(command)))
}

/// Returns all mailboxes that the options name, with their passwords.
pub(crate) fn mailboxes(
    options: &Migrate,
    from: &ServerUrl,
    to: &ServerUrl,
    settings: &Settings,
    ui: &Ui,
) -> Result<Vec<MailboxPair>> {
    let (from, to) = (Server::source(options, from)?, Server::target(options, to)?);
    match &options.users {
        Some(path) => from_csv(options, path, settings, &from, &to, ui),
        None => Ok(vec![from_urls(options, settings, &from, &to)?]),
    }
}

/// Finds rows whose mailbox is copied to itself, or has the same target as another row.
fn unfit_rows(mailboxes: &[MailboxPair]) -> CsvErrors {
    let mut errors = CsvErrors::default();
    let mut targets: HashMap<&str, usize> = HashMap::new();
    for mailbox in mailboxes {
        let row = mailbox.row.unwrap_or_default();
        // The keys are not shown: if the columns are shifted, they may contain a password.
        if mailbox.source_key == mailbox.target_key {
            errors.push(CsvError::at(CsvPlace::row(row), CsvRule::SameMailbox));
        }
        if let Some(first) = targets.insert(&mailbox.target_key, row) {
            errors.push(CsvError::at(CsvPlace::row(row), CsvRule::SameTarget { first }));
        }
    }
    errors
}

/// Error of the CSV file, with the options that help.
fn csv_refusal(path: &Path, errors: &CsvErrors) -> anyhow::Error {
    let advice = if errors.has(|rule| matches!(rule, CsvRule::UnknownColumn { .. })) {
        format!(
            "\n  The columns are {}. --allow-unknown-columns ignores a column that is none of them.",
            column_list()
        )
    } else if errors.has(|rule| matches!(rule, CsvRule::NoTargetPassword)) {
        "\n  --to-password-file gives one password for all rows.".to_owned()
    } else {
        String::new()
    };
    anyhow!("{}: {errors}{advice}", path.display())
}

fn from_urls(
    options: &Migrate,
    settings: &Settings,
    from: &Server<'_>,
    to: &Server<'_>,
) -> Result<MailboxPair> {
    let user = |server: &Server<'_>, name: &str| -> Result<String> {
        let missing = || {
            anyhow!(
                "--{name} names no user: write {name}=...://USER@{}, or give --users FILE.csv",
                server.url
            )
        };
        server.url.user.clone().ok_or_else(missing)
    };
    let (source_user, target_user) = (user(from, "from")?, user(to, "to")?);
    let password = |file: &Option<PathBuf>, variable, side: &str, whose: String| -> Result<Secret> {
        match passwords::read(file.as_deref(), variable)? {
            Some(password) => Ok(password),
            None => passwords::prompt(&whose, side),
        }
    };
    let source = from.login(&source_user, || {
        let whose = format!("{source_user} at {}", from.url);
        password(&options.from_password_file, "MAILHAUL_FROM_PASSWORD", "from", whose)
    })?;
    let target = to.login(&target_user, || {
        let whose = format!("{target_user} at {}", to.url);
        password(&options.to_password_file, "MAILHAUL_TO_PASSWORD", "to", whose)
    })?;
    let (source_key, target_key) = (from.key(&source_user, None), to.key(&target_user, None));
    if source_key == target_key {
        bail!("{source_user}: source and target are the same mailbox, {source_key}");
    }
    Ok(MailboxPair {
        name: source_user,
        row: None,
        source_key,
        target_key,
        source: from.account(settings, source, None),
        target: to.account(settings, target, None),
    })
}

fn from_csv(
    options: &Migrate,
    path: &Path,
    settings: &Settings,
    from: &Server<'_>,
    to: &Server<'_>,
    ui: &Ui,
) -> Result<Vec<MailboxPair>> {
    for (server, name) in [(from, "from"), (to, "to")] {
        if server.url.user.is_some() {
            bail!("--{name} names a user, and so does the CSV file; remove the user from the address");
        }
    }
    if options.from_password_file.is_some() {
        bail!(
            "--from-password-file is for one mailbox; with --users, the CSV file contains the source's passwords"
        );
    }
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let csv_options = CsvOptions {
        allow_unknown_columns: options.allow_unknown_columns,
        without_passwords: from.tokens.is_some(),
        without_user_names: from.tokens.is_some(),
    };
    let list = read_users(&bytes, csv_options).map_err(|errors| csv_refusal(path, &errors))?;
    for warning in &list.warnings {
        ui.warn(&format!("warning: {}: {warning}", path.display()));
    }
    let shared = passwords::read(options.to_password_file.as_deref(), "MAILHAUL_TO_PASSWORD")?;
    let refused = |errors: CsvErrors| errors.into_result().map_err(|errors| csv_refusal(path, &errors));
    if to.tokens.is_none() && shared.is_none() {
        refused(without_target_password(&list.users))?;
    }
    let mut mailboxes = Vec::with_capacity(list.users.len());
    for user in list.users {
        let row = user.row;
        let password = |password: Option<Secret>, column: &str| {
            password.with_context(|| format!("Row {row}: there is no {column}"))
        };
        let target = to.login(&user.target_user_name, || {
            password(user.target_password.or_else(|| shared.clone()), "TargetPassword")
        })?;
        let source = from.login(&user.user_name, || password(user.password, "Password"))?;
        let root = user.user_root.as_deref();
        mailboxes.push(MailboxPair {
            row: Some(row),
            source_key: from.key(&user.user_name, root),
            target_key: to.key(&user.target_user_name, None),
            source: from.account(settings, source, root),
            target: to.account(settings, target, None),
            name: user.email_address,
        });
    }
    refused(unfit_rows(&mailboxes))?;
    Ok(mailboxes)
}

fn without_target_password(users: &[UserRow]) -> CsvErrors {
    let mut errors = CsvErrors::default();
    for user in users.iter().filter(|user| user.target_password.is_none()) {
        let place = CsvPlace::row(user.row).named("TargetPassword");
        errors.push(CsvError::at(place, CsvRule::NoTargetPassword));
    }
    errors
}
