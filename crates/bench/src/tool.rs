//! The measured programs, each with the fastest options for a complete copy by its manual.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use mailhaul_testkit::Dovecot;
use serde::{Deserialize, Serialize};

use crate::{
    process::{self, Sample},
    servers::{Disk, Link, Servers},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    /// Raw APPEND, one message in each, and raw FETCH.
    FloorM1,
    /// Raw MULTIAPPEND of 50, and raw FETCH.
    FloorM50,
    Mailhaul,
    Mbsync,
    /// Writes the mailbox itself, without a target server.
    Doveadm,
    Imapsync,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FloorM1 => "floor m1",
            Self::FloorM50 => "floor m50",
            Self::Mailhaul => "mailhaul",
            Self::Mbsync => "mbsync",
            Self::Doveadm => "doveadm backup (writes locally)",
            Self::Imapsync => "imapsync",
        }
    }

    pub(crate) fn is_floor(self) -> bool {
        matches!(self, Self::FloorM1 | Self::FloorM50)
    }

    /// True if the program is installed.
    pub(crate) fn is_there(self) -> bool {
        let program = match self {
            Self::FloorM1 | Self::FloorM50 | Self::Mailhaul => return true,
            Self::Mbsync => "mbsync",
            Self::Doveadm => "doveadm",
            Self::Imapsync => "imapsync",
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|it| it.join(program).exists())
    }

    /// Its user on the target: each tool fills a mailbox of its own.
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::FloorM1 | Self::FloorM50 => "floor",
            Self::Mailhaul => "mailhaul",
            Self::Mbsync => "mbsync",
            Self::Doveadm => "doveadm",
            Self::Imapsync => "imapsync",
        }
    }
}

/// Mailboxes that are copied in one run.
pub(crate) struct Job<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) mailhaul: &'a Path,
    /// Directory of the tool's state.
    pub(crate) state: PathBuf,
    pub(crate) link: Link,
    pub(crate) disk: Disk,
    /// Users of source and target.
    pub(crate) pairs: Vec<(String, String)>,
    /// The corpus, for the floor.
    pub(crate) corpus: PathBuf,
}

impl Job<'_> {
    /// Runs the tool with its state of an earlier run.
    pub(crate) fn run(&self, tool: Tool) -> Result<Sample> {
        fs::create_dir_all(&self.state)?;
        match tool {
            Tool::FloorM1 => self.floor(1),
            Tool::FloorM50 => self.floor(50),
            Tool::Mailhaul => Ok(process::run(&[self.mailhaul()?])?.0),
            Tool::Mbsync => Ok(process::run(&self.for_each(Self::mbsync)?)?.0),
            Tool::Doveadm => Ok(process::run(&self.for_each(Self::doveadm)?)?.0),
            Tool::Imapsync => Ok(process::run(&self.for_each(Self::imapsync)?)?.0),
        }
    }

    fn for_each(&self, make: fn(&Self, &str, &str) -> Result<Command>) -> Result<Vec<Command>> {
        self.pairs.iter().map(|(source, target)| make(self, source, target)).collect()
    }

    fn floor(&self, batch: usize) -> Result<Sample> {
        let mut command = Command::new(std::env::current_exe()?);
        let (source, target) = self.servers.ports(self.link, self.disk);
        command.args(["floor", "--batch", &batch.to_string(), "--target", &target.to_string()]);
        command.args(["--source", &source.to_string()]).arg("--corpus").arg(&self.corpus);
        for (source_user, target_user) in &self.pairs {
            command.args(["--source-user", source_user, "--target-user", target_user]);
        }
        if self.link == Link::Tls {
            command.arg("--ca").arg(self.servers.ca_file());
        }
        let (sample, printed) = process::run(&[command])?;
        // The floor's own time: it excludes the read of the corpus and the creation of folders.
        Ok(Sample { wall: printed.trim().parse()?, ..sample })
    }

    fn mailhaul(&self) -> Result<Command> {
        let (source, target) = self.servers.ports(self.link, self.disk);
        let mut rows = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n".to_owned();
        for (number, (source_user, target_user)) in self.pairs.iter().enumerate() {
            let (one, other) = (Dovecot::password(source_user), Dovecot::password(target_user));
            writeln!(rows, "user{number}@contoso.example,{source_user},{one},{target_user},{other}")?;
        }
        let csv = self.state.join("users.csv");
        fs::write(&csv, rows)?;
        let scheme = if self.link == Link::Tls { "imaps" } else { "imap+plain" };
        let mut command = Command::new(self.mailhaul);
        command.args(["migrate", "--quiet", "--from", &format!("{scheme}://localhost:{source}")]);
        command.args(["--to", &format!("{scheme}://localhost:{target}"), "--users"]).arg(csv);
        command.arg("--data").arg(self.state.join("data"));
        if self.link == Link::Tls {
            command.arg("--from-ca").arg(self.servers.ca_file()).arg("--to-ca").arg(self.servers.ca_file());
        }
        Ok(command)
    }

    fn mbsync(&self, source_user: &str, target_user: &str) -> Result<Command> {
        let (source, target) = self.servers.ports(self.link, self.disk);
        let tls = match self.link {
            Link::Tls => format!("SSLType IMAPS\nCertificateFile {}\n", self.servers.ca_file().display()),
            Link::Plain | Link::Far | Link::Slow => "SSLType None\n".to_owned(),
        };
        let store = |name: &str, port: u16, user: &str| {
            let password = Dovecot::password(user);
            format!(
                "IMAPStore {name}\nHost localhost\nPort {port}\nUser {user}\nPass {password}\nAuthMechs LOGIN\n{tls}\n"
            )
        };
        let state = self.state.join(target_user);
        fs::create_dir_all(&state)?;
        let text = format!(
            "FSync no\n\n{}{}Channel all\nFar :far:\nNear :near:\nPatterns *\nSync Pull New Flags\nCreate Near\n\
             CopyArrivalDate yes\nSyncState \"{}/\"\n",
            store("far", source, source_user),
            store("near", target, target_user),
            state.display()
        );
        let file = self.state.join(format!("{target_user}.mbsyncrc"));
        fs::write(&file, text)?;
        let mut command = Command::new("mbsync");
        command.args(["-q", "-c"]).arg(file).arg("all");
        Ok(command)
    }

    #[allow(clippy::unnecessary_wraps, reason = "one of several that may fail")]
    fn doveadm(&self, source_user: &str, target_user: &str) -> Result<Command> {
        let (source, _) = self.servers.ports(self.link, self.disk);
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(self.servers.target(self.disk).configuration());
        let mut options = vec![
            "imapc_host=localhost".to_owned(),
            format!("imapc_port={source}"),
            format!("imapc_user={source_user}"),
            format!("imapc_password={}", Dovecot::password(source_user)),
            "imapc_features=rfc822.size fetch-headers fetch-bodystructure".to_owned(),
            "mail_prefetch_count=20".to_owned(),
        ];
        if self.link == Link::Tls {
            options.push("imapc_ssl=imaps".to_owned());
            options.push(format!("ssl_client_ca_file={}", self.servers.ca_file().display()));
        }
        for option in options {
            command.args(["-o", &option]);
        }
        command.args(["backup", "-R", "-u", target_user, "imapc:"]);
        Ok(command)
    }

    fn imapsync(&self, source_user: &str, target_user: &str) -> Result<Command> {
        let (source, target) = self.servers.ports(self.link, self.disk);
        let mut command = Command::new("imapsync");
        command.args([
            "--noreleasecheck",
            "--nolog",
            "--nofoldersizes",
            "--nofoldersizesatend",
            "--useuid",
            "--usecache",
        ]);
        command
            .arg("--tmpdir")
            .arg(&self.state)
            .arg("--pidfile")
            .arg(self.state.join(format!("{target_user}.pid")));
        for (side, port, user) in [("1", source, source_user), ("2", target, target_user)] {
            let file = self.state.join(format!("{target_user}.password{side}"));
            fs::write(&file, Dovecot::password(user))?;
            command.args([
                format!("--host{side}"),
                "localhost".to_owned(),
                format!("--port{side}"),
                port.to_string(),
            ]);
            command.args([format!("--user{side}"), user.to_owned(), format!("--passfile{side}")]).arg(file);
            if self.link == Link::Tls {
                command.args([
                    format!("--ssl{side}"),
                    format!("--sslargs{side}"),
                    "SSL_verify_mode=0".to_owned(),
                ]);
            } else {
                command.args([format!("--nossl{side}"), format!("--notls{side}")]);
            }
        }
        Ok(command)
    }
}
