//! A private, real Dovecot.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Bearer, Certificate,
    processes::{GREETING_TIMEOUT, children_of, free_port, greeting, signal, whoami},
};

/// Settings of a Dovecot.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Names and passwords.
    pub users: Vec<(String, String)>,
    /// Storage quota of every user, in Dovecot's form: `1M`.
    pub quota: Option<String>,
    /// Location of the mail, in Dovecot's form.
    pub mail_location: String,
    /// Separator of levels in names.
    pub separator: char,
    /// Prefix of names.
    pub prefix: String,
    /// Plugins of all parts. `imap_plugins` are added for IMAP.
    pub plugins: Vec<&'static str>,
    /// Plugins of IMAP only.
    pub imap_plugins: Vec<&'static str>,
    /// Files below the server's directory that the added lines name.
    pub files: Vec<(&'static str, String)>,
    /// Check of access tokens, if the server accepts them beside passwords.
    pub bearer: Option<Bearer>,
    /// Lines added to the configuration. `{home}` is replaced by the directory of the server.
    pub extra: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            quota: None,
            mail_location: "sdbox:~/sdbox".to_owned(),
            separator: '/',
            prefix: String::new(),
            plugins: Vec::new(),
            imap_plugins: Vec::new(),
            files: Vec::new(),
            bearer: None,
            extra: String::new(),
        }
    }
}

impl Setup {
    /// Dovecot with these users. Each password is `secret-` and the name.
    pub fn with_users(names: &[&str]) -> Self {
        Self { users: crate::passwords(names), ..Self::default() }
    }

    /// Starts the server without TLS.
    pub fn start(self) -> Dovecot {
        Dovecot::start(&self, None)
    }

    /// Starts the server with TLS: STARTTLS on one port, TLS from the start on the other.
    pub fn start_tls(self, certificate: &Certificate) -> Dovecot {
        Dovecot::start(&self, Some(certificate))
    }
}

/// A running Dovecot. Stops when dropped.
pub struct Dovecot {
    directory: TempDir,
    port: u16,
    tls_port: u16,
    process: Option<Child>,
}

impl Dovecot {
    /// The password of a user of [`Setup::with_users`].
    pub fn password(user: &str) -> String {
        format!("secret-{user}")
    }

    fn start(setup: &Setup, certificate: Option<&Certificate>) -> Self {
        let version = Command::new("dovecot").arg("--version").output();
        let version = version.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
        assert!(
            version.starts_with("2.3."),
            "Dovecot 2.3 is needed (found {version:?}): `make test` installs it"
        );
        let directory = tempfile::Builder::new().prefix("mailhaul-dovecot").tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut dovecot = Self { directory, port: 0, tls_port: 0, process: None };
        for _ in 0..20 {
            // Another process may take a free port before Dovecot does.
            (dovecot.port, dovecot.tls_port) = (free_port(), free_port());
            dovecot.write_configuration(setup, certificate);
            if dovecot.run() {
                return dovecot;
            }
        }
        panic!("Dovecot does not start: {}", dovecot.log());
    }

    fn write_configuration(&self, setup: &Setup, certificate: Option<&Certificate>) {
        let account = Account::current();
        self.write_files(setup, &account);
        let mut text = self.basic_lines(setup, &account);
        text.push_str(&self.login_lines(certificate, &account));
        text.push_str(&plugin_lines(setup));
        if !account.is_root {
            let Account { user, mail_group, .. } = &account;
            write!(
                text,
                "default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {mail_group}\n\
                 service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
            )
            .unwrap();
        }
        if let Some(bearer) = &setup.bearer {
            text.push_str(&bearer.write(self.directory.path()));
        }
        let home = self.directory.path().display().to_string();
        text.push_str(&setup.extra.replace("{home}", &home));
        fs::write(self.configuration(), text).unwrap();
    }

    /// Writes the directories and files that the configuration names.
    fn write_files(&self, setup: &Setup, account: &Account) {
        for name in ["run", "state", "mail"] {
            fs::create_dir_all(self.directory.path().join(name)).unwrap();
        }
        for (name, text) in &setup.files {
            let path = self.directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if account.is_root {
            let owned =
                Command::new("chown").args(["mail:mail"]).arg(self.directory.path().join("mail")).status();
            assert!(owned.unwrap().success());
        }
        let mut users = String::new();
        for (name, password) in &setup.users {
            writeln!(users, "{name}:{{PLAIN}}{password}::::::").unwrap();
        }
        fs::write(self.directory.path().join("users"), users).unwrap();
    }

    fn basic_lines(&self, setup: &Setup, account: &Account) -> String {
        let home = self.directory.path().display();
        let Account { mail_user, mail_group, .. } = account;
        format!(
            "base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap\n\
             listen = 127.0.0.1\ndisable_plaintext_auth = no\nmail_uid = {mail_user}\nmail_gid = {mail_group}\n\
             first_valid_uid = 1\nmail_home = {home}/mail/%u\nmail_location = {location}\nmail_fsync = never\n\
             mail_max_userip_connections = 1000\nauth_mechanisms = plain login cram-md5\nauth_failure_delay = 0\n\
             service imap {{\n process_limit = 512\n}}\nservice anvil {{\n unix_listener anvil-auth-penalty {{\n  mode = 0\n }}\n}}\n\
             namespace inbox {{\n inbox = yes\n separator = {separator}\n prefix = {prefix}\n}}\n\
             passdb {{\n driver = passwd-file\n{of_passwords} args = {home}/users\n}}\nuserdb {{\n driver = passwd-file\n args = {home}/users\n}}\n",
            location = setup.mail_location,
            separator = setup.separator,
            prefix = setup.prefix,
            // A token is not a password.
            of_passwords = if setup.bearer.is_some() { " mechanisms = plain login cram-md5\n" } else { "" },
        )
    }

    fn login_lines(&self, certificate: Option<&Certificate>, account: &Account) -> String {
        let (port, tls_port) = (self.port, if certificate.is_some() { self.tls_port } else { 0 });
        let chroot = if account.is_root { "" } else { " chroot =\n" };
        let tls = match certificate {
            None => "ssl = no\n".to_owned(),
            Some(certificate) => format!(
                "ssl = yes\nssl_cert = <{}\nssl_key = <{}\n",
                certificate.certificate_file().display(),
                certificate.key_file().display()
            ),
        };
        format!(
            "service imap-login {{\n{chroot} inet_listener imap {{\n  port = {port}\n }}\n inet_listener imaps {{\n  port = {tls_port}\n  \
             ssl = yes\n }}\n service_count = 0\n client_limit = 1000\n}}\n{tls}"
        )
    }

    /// Path of its configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.directory.path().join("dovecot.conf")
    }

    /// Returns false if another program has the port.
    fn run(&mut self) -> bool {
        let process = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(self.configuration())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let begun = Instant::now();
        while begun.elapsed() < GREETING_TIMEOUT {
            if let Some(process) = &mut self.process
                && process.try_wait().unwrap().is_some()
            {
                self.process = None;
                assert!(self.log().contains("already in use"), "Dovecot does not start: {}", self.log());
                return false;
            }
            if greets(self.port) {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("Dovecot does not greet: {}", self.log());
    }

    /// Port of IMAP, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Port of IMAP with TLS from the start.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Path of a file or directory in the user's home.
    pub fn home(&self, user: &str) -> PathBuf {
        self.directory.path().join("mail").join(user)
    }

    /// The text of its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The directory with all its data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the server with all sessions at once, like a power failure.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Busy sessions outlive their master.
            let children = children_of(process.id());
            signal("TERM", &[process.id()]);
            _ = process.wait();
            signal("KILL", &children);
        }
    }

    /// Starts the server again, on the same ports.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.run(), "the port was taken: {}", self.log());
    }

    /// Changes the user's quota by a restart.
    pub fn set_quota(&mut self, quota: &str) {
        let text = fs::read_to_string(self.configuration()).unwrap();
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.split_once("quota_rule = ") {
                Some((blank, _)) => format!("{blank}quota_rule = *:storage={quota}"),
                None => line.to_owned(),
            })
            .collect();
        fs::write(self.configuration(), lines.join("\n") + "\n").unwrap();
        self.restart();
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The accounts of the machine that run the server.
struct Account {
    user: String,
    is_root: bool,
    mail_user: String,
    mail_group: String,
}

impl Account {
    fn current() -> Self {
        let user = whoami("-un");
        let is_root = user == "root";
        let (mail_user, mail_group) =
            if is_root { ("mail".to_owned(), "mail".to_owned()) } else { (user.clone(), whoami("-gn")) };
        Self { user, is_root, mail_user, mail_group }
    }
}

fn plugin_lines(setup: &Setup) -> String {
    let mut text = String::new();
    let (mut plugins, mut imap_plugins) = (setup.plugins.clone(), setup.imap_plugins.clone());
    if let Some(quota) = &setup.quota {
        plugins.push("quota");
        imap_plugins.push("imap_quota");
        write!(
            text,
            "plugin {{\n quota = count:User quota\n quota_vsizes = yes\n quota_rule = *:storage={quota}\n}}\n"
        )
        .unwrap();
    }
    // Without any, the added lines may name some.
    if !plugins.is_empty() || !imap_plugins.is_empty() {
        let (plugins, imap_plugins) = (plugins.join(" "), imap_plugins.join(" "));
        write!(
            text,
            "mail_plugins = {plugins}\nprotocol imap {{\n mail_plugins = {plugins} {imap_plugins}\n}}\n"
        )
        .unwrap();
    }
    text
}

fn greets(port: u16) -> bool {
    greeting(port).is_some_and(|it| it.starts_with("* OK"))
}
