//! Generates the PowerShell module: a function for each cmdlet, which calls the program.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    entry::Entry,
    kind::Kind,
    operations::Operations,
    parameter::{IDENTITY, Parameter},
    verb::Verb,
};

const HELPERS: &str = include_str!("helpers.psm1");

impl<C: Send + Sync + 'static> Operations<C> {
    /// Text of the module, whose functions call `mailhaul invoke`.
    pub fn powershell_module(&self) -> String {
        let entries = self.entries();
        let views = views(entries);
        let functions: Vec<String> = entries.iter().map(|entry| function(entry, &views)).collect();
        let names: Vec<String> = entries.iter().map(|it| format!("'{}'", it.name())).collect();
        format!(
            "{HELPERS}\n{}\n{}\nExport-ModuleMember -Function {}\n",
            default_views(&views),
            functions.join("\n"),
            names.join(", ")
        )
    }
}

/// Exchange's other names of parameters.
const ALIASES: [(&str, &str); 1] = [("Credential", "Credentials")];

/// Properties that PowerShell shows of each type.
///
/// A type has the view of its `Get`. An operation with another view has a type of its own, whose
/// base is that one.
fn views(entries: &[Entry]) -> BTreeMap<String, &'static [&'static str]> {
    let mut views = BTreeMap::new();
    let gets = entries.iter().filter(|entry| entry.verb() == Verb::Get);
    for entry in gets.chain(entries).filter(|entry| !entry.view().is_empty()) {
        let name = type_name(entry);
        match views.get(&name) {
            None => _ = views.insert(name, entry.view()),
            Some(view) if *view == entry.view() => {}
            Some(_) => _ = views.insert(own_type_name(entry), entry.view()),
        }
    }
    views
}

/// Type of the results of all operations on this noun.
fn type_name(entry: &Entry) -> String {
    format!("Mailhaul.{}", entry.result())
}

/// Type of the results of this operation.
fn own_type_name(entry: &Entry) -> String {
    format!("{}#{}", type_name(entry), entry.name())
}

fn default_views(views: &BTreeMap<String, &'static [&'static str]>) -> String {
    let mut text = "# Properties that are shown where none are named. Format-List * shows all.\n".to_owned();
    for (name, view) in views {
        let properties: Vec<String> = view.iter().map(|it| format!("'{it}'")).collect();
        let _infallible = writeln!(
            text,
            "Update-TypeData -Force -TypeName '{name}' -DefaultDisplayPropertySet {}",
            properties.join(", ")
        );
    }
    text
}

fn function(entry: &Entry, views: &BTreeMap<String, &'static [&'static str]>) -> String {
    let mut text =
        format!("function {} {{\n    <#\n    .SYNOPSIS\n    {}\n", entry.name(), comment(entry.about()));
    for parameter in entry.parameters_for_people() {
        let _infallible = writeln!(
            text,
            "    .PARAMETER {}\n    {}",
            parameter.name,
            comment(&parameter.help.replace("\n\n", " "))
        );
    }
    text.push_str("    #>\n");
    text.push_str(match (entry.verb().changes(), entry.confirm) {
        (false, _) => "    [CmdletBinding()]\n",
        (true, false) => "    [CmdletBinding(SupportsShouldProcess)]\n",
        (true, true) => "    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]\n",
    });
    let parameters: Vec<String> = entry.parameters_for_people().map(declaration).collect();
    let _infallible = write!(text, "    param(\n{}\n    )\n    process {{\n", parameters.join(",\n"));
    let own = Some(own_type_name(entry)).filter(|name| views.contains_key(name));
    let types: Vec<String> =
        own.into_iter().chain([type_name(entry)]).map(|name| format!("'{name}'")).collect();
    let call = format!(
        "Invoke-MailhaulOperation $PSCmdlet '{}' @({}) $PSBoundParameters",
        entry.name(),
        types.join(", ")
    );
    if entry.verb().changes() {
        let target =
            entry.parameters().iter().find(|it| it.positional).map_or("'mailhaul'".to_owned(), variable);
        let _infallible = writeln!(text, "        if ($PSCmdlet.ShouldProcess({target})) {{ {call} }}");
    } else {
        let _infallible = writeln!(text, "        {call}");
    }
    text.push_str("    }\n}\n");
    text
}

fn variable(parameter: &Parameter) -> String {
    format!("${}", parameter.name)
}

fn declaration(parameter: &Parameter) -> String {
    let mut attributes = Vec::new();
    if parameter.required {
        attributes.push("Mandatory");
    }
    if parameter.positional {
        attributes.push("Position = 0");
    }
    if parameter.name == IDENTITY {
        attributes.extend(["ValueFromPipeline", "ValueFromPipelineByPropertyName"]);
    }
    let attributes = if attributes.is_empty() {
        String::new()
    } else {
        format!("[Parameter({})] ", attributes.join(", "))
    };
    let alias = ALIASES.iter().find(|(name, _)| *name == parameter.name);
    let alias = alias.map_or_else(String::new, |(_, alias)| format!("[Alias('{alias}')] "));
    format!(
        "        {attributes}{alias}{}{}",
        type_of(&parameter.kind, parameter.clearable),
        variable(parameter)
    )
}

/// Type and attributes of a parameter. A clearable one must accept `$null`, which `[string]` would
/// turn into an empty text.
fn type_of(kind: &Kind, clearable: bool) -> String {
    let (before, name) = match kind {
        Kind::Switch => (String::new(), "switch"),
        Kind::Boolean => (String::new(), "System.Nullable[bool]"),
        Kind::Integer { .. } if clearable => (String::new(), "System.Nullable[long]"),
        Kind::Integer { .. } => (String::new(), "long"),
        Kind::DateTime if clearable => (String::new(), "System.Nullable[datetime]"),
        Kind::DateTime => (String::new(), "datetime"),
        Kind::TimeSpan if clearable => (String::new(), "System.Nullable[timespan]"),
        Kind::TimeSpan => (String::new(), "timespan"),
        _ if clearable => ("[AllowNull()] ".to_owned(), "object"),
        Kind::Text | Kind::Limit | Kind::Continuation => (String::new(), "string"),
        Kind::Choice(choices) => {
            let names: Vec<String> = choices.iter().map(|it| format!("'{}'", it.name)).collect();
            (format!("[ValidateSet({})] ", names.join(", ")), "string")
        }
        Kind::Bytes => (String::new(), "byte[]"),
        Kind::Credential => (String::new(), "pscredential"),
        Kind::Secret => (String::new(), "securestring"),
        Kind::Map => (String::new(), "hashtable"),
        Kind::List(kind) => {
            let one = type_of(kind, false);
            return one.strip_suffix("] ").map_or_else(|| one.clone(), |it| format!("{it}[]] "));
        }
    };
    format!("{before}[{name}] ")
}

/// A block comment must not contain its own end.
fn comment(text: &str) -> String {
    text.replace("#>", "# >")
}
