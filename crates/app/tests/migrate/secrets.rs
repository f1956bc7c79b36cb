//! Passwords are only in memory and on the wire.

use std::{fs, path::Path};

use mailhaul_testkit::Setup;

use crate::support::{Haul, give, program, ran};

/// Passwords with all characters that need quoting.
const SECRETS: [&str; 2] = ["s3cret-\"\\%&=ä ", "t4rget-'`$(x){5+}"];

fn hold(directory: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(hold(&path, secret));
        } else if fs::read(&path).unwrap().windows(secret.len()).any(|it| it == secret.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_in_output_trace_ledger_report_or_arguments() {
    let setup = |secret: &str| Setup {
        users: vec![("annb".to_owned(), secret.to_owned()), ("paulc".to_owned(), "secret-paulc".to_owned())],
        ..Setup::default()
    };
    // The last mechanism left sends the password itself.
    let plain = |secret: &str| Setup { extra: "auth_mechanisms = plain login\n".to_owned(), ..setup(secret) };
    let (from, to) = (setup(SECRETS[0]).start(), plain(SECRETS[1]).start());
    give(&from, "paulc", "INBOX", &[700; 2], 1).await;
    let haul = Haul::new("annb", from.port(), to.port());
    let password_file = haul.write("password", format!("{}\n", SECRETS[0]));
    let mut outputs = String::new();
    for (wrong, code) in [("", 0), ("x", 20)] {
        let trace = haul.file(&format!("trace{code}"));
        let report = haul.file(&format!("report{code}.csv"));
        let mut command = program();
        command
            .args(["migrate", "--verbose", "--from", &haul.from, "--to", &haul.to, "--data"])
            .arg(haul.data());
        command
            .arg("--from-password-file")
            .arg(&password_file)
            .arg("--trace")
            .arg(&trace)
            .arg("--report")
            .arg(&report);
        let given: Vec<String> = command.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
        assert!(SECRETS.iter().all(|secret| !given.iter().any(|it| it.contains(secret))));
        command.env("MAILHAUL_TO_PASSWORD", format!("{}{wrong}", SECRETS[1]));
        let ran = ran(&mut command);
        ran.assert(code);
        outputs += &ran.stdout;
        outputs += &ran.stderr;
        if code == 0 {
            assert!(fs::read_to_string(&trace).unwrap().contains("[redacted]"), "the login is in the trace");
        }
        // So that the second run must log in on the target.
        fs::remove_dir_all(haul.data()).unwrap();
        give_new_folder(&haul);
    }
    fs::remove_file(password_file).unwrap();
    let encoded = |secret: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(format!("\0annb\0{secret}"))
    };
    for secret in SECRETS {
        for form in [secret.to_owned(), encoded(secret)] {
            assert!(!outputs.contains(&form), "{outputs}");
            assert_eq!(hold(haul.directory.path(), &form), Vec::<String>::new());
        }
    }
}

fn give_new_folder(haul: &Haul) {
    fs::create_dir_all(haul.data()).unwrap();
}
