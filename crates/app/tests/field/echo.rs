//! Servers that echo their input: the password is nowhere in the output.

use mailhaul_testkit::fake::when;

use crate::support::{Field, PASSWORD, Run, USER};

/// AUTH PLAIN of the user, in base64.
const PLAIN: &str = "AHRlcnJ5YQBodW50ZXIy";
/// The same in base64 once more, the password in it, and it in hexadecimal digits.
const FORMS: [&str; 9] = [
    PASSWORD,
    "HUNTER2",
    "2retnuh",
    PLAIN,
    "aHVudGVyMg",
    "QUhSbGNuSjVZUUJvZFc1MFpYSXk",
    "68756e74657232",
    "hunter",
    "aHVudGVy",
];

/// Runs with every kind of output, and searches it.
#[track_caller]
fn run(field: &Field) -> Run {
    let trace = field.file("trace");
    let run = field.run(&["--verbose", "--trace", trace.to_str().unwrap()]);
    assert!(trace.exists());
    for (path, octets) in field.files() {
        let text = String::from_utf8_lossy(&octets).to_lowercase();
        for form in FORMS {
            assert!(!text.contains(&form.to_lowercase()), "{form:?} is in {}:\n{}", path.display(), run.text);
        }
    }
    run
}

fn echoes() -> Vec<String> {
    let mut all: Vec<String> =
        FORMS[..7].iter().map(|form| format!("unknown command: a1 LOGIN {USER} {form}")).collect();
    all.push(format!("[X-ECHO {PLAIN}] AUTHENTICATE PLAIN \"{}\" \"{}\"", &PLAIN[..12], &PLAIN[12..]));
    all.push("68 75 6e 74 65 72 32".to_owned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_does_not_show_the_password() {
    let field = Field::of_5().await;
    for echo in echoes() {
        for status in ["t BAD", "t NO [AUTHENTICATIONFAILED]"] {
            field.target.be_honest();
            field.target.lie(when("LOGIN | AUTHENTICATE").answer(&format!("{status} {echo}")));
            let run = run(&field);
            assert_ne!(run.code, Some(0), "{}", run.text);
            run.says(&["[redacted]"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_a_session() {
    let field = Field::of_5().await;
    for echo in echoes() {
        field.target.be_honest();
        field.source.be_honest();
        field.target.lie(when("APPEND").answer(&format!("* NO {echo}\nt NO {echo}")));
        field.source.lie(
            when("ID | NAMESPACE")
                .answer(&format!("* ID (\"name\" \"{PASSWORD}\")\n* OK {echo}\nt BAD {echo}")),
        );
        run(&field).ends_with(10).says(&["[redacted]"]);
    }
}
