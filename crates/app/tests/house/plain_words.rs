//! Banned words of docs/style.md: absent from the comments and texts of the listed paths.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Paths that follow docs/style.md. Add a crate here when it is finished, until `crates` replaces them.
const FINISHED: &[&str] = &[
    "crates/app",
    "crates/bench",
    "crates/console",
    "crates/engine",
    "crates/imap",
    "crates/mail",
    "crates/migration",
    "crates/oauth",
    "crates/operations",
    "crates/records",
    "crates/remotes",
    "crates/shell",
    "crates/store",
    "crates/testkit",
    "fuzz/src",
    "fuzz/tests",
];

/// Whole words that must not occur, in lower case.
const WORDS: [&str; 8] = ["somebody", "nobody", "whoever", "anew", "heed", "heeds", "so-manieth", "so-many"];

/// Phrases that must not occur, in lower case.
const PHRASES: [&str; 3] = ["at most so many", "of so many", "what it takes."];

/// First words that a doc comment must not have.
const OPENINGS: [&str; 9] = ["What", "How", "Whether", "Where", "Why", "Who", "Whose", "So", "Of"];

#[test]
fn finished_crates_use_plain_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for path in FINISHED {
        for file in rust_files(&root.join(path)).unwrap() {
            let source = fs::read_to_string(&file).unwrap();
            let is_test = file.components().any(|part| part.as_os_str() == "tests");
            found.extend(
                faults(&source, is_test).into_iter().map(|fault| format!("{}:{fault}", file.display())),
            );
        }
    }
    assert!(found.is_empty(), "see docs/style.md:\n{}", found.join("\n"));
}

fn rust_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Faults of a file, each with its line. Texts in tests are not searched: they are input.
fn faults(source: &str, mut is_test: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_in_docs = false;
    for (number, line) in (1..).zip(source.lines()) {
        is_test |= line.contains("cfg(test)") || line.contains("#[test]") || line.contains("::test]");
        let comment = line.trim_start().strip_prefix("//");
        let docs = comment.and_then(|comment| comment.strip_prefix(['/', '!']));
        if let Some(docs) = docs
            && !is_in_docs
            && let Some(opening) = docs.split_whitespace().next().filter(|word| OPENINGS.contains(word))
        {
            faults.push(format!("{number}: a doc comment begins with \"{opening}\""));
        }
        is_in_docs = docs.is_some();
        match comment {
            Some(comment) => faults.extend(banned(comment).map(|word| format!("{number}: \"{word}\""))),
            None if is_test => {}
            None => {
                let words = texts(line).into_iter().flat_map(|text| banned(text).collect::<Vec<_>>());
                faults.extend(words.map(|word| format!("{number}: \"{word}\"")));
            }
        }
    }
    faults
}

/// Banned words and phrases in a text.
fn banned(text: &str) -> impl Iterator<Item = &'static str> {
    let text = text.to_lowercase();
    let is_letter = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    let words: Vec<String> = text.split(|character: char| !is_letter(character)).map(str::to_owned).collect();
    let words = WORDS.into_iter().filter(move |banned| words.iter().any(|word| word == banned));
    words.chain(PHRASES.into_iter().filter(move |banned| text.contains(banned)))
}

/// Texts in double quotes on a line. A text that goes on from the line before counts as code.
fn texts(line: &str) -> Vec<&str> {
    let line = line.trim_start();
    let parts: Vec<&str> = line.split('"').collect();
    parts.into_iter().skip(1).step_by(2).collect()
}

#[test]
fn faults_are_found_in_comments_and_texts() {
    assert_eq!(
        faults("/// Whether it runs.\nfn runs() {}", false),
        ["1: a doc comment begins with \"Whether\""]
    );
    assert_eq!(faults("// Nobody waits.\nlet nobody = 1;", false), ["1: \"nobody\""]);
    assert_eq!(faults("fail(\"whoever asks\");", false), ["1: \"whoever\""]);
    assert_eq!(faults("/// Fails\n/// Where it ends.\nfn nobody() {}", false), [""; 0]);
    assert_eq!(faults("#[cfg(test)]\nlet user = \"nobody\";", false), [""; 0]);
}
