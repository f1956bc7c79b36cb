//! Binding of cmdlets in the shell and on a command line, of options, and of pipelines.

use clap::Command;
use mailhaul_mail::Secret;
use mailhaul_operations::{
    Bound, Failure, Form, Operations, Output, Refusal, arguments, cmdlet, options, render,
};
use mailhaul_shell::{Argument, Object, Value as Given};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    lamps::{House, operations},
    support::Desk,
};

/// Cmdlet as program arguments.
fn typed(line: &str) -> Result<Bound, Failure> {
    let operations = operations();
    let mut words = line.split(' ');
    let entry = operations.find(words.next().unwrap())?;
    let arguments = arguments(words.filter(|it| !it.is_empty()));
    Ok(cmdlet(entry, &arguments, None, Form::CommandLine, &Desk)?)
}

/// Cmdlet in the shell.
fn in_shell(name: &str, arguments: &[Argument], input: Option<&Given>) -> Result<Bound, Refusal> {
    cmdlet(operations().entry(name).unwrap(), arguments, input, Form::Shell, &Desk)
}

fn parameter(name: &str, value: impl Into<Given>) -> [Argument; 2] {
    [Argument::Parameter { name: name.to_owned(), value: None }, Argument::Value(value.into())]
}

/// Options after noun and verb.
fn chosen(line: &str) -> Result<Bound, String> {
    let operations = operations();
    let matches = program(&operations).try_get_matches_from(line.split(' ')).map_err(|it| it.to_string())?;
    let (entry, matches) = operations.matched(&matches).unwrap();
    options(entry, matches, &Desk).map_err(|it| it.message)
}

fn program(operations: &Operations<House>) -> Command {
    Command::new("house").subcommands(operations.commands())
}

#[test]
fn cmdlets_are_understood_as_powershell_does() {
    for (line, request) in [
        ("New-Lamp -Name x", json!({ "Name": "x" })),
        ("new-lamp x", json!({ "Name": "x" })),
        ("New-Lamp -name:x -WATTS 5", json!({ "Name": "x", "Watts": 5 })),
        ("New-Lamp -Na x -Wa 5 -Au", json!({ "Name": "x", "Watts": 5, "AutoStart": true })),
        ("New-Lamp -AutoStart x", json!({ "AutoStart": true, "Name": "x" })),
        ("New-Lamp x -AutoStart:$false", json!({ "Name": "x", "AutoStart": false })),
        ("New-Lamp x -Colour amber", json!({ "Name": "x", "Colour": "Amber" })),
        (r"New-Lamp x -Rooms Hall,Smith\,John", json!({ "Name": "x", "Rooms": ["Hall", "Smith,John"] })),
        ("New-Lamp x -PDF manual.pdf", json!({ "Name": "x", "PDFData": "YSxi" })),
        ("New-Lamp x -Max Unlimited", json!({ "Name": "x", "MaxUses": "Unlimited" })),
        ("New-Lamp x -Max 5", json!({ "Name": "x", "MaxUses": 5 })),
        ("New-Lamp x -OnFor 24:00:00", json!({ "Name": "x", "OnFor": "1.00:00:00" })),
        ("New-Lamp x -OffAfter 2026-12-31", json!({ "Name": "x", "OffAfter": "2026-12-31T00:00:00" })),
        (
            "New-Lamp x -OwnersByRoom Hall=ann,Attic=",
            json!({ "Name": "x", "OwnersByRoom": { "Hall": "ann", "Attic": "" } }),
        ),
        (
            "New-Lamp x -Owner ann",
            json!({ "Name": "x", "Owner": { "UserName": "ann", "Password": "typed" } }),
        ),
        (
            "New-Lamp x -OwnerPasswordFile password.txt -Owner ann",
            json!({ "Name": "x", "Owner": { "UserName": "ann", "Password": "from a file" } }),
        ),
        ("New-Lamp x -PassPhrase", json!({ "Name": "x", "PassPhrase": "typed for PassPhrase" })),
        (
            "New-Lamp x -Pass -AutoStart",
            json!({ "Name": "x", "PassPhrase": "typed for PassPhrase", "AutoStart": true }),
        ),
        ("New-Lamp x -PassPhraseFile password.txt", json!({ "Name": "x", "PassPhrase": "from a file" })),
        ("Set-Lamp x -PassPhrase $null", json!({ "Identity": "x", "PassPhrase": null })),
        ("New-Lamp -- -Name", json!({ "Name": "-Name" })),
        ("New-Lamp -5", json!({ "Name": "-5" })),
        ("Test-LampWiring -Volts -5", json!({ "Volts": -5 })),
        ("Get-Lamp", json!({})),
        ("Get-Lamp -Lit $true -Colour White,AMBER", json!({ "Lit": true, "Colour": ["White", "Amber"] })),
        ("Set-Lamp x -OffAfter $null", json!({ "Identity": "x", "OffAfter": null })),
    ] {
        let sorted = |value: &Value| {
            value.as_object().unwrap().clone().into_iter().collect::<std::collections::BTreeMap<_, _>>()
        };
        let bound = typed(line).unwrap_or_else(|failure| panic!("{line}: {failure}"));
        assert_eq!(sorted(&bound.request), sorted(&request), "{line}");
    }
}

#[test]
fn what_cannot_be_understood_is_told() {
    for (line, words) in [
        ("New-Lam -Name x", "no operation \"New-Lam\""),
        ("New-Lamp", "New-Lamp needs -Name"),
        ("Start-Lamp", "needs -Identity"),
        ("New-Lamp -Name", "-Name needs a value"),
        ("New-Lamp -Name -AutoStart", "-Name needs a value"),
        ("New-Lamp -Name x -Name y", "-Name was given twice"),
        ("New-Lamp -Name x -WhatIf -What", "-WhatIf was given twice"),
        ("New-Lamp x y", "no further value"),
        ("New-Lamp -Name x y", "no further value"),
        ("New-Lamp x -Shade 1", "New-Lamp has no parameter -Shade"),
        ("New-Lamp x -Own ann", "-Own is ambiguous: -Owner, -OwnersByRoom"),
        ("New-Lamp x -O ann", "-O is ambiguous: -Owner, -OwnersByRoom, -OffAfter, -OnFor"),
        ("New-Lamp x -: 5", "no further value"),
        ("New-Lamp x -Watts many", "-Watts must be a whole number from 0 to 65535; it is \"many\""),
        ("New-Lamp x -Watts -1", "-Watts must be"),
        ("New-Lamp x -Watts 65536", "-Watts must be"),
        ("New-Lamp x -MaxUses -5", "from 1, or unlimited"),
        ("New-Lamp x -Watts 5.0", "-Watts must be"),
        ("New-Lamp x -Watts \u{1b}[2J", "\\u{1b}[2J"),
        ("New-Lamp x -Colour blue", "-Colour must be White or Amber; it is \"blue\""),
        ("New-Lamp x -AutoStart:maybe", "-AutoStart must be true or false"),
        ("New-Lamp x -OffAfter soon", "-OffAfter must be a date"),
        ("New-Lamp x -OnFor 24", "-OnFor must be a time span"),
        ("New-Lamp x -PDFData none.pdf", "\"none.pdf\" of -PDFData cannot be read"),
        ("New-Lamp x -Owner nobody", "no password for nobody of Owner"),
        ("New-Lamp x -OwnerPasswordFile password.txt", "needs -Owner"),
        ("New-Lamp x -Owner ann -OwnerPasswordFile empty.txt", "is empty"),
        ("New-Lamp x -PassPhrase hunter2", "-PassPhrase takes no plain text"),
        ("New-Lamp x -PassPhrase:hunter2", "-PassPhrase takes no plain text"),
        ("New-Lamp x -PassPhrase $null", "-PassPhrase cannot be $null"),
        ("New-Lamp x -PassPhrase -PassPhraseFile password.txt", "not both"),
        ("New-Lamp x -PassPhraseFile empty.txt", "is empty"),
        ("New-Lamp x -PassPhraseFile none.txt", "\"none.txt\" of -PassPhraseFile cannot be read"),
        ("New-Lamp x -OwnersByRoom Hall", "name=value"),
        ("New-Lamp x -OwnersByRoom A=1,A=2", "twice"),
        ("Set-Lamp x -Watts $null", "-Watts cannot be $null"),
        ("Set-Lamp $null", "-Identity cannot be $null"),
        ("Get-Lamp -Identity $null", "-Identity cannot be $null"),
        ("Get-Lamp -Identity:", "-Identity must not be empty"),
        ("Get-Lamp x -WhatIf", "no parameter -WhatIf"),
        ("Get-Lamp -Continuation x", "no parameter -Continuation"),
        ("Get-Lamp -Output xml", "-Output must be one of table, list, json, csv"),
    ] {
        let failure = typed(line).expect_err(line);
        assert!(failure.message.contains(words), "{line}: {failure}");
        assert!(!format!("{failure} {:?}", failure.advice).contains("hunter2"), "{line}: {failure}");
    }
    let advice = typed("New-Lamp x -PassPhrase hunter2").unwrap_err().advice.unwrap();
    assert!(advice.contains("-PassPhraseFile") && advice.contains("MAILHAUL_PASS_PHRASE"), "{advice}");
    assert_eq!(typed("New-Lamp x -Wats 5").unwrap_err().advice.unwrap(), "Did you mean -Watts?");
}

#[test]
fn what_comes_with_every_cmdlet() {
    let entry = |name: &str| operations().entry(name).map(|it| it.name().to_owned()).unwrap();
    let operations = operations();
    for (line, what_if, confirm, output, asks) in [
        ("New-Lamp x", false, None, None, false),
        ("New-Lamp x -Confirm", false, Some(true), None, true),
        ("Remove-Lamp x", false, None, None, true),
        ("Remove-Lamp x -Confirm:$false -Output JSON", false, Some(false), Some(Output::Json), false),
        ("Stop-Lamp x -wh", true, None, None, true),
    ] {
        let bound = typed(line).unwrap();
        assert_eq!((bound.what_if, bound.confirm, bound.output), (what_if, confirm, output), "{line}");
        let entry = operations.entry(&entry(line.split(' ').next().unwrap())).unwrap();
        assert_eq!((bound.must_ask(entry, true), bound.must_ask(entry, false)), (asks, false), "{line}");
        assert!(bound.effect(entry).ends_with("-Lamp \"x\""));
    }
}

#[test]
fn values_of_the_shell_have_types() {
    let credential = Given::Credential { user: "ann".to_owned(), password: Secret::new("hunter2") };
    let list = |texts: &[&str]| Given::List(texts.iter().map(|it| Given::from(*it)).collect());
    let map = Given::Object(Object::from_iter([("Hall", "ann")]));
    let lamp = Given::Object(Object::from_iter([("identity", "x"), ("Colour", "White")]));
    for (name, value, json) in [
        ("Rooms", Given::from("A,B"), json!(["A,B"])),
        ("Rooms", list(&["A", "B"]), json!(["A", "B"])),
        ("Rooms", Given::from(7_u64), json!(["7"])),
        ("Watts", Given::from(7_u64), json!(7)),
        ("Watts", Given::from("7"), json!(7)),
        ("PDFData", Given::Bytes(b"a,b".to_vec()), json!("YSxi")),
        ("PDFData", Given::from("manual.pdf"), json!("YSxi")),
        ("Owner", credential.clone(), json!({ "UserName": "ann", "Password": "hunter2" })),
        ("PassPhrase", Given::Secret(Secret::new("hunter2")), json!("hunter2")),
        ("OwnersByRoom", map, json!({ "Hall": "ann" })),
        ("OwnersByRoom", list(&["Hall=ann", "Attic=a,b"]), json!({ "Hall": "ann", "Attic": "a,b" })),
        ("Name", lamp.clone(), json!("x")),
    ] {
        let mut arguments = parameter(name, value.clone()).to_vec();
        if name != "Name" {
            arguments.extend(parameter("Name", "n"));
        }
        let bound = in_shell("New-Lamp", &arguments, None).unwrap_or_else(|it| panic!("{value:?}: {it}"));
        assert_eq!(bound.request[name], json, "{value:?}");
        assert!(!format!("{bound:?}").contains("hunter2"));
    }
    for (name, value, words) in [
        ("Watts", Given::from(true), "is \"$true\""),
        ("Watts", Given::from(70_000_u64), "is \"70000\""),
        ("Watts", list(&["1", "2"]), "-Watts must be a whole number"),
        ("Rooms", Given::List(vec![Given::Null]), "-Rooms must be"),
        ("Colour", Given::from(1_u64), "White or Amber"),
        ("PDFData", Given::from(7_u64), "content or the name of a file"),
        ("Owner", lamp.clone(), "user's name or a credential"),
        ("Watts", credential.clone(), "-Watts must be"),
        ("Watts", Given::Secret(Secret::new("hunter2")), "-Watts must be"),
        ("Rooms", Given::List(vec![Given::Secret(Secret::new("hunter2"))]), "-Rooms must be"),
        ("PassPhrase", credential, "-PassPhrase takes no plain text"),
        ("PassPhrase", Given::from("hunter2"), "-PassPhrase takes no plain text"),
        ("PassPhrase", Given::from(false), "-PassPhrase takes no plain text"),
        ("OwnersByRoom", Given::Object(Object::from_iter([("Hall", Given::Null)])), "-OwnersByRoom must be"),
        ("Output", Given::from("json"), "no parameter -Output"),
    ] {
        let arguments: Vec<_> =
            parameter("Name", "n").into_iter().chain(parameter(name, value.clone())).collect();
        let refusal = in_shell("New-Lamp", &arguments, None).unwrap_err();
        assert!(refusal.failure.message.contains(words), "{value:?}: {refusal}");
        assert!(!refusal.to_string().contains("hunter2"));
        assert_eq!(refusal.argument, Some(2), "{value:?}");
    }
}

#[test]
fn a_pipeline_brings_the_identity() {
    let lamp = Given::from(json!({ "Identity": "x", "Colour": "White", "Watts": 5 }));
    for input in [lamp.clone(), Given::from("x")] {
        let bound = in_shell("Set-Lamp", &parameter("Watts", 7_u64), Some(&input)).unwrap();
        assert_eq!(bound.request, json!({ "Watts": 7, "Identity": "x" }));
    }
    for (name, arguments, input, words) in [
        ("Set-Lamp", parameter("Identity", "y").to_vec(), lamp.clone(), "the pipeline supplies another one"),
        ("New-Lamp", parameter("Name", "y").to_vec(), lamp, "takes no pipeline input"),
        (
            "Remove-Lamp",
            Vec::new(),
            Given::from(json!({ "Name": "x" })),
            "needs pipeline objects with Identity",
        ),
        ("Remove-Lamp", Vec::new(), Given::Null, "needs pipeline objects with Identity"),
        (
            "Get-Lamp",
            Vec::new(),
            Given::from(json!({ "Identity": null })),
            "needs pipeline objects with Identity",
        ),
        ("Get-Lamp", Vec::new(), Given::from(""), "-Identity must not be empty"),
    ] {
        let refusal = in_shell(name, &arguments, Some(&input)).unwrap_err();
        assert!(refusal.failure.message.contains(words), "{name}: {refusal}");
        assert_eq!(refusal.argument, None);
    }
}

#[test]
fn options_are_understood() {
    program(&operations()).debug_assert();
    for (line, request) in [
        ("house lamp new --name x", json!({ "Name": "x" })),
        (
            "house lamp new --name=x --watts 5 --colour AMBER --auto-start --rooms A,B --rooms C",
            json!({ "Name": "x", "Watts": 5, "Colour": "Amber", "Rooms": ["A", "B", "C"], "AutoStart": true }),
        ),
        (
            "house lamp new --name x --pdf-data manual.pdf --owner ann --owner-password-file password.txt",
            json!({ "Name": "x", "PDFData": "YSxi", "Owner": { "UserName": "ann", "Password": "from a file" } }),
        ),
        (
            "house lamp new --name x --owner ann",
            json!({ "Name": "x", "Owner": { "UserName": "ann", "Password": "typed" } }),
        ),
        (
            "house lamp new --name x --owners-by-room Hall=ann --owners-by-room B=c,D=e",
            json!({ "Name": "x", "OwnersByRoom": { "Hall": "ann", "B": "c", "D": "e" } }),
        ),
        (
            "house lamp new --name x --pass-phrase",
            json!({ "Name": "x", "PassPhrase": "typed for PassPhrase" }),
        ),
        (
            "house lamp new --name x --pass-phrase-file password.txt",
            json!({ "Name": "x", "PassPhrase": "from a file" }),
        ),
        ("house lamp set x --pass-phrase $null", json!({ "Identity": "x", "PassPhrase": null })),
        ("house lamp get", json!({})),
        (
            "house lamp get x --lit TRUE --colour white,amber",
            json!({ "Identity": "x", "Colour": ["White", "Amber"], "Lit": true }),
        ),
        ("house lamp start -- -x", json!({ "Identity": "-x" })),
        ("house lamp set x --off-after $null", json!({ "Identity": "x", "OffAfter": null })),
        ("house wiring test --volts -5", json!({ "Volts": -5 })),
    ] {
        let bound = chosen(line).unwrap_or_else(|failure| panic!("{line}: {failure}"));
        assert_eq!(bound.request, request, "{line}");
    }
    let bound = chosen("house lamp remove x --confirm=false --what-if --output csv").unwrap();
    assert_eq!((bound.confirm, bound.what_if, bound.output), (Some(false), true, Some(Output::Csv)));
    assert_eq!(chosen("house lamp remove x --confirm").unwrap().confirm, Some(true));
    for (line, words) in [
        ("house lamp new", "--name <TEXT>"),
        ("house lamp start", "<IDENTITY>"),
        ("house lamp get ", "Identity must not be empty"),
        ("house lamp new --name x --colour blue", "[possible values: White, Amber]"),
        ("house lamp new --name x --watts 5.5", "--watts must be a whole number from 0 to 65535"),
        ("house lamp new --name x --pdf-data none", "of --pdf-data cannot be read"),
        ("house lamp new --name x --owner-password-file password.txt", "--owner <USER>"),
        ("house lamp new --name x --pass-phrase hunter2", "--pass-phrase takes no plain text"),
        ("house lamp new --name x --pass-phrase=hunter2", "--pass-phrase takes no plain text"),
        ("house lamp new --name x --pass-phrase --pass-phrase-file password.txt", "cannot be used with"),
        ("house lamp get --what-if", "--what-if"),
        ("house lamp get --continuation x", "--continuation"),
    ] {
        let failure = chosen(line).expect_err(line);
        assert!(failure.contains(words) && !failure.contains("hunter2"), "{line}: {failure}");
    }
}

#[test]
fn results_are_shown_in_four_forms() {
    let operations = operations();
    let entry = operations.entry("Get-Lamp").unwrap();
    let results =
        [json!({ "Identity": "a", "Colour": "White", "Watts": 5, "Lit": true, "Rooms": ["=1", "B"] })];
    let shown = |output| render(entry, &results, output, None);
    let table = shown(Output::Table);
    assert!(table.starts_with("Identity Colour Lit") && !table.contains("Watts"), "{table}");
    assert!(shown(Output::List).contains("Watts"));
    assert!(shown(Output::Csv).starts_with("Identity,Colour,Watts,Lit,Rooms\r\n"), "{}", shown(Output::Csv));
    assert_eq!(serde_json::from_str::<Value>(&shown(Output::Json)).unwrap(), json!(results));
}

fn argument() -> impl Strategy<Value = Argument> {
    let value = prop_oneof![
        any::<String>().prop_map(Given::Text),
        any::<bool>().prop_map(Given::Bool),
        any::<i64>().prop_map(Given::from),
        Just(Given::Null),
        proptest::collection::vec(any::<String>().prop_map(Given::Text), 0..3).prop_map(Given::List),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Given::Bytes),
        any::<String>().prop_map(|text| Given::Secret(Secret::new(text))),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "Name",
            "Wat",
            "Rooms",
            "Own",
            "Owner",
            "PDFData",
            "PassPhrase",
            "PassPhraseFile",
            "OwnersByRoom",
            "OnFor",
            "WhatIf",
            "Con"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop_oneof![
        value.clone().prop_map(Argument::Value),
        (name, proptest::option::of(value)).prop_map(|(name, value)| Argument::Parameter { name, value }),
    ]
}

proptest! {
    /// Bound arguments are a valid request, whatever was typed.
    #[test]
    fn whatever_is_typed_is_bound_or_refused(arguments in proptest::collection::vec(argument(), 0..6)) {
        let operations = operations();
        for entry in operations.entries() {
            for form in [Form::Shell, Form::CommandLine] {
                match cmdlet(entry, &arguments, None, form, &Desk) {
                    Ok(bound) => {
                        let request = bound.request.as_object().unwrap();
                        prop_assert!(request.keys().all(|it| entry.parameter(it).is_some()));
                    }
                    Err(refusal) => {
                        prop_assert!(!refusal.failure.message.is_empty());
                        prop_assert!(refusal.argument.is_none_or(|it| it < arguments.len()));
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_stands_on_a_command_line_is_an_argument(words in proptest::collection::vec(any::<String>(), 0..6)) {
        let read = arguments(words.iter().map(String::as_str));
        prop_assert!(read.len() <= words.len());
    }
}
