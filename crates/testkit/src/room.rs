//! Programs that run in namespaces of their own, and end with all that they have started.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::dovecot::{children_of, signal, whoami};

/// A directory that any user can enter, with a name that starts like this.
pub(crate) fn directory(prefix: &str) -> TempDir {
    let directory = tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// A shell script that runs with private mounts and as the first process of a private PID namespace: when it ends, the kernel
/// ends all the others. They are all killed when this is dropped, and also when the test is.
pub(crate) struct Room {
    process: Child,
}

impl Room {
    /// Runs the script; what it and its programs say goes into the log.
    pub(crate) fn run(script: &Path, log: &Path) -> Self {
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        let process = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-e"])
            .arg(script)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // The first process inside can be reaped only when all are gone, so nobody writes any more afterwards.
        signal("KILL", &children_of(self.process.id()));
        let _ended = self.process.wait();
    }
}

/// Says what is needed where this server cannot be started.
#[track_caller]
pub(crate) fn must_be_possible(server: &str, installed: &[&str]) {
    assert!(
        whoami("-un") == "root",
        "root is needed for {server}, which changes its user: run `make test` as root"
    );
    for it in installed {
        assert!(
            Path::new(it).exists(),
            "{server} is needed ({it} is not there): `sh scripts/servers.sh` installs it"
        );
    }
}

/// Copies a program that `scripts/servers.sh` has unpacked below the build directory to where its server's user may run it.
#[track_caller]
pub(crate) fn take_unpacked(program: &str, into: &Path) -> PathBuf {
    let test = env::current_exe().unwrap();
    let found = test.ancestors().map(|it| it.join("servers").join(program)).find(|it| it.exists());
    let found = found.unwrap_or_else(|| {
        panic!("{program} is not below the build directory: `sh scripts/servers.sh` unpacks it")
    });
    let copy = into.join(found.file_name().unwrap());
    fs::copy(found, &copy).unwrap();
    copy
}

/// Must succeed; what it wrote. The input goes to its stdin.
#[track_caller]
pub(crate) fn output(command: &mut Command, input: &str) -> String {
    use std::io::Write as _;
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = process.wait_with_output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", done.status);
    String::from_utf8(done.stdout).unwrap()
}
