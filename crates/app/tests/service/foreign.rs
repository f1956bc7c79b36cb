//! Data directories and services of other users of the machine.

use std::{fs, os::unix::fs::PermissionsExt as _, os::unix::process::CommandExt as _, process::Stdio};

use crate::support::{Service, ran, until};

/// UID of the user without privileges on every Linux.
const NOBODY: u32 = 65_534;

/// Says that a part of a test needs another user, and that this user cannot be another one.
#[expect(clippy::print_stderr, reason = "a note in the output of the test")]
fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        eprintln!("not tried: only root can be another user");
    }
    is_root
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let service = Service::idle();
    fs::create_dir(service.data()).unwrap();
    fs::set_permissions(service.data(), fs::Permissions::from_mode(0o777)).unwrap();
    for words in [&["Get-MigrationBatch"][..], &["serve"]] {
        let refused = service.ask(words);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let advice = format!(
            "(mode 0777, owner UID {}); run `chmod 700 {}`",
            nix::unistd::geteuid(),
            service.data().display()
        );
        assert!(refused.stderr.contains(&advice), "{}", refused.stderr);
        assert_eq!(fs::read_dir(service.data()).unwrap().count(), 0);
    }
    fs::set_permissions(service.data(), fs::Permissions::from_mode(0o700)).unwrap();
    service.ask(&["Get-MigrationBatch"]).assert(0);
}

#[test]
fn a_service_of_another_user_is_sent_nothing() {
    if !is_root() {
        return;
    }
    let service = Service::idle();
    for directory in [service.directory.path().to_owned(), service.data()] {
        fs::create_dir_all(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    nix::unistd::chown(&service.data(), Some(NOBODY.into()), Some(NOBODY.into())).unwrap();
    // The program may lie where only this user can read it.
    let program = service.directory.path().join("mailhaul");
    fs::copy(env!("CARGO_BIN_EXE_mailhaul"), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command.env("MAILHAUL_RESOLVERS", "none");
    command.arg("serve").arg("--data").arg(service.data()).uid(NOBODY).gid(NOBODY);
    let mut theirs = command.stderr(Stdio::null()).spawn().unwrap();
    let socket = service.data().join("mailhaul.sock");
    until(|| socket.exists().then_some(()));
    let refused = ran(&mut service.command(&["New-MigrationApiToken", "-Name", "mine", "-Role", "Admin"]));
    assert_ne!(refused.code, Some(0));
    let words = format!("runs as the user with UID {NOBODY}, and this program as UID 0; nothing was sent");
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    theirs.kill().unwrap();
    theirs.wait().unwrap();
    // Without the service, the directory is looked at.
    fs::remove_file(&socket).unwrap();
    let refused = ran(&mut service.command(&["Get-MigrationBatch"]));
    assert!(refused.stderr.contains(&format!("belongs to the user with UID {NOBODY}")), "{}", refused.stderr);
}
