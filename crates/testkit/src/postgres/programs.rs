//! The programs of `PostgreSQL`, and the account that runs them.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{processes::whoami, room::output};

/// Directory in which Debian has a directory for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Oldest version that mailhaul runs on.
const OLDEST: u32 = 15;

/// The installed programs of one version.
pub(super) struct Programs {
    directory: PathBuf,
    /// UID and GID of `postgres`, if this process is root: `PostgreSQL` refuses to run as root.
    account: Option<Account>,
}

#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Programs {
    /// Finds Debian's newest version, or else the one of the PATH.
    #[track_caller]
    pub(super) fn find() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let directory = debian_directories()
            .into_iter()
            .chain(env::split_paths(&path))
            .find(|directory| directory.join("initdb").exists())
            .expect("PostgreSQL 15 or later is needed, and there is none: `make test` installs it");
        let account = if whoami("-un") == "root" { Some(Account::of_server()) } else { None };
        let programs = Self { directory, account };
        let version = programs.version();
        let number = version.split_whitespace().nth(2).and_then(|words| words.split('.').next());
        let is_new_enough = number.and_then(|digits| digits.parse().ok()).is_some_and(|it: u32| it >= OLDEST);
        assert!(
            is_new_enough,
            "PostgreSQL {OLDEST} or later is needed (found {version:?}): `make test` installs it"
        );
        programs
    }

    /// The server's words about its version: `postgres (PostgreSQL) 15.18`.
    pub(super) fn version(&self) -> String {
        output(self.command("postgres").arg("--version"), "").trim().to_owned()
    }

    /// Returns a command that runs the program as the account, without the environment of the test.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.directory.join(program));
        command.env_clear().env("LC_ALL", "C.UTF-8").current_dir("/");
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    /// Lets the account write into the directory.
    pub(super) fn give(&self, directory: &Path) {
        if let Some(Account { user, group }) = self.account {
            std::os::unix::fs::chown(directory, Some(user), Some(group)).unwrap();
        }
    }
}

impl Account {
    #[track_caller]
    fn of_server() -> Self {
        let number = |option: &str| {
            let words = output(Command::new("id").args([option, "postgres"]), "");
            words.trim().parse().expect("the account `postgres` is needed: `make test` installs it")
        };
        Self { user: number("-u"), group: number("-g") }
    }
}

/// Directories of programs, the newest version first.
fn debian_directories() -> Vec<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten();
    let mut versions: Vec<u32> =
        versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.iter().map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin")).collect()
}
