use super::*;
use crate::{
    ast::{Part, Word, WordKind},
    error::ErrorKind,
    value::Value,
};

/// The script in a form that is easy to read: what stands for what, in parentheses.
fn drawn(script: &str) -> String {
    let block = parse(script).unwrap_or_else(|fault| panic!("{}", fault.locate(script)));
    draw_body(&block.end)
}

fn draw_body(statements: &[Statement]) -> String {
    statements.iter().map(draw_statement).collect::<Vec<_>>().join("; ")
}

fn draw_statement(statement: &Statement) -> String {
    use crate::ast::StatementKind as S;
    let optional = |word: &str, value: &Option<Box<Statement>>| {
        value.as_ref().map_or_else(|| word.to_owned(), |value| format!("{word} {}", draw_statement(value)))
    };
    match &statement.kind {
        S::Pipeline(pipeline) => draw_pipeline(pipeline),
        S::Assign(assignment) => {
            let operator = assignment.operator.map_or_else(String::new, |operator| format!("{operator:?}"));
            format!("{} {operator}= {}", draw_all(&assignment.targets), draw_statement(&assignment.value))
        }
        S::If { branches, otherwise } => {
            let branch = |(condition, body): &(Statement, Vec<Statement>)| {
                format!("if({}){{{}}}", draw_statement(condition), draw_body(body))
            };
            let branches: Vec<String> = branches.iter().map(branch).collect();
            let otherwise =
                otherwise.as_ref().map_or_else(String::new, |body| format!(" else{{{}}}", draw_body(body)));
            format!("{}{otherwise}", branches.join(" else "))
        }
        S::Loop(a_loop) => draw_loop(a_loop),
        S::Switch(switch) => {
            let clause = |(condition, body): &(Expression, Vec<Statement>)| {
                format!("{}{{{}}}", draw(condition), draw_body(body))
            };
            let clauses: Vec<String> = switch.clauses.iter().map(clause).collect();
            let default = switch
                .default
                .as_ref()
                .map_or_else(String::new, |body| format!(" default{{{}}}", draw_body(body)));
            format!(
                "switch {:?}({}) {}{default}",
                switch.test,
                draw_statement(&switch.value),
                clauses.join(" ")
            )
        }
        S::Try { body, catches, finally } => {
            let catch = |catch: &crate::ast::Catch| {
                format!(" catch[{}]{{{}}}", catch.types.join(","), draw_body(&catch.body))
            };
            let catches: String = catches.iter().map(catch).collect();
            format!("try{{{}}}{catches} finally{{{}}}", draw_body(body), draw_body(finally))
        }
        S::Function { name, block } => draw_function(name, block),
        S::Break(label) => format!("break {}", label.clone().unwrap_or_default()).trim_end().to_owned(),
        S::Continue(label) => format!("continue {}", label.clone().unwrap_or_default()).trim_end().to_owned(),
        S::Return(value) => optional("return", value),
        S::Throw(value) => optional("throw", value),
        S::Exit(value) => optional("exit", value),
    }
}

fn draw_function(name: &str, block: &Block) -> String {
    let parameters: Vec<String> = block
        .parameters
        .iter()
        .map(|parameter| {
            let type_name = parameter.type_name.as_ref().map_or_else(String::new, |name| format!("[{name}]"));
            let default =
                parameter.default.as_ref().map_or_else(String::new, |value| format!("={}", draw(value)));
            let mandatory = if parameter.is_mandatory { "!" } else { "" };
            format!("{type_name}${}{mandatory}{default}", parameter.name)
        })
        .collect();
    let process =
        block.process.as_ref().map_or_else(String::new, |body| format!(" process{{{}}}", draw_body(body)));
    format!(
        "function {name}({}){{{}{}}}{process}",
        parameters.join(", "),
        draw_body(&block.begin),
        draw_body(&block.end)
    )
}

fn draw_loop(a_loop: &crate::ast::Loop) -> String {
    use crate::ast::LoopKind as L;
    let body = draw_body(&a_loop.body);
    let part = |part: &Option<Statement>| part.as_ref().map_or_else(String::new, draw_statement);
    match &a_loop.kind {
        L::Foreach { variable, list } => {
            format!("foreach(${variable} in {}){{{body}}}", draw_statement(list))
        }
        L::For { first, condition, step } => {
            format!("for({}; {}; {}){{{body}}}", part(first), part(condition), part(step))
        }
        L::While(condition) => format!("while({}){{{body}}}", draw_statement(condition)),
        L::Do { condition, until } => {
            format!("do{{{body}}}{}({})", if *until { "until" } else { "while" }, draw_statement(condition))
        }
    }
}

fn draw_pipeline(pipeline: &Pipeline) -> String {
    let stage = |stage: &Stage| {
        let shown = match &stage.kind {
            StageKind::Expression(expression) => draw(expression),
            StageKind::Command(command) => {
                let name = match &command.name {
                    CommandName::Literal(name) => name.clone(),
                    CommandName::Called { value, has_scope } => {
                        format!("{}{}", if *has_scope { "&" } else { "." }, draw(value))
                    }
                };
                command.arguments.iter().fold(name, |line, word| format!("{line} {}", draw_word(word)))
            }
        };
        stage.redirections.iter().fold(shown, |line, redirection| {
            let target = redirection.target.as_ref().map_or_else(|| "&1".to_owned(), draw);
            format!("{line} {:?}>{}{target}", redirection.stream, if redirection.appends { ">" } else { "" })
        })
    };
    pipeline.stages.iter().map(stage).collect::<Vec<_>>().join(" | ")
}

fn draw_word(word: &Word) -> String {
    match &word.kind {
        WordKind::Parameter { name, value: None } => format!("-{name}"),
        WordKind::Parameter { name, value: Some(value) } => format!("-{name}:{}", draw(value)),
        WordKind::Value(value) => draw(value),
        WordKind::Splat(name) => format!("@{name}"),
    }
}

fn draw_all(expressions: &[Expression]) -> String {
    expressions.iter().map(draw).collect::<Vec<_>>().join(", ")
}

fn draw(expression: &Expression) -> String {
    use crate::ast::{ExpressionKind as E, Scope, StepKind};
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
        E::Variable { scope: Scope::Nearest, name } => format!("${name}"),
        E::Variable { scope, name } => format!("${scope:?}:{name}"),
        E::Current => "$_".to_owned(),
        E::List(items) => format!("[{}]", draw_all(items)),
        E::Table(entries) => {
            let name = |name: &Expression| match &name.kind {
                E::Literal(Value::Text(name)) => name.clone(),
                _ => draw(name),
            };
            let entry =
                |(key, value): &(Expression, Statement)| format!("{}={}", name(key), draw_statement(value));
            format!("@{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join("; "))
        }
        E::Parenthesis(statement) => format!("({})", draw_statement(statement)),
        E::Statements { statements, is_list: true } => format!("@({})", draw_body(statements)),
        E::Statements { statements, is_list: false } => format!("$({})", draw_body(statements)),
        E::Block { block, .. } => format!("{{{}}}", draw_body(&block.end)),
        E::Path { base, steps } => steps.iter().fold(draw(base), |line, step| match &step.kind {
            StepKind::Member(name) => format!("{line}.{name}"),
            StepKind::Computed(name) => format!("{line}.({})", draw(name)),
            StepKind::Call(name, arguments) => format!("{line}.{name}({})", draw_all(arguments)),
            StepKind::Index(index) => format!("{line}[{}]", draw(index)),
        }),
        E::Static { type_name, member, arguments } => {
            let arguments = arguments.as_ref().map(|arguments| format!("({})", draw_all(arguments)));
            format!("[{type_name}]::{member}{}", arguments.unwrap_or_default())
        }
        E::Cast { type_name, value } => format!("[{type_name}]{}", draw(value)),
        E::Type(name) => format!("[{name}]"),
        E::Unary { operator: crate::ast::Unary::Not, value } => format!("not({})", draw(value)),
        E::Unary { operator, value } => format!("{operator:?}({})", draw(value)),
        E::Increment { target, by, is_post } => {
            let sign = if *by > 0 { "++" } else { "--" };
            if *is_post { format!("{}{sign}", draw(target)) } else { format!("{sign}{}", draw(target)) }
        }
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
        ("a @p -x > out.txt", "a @p -x Output>'out.txt'"),
        ("a 2>$null | b >> $home\\x.txt 2>&1", "a Errors>null | b Output>>text($home '\\x.txt') Errors>&1"),
        ("& $b 1 | & { $_ }", "&$b 1 | &{$_}"),
        ("PS C:\\> Get-A x\n[PS] C:\\Windows>Get-B\n>> c", "Get-A 'x'; Get-B; c"),
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
        ("1 + 2 * 3 - -4", "<1 Add <2 Multiply 3> Subtract -4>"),
        ("$x/1MB + 5", "<<$x Divide 1048576> Add 5>"),
        ("(1+2)*3", "<(<1 Add 2>) Multiply 3>"),
        ("5-3", "<5 Subtract 3>"),
        ("1,2 + 3", "<[1, 2] Add 3>"),
        ("'{0} {1}' -f 1, 'x' -eq 'y'", "<<'{0} {1}' Format [1, 'x']> Equal 'y'>"),
        ("1..$n | a", "<1 Range $n> | a"),
        ("-join $x -split ','", "<Join($x) Split(false) ','>"),
        ("$x.Foo($a + 1, 'b').c", "$x.Foo(<$a Add 1>, 'b').c"),
        ("[math]::Round($_.MessageSize/1MB,2)", "[math]::Round(<$_.MessageSize Divide 1048576>, 2)"),
        ("$x += 1; $i++; --$j", "$x Add= 1; $i++; --$j"),
        ("[int]$n = 5; $a, $b = 1, 2; $h['a'].b = 'c'", "[int]$n = 5; $a, $b = [1, 2]; $h['a'].b = 'c'"),
        ("$a = $b = 5", "$a = $b = 5"),
        (
            "$env:USER; \"$env:USER\"; $script:n = 1",
            "$Environment:USER; text($Environment:USER); $Outermost:n = 1",
        ),
        ("$x -is [string]; $y -as [int]", "<$x Is(false) [string]>; <$y As [int]>"),
        (",1", "List(1)"),
        ("$x.$name.'a b'", "$x.($name).('a b')"),
        ("@'\nit's\n$x\n'@", "'it's\n$x'"),
        ("$t = @\"\r\nA $x\r\n\"q\"\r\n\"@", "$t = text('A ' $x '\n\"q\"')"),
        ("@{ $k = 1; \"a$b\" = 2 }", "@{$k=1; text('a' $b)=2}"),
        ("select @{n='a';e={$_.b}}, c", "select [@{n='a'; e={$_.b}}, 'c']"),
    ] {
        assert_eq!(drawn(line), meaning, "{line}");
    }
}

#[test]
fn statements() {
    for (script, meaning) in [
        ("if ($a) { 1 }\nelseif ($b) { 2 }\n\nelse { 3 }\n4", "if($a){1} else if($b){2} else{3}; 4"),
        ("foreach ($u in Get-A | b) { $u; break }", "foreach($u in Get-A | b){$u; break}"),
        ("for ($i = 0; $i -lt 3; $i++) { $i }", "for($i = 0; <$i Less 3>; $i++){$i}"),
        ("for (;;) { break }", "for(; ; ){break}"),
        ("while ($true) { a; continue }", "while(true){a; continue}"),
        ("do { a } while ($x)\ndo { b } until ($y -eq 1)", "do{a}while($x); do{b}until(<$y Equal 1>)"),
        (":outer foreach ($a in $b) { continue outer }", "foreach($a in $b){continue outer}"),
        (
            "switch -Wildcard ($s) { 'F*' { 1 } {$_ -like 'S*'} { 2 } Done { 3 } default { 4 } }",
            "switch Wildcard($s) 'F*'{1} {<$_ Like 'S*'>}{2} 'Done'{3} default{4}",
        ),
        (
            "try { a -ErrorAction Stop } catch [System.Exception], [x.y] { $_ } catch { b } finally { c }",
            "try{a -ErrorAction 'Stop'} catch[System.Exception,x.y]{$_} catch[]{b} finally{c}",
        ),
        (
            "function Get-It { [CmdletBinding()] param([Parameter(Mandatory=$true)][string]$Name, [int]$n = 5,\n[switch]$x)\n begin { a } process { b } end { return $n } }",
            "function Get-It([string]$Name!, [int]$n=5, [switch]$x){areturn $n} process{b}",
        ),
        ("function f($a, $b = 1) { $a } f 1", "function f($a, $b=1){$a}; f 1"),
        ("filter g { $_ }", "function g(){} process{$_}"),
        ("$r = if ($a) { 1 } else { 2 }", "$r = if($a){1} else{2}"),
        ("$r = foreach ($i in 1..3) { $i }", "$r = foreach($i in <1 Range 3>){$i}"),
        ("throw \"no\"; exit 3; return; exit", "throw 'no'; exit 3; return; exit"),
        ("foreach-object x; if-migration y", "foreach-object 'x'; if-migration 'y'"),
    ] {
        assert_eq!(drawn(script), meaning, "{script}");
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
        ("if(1){", "}"),
        ("function f{", "}"),
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
