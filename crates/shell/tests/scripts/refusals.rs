//! PowerShell that the language leaves out is named, with its place; what is wrong is said.

use mailhaul_shell::{ErrorKind, check, is_complete};

#[test]
fn what_is_left_out_is_named() {
    for (script, column, says) in [
        ("trap { 1 }", 1, "write `try"),
        ("class A { }", 1, "write `[pscustomobject]"),
        ("1; else { 2 }", 4, "after the `}` of an `if`"),
        ("a & b", 3, "`&`"),
        ("a && b", 3, "write `A; if ($?) { B }`"),
        ("a || b", 3, "write `A; if (!$?) { B }`"),
        (". .\\script.ps1", 1, "running another script"),
        ("& .\\script.ps1", 1, "running another script"),
        ("$env:USERNAME = 'x'", 1, "setting $env:USERNAME"),
        ("$x::Now", 3, "`::`"),
        ("a$b c", 1, "write `& $name`"),
        ("(if (1) { 2 })", 2, "write `$(if ...)`"),
        ("$_.Name = 5", 1, "write `Select-Object *"),
        ("$function:x", 1, "scope or drive `function:`"),
        ("switch -File x.txt { }", 8, "`switch -file`"),
    ] {
        let error = check(script).expect_err(script);
        assert_eq!(
            (error.kind, error.line, error.column),
            (ErrorKind::Unsupported, 1, column),
            "{script}: {error}"
        );
        assert!(
            error.message.contains(says) && error.message.contains("not supported here"),
            "{script}: {error}"
        );
    }
}

/// Nothing of a refused statement runs, and a prompt reads it to its end.
#[test]
fn a_refused_block_is_read_to_its_end() {
    assert!(!is_complete("trap {"));
    assert!(!is_complete("trap {\nRemove-MigrationBatch '}' # }\n"));
    assert!(is_complete("trap {\nRemove-MigrationBatch '}' # }\n}"));
}

#[test]
fn what_is_wrong_is_said() {
    for (script, place, says) in [
        ("a\n| | b", (2, 3), "no command before this `|`"),
        ("| b", (1, 1), "no command before this `|`"),
        ("a )", (1, 3), "`)` closes nothing"),
        ("a }", (1, 3), "`}` closes nothing"),
        ("(a }", (1, 4), "`}` closes nothing"),
        ("a ,b", (1, 3), "no value before this comma"),
        ("a b,;", (1, 4), "must follow this comma"),
        ("()", (1, 1), "nothing between"),
        ("a -Name: \nb", (1, 10), "must follow `-Name:`"),
        ("a -Name=5", (1, 8), "a blank or a colon"),
        ("a --name", (1, 3), "one dash"),
        ("a 'b'c", (1, 6), "follows something that is complete"),
        ("a (b)c", (1, 6), "follows something that is complete"),
        ("a ` \nb", (1, 3), "its last character"),
        ("a [IO.File]::ReadAllBytes('x')", (1, 3), "put parentheses around"),
        ("1 | ? { $_.Status -eq Failed }", (1, 23), "in quotes here: 'Failed'"),
        ("'a' 'b'", (1, 5), "is a blank missing"),
        ("-and 5", (1, 1), "no value before -and"),
        ("-Name x", (1, 1), "must end with a backtick"),
        ("$x -lt 2026-01-31", (1, 12), "a date must be in quotes"),
        ("a >", (1, 3), "must follow the `>`"),
        ("foreach ($x of $y) { }", (1, 13), "the word `in`"),
        ("if $x { }", (1, 4), "a `(` is expected"),
        ("try { } 1", (1, 1), "must follow this `try`"),
        ("function { }", (1, 10), "the name of a function"),
        ("do { } 1", (1, 8), "`while (...)` or `until (...)`"),
        ("5 = 3", (1, 1), "setting anything but"),
        ("$true = 5", (1, 1), "$true cannot be set"),
        ("@{ a = 1; A = 2 }", (1, 11), "occurs twice"),
        ("@{ a : 1 }", (1, 6), "an `=` must follow"),
        ("$", (1, 1), "name of a variable"),
        ("$x -eq 5x", (1, 8), "`5x` is not a number"),
        ("a <server>", (1, 3), "`<server>` is a placeholder"),
    ] {
        let error = check(script).expect_err(script);
        assert_eq!(
            (error.kind == ErrorKind::Host, (error.line, error.column)),
            (false, place),
            "{script}: {error}"
        );
        assert!(error.message.contains(says), "{script}: {error}");
    }
}

#[test]
fn a_prompt_asks_on_while_something_is_open() {
    for open in [
        "a 'b",
        "a \"b",
        "a \"$(b",
        "a (",
        "a (b",
        "a {",
        "1 | % { $_",
        "@(1",
        "@{ a = 1",
        "@{",
        "@{ a",
        "@{ a =",
        "a `",
        "a |",
        "a |\n",
        "a | # why",
        "a b,",
        "$x[",
        "$x[0",
        "$x.y(",
        "$x.y(1",
        "$x =",
        "1 -eq",
        "a <# b",
        "a -N:",
        "${x",
        "[int",
        "!",
        "if ($a) {",
        "if ($a",
        "if",
        "foreach ($x in",
        "foreach ($x in $y) { $x",
        "do { }",
        "try { }",
        "function f",
        "function f { param($a",
        "switch ($x) { 1 {",
        "@'\nabc\n",
        "@\"",
        "a >",
        "$x += ",
    ] {
        assert!(!is_complete(open), "{open}");
    }
    for whole in
        ["", "a", "a 'b'", "a |\n b", "a `\n b", "a )", "ifs", "a 'b' }", "# '", "<# ' #>", "a b'", "$x"]
    {
        assert_eq!(is_complete(whole), whole != "a b'", "{whole}");
    }
}
