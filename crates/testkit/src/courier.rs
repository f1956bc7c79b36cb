//! A private, real Courier.

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

/// Path of the program in Debian's courier-authlib that knows the users.
const AUTHDAEMOND: &str = "/usr/lib/courier/courier-authlib/authdaemond";
/// Debian's user and group `mail`.
const MAIL: u32 = 8;

/// Settings of a Courier.
#[derive(Clone, Debug)]
pub struct CourierSetup {
    /// Names and passwords.
    pub users: Vec<(String, String)>,
    /// Name and password of a member of the group `administrators`.
    ///
    /// Such a member sees every user's INBOX as the virtual shared folder `#shared.users.NAME`.
    pub administrator: Option<(String, String)>,
}

impl CourierSetup {
    /// Courier with these users. Each password is `secret-` and the name.
    pub fn with_users(names: &[&str]) -> Self {
        Self { users: crate::passwords(names), administrator: None }
    }

    /// Adds an administrator, who sees every mailbox.
    #[must_use]
    pub fn with_administrator(self, name: &str, password: &str) -> Self {
        Self { administrator: Some((name.to_owned(), password.to_owned())), ..self }
    }

    /// Starts the server without TLS.
    pub fn start(self) -> Courier {
        Courier::start(&self)
    }
}

/// A running Courier. Stops when dropped.
///
/// Its programs have their paths compiled in, so that it runs with `/etc/courier` and `/run` of its own.
pub struct Courier {
    // Dropped first: no process may write into the directory during its removal.
    room: Option<Room>,
    directory: TempDir,
    port: u16,
}

impl Courier {
    fn start(setup: &CourierSetup) -> Self {
        must_be_possible("Courier", &[AUTHDAEMOND, "/usr/sbin/couriertcpd", "/usr/sbin/makeuserdb"]);
        let mut courier = Self { room: None, directory: directory("mailhaul-courier"), port: 0 };
        courier.write_configuration(setup);
        for _ in 0..20 {
            // Another process may take a free port before Courier does.
            courier.port = free_port();
            courier.write_script();
            if courier.run() {
                return courier;
            }
        }
        panic!("Courier does not start: {}", courier.log());
    }

    fn write_configuration(&self, setup: &CourierSetup) {
        let (etc, bin) = (self.path("etc"), self.path("bin"));
        fs::create_dir_all(etc.join("shared")).unwrap();
        fs::create_dir_all(&bin).unwrap();
        for program in ["usr/lib/courier/courier/imaplogin", "usr/bin/imapd"] {
            take_unpacked(program, &bin);
        }
        let members = || setup.users.iter().chain(&setup.administrator);
        let passwords = members().map(|(_, password)| password.as_str()).collect::<Vec<_>>().join("\n");
        let sealed = output(Command::new("openssl").args(["passwd", "-1", "-stdin"]), &passwords);
        let (mut users, mut index) = (String::new(), String::new());
        for ((name, _), password) in members().zip(sealed.lines()) {
            let home = self.home(name);
            fs::create_dir_all(&home).unwrap();
            output(Command::new("maildirmake.courier").arg(home.join("Maildir")), "");
            let is_administrator = setup.administrator.as_ref().is_some_and(|(it, _)| it == name);
            let group = if is_administrator { "|options=group=administrators" } else { "" };
            let home = home.display();
            writeln!(
                users,
                "{name}\thome={home}|uid={MAIL}|gid={MAIL}|mail={home}/Maildir|imappw={password}{group}"
            )
            .unwrap();
            writeln!(index, "{name}\t{MAIL}\t{MAIL}\t{home}\tMaildir").unwrap();
        }
        fs::write(etc.join("userdb"), users).unwrap();
        output(Command::new("chmod").arg("700").arg(etc.join("userdb")), "");
        fs::write(etc.join("shared/index.users"), index).unwrap();
        // One level of hierarchy, so that a user is `#shared.users.NAME`.
        fs::write(etc.join("shared/index"), "users\t*\tindex.users\n").unwrap();
        let daemon = "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=3\n\
                      authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\"\"\nLOGGEROPTS=\"\"\n";
        fs::write(etc.join("authdaemonrc"), daemon).unwrap();
        output(Command::new("chown").args(["-R", "mail:mail"]).arg(self.path("home")), "");
    }

    fn write_script(&self) {
        let home = self.path("");
        let (home, port) = (home.display(), self.port);
        let script = format!(
            "mount -t tmpfs tmpfs /run\nmkdir -p /run/courier/authdaemon\n\
             mount --bind {home}/etc /etc/courier\nmakeuserdb\n{AUTHDAEMOND} &\n\
             until [ -S /run/courier/authdaemon/socket ]; do sleep 0.02; done\n\
             export IMAP_CAPABILITY='IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE AUTH=PLAIN'\n\
             export IMAP_KEYWORDS=1 IMAP_ACL=1 IMAP_IDLE_TIMEOUT=60 IMAP_MAILBOX_SANITY_CHECK=1 IMAP_UMASK=022 IMAP_USELOCKS=1\n\
             export IMAP_ENHANCEDIDLE=0 IMAP_TRASHFOLDERNAME=Trash IMAP_EMPTYTRASH= IMAP_MOVE_EXPUNGE_TO_TRASH=0 MAILDIRPATH=Maildir\n\
             export IMAP_SHAREDINDEXFILE=/etc/courier/shared/index IMAP_CHECK_ALL_FOLDERS=0 IMAP_OBSOLETE_CLIENT=0\n\
             export IMAP_STARTTLS=NO IMAP_TLS_REQUIRED=0 IMAPLOGINTAG= PORT={port} ADDRESS=127.0.0.1\numask 022\n\
             exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=200 -maxperip=200 -nodnslookup -noidentlookup {port} \
             {home}/bin/imaplogin {home}/bin/imapd Maildir\n",
        );
        fs::write(self.path("start"), script).unwrap();
    }

    /// Returns false if another program has the port.
    fn run(&mut self) -> bool {
        let mut room = Room::run(&self.path("start"), &self.path("log"));
        let port = self.port;
        let started = wait_for("Courier", &mut room, || greeting(port).map(|it| it.contains("Courier")));
        self.room = Some(room);
        started
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The user's home, which contains `Maildir`.
    pub fn home(&self, user: &str) -> PathBuf {
        self.path("home").join(user)
    }

    /// The directory with all its data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Server for Courier {
    fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}
