//! Which mailboxes go where: from the addresses or from the CSV file.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};
use mailhaul_imap::{ConnectOptions, Credentials, SignInMemory, Timeouts, TlsOptions};
use mailhaul_mail::Secret;
use mailhaul_migration::{CsvOptions, read_users};
use mailhaul_oauth::{TokenCommand, Tokens};
use mailhaul_remotes::{Account, Login, Side};

use super::{trace_file::TraceFile, trace_of};
use crate::{
    certificate_pin::Pin,
    cli::{args::Migrate, passwords},
    output::ui::Ui,
    server_url::ServerUrl,
};

/// One mailbox and where it goes.
pub(crate) struct Mailbox {
    /// How it is called in all output: its `EmailAddress`, or the user of the source.
    pub(crate) name: String,
    /// Its row in the CSV file.
    pub(crate) row: Option<usize>,
    pub(crate) source: Account,
    pub(crate) target: Account,
    /// By which the ledger knows both ends.
    pub(crate) source_key: String,
    pub(crate) target_key: String,
}

/// What is the same for all connections.
pub(crate) struct Settings {
    pub(crate) timeouts: Timeouts,
    pub(crate) trace: Option<Arc<TraceFile>>,
}

/// What is the same for all connections of one side.
struct End<'a> {
    side: Side,
    url: &'a ServerUrl,
    tls: TlsOptions,
    /// The only sign-in mechanism.
    mechanism: Option<String>,
    /// Shared by all mailboxes there.
    sign_in: SignInMemory,
    /// Where access tokens come from, in place of passwords.
    tokens: Option<Tokens>,
}

impl End<'_> {
    /// By an access token where there are some, else by the password that is found.
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
        let mut options = ConnectOptions::new(self.url.host.clone(), self.url.port, self.url.security);
        options.tls = self.tls.clone();
        options.mechanism.clone_from(&self.mechanism);
        options.sign_in = self.sign_in.clone();
        options.timeouts = settings.timeouts;
        options.trace = trace_of(settings, format!("{user} {side}"));
        Account { side: self.side, options, login, user_root: root.map(str::to_owned), profile: None }
    }

    fn key(&self, user: &str, root: Option<&str>) -> String {
        let root = root.map(|it| format!(" {it}")).unwrap_or_default();
        format!("{user}@{}{root}", self.url)
    }
}

/// All mailboxes that the options name, with passwords.
pub(crate) fn mailboxes(
    options: &Migrate,
    from: &ServerUrl,
    to: &ServerUrl,
    settings: &Settings,
    ui: &Ui,
) -> Result<Vec<Mailbox>> {
    let tls = |ca: &Option<std::path::PathBuf>, pin: Option<Pin>| TlsOptions {
        ca_file: ca.clone(),
        ca_pem: None,
        pin_sha256: pin.map(|it| it.0),
        accept_untrusted: options.accept_untrusted_certificates,
    };
    let tokens = |command: &Option<String>, option: &str| -> Result<Option<Tokens>> {
        let Some(command) = command else { return Ok(None) };
        let words = command.split_whitespace().map(str::to_owned).collect();
        let command = TokenCommand::new(words).map_err(|words| anyhow!("--{option}: {words}"))?;
        Ok(Some(Tokens::new(command)))
    };
    let from = End {
        side: Side::Source,
        url: from,
        tls: tls(&options.from_ca, options.from_pin),
        mechanism: options.from_auth.clone(),
        sign_in: SignInMemory::default(),
        tokens: tokens(&options.from_token_command, "from-token-command")?,
    };
    let to = End {
        side: Side::Target,
        url: to,
        tls: tls(&options.to_ca, options.to_pin),
        mechanism: options.to_auth.clone(),
        sign_in: SignInMemory::default(),
        tokens: tokens(&options.to_token_command, "to-token-command")?,
    };
    let mailboxes = if options.users.is_some() {
        from_csv(options, settings, &from, &to, ui)?
    } else {
        vec![from_urls(options, settings, &from, &to)?]
    };
    let mut targets: HashMap<&str, &Mailbox> = HashMap::new();
    for mailbox in &mailboxes {
        if mailbox.source_key == mailbox.target_key {
            // In a row that is shifted, a cell is a password.
            match mailbox.row {
                Some(row) => bail!("Row {row}: source and target are the same mailbox"),
                None => {
                    bail!("{}: source and target are the same mailbox, {}", mailbox.name, mailbox.source_key)
                }
            }
        }
        if let Some(other) = targets.insert(&mailbox.target_key, mailbox) {
            bail!(
                "Row {}: the target mailbox is that of row {} already: two mailboxes cannot be brought into one",
                mailbox.row.unwrap_or_default(),
                other.row.unwrap_or_default()
            );
        }
    }
    Ok(mailboxes)
}

fn from_urls(options: &Migrate, settings: &Settings, from: &End<'_>, to: &End<'_>) -> Result<Mailbox> {
    let user = |end: &End<'_>, name: &str| -> Result<String> {
        let missing = || {
            anyhow!("--{name} names no user: write {name}=...://USER@{}, or give --users FILE.csv", end.url)
        };
        end.url.user.clone().ok_or_else(missing)
    };
    let (source_user, target_user) = (user(from, "from")?, user(to, "to")?);
    let password = |file: &Option<PathBuf>, variable, side: &str, whose: String| -> Result<Secret> {
        match passwords::given(file.as_deref(), variable)? {
            Some(password) => Ok(password),
            None => passwords::asked(&whose, side),
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
    Ok(Mailbox {
        name: source_user.clone(),
        row: None,
        source_key: from.key(&source_user, None),
        target_key: to.key(&target_user, None),
        source: from.account(settings, source, None),
        target: to.account(settings, target, None),
    })
}

fn from_csv(
    options: &Migrate,
    settings: &Settings,
    from: &End<'_>,
    to: &End<'_>,
    ui: &Ui,
) -> Result<Vec<Mailbox>> {
    let Some(path) = &options.users else { return Ok(Vec::new()) };
    for (end, name) in [(from, "from"), (to, "to")] {
        if end.url.user.is_some() {
            bail!("--{name} names a user, and so does the CSV file: leave the user out of the address");
        }
    }
    if options.from_password_file.is_some() {
        bail!(
            "--from-password-file is for one mailbox: with --users, the CSV file has the source's passwords"
        );
    }
    let octets = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let csv_options = CsvOptions {
        allow_unknown_columns: options.allow_unknown_columns,
        without_passwords: from.tokens.is_some(),
        without_user_names: from.tokens.is_some(),
    };
    let list = read_users(&octets, csv_options).with_context(|| path.display().to_string())?;
    for warning in &list.warnings {
        ui.warn(&format!("warning: {}: {warning}", path.display()));
    }
    let shared = passwords::given(options.to_password_file.as_deref(), "MAILHAUL_TO_PASSWORD")?;
    let mut mailboxes = Vec::with_capacity(list.users.len());
    for user in list.users {
        let target = to.login(&user.target_user_name, || {
            user.target_password.or_else(|| shared.clone()).ok_or_else(|| {
                anyhow!(
                    "{}: Row {}: there is no TargetPassword: fill the column, or give --to-password-file",
                    path.display(),
                    user.row
                )
            })
        })?;
        let source = from.login(&user.user_name, || {
            user.password.with_context(|| format!("Row {}: there is no Password", user.row))
        })?;
        let root = user.user_root.as_deref();
        mailboxes.push(Mailbox {
            row: Some(user.row),
            source_key: from.key(&user.user_name, root),
            target_key: to.key(&user.target_user_name, None),
            source: from.account(settings, source, root),
            target: to.account(settings, target, None),
            name: user.email_address,
        });
    }
    Ok(mailboxes)
}
