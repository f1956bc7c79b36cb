//! Programs in namespaces of their own, which end with all their children.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::processes::{children_of, signal, whoami};

/// Creates a directory with this prefix that any user can enter.
pub(crate) fn directory(prefix: &str) -> TempDir {
    let directory = tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// A shell script with private mounts, which is the first process of a private PID namespace.
///
/// When it ends, the kernel ends all the others. All are killed when this is dropped, and also when the test
/// is.
pub(crate) struct Room {
    process: Child,
}

impl Room {
    /// Runs the script. The output of all its programs goes into the log.
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
        // The first process can be reaped only after all others have ended. After that no process writes.
        signal("KILL", &children_of(self.process.id()));
        _ = self.process.wait();
    }
}

/// Panics with instructions if this server cannot be started.
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

/// Copies a program that `scripts/servers.sh` has unpacked into a directory that its user may enter.
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

/// Runs a command that must succeed. The input goes to its stdin. Returns its output.
#[track_caller]
pub(crate) fn output(command: &mut Command, input: &str) -> String {
    use std::io::Write as _;
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = process.wait_with_output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", done.status);
    String::from_utf8(done.stdout).unwrap()
}
