//! A cluster that is made once for a build directory. Each server begins with a copy of it: a copy takes a
//! tenth of the time of `initdb`.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{postgres::programs::Programs, processes::whoami, room};

/// Password of both users.
pub(super) const PASSWORD: &str = "secret-mailhaul";

/// Options of `initdb`. The database sorts text by a language: a column that must sort by bytes has to say so.
const OPTIONS: [&str; 9] = [
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
    // One MiB for a segment of the log, not 16.
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
];

/// Statements for the new cluster, one for each line. `template0` goes: it is a quarter of the cluster.
const STATEMENTS: [&str; 4] = [
    "CREATE ROLE mailhaul LOGIN PASSWORD 'secret-mailhaul'",
    "CREATE DATABASE mailhaul OWNER mailhaul",
    "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'",
    "DROP DATABASE template0",
];

/// Copies the template to this path, after making it if this is the first copy.
pub(super) fn copy_to(path: &Path, programs: &Programs) {
    copy(&template(programs), path);
}

/// Returns the directory of the template. Tests of several processes may ask at once.
fn template(programs: &Programs) -> PathBuf {
    let build = build_directory();
    // Another version, user or recipe has another template.
    let recipe = format!("{} {} {OPTIONS:?} {STATEMENTS:?}", programs.version(), whoami("-u"));
    let digest = blake3::hash(recipe.as_bytes()).to_hex();
    let template = build.join(format!("postgres-template-{}", &digest[..8]));
    if !template.exists() {
        let lock = File::create(build.join("postgres-template.lock")).unwrap();
        // Held until this function ends, or this process.
        lock.lock().unwrap();
        if !template.exists() {
            make(&template, programs);
        }
    }
    template
}

/// Makes the template. It gets its name when it is complete.
fn make(template: &Path, programs: &Programs) {
    // The account of the server may not be able to enter the build directory.
    let directory = room::directory("mailhaul-postgres");
    programs.give(directory.path());
    let password = directory.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    programs.give(&password);
    let data = directory.path().join("data");
    let mut initdb = programs.command("initdb");
    initdb.args(OPTIONS).arg("--pwfile").arg(&password).arg("--pgdata").arg(&data);
    room::output(&mut initdb, "");
    let mut single = programs.command("postgres");
    single.arg("--single").args(["-c", "fsync=off", "-c", "log_min_messages=error"]);
    room::output(single.arg("-D").arg(&data).arg("postgres"), &(STATEMENTS.join("\n") + "\n"));
    let unfinished = template.with_extension("new");
    // Of a process that was killed at this point.
    _ = fs::remove_dir_all(&unfinished);
    copy(&data, &unfinished);
    fs::rename(&unfinished, template).unwrap();
}

/// Copies a directory with owners and modes.
fn copy(from: &Path, to: &Path) {
    room::output(Command::new("cp").args(["-a", "--reflink=auto"]).arg(from).arg(to), "");
}

/// The directory of the build profile, as `target/debug`.
fn build_directory() -> PathBuf {
    let test = env::current_exe().unwrap();
    let directory = test.parent().unwrap();
    let is_below = directory.ends_with("deps") || directory.ends_with("examples");
    if is_below { directory.parent().unwrap() } else { directory }.to_owned()
}
