use super::*;
use crate::{
    ast::{Part, Word, WordKind},
    error::ErrorKind,
    value::Value,
};

/// The script in a form that is easy to read: what stands for what, in parentheses.
fn drawn(script: &str) -> String {
    let statements = parse(script).unwrap_or_else(|fault| panic!("{}", fault.locate(script)));
    statements.iter().map(draw_statement).collect::<Vec<_>>().join("; ")
}

fn draw_statement(statement: &Statement) -> String {
    let pipeline = draw_pipeline(&statement.pipeline);
    statement.target.as_ref().map_or_else(|| pipeline.clone(), |name| format!("${name} = {pipeline}"))
}

fn draw_pipeline(pipeline: &Pipeline) -> String {
    let stage = |stage: &Stage| match stage {
        Stage::Expression(expression) => draw(expression),
        Stage::Command(command) => command
            .arguments
            .iter()
            .fold(command.name.clone(), |line, word| format!("{line} {}", draw_word(word))),
    };
    pipeline.stages.iter().map(stage).collect::<Vec<_>>().join(" | ")
}

fn draw_word(word: &Word) -> String {
    match &word.kind {
        WordKind::Parameter { name, value: None } => format!("-{name}"),
        WordKind::Parameter { name, value: Some(value) } => format!("-{name}:{}", draw(value)),
        WordKind::Value(value) => draw(value),
    }
}

fn draw_all(expressions: &[Expression]) -> String {
    expressions.iter().map(draw).collect::<Vec<_>>().join(", ")
}

fn draw(expression: &Expression) -> String {
    use crate::ast::{ExpressionKind as E, StepKind};
    let block =
        |statements: &[Statement]| statements.iter().map(draw_statement).collect::<Vec<_>>().join("; ");
    match &expression.kind {
        E::Literal(Value::Text(text)) => format!("'{text}'"),
        E::Literal(value) => serde_json::Value::from(value).to_string(),
        E::Text(parts) => {
            let part = |part: &Part| match part {
                Part::Literal(text) => format!("'{text}'"),
                Part::Value(value) => draw(value),
            };
            format!("text({})", parts.iter().map(part).collect::<Vec<_>>().join(" "))
        }
        E::Variable(name) => format!("${name}"),
        E::Current => "$_".to_owned(),
        E::List(items) => format!("[{}]", draw_all(items)),
        E::Table(entries) => {
            let entry = |(name, pipeline): &(String, Pipeline)| format!("{name}={}", draw_pipeline(pipeline));
            format!("@{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join("; "))
        }
        E::Parenthesis(pipeline) => format!("({})", draw_pipeline(pipeline)),
        E::Statements { statements, is_list: true } => format!("@({})", block(statements)),
        E::Statements { statements, is_list: false } => format!("$({})", block(statements)),
        E::Block(statements) => format!("{{{}}}", block(statements)),
        E::Path { base, steps } => steps.iter().fold(draw(base), |line, step| match &step.kind {
            StepKind::Member(name) => format!("{line}.{name}"),
            StepKind::Call(name, arguments) => format!("{line}.{name}({})", draw_all(arguments)),
            StepKind::Index(index) => format!("{line}[{}]", draw(index)),
        }),
        E::Static { type_name, member, arguments } => {
            let arguments = arguments.as_ref().map(|arguments| format!("({})", draw_all(arguments)));
            format!("[{type_name}]::{member}{}", arguments.unwrap_or_default())
        }
        E::Cast { type_name, value } => format!("[{type_name}]{}", draw(value)),
        E::Not(value) => format!("not({})", draw(value)),
        E::Chain { first, rest } => {
            let link = |line: String, link: &crate::ast::Link| {
                let operator = match link.operator {
                    crate::operator::Operator::Compare(comparison) => {
                        format!("{}{:?}", if comparison.negated { "Not" } else { "" }, comparison.test)
                    }
                    other => format!("{other:?}"),
                };
                format!("{line} {operator} {}", draw(&link.value))
            };
            format!("<{}>", rest.iter().fold(draw(first), link))
        }
    }
}

#[test]
fn the_lines_of_the_documentation() {
    for (line, meaning) in [
        (
            "Test-MigrationServerAvailability -IMAP -RemoteServer imap.contoso.com -Port 143 -Security Tls",
            "Test-MigrationServerAvailability -IMAP -RemoteServer 'imap.contoso.com' -Port 143 -Security 'Tls'",
        ),
        (
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer imap.contoso.com -Port 993 -Security Ssl\n\n",
            "New-MigrationEndpoint -IMAP -Name 'IMAPEndpoint' -RemoteServer 'imap.contoso.com' -Port 993 -Security 'Ssl'",
        ),
        (
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer imap.contoso.com -Port 143 -Security Tls \
             -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25",
            "New-MigrationEndpoint -IMAP -Name 'IMAPEndpoint' -RemoteServer 'imap.contoso.com' -Port 143 -Security \
             'Tls' -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25",
        ),
        (
            "Get-MigrationEndpoint IMAPEndpoint | Format-List EndpointType,RemoteServer,Port,Security,Max*",
            "Get-MigrationEndpoint 'IMAPEndpoint' | Format-List ['EndpointType', 'RemoteServer', 'Port', 'Security', \
             'Max*']",
        ),
        (
            r#"New-MigrationBatch -Name IMAPBatch1 -SourceEndpoint IMAPEndpoint -CSVData ([System.IO.File]::ReadAllBytes("C:\Users\Administrator\Desktop\IMAPmigration_1.csv")) -AutoStart"#,
            r"New-MigrationBatch -Name 'IMAPBatch1' -SourceEndpoint 'IMAPEndpoint' -CSVData ([System.IO.File]::ReadAllBytes('C:\Users\Administrator\Desktop\IMAPmigration_1.csv')) -AutoStart",
        ),
        (
            "Get-MigrationBatch -Identity IMAPBatch1 | Format-List",
            "Get-MigrationBatch -Identity 'IMAPBatch1' | Format-List",
        ),
        (
            "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status",
            "Get-MigrationBatch -Identity 'IMAPBatch1' | Format-List 'Status'",
        ),
        ("Remove-MigrationBatch -Identity IMAPBatch1", "Remove-MigrationBatch -Identity 'IMAPBatch1'"),
        ("Get-MigrationBatch IMAPBatch1", "Get-MigrationBatch 'IMAPBatch1'"),
    ] {
        assert_eq!(drawn(line), meaning, "{line}");
    }
}

#[test]
fn words_of_commands() {
    for (line, meaning) in [
        ("a user@x.y C:\\Users\\x.csv 24:00:00 Max*", "a 'user@x.y' 'C:\\Users\\x.csv' '24:00:00' 'Max*'"),
        (
            "a 1,2,3 b , c 007 10MB -5 2026-01-31 1.10",
            "a [1, 2, 3] ['b', 'c'] '007' 10485760 -5 '2026-01-31' '1.10'",
        ),
        ("a -Confirm:$false -Name: 'x y' -N:1,2", "a -Confirm:false -Name:'x y' -N:[1, 2]"),
        (
            "a @('x'; 'y') @{ a = 1; 'b c' = Get-Date\n d = 'x', 'y' }",
            "a @('x'; 'y') @{a=1; b c=Get-Date; d=['x', 'y']}",
        ),
        ("a @() @{}", "a @() @{}"),
        ("a 'it''s' \"say \"\"no\"\"\" \"`\"`$`t\"", "a 'it's' 'say \"no\"' '\"$\t'"),
        ("a \"$x.Name and $($x.Name)\" '$x'", "a text($x '.Name and ' $($x.Name)) '$x'"),
        ("a \"${x}y $ 5$\"", "a text($x 'y $ 5$')"),
        (
            "a $x.Name[0] $folder\\$name.csv c:\\'Program Files'\\x",
            "a $x.Name[0] text($folder '\\' $name '.csv') 'c:\\Program Files\\x'",
        ),
        ("a (Get-Date).AddHours(1) @(1)[0]", "a (Get-Date).AddHours(1) @(1)[0]"),
        ("a x`\n y `\r\n z b` c", "a 'x' 'y' 'z' 'b c'"),
        ("a # b\nc <# d\n #> e#f", "a; c 'e#f'"),
        ("a 1,\n  2 |\n# why\n b\n | c", "a [1, 2] | b | c"),
        ("a (\n b\n) { c\n d; e }", "a (b) {c; d; e}"),
        ("a;; b;\n\n;c", "a; b; c"),
        ("? { $_ }|%{$_.x}", "? {$_} | % {$_.x}"),
        ("foreach-object x | foreach y", "foreach-object 'x' | foreach 'y'"),
        ("if-migration -format 5", "if-migration -format 5"),
        // What a word processor makes of dashes, quotes and blanks.
        ("a \u{2013}Name \u{201C}x y\u{201D}\u{a0}\u{2018}z\u{2019}", "a -Name 'x y' 'z'"),
        ("\u{FEFF}a", "a"),
        ("a [x]* *", "a '[x]*' '*'"),
        ("a -? -x", "a -? -x"),
    ] {
        assert_eq!(drawn(line), meaning, "{line}");
    }
}

#[test]
fn expressions() {
    for (line, meaning) in [
        ("$x = Get-A -b | c", "$x = Get-A -b | c"),
        ("$x=5", "$x = 5"),
        ("$x", "$x"),
        ("$x.a.b(1, 'c').d[-1]", "$x.a.b(1, 'c').d[-1]"),
        ("(Get-A).Count", "(Get-A).Count"),
        ("'a' -eq \"b\"", "<'a' Equal 'b'>"),
        (
            "$_.a -eq 1 -and !($_.b -notlike 'c*') -or -not $_.d",
            "<<$_.a Equal 1> And not((<$_.b NotLike 'c*'>)) Or not($_.d)>",
        ),
        ("$psitem.a -in 1,2", "<$_.a In [1, 2]>"),
        ("1.5gb, -2", "[1610612736, -2]"),
        ("[string[]] 'a'", "[string[]]'a'"),
        ("[int]$x.y -gt 5", "<[int]$x.y Greater 5>"),
        ("[DateTime]::Now.AddDays(1)", "[DateTime]::Now.AddDays(1)"),
        ("[System.Text.Encoding]::UTF8.GetBytes('x')", "[System.Text.Encoding]::UTF8.GetBytes('x')"),
        ("'x' | a", "'x' | a"),
        ("7z x", "7z 'x'"),
    ] {
        assert_eq!(drawn(line), meaning, "{line}");
    }
}

#[test]
fn depth_is_limited_and_length_is_not() {
    for (open, close) in [
        ("(", ")"),
        ("@(", ")"),
        ("$(", ")"),
        ("@{a=", "}"),
        ("!", ""),
        ("[int]", ""),
        ("\"$(", ")\""),
        ("$a[", "]"),
    ] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        drawn(&nested(MAX_DEPTH));
        let fault = parse(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Syntax, "{open}");
        assert!(fault.message.contains("too deep"), "{open}: {}", fault.message);
        assert!(parse(&nested(100_000)).is_err());
    }
    let many = 50_000;
    for (start, repeated) in [
        ("$a", ".b"),
        ("$a", "[0]"),
        ("1", " -eq 1"),
        ("1", ",1"),
        ("a", " |b"),
        ("a", "\n"),
        ("a", " `\n"),
        ("a ", "x`\ty"),
    ] {
        parse(&format!("{start}{}", repeated.repeat(many)))
            .unwrap_or_else(|fault| panic!("{}", fault.message));
    }
}
