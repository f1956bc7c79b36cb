//! docs/quirks.md is complete.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All numbers of the table.
fn numbers() -> Vec<u32> {
    (1..=13)
        .chain(20..=45)
        .chain(50..=68)
        .chain(80..=117)
        .chain(120..=124)
        .chain(130..=135)
        .chain(140..=149)
        .chain(150..=160)
        .collect()
}

struct Row {
    number: u32,
    state: String,
    how: String,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rows(document: &str) -> Vec<Row> {
    let row = |line: &str| {
        let cells: Vec<&str> =
            line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
        let number = cells.first()?.parse().ok()?;
        let [_, _, state, how, tests] = cells.as_slice() else { panic!("{line}") };
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Row { number, state: (*state).to_owned(), how: (*how).to_owned(), tests })
    };
    document.lines().filter_map(row).collect()
}

/// The text of all tests.
fn sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_row_is_there_once_with_a_test_that_exists() {
    let document = fs::read_to_string(root().join("docs/quirks.md")).unwrap();
    let rows = rows(&document);
    assert_eq!(rows.iter().map(|it| it.number).collect::<Vec<_>>(), numbers());
    let mut text = String::new();
    sources(&root().join("crates"), &mut text);
    for Row { number, state, how, tests } in &rows {
        match state.as_str() {
            "handled" => assert!(!how.is_empty() && !tests.is_empty(), "row {number}: no test"),
            "not applicable" | "not built" => assert!(!how.is_empty(), "row {number}: no reason"),
            other => panic!("row {number}: there is no state {other:?}"),
        }
        for test in tests {
            assert!(text.contains(&format!("fn {test}(")), "row {number}: there is no test {test}");
        }
    }
    let count = |state: &str| rows.iter().filter(|it| it.state == state).count();
    let sum = format!(
        "{} rows: {} handled and tested, {} not applicable, {} not built.",
        rows.len(),
        count("handled"),
        count("not applicable"),
        count("not built")
    );
    assert!(document.contains(&sum), "the last line should be: {sum}");
}

#[test]
fn every_transcript_is_played_and_says_where_it_comes_from() {
    let mut text = String::new();
    sources(&root().join("crates"), &mut text);
    for entry in fs::read_dir(root().join("crates/testkit/transcripts")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let script = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("\"{name}\"")), "nobody plays {name}");
        let number = name.strip_prefix('q').and_then(|it| it.split('-').next()).unwrap();
        let first = script.lines().next().unwrap();
        assert!(first.starts_with(&format!("# Row {number}, ")), "{name} begins with: {first}");
        assert!(script.lines().nth(1).is_some_and(|it| it.starts_with("# Source: ")), "{name} has no source");
    }
}
