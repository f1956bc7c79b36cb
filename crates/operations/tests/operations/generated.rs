//! An added operation is in every generated document, in the form that its readers expect.

use clap::{Command, CommandFactory as _, Parser};
use mailhaul_operations::{
    Answer, Caller, Credential, Failure, FailureKind, Noun, Operation, Operations, Role, Shell, Verb,
    completions, man_pages,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lamps::{House, operations};

/// Another operation: candles can be made.
struct NewCandle;

/// Parameters of a candle.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    /// The maker of the candle's wax.
    wax_maker: String,
    /// A \#> in a comment, and a 'quote'.
    #[serde(default)]
    scent: Vec<String>,
    /// Login of the maker.
    credential: Option<Credential>,
}

/// A candle.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Candle {
    /// Burning time.
    hours: u8,
}

impl Operation<House> for NewCandle {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = Noun { cmdlet: "Candle", word: "candle", path: "candles", about: "Candles" };
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Pours a candle.";
    const VIEW: &'static [&'static str] = &["Hours"];

    type Request = Request;
    type Response = Candle;

    async fn run(_: &House, _: &Caller, request: Request) -> Result<Answer<Candle>, Failure> {
        let _ = (request.wax_maker, request.scent, request.credential);
        Ok(Answer::one(Candle { hours: 4 }))
    }
}

/// Generates a document from the list.
type Written<'a> = &'a dyn Fn(&Operations<House>) -> Vec<String>;

#[derive(Parser)]
#[command(name = "house", version = "1")]
struct Program {}

fn program(operations: &Operations<House>) -> Command {
    Program::command().subcommands(operations.commands())
}

fn help(program: &Command, path: &[&str]) -> String {
    let mut command = program.clone();
    command.build();
    let found = path.iter().fold(&mut command, |command, word| command.find_subcommand_mut(word).unwrap());
    found.render_long_help().to_string()
}

#[test]
fn what_is_added_to_the_list_is_everywhere() {
    let (before, after) = (operations(), operations().with::<NewCandle>());
    assert!(before.entry("New-Candle").is_none());
    assert_eq!(after.entry("new-CANDLE").unwrap().about(), "Pours a candle.");
    let pages = |list: &Operations<House>| -> Vec<String> {
        man_pages(&program(list))
            .unwrap()
            .into_iter()
            .map(|it| format!("{}\n{}", it.file_name, it.text))
            .collect()
    };
    let written: [(&str, Written<'_>, &[&str]); 4] = [
        ("help", &|list| vec![help(&program(list), &[])], &["candle", "Candles"]),
        (
            "openapi",
            &|list| vec![list.openapi("1").to_string()],
            &["/api/v1/candles", "NewCandle", "WaxMaker", "Hours"],
        ),
        ("man", &pages, &["house-candle-new.1", "wax\\-maker", "Pours a candle"]),
        (
            "module",
            &|list| vec![list.powershell_module()],
            &["function New-Candle {", "$WaxMaker", "'New-Candle'"],
        ),
    ];
    for (name, write, words) in written {
        let (before, after) = (write(&before).join("\n"), write(&after).join("\n"));
        for word in words {
            assert!(!before.contains(word) && after.contains(word), "{name}: {word}");
        }
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let written = [&before, &after].map(|list| completions(&program(list), shell).contains("wax-maker"));
        assert_eq!(written, [false, true], "{shell}");
    }
    let shown = help(&program(&after), &["candle", "new"]);
    for words in
        ["Pours a candle.", "--wax-maker <TEXT>", "The maker of the candle's wax", "As a cmdlet: New-Candle"]
    {
        assert!(shown.contains(words), "{shown}");
    }
}

#[test]
fn help_says_what_a_person_needs() {
    let program = program(&operations());
    let shown = help(&program, &["lamp", "new"]);
    for words in [
        "--watts <N>\n          The power that it takes. [default: 60]\n",
        "More is brighter.",
        "--pdf-data <FILE>",
        "- Amber: As a candle.",
        "--owner-password-file <FILE>",
        "--pass-phrase [<SECRET>]",
        "[takes no value: read from MAILHAUL_PASS_PHRASE, or prompt]",
        "--pass-phrase-file <FILE>",
        "--what-if",
        "[several: separate by commas, or repeat the option]",
        "--output <FORM>",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    let shown = help(&program, &["lamp", "set"]);
    assert!(shown.contains("['$null' clears it]") && shown.contains("<IDENTITY>"), "{shown}");
    let shown = help(&program, &["lamp", "get"]);
    assert!(!shown.contains("continuation") && !shown.contains("--what-if"), "{shown}");
}

#[test]
fn the_description_holds_together() {
    let description = operations().openapi("1.2.3");
    assert_eq!(
        (&description["openapi"], &description["info"]["version"]),
        (&json!("3.1.0"), &json!("1.2.3"))
    );
    let mut ids = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            ids.push(operation["operationId"].as_str().unwrap());
            let in_path =
                operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "path");
            assert_eq!(in_path.count(), path.matches('{').count(), "{method} {path}");
            assert!(operation["responses"]["401"]["$ref"].is_string());
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
    references(&description, &description);

    let new = &description["paths"]["/api/v1/lamps"]["post"];
    let schema = &new["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["Name"]));
    assert_eq!(schema["properties"]["Owner"]["properties"]["Password"]["writeOnly"], true);
    let secret = &schema["properties"]["PassPhrase"];
    assert_eq!((&secret["format"], &secret["writeOnly"]), (&json!("password"), &json!(true)));
    assert_eq!(schema["properties"]["OffAfter"]["type"], "string", "null is not taken");
    assert_eq!((&new["x-role"], &new["x-cmdlet"]), (&json!("Operator"), &json!("New-Lamp")));
    let set = &description["paths"]["/api/v1/lamps/{Identity}"]["patch"]["requestBody"];
    let properties = &set["content"]["application/json"]["schema"]["properties"];
    assert_eq!(
        (&properties["Identity"], &properties["OffAfter"]["type"]),
        (&Value::Null, &json!(["string", "null"]))
    );
    let list = &description["paths"]["/api/v1/lamps"]["get"];
    assert_eq!(list["operationId"], "GetLampAll");
    let answer = &list["responses"]["200"]["content"]["application/json"]["schema"]["properties"];
    assert_eq!(answer["Value"]["items"]["$ref"], "#/components/schemas/Lamp");
    assert!(answer["NextLink"].is_object());
}

/// Every reference has a target.
fn references(value: &Value, root: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                assert!(root.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
            }
            object.values().for_each(|it| references(it, root));
        }
        Value::Array(values) => values.iter().for_each(|it| references(it, root)),
        _ => {}
    }
}

#[test]
fn the_module_has_typed_functions() {
    let module = operations().with::<NewCandle>().powershell_module();
    for words in [
        "[Parameter(Mandatory, Position = 0)] [string] $Name,",
        "[long] $Watts,",
        "[ValidateSet('White', 'Amber')] [string] $Colour,",
        "[ValidateSet('White', 'Amber')] [string[]] $Colour,",
        "[switch] $AutoStart,",
        "[byte[]] $PDFData,",
        "[pscredential] $Owner,",
        "[securestring] $PassPhrase,",
        "[AllowNull()] [object] $PassPhrase",
        "-is [securestring]",
        "[hashtable] $OwnersByRoom,",
        "[datetime] $OffAfter,",
        "[System.Nullable[datetime]] $OffAfter",
        "[timespan] $OnFor",
        "[System.Nullable[bool]] $Lit,",
        "[Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity",
        "[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]",
        "if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Stop-Lamp' @(",
        "        Invoke-MailhaulOperation $PSCmdlet 'Get-Lamp' @('Mailhaul.Lamp') $PSBoundParameters\n",
        "'Export-LampReport', 'New-Candle'\n",
        // Exchange's name of the parameter.
        "[Alias('Credentials')] [pscredential] $Credential",
    ] {
        assert!(module.contains(words), "{words}\n{module}");
    }
    assert!(!module.contains("Continuation"));
    // Each function's comment ends at its own end.
    assert_eq!(module.matches("<#").count(), module.matches("#>").count());
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        assert_eq!(module.matches(open).count(), module.matches(close).count());
    }
}

/// A type is shown as its Get shows it; another operation's view needs a type of its own.
#[test]
fn the_module_says_what_is_shown_of_each_type() {
    struct GetCandle;
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Request {}
    impl Operation<House> for GetCandle {
        const VERB: Verb = Verb::Get;
        const NOUN: Noun = Noun { cmdlet: "Candle", word: "candle", path: "candles", about: "Candles" };
        const ROLE: Role = Role::Viewer;
        const ABOUT: &'static str = "Shows candles.";
        const VIEW: &'static [&'static str] = &["Hours", "Scent"];

        type Request = Request;
        type Response = Candle;

        async fn run(_: &House, _: &Caller, _: Request) -> Result<Answer<Candle>, Failure> {
            Ok(Answer::none())
        }
    }
    let module = operations().with::<NewCandle>().with::<GetCandle>().powershell_module();
    for line in [
        "Update-TypeData -Force -TypeName 'Mailhaul.Lamp' -DefaultDisplayPropertySet 'Identity', 'Colour', 'Lit'\n",
        "Update-TypeData -Force -TypeName 'Mailhaul.Candle' -DefaultDisplayPropertySet 'Hours', 'Scent'\n",
        "Update-TypeData -Force -TypeName 'Mailhaul.Candle#New-Candle' -DefaultDisplayPropertySet 'Hours'\n",
        "'New-Candle' @('Mailhaul.Candle#New-Candle', 'Mailhaul.Candle') $PSBoundParameters",
        "'Get-Candle' @('Mailhaul.Candle') $PSBoundParameters",
    ] {
        assert!(module.contains(line), "{line}\n{module}");
    }
    assert!(!module.contains("Mailhaul.Lamp#"), "one view for all operations on lamps");
}

/// An error must not end the pipeline, unless its caller asked for that.
#[test]
fn errors_of_the_module_obey_the_preference() {
    let module = operations().powershell_module();
    assert!(module.contains("$Cmdlet.WriteError($record)"));
    assert!(module.contains("$Cmdlet.GetVariableValue('ErrorActionPreference')"));
    assert!(!module.contains("-ErrorAction Stop"));
    let known = [
        FailureKind::NotFound,
        FailureKind::Conflict,
        FailureKind::Invalid,
        FailureKind::Forbidden,
        FailureKind::Unauthorized,
        FailureKind::TooLarge,
        FailureKind::Unavailable,
    ];
    for kind in known {
        assert!(module.contains(&format!("{} = '", kind.code())), "{kind:?}");
    }
}

#[test]
#[should_panic(expected = "New-Candle is in the list twice")]
fn nothing_is_in_the_list_twice() {
    let _list = operations().with::<NewCandle>().with::<NewCandle>();
}

#[test]
fn verbs_that_are_addresses_take_what_fits() {
    struct GetFile;
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Request {
        data: mailhaul_operations::Bytes,
    }
    impl Operation<House> for GetFile {
        const VERB: Verb = Verb::Get;
        const NOUN: Noun = Noun { cmdlet: "File", word: "file", path: "files", about: "Files" };
        const ROLE: Role = Role::Viewer;
        const ABOUT: &'static str = "Gets a file.";

        type Request = Request;
        type Response = Candle;

        async fn run(_: &House, _: &Caller, request: Request) -> Result<Answer<Candle>, Failure> {
            let _ = request.data;
            Ok(Answer::none())
        }
    }
    let built = std::panic::catch_unwind(|| Operations::<House>::new().with::<GetFile>());
    let message = built.err().and_then(|it| it.downcast::<String>().ok()).unwrap();
    assert!(message.contains("Get-File: the parameter Data does not fit"), "{message}");
}
