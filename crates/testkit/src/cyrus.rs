//! A private, real Cyrus.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    processes::{free_port, greeting},
    room::{Room, directory, must_be_possible, output, take_unpacked},
    server::{Server, wait_for},
};

/// Directory of the programs of Debian's cyrus-common.
const PROGRAMS: &str = "/usr/lib/cyrus/bin";

/// Directories that Cyrus does not create itself.
const DIRECTORIES: &str = "spool spool/stage. sieve proc lock conf conf/db conf/db.backup1 conf/db.backup2 conf/log conf/msg \
                           conf/proc conf/ptclient conf/socket conf/user conf/quota";

/// Settings of a Cyrus.
#[derive(Clone, Debug)]
pub struct CyrusSetup {
    /// Names and passwords.
    pub users: Vec<(String, String)>,
    /// Name and password of a user who may open every mailbox, by SASL's authorization identity.
    pub administrator: Option<(String, String)>,
    /// Separator of levels in names: `/` or `.` (`unixhierarchysep`).
    pub separator: char,
    /// True if folders are beside INBOX, otherwise they are below it (`altnamespace`).
    pub is_beside_inbox: bool,
    /// True if new mailboxes have Drafts, Sent, Trash, Junk and Archive, each with its special use.
    pub has_special_use: bool,
    /// True if 8-bit characters in headers are replaced by X, Cyrus's default (`munge8bit`).
    pub munges_8bit: bool,
}

impl CyrusSetup {
    /// Cyrus with these users. Each password is `secret-` and the name.
    pub fn with_users(names: &[&str]) -> Self {
        Self {
            users: crate::passwords(names),
            administrator: None,
            separator: '/',
            is_beside_inbox: true,
            has_special_use: false,
            munges_8bit: false,
        }
    }

    /// Settings of old Cyrus installations: separator `.`, folders below INBOX, no 8-bit characters in
    /// headers.
    #[must_use]
    pub fn traditional(self) -> Self {
        Self { separator: '.', is_beside_inbox: false, munges_8bit: true, ..self }
    }

    /// Adds a user who may open every mailbox.
    #[must_use]
    pub fn with_administrator(self, name: &str, password: &str) -> Self {
        Self { administrator: Some((name.to_owned(), password.to_owned())), ..self }
    }

    /// Starts the server without TLS.
    pub fn start(self) -> Cyrus {
        Cyrus::start(&self)
    }
}

/// A running Cyrus. Stops when dropped.
pub struct Cyrus {
    // Dropped first: no process may write into the directory during its removal.
    room: Option<Room>,
    directory: TempDir,
    port: u16,
}

impl Cyrus {
    fn start(setup: &CyrusSetup) -> Self {
        must_be_possible("Cyrus", &[&format!("{PROGRAMS}/master"), "/usr/sbin/saslpasswd2"]);
        let mut cyrus = Self { room: None, directory: directory("mailhaul-cyrus"), port: 0 };
        cyrus.write_configuration(setup);
        for _ in 0..20 {
            // Another process may take a free port before Cyrus does. Then the greeting has another name.
            cyrus.port = free_port();
            cyrus.write_services();
            if cyrus.run() {
                return cyrus;
            }
        }
        panic!("Cyrus does not start: {}", cyrus.log());
    }

    /// The name in its greeting.
    fn name(&self) -> String {
        self.path("").file_name().unwrap().to_string_lossy().to_lowercase()
    }

    fn write_configuration(&self, setup: &CyrusSetup) {
        let home = self.path("");
        for name in ["bin", "data"] {
            fs::create_dir_all(home.join(name)).unwrap();
        }
        take_unpacked("usr/lib/cyrus/bin/imapd", &home.join("bin"));
        let yes_or_no = |it: bool| if it { "yes" } else { "no" };
        let administrator = setup.administrator.as_ref().map_or("cyrus", |(name, _)| name);
        let home = home.display();
        let mut text = format!(
            "configdirectory: {home}/data/conf\ndefaultpartition: default\npartition-default: {home}/data/spool\nsievedir: {home}/data/sieve\n\
             proc_path: {home}/data/proc\nmboxname_lockpath: {home}/data/lock\nidlesocket: {home}/data/idle\nservername: {name}\n\
             admins: {administrator}\nproxyservers: {administrator}\nallowplaintext: yes\nsasl_mech_list: PLAIN LOGIN CRAM-MD5\n\
             sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {home}/sasldb2\n\
             virtdomains: off\ndefaultdomain: {name}\nunixhierarchysep: {unix}\naltnamespace: {beside}\n\
             autocreate_quota: 0\nautocreate_post: yes\nannotation_allow_undefined: yes\nskiplist_unsafe: yes\n\
             duplicatesuppression: no\nsync_log: no\nexpunge_mode: immediate\ndelete_mode: immediate\n\
             munge8bit: {munge}\n",
            name = self.name(),
            unix = yes_or_no(setup.separator == '/'),
            beside = yes_or_no(setup.is_beside_inbox),
            munge = yes_or_no(setup.munges_8bit),
        );
        if setup.has_special_use {
            let folders = ["Drafts", "Sent", "Trash", "Junk", "Archive"];
            let all = folders.join(" | ");
            writeln!(text, "autocreate_inbox_folders: {all}\nautocreate_subscribe_folders: {all}").unwrap();
            for it in folders {
                writeln!(text, "xlist-{}: {it}", it.to_lowercase()).unwrap();
            }
            text.push_str("specialusealways: yes\n");
        }
        fs::write(self.path("imapd.conf"), text).unwrap();
        for (name, password) in setup.users.iter().chain(&setup.administrator) {
            let mut command = Command::new("saslpasswd2");
            command.args(["-p", "-c", "-u", &self.name(), "-f"]).arg(self.path("sasldb2")).arg(name);
            output(&mut command, password);
        }
    }

    fn write_services(&self) {
        let home = self.path("");
        let home = home.display();
        let services = format!(
            "START {{\n recover cmd=\"{PROGRAMS}/ctl_cyrusdb -C {home}/imapd.conf -r\"\n}}\n\
             SERVICES {{\n imap cmd=\"{home}/bin/imapd -C {home}/imapd.conf\" listen=\"127.0.0.1:{}\" prefork=1 maxchild=200\n}}\n\
             EVENTS {{\n}}\nDAEMON {{\n}}\n",
            self.port
        );
        fs::write(self.path("cyrus.conf"), services).unwrap();
        // Cyrus waits for the disk at each message, and these need not survive a crash of the machine.
        let script = format!(
            "mount -t tmpfs tmpfs {home}/data\ncd {home}/data\nmkdir {DIRECTORIES}\nchown -R cyrus:mail .\n\
             exec {PROGRAMS}/master -C {home}/imapd.conf -M {home}/cyrus.conf -p {home}/master.pid -L {home}/log\n"
        );
        fs::write(self.path("start"), script).unwrap();
        output(Command::new("chown").args(["-R", "cyrus:mail"]).arg(self.path("")), "");
    }

    /// Returns false if another program has the port.
    fn run(&mut self) -> bool {
        let mut room = Room::run(&self.path("start"), &self.path("log"));
        let (port, name) = (self.port, self.name());
        let started = wait_for("Cyrus", &mut room, || greeting(port).map(|it| it.contains(&name)));
        self.room = Some(room);
        started
    }

    /// Path of a file or directory in its data.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory with all its data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Server for Cyrus {
    fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}
