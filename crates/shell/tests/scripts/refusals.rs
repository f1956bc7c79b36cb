//! PowerShell that the language leaves out is named, with its place; what is wrong is said.

use mailhaul_shell::{ErrorKind, check, is_complete};

#[test]
fn what_is_left_out_is_named() {
    for (script, column, says) in [
        ("if ($x) { 1 }", 1, "`if`"),
        ("foreach ($x in 1,2) { $x }", 1, "`foreach`"),
        ("For($i=0;;) {}", 1, "`For`"),
        ("while (1) {}", 1, "`while`"),
        ("function f { 1 }", 1, "`function`"),
        ("param($x)", 1, "`param`"),
        ("try { 1 } catch { 2 }", 1, "`try`"),
        ("throw 'x'", 1, "`throw`"),
        ("1 | % { if ($_) { 1 } }", 9, "`if`"),
        ("$x = if (1) { 2 }", 6, "`if`"),
        ("& 'a'", 1, "`&`"),
        ("a & b", 3, "`&`"),
        ("a && b", 3, "`&&`"),
        ("a || b", 3, "`||`"),
        (". .\\script.ps1", 1, "running a script file"),
        ("a > out.txt", 3, "redirection"),
        ("a 2>&1", 4, "redirection"),
        ("a 2>$null", 4, "redirection"),
        ("$env:USERNAME", 1, "scope or drive"),
        ("\"$env:USERNAME\"", 2, "scope or drive"),
        ("$global:x = 1", 1, "scope or drive"),
        ("$?", 1, "`$?`"),
        ("a @splat", 3, "splatting"),
        ("a @'\nx\n'@", 3, "here-string"),
        ("1 + 2", 3, "arithmetic"),
        ("$x++", 3, "arithmetic"),
        ("$x += 1", 4, "arithmetic"),
        ("$x -lt 2026-01-31", 12, "arithmetic (text with a dash, such as a date, must be in quotes) is"),
        ("1..5", 2, "range"),
        ("'a' -replace 'b', 'c'", 5, "-replace"),
        ("'a{0}' -f 1", 8, "-f"),
        ("'a' -join ','", 5, "-join"),
        ("$x.Name = 5", 9, "setting anything but a variable"),
        ("$a, $b = 1, 2", 8, "setting anything but a variable"),
        ("$x.'a'", 3, "quoted or computed"),
        ("$x.$y", 3, "quoted or computed"),
        ("\"`u{41}\"", 2, "`u{"),
        ("[string]", 1, "a type by itself"),
        ("$x::Now", 3, "`::`"),
        ("a$b c", 1, "name is in a variable"),
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
        ("$true = 5", (1, 1), "$true cannot be set"),
        ("@{ a = 1; A = 2 }", (1, 11), "occurs twice"),
        ("@{ a : 1 }", (1, 6), "an `=` must follow"),
        ("$", (1, 1), "name of a variable"),
        ("$x -eq 5x", (1, 8), "`5x` is not a number"),
        ("a <server>", (1, 3), "`<server>` is a placeholder"),
    ] {
        let error = check(script).expect_err(script);
        assert_eq!((error.kind, (error.line, error.column)), (ErrorKind::Syntax, place), "{script}: {error}");
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
    ] {
        assert!(!is_complete(open), "{open}");
    }
    for whole in
        ["", "a", "a 'b'", "a |\n b", "a `\n b", "a )", "if", "a 'b' }", "# '", "<# ' #>", "a b'", "$x"]
    {
        assert_eq!(is_complete(whole), whole != "a b'", "{whole}");
    }
}
