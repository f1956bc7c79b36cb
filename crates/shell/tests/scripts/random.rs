//! Any text is read to an end: no panic, no endless time.

use crate::support::{FakeHost, run_on};
use mailhaul_shell::{check, complete, is_complete};
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "Get-MigrationUser",
    "x",
    " ",
    "\n",
    "`\n",
    "`",
    "|",
    ";",
    ",",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "@",
    "@(",
    "@{",
    "$x",
    "$_",
    "$(",
    "${",
    "$",
    "'",
    "\"",
    "-Name",
    "-eq",
    "-and",
    "-not",
    "!",
    ".",
    "..",
    "::",
    ":",
    "[int]",
    "=",
    "5",
    "1.5GB",
    "#",
    "<#",
    "#>",
    "? ",
    "% ",
    "fl ",
    "ft",
    "select ",
    "sort ",
    "measure ",
    "Status",
    "*",
    "é",
    "\u{2013}",
    "\u{201C}",
    "\r\n",
    "&",
    ">",
    "<",
    "'a'",
    "(Get-Date)",
    ".AddHours(1)",
    "[0]",
    "$x = ",
    "-First ",
    "1,2",
    "@{ a = 1 }",
    "\"$x\"",
    "if ",
    "else ",
    "foreach ($x in ",
    "while ",
    "for (",
    "switch ",
    "function f ",
    "f ",
    "param(",
    "try ",
    "catch ",
    "finally ",
    "throw ",
    "return ",
    "break",
    "do ",
    "until ",
    " + ",
    " * ",
    "..",
    "$x++",
    " += ",
    " -f ",
    " -join ",
    " -split ",
    " -replace ",
    "@x",
    " > ",
    "2>$null ",
    "& ",
    "$x.a ",
    "[string]",
    "[math]::Round(",
    "New-Object ",
    "Import-Csv ",
    "@'\n",
    "\n'@",
    "-ErrorAction ",
    "Stop ",
    "Start-MigrationUser ",
];

/// Pieces of the language, put together in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn carry_out(script: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let host = FakeHost::default();
    let (_, result) = runtime.block_on(run_on(&host, script));
    if let Err(error) = result {
        assert!(error.line >= 1 && error.column >= 1);
        assert!(error.line <= script.matches('\n').count() + 1, "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_mixture_of_the_language_ends(script in pieces()) {
        carry_out(&script);
        // What a prompt would carry out is the same for a script.
        if !is_complete(&script) {
            prop_assert!(check(&script).is_err());
        }
    }

    #[test]
    fn any_text_ends(script in "\\PC*|[ -~\n]*") {
        carry_out(&script);
        let host = FakeHost::default();
        for at in 0..=script.len() {
            complete(&script, at, &host);
        }
    }

    #[test]
    fn quoted_text_arrives_unchanged(text in "\\PC*") {
        let host = FakeHost::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let quote = |c: char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}');
        let quoted: String = text.chars().flat_map(|c| std::iter::repeat_n(c, if quote(c) { 2 } else { 1 })).collect();
        runtime.block_on(run_on(&host, &format!("Get-MigrationUser '{quoted}'"))).1.unwrap();
        let calls = host.calls();
        prop_assert_eq!(&calls[0].arguments, &[mailhaul_shell::Argument::Value(text.as_str().into())]);
    }
}

#[test]
fn long_hostile_texts_are_refused_in_time() {
    for piece in [
        "(", "{", "[", "@{", "\"$(", "$(", "'", "\"", "`", "<#", "a|", "-", "!", "$x.", "1,", "@(", "|\n",
        "${", "[a", "a(", "\n", "$x[", ". ", "#\n", "a -b:",
    ] {
        _ = check(&piece.repeat(100_000));
        _ = check(&format!("{}x", piece.repeat(50_000)));
    }
}
