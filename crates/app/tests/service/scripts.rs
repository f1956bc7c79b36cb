//! Administrators' scripts, run whole on the service and real servers.
//!
//! `scripts/NAME.ps1` is a script, `scripts/NAME.out` what it printed: its exit code, both outputs, and the files
//! that it wrote. The files of `scripts/files` are in the directory in which each of them runs. With
//! `UPDATE_DOCUMENTS=1` the test writes the outputs.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use mailhaul_testkit::{Certificate, Dovecot, Setup};
use regex::Regex;

use crate::support::{Ran, Service, give, ran};

/// Migration that a script finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No endpoint and no batch.
    Nothing,
    /// Endpoints `Old` and `New`, and the batch `Staff` of two users, which was never started.
    Created,
    /// The batch `Staff` of five users: three are synced, two failed because of their passwords.
    Synced,
}

macro_rules! scripts {
    ($($test:ident: $script:literal $arguments:expr, $found:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            check($script, &$arguments, Found::$found).await;
        }
    )+};
}

scripts! {
    a_batch_is_reported_as_csv: "batch-report" ["-BatchName", "Staff", "-ReportFolder", "."], Synced;
    failed_users_are_retried_with_new_passwords: "retry-failed" ["-PollSeconds", "1"], Synced;
    a_loop_waits_for_a_batch: "wait-for-batch" ["Staff", "-IntervalInSeconds:1", "-CompleteWhenDone"], Created;
    users_are_completed_in_waves: "complete-in-waves" ["Staff", "-FirstWave", "1/4/2030 10:00 PM", "-VIP", "annb@contoso.edu"], Synced;
    a_page_shows_batches_and_problems: "html-report" [], Synced;
    a_scheduled_script_tests_and_starts: "onboard" [], Nothing;
    functions_check_their_parameters: "migration-functions" [], Synced;
    totals_are_counted_and_rounded: "totals" [], Synced;
    skipped_messages_are_told_to_their_owners: "skipped-items" ["-BatchName", "St*"], Synced;
    two_days_are_compared: "compare-days" [], Synced;
    users_of_a_list_are_started: "start-from-list" [], Synced;
    batches_of_departments_are_made: "department-waves" [], Nothing;
    old_batches_are_removed: "cleanup-old-batches" [], Nothing;
}

/// Users of the servers.
const USERS: [&str; 5] = ["terrya", "annb", "paulc", "katieb", "bobk"];

/// Servers, and the directory in which a script runs.
struct Stage {
    service: Service,
    source: Dovecot,
    target: Dovecot,
    work: PathBuf,
    /// Its file is the authority that the service trusts.
    _certificate: Certificate,
}

impl Stage {
    async fn new(found: Found) -> Self {
        let certificate = Certificate::valid();
        let source = Setup::with_users(&USERS).start_tls(&certificate);
        for (user, folder, sizes) in [
            ("terrya", "INBOX", &[900, 4_000, 30_000][..]),
            ("terrya", "Sent", &[2_000, 45_000]),
            ("annb", "INBOX", &[1_500, 3_000]),
            ("paulc", "INBOX", &[25_000]),
            ("katieb", "INBOX", &[700]),
        ] {
            give(&source, user, folder, sizes, 7).await;
        }
        let extra = "plugin {\n quota_max_mail_size = 20k\n}\n".to_owned();
        let target = Setup { quota: Some("10M".to_owned()), extra, ..Setup::with_users(&USERS) }.start();
        let mut service = Service::idle();
        service.trust(&certificate);
        service.run();
        let work = service.directory.path().join("work");
        fs::create_dir(&work).unwrap();
        for file in fs::read_dir(scripts().join("files")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), work.join(file.file_name())).unwrap();
        }
        let stage = Self { service, source, target, work, _certificate: certificate };
        stage.batch(found);
        stage
    }

    fn batch(&self, found: Found) {
        if found == Found::Nothing {
            return;
        }
        self.service.endpoints(self.source.port(), self.target.port(), &[]);
        let file = self.work.join(if found == Found::Created { "pilot.csv" } else { "staff.csv" });
        let batch =
            ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
        let start: &[&str] = if found == Found::Created { &[] } else { &["-AutoStart"] };
        self.service.expect(&[&batch[..], &["-CSVData", file.to_str().unwrap()], start].concat());
        if found == Found::Synced {
            self.service.wait_for("Staff", &["SyncedWithErrors"]);
        }
    }

    /// Runs a script as an administrator does, in its directory.
    fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        let text = fs::read_to_string(scripts().join(script)).unwrap();
        let ports = [("993", self.source.tls_port()), ("143", self.source.port())];
        let text = ports.into_iter().fold(text, |text, (word, port)| {
            Regex::new(&format!(r"\b{word}\b")).unwrap().replace_all(&text, port.to_string()).into_owned()
        });
        let file = self.service.write("work/script.ps1", &text);
        let mut command = self.service.command(&[&["shell", &file], arguments].concat());
        ran(command.current_dir(&self.work).env("COMPANY", "Contoso"))
    }

    /// Files of the directory by name.
    fn files(&self) -> BTreeMap<String, String> {
        let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let files = fs::read_dir(&self.work).unwrap().map(|it| it.unwrap().path());
        files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), text(&path))).collect()
    }

    /// Replaces what differs between two runs.
    fn stable(&self, text: &str) -> String {
        let mut text = text.replace(self.work.to_str().unwrap(), "WORK").replace("\r\n", "\n");
        for (port, word) in
            [(self.source.tls_port(), "993"), (self.source.port(), "143"), (self.target.port(), "1143")]
        {
            text = text.replace(&port.to_string(), word);
        }
        for (pattern, word) in &*VARIABLE {
            text = pattern.replace_all(&text, *word).into_owned();
        }
        let mut lines: Vec<&str> = text.lines().collect();
        // A loop waits for as many rounds as the machine needs.
        lines.dedup_by(|one, other| one == other && one.ends_with(": PROGRESS"));
        lines.join("\n")
    }
}

/// Times, GUIDs and the progress of loops, with the words in their place.
static VARIABLE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?m)^(Retry|Migration of \w+): .*%$", "$1: PROGRESS"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
        (r"\b20\d{6}\b", "DAY"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "GUID"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    .into()
});

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/scripts")
}

async fn check(script: &str, arguments: &[&str], found: Found) {
    let stage = Stage::new(found).await;
    let before = stage.files();
    let ran = stage.run(&format!("{script}.ps1"), arguments);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let mut printed = format!("exit code {}\n", ran.code.unwrap());
    let (stdout, stderr) = (stage.stable(&ran.stdout), stage.stable(&ran.stderr));
    for (name, text) in [("standard output", stdout), ("standard error", stderr)] {
        if !text.is_empty() {
            write!(printed, "\n==== {name}\n{text}\n").unwrap();
        }
    }
    for (name, text) in stage.files() {
        if name == "script.ps1" || before.get(&name) == Some(&text) {
            continue;
        }
        // Clixml has all properties of the objects, times and GUIDs among them.
        let text =
            if Path::new(&name).extension().is_some_and(|it| it == "xml") { "..." } else { text.as_str() };
        write!(printed, "\n==== {}\n{}\n", stage.stable(&name), stage.stable(text)).unwrap();
    }
    let path = scripts().join(format!("{script}.out"));
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        printed == expected,
        "{script}.ps1 printed something else than {script}.out: run the tests with UPDATE_DOCUMENTS=1, and look at \
         what changed\n{printed}\n==== instead of\n{expected}"
    );
}
