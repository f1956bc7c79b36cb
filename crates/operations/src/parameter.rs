//! Parameters of an operation, read from the JSON schema of its request.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::{kind::Kind, schema, values::CLEARABLE};

/// Parameter that names the object.
pub(crate) const IDENTITY: &str = "Identity";
/// Parameter that names a new object.
pub(crate) const NAME: &str = "Name";
/// Parameter with the maximum number of results.
pub(crate) const RESULT_SIZE: &str = "ResultSize";
/// Parameter that names several objects.
pub(crate) const IDENTITIES: &str = "Identities";
/// Parameter with the revision that the object must have.
pub(crate) const IF_REVISION: &str = "IfRevision";
/// Property with the revision of an object.
pub(crate) const REVISION: &str = "Revision";

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name in JSON, and after the dash of a cmdlet.
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    /// True if `$null` (JSON null) is allowed, which clears a setting.
    pub clearable: bool,
    pub default: Option<Value>,
    pub help: String,
    /// True if the name may be omitted.
    pub positional: bool,
    /// Schema for the `OpenAPI` document.
    pub(crate) schema: Value,
}

impl Parameter {
    /// Long option: `CSVData` is `csv-data`.
    pub fn option(&self) -> String {
        kebab(&self.name)
    }

    /// Parameter that names a file with the secret: `OwnerPasswordFile` for the login `Owner`,
    /// `ClientSecretFile` for the secret `ClientSecret`.
    pub fn secret_file(&self) -> Option<String> {
        match self.kind {
            Kind::Credential => Some(format!("{}PasswordFile", self.name)),
            Kind::Secret => Some(format!("{}File", self.name)),
            _ => None,
        }
    }

    pub fn secret_variable(&self) -> Option<String> {
        match self.kind {
            Kind::Credential => Some(format!("MAILHAUL_{}_PASSWORD", self.name.to_ascii_uppercase())),
            Kind::Secret => {
                Some(format!("MAILHAUL_{}", self.option().replace('-', "_").to_ascii_uppercase()))
            }
            _ => None,
        }
    }

    /// True if a user can give it.
    pub fn is_for_people(&self) -> bool {
        self.kind != Kind::Continuation
    }

    /// True if it fits into the query of a URL.
    pub(crate) fn fits_query(&self) -> bool {
        !matches!(self.kind, Kind::Bytes | Kind::Credential | Kind::Secret | Kind::Map) && !self.clearable
    }
}

/// Reads the parameters of a request, in the order of its fields. An error is a mistake in the
/// request's type.
pub(crate) fn of_request<R: JsonSchema>() -> Result<Vec<Parameter>, String> {
    let schema = R::json_schema(&mut generator());
    let empty = Map::new();
    let object = schema.as_object().unwrap_or(&empty);
    if object.get("type").and_then(Value::as_str) != Some("object") {
        return Err("the request must be a struct with named fields".to_owned());
    }
    if object.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err("the request must have #[serde(deny_unknown_fields)]".to_owned());
    }
    let properties = object.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> = object
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let position = [IDENTITY, NAME].into_iter().find(|name| properties.contains_key(*name));
    properties
        .iter()
        .map(|(name, schema)| {
            let kind = schema::kind(schema).map_err(|reason| format!("the parameter {name} {reason}"))?;
            if !name.starts_with(|it: char| it.is_ascii_uppercase())
                || !name.bytes().all(|it| it.is_ascii_alphanumeric())
            {
                return Err(format!("the parameter {name} must be written in PascalCase"));
            }
            Ok(Parameter {
                kind,
                required: required.contains(&name.as_str()),
                clearable: schema.get(CLEARABLE).is_some(),
                default: schema::default(schema),
                help: schema::help(schema),
                positional: position == Some(name.as_str()),
                schema: schema::of_input(schema),
                name: name.clone(),
            })
        })
        .collect()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_deserialize().with(|it| it.inline_subschemas = true).into_generator()
}

/// Converts `CSVData` to `csv-data`, and `AllowUnknownColumnsInCsv` to
/// `allow-unknown-columns-in-csv`.
pub(crate) fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut written = String::with_capacity(name.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        let begins_word = letter.is_uppercase()
            && index > 0
            && (!letters[index - 1].is_uppercase()
                || letters.get(index + 1).is_some_and(|it| it.is_lowercase()));
        if begins_word {
            written.push('-');
        }
        written.extend(letter.to_lowercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::kind::AllowedValue;
    use crate::values::{Bytes, Change, Continuation, Credential, DateTime, SecretText, TimeSpan};

    #[derive(Deserialize, Serialize, JsonSchema)]
    enum Security {
        /// Clear text.
        None,
        /// TLS from the start.
        Ssl,
        Tls,
    }

    fn port() -> u16 {
        993
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Request {
        /// The name
        /// of the thing.
        ///
        /// More about it.
        name: String,
        #[serde(rename = "CSVData")]
        csv_data: Bytes,
        #[serde(default)]
        auto_start: bool,
        accept: Option<bool>,
        #[serde(default = "port")]
        port: u16,
        small: Option<i8>,
        security: Option<Security>,
        #[serde(default)]
        securities: Vec<Security>,
        folders: Option<Vec<String>>,
        #[serde(default)]
        start_after: Change<DateTime>,
        interval: Option<TimeSpan>,
        credential: Option<Credential>,
        client_secret: Option<SecretText>,
        #[serde(default)]
        other_secret: Change<SecretText>,
        #[serde(default)]
        map: BTreeMap<String, String>,
        continuation: Option<Continuation>,
    }

    #[test]
    fn kinds_come_from_types() {
        let parameters = of_request::<Request>().unwrap();
        let choices = Kind::Choice(
            [("None", "Clear text."), ("Ssl", "TLS from the start."), ("Tls", "")]
                .map(|(name, help)| AllowedValue { name: name.to_owned(), help: help.to_owned() })
                .to_vec(),
        );
        let expected = [
            ("Name", Kind::Text, true),
            ("CSVData", Kind::Bytes, true),
            ("AutoStart", Kind::Switch, false),
            ("Accept", Kind::Boolean, false),
            ("Port", Kind::Integer { least: 0, most: 65_535 }, false),
            ("Small", Kind::Integer { least: -128, most: 127 }, false),
            ("Security", sorted(choices.clone()), false),
            ("Securities", Kind::List(Box::new(sorted(choices))), false),
            ("Folders", Kind::List(Box::new(Kind::Text)), false),
            ("StartAfter", Kind::DateTime, false),
            ("Interval", Kind::TimeSpan, false),
            ("Credential", Kind::Credential, false),
            ("ClientSecret", Kind::Secret, false),
            ("OtherSecret", Kind::Secret, false),
            ("Map", Kind::Map, false),
            ("Continuation", Kind::Continuation, false),
        ];
        let found: Vec<_> =
            parameters.iter().map(|it| (it.name.as_str(), sorted(it.kind.clone()), it.required)).collect();
        assert_eq!(found, expected);
        assert_eq!(parameters[0].help, "The name of the thing.\n\nMore about it.");
        assert_eq!(parameters[4].default, Some(993.into()));
        assert_eq!(parameters[2].default, None, "that a switch is off goes without saying");
        let secrets: Vec<_> =
            parameters.iter().filter_map(|it| Some((it.secret_file()?, it.secret_variable()?))).collect();
        let secrets: Vec<_> =
            secrets.iter().map(|(file, variable)| (file.as_str(), variable.as_str())).collect();
        assert_eq!(
            secrets,
            [
                ("CredentialPasswordFile", "MAILHAUL_CREDENTIAL_PASSWORD"),
                ("ClientSecretFile", "MAILHAUL_CLIENT_SECRET"),
                ("OtherSecretFile", "MAILHAUL_OTHER_SECRET"),
            ]
        );
        assert!(parameters[13].clearable && !parameters[12].clearable);
        assert!(parameters[9].clearable && !parameters[10].clearable && parameters[0].positional);
    }

    /// Variants without a comment form a group of their own.
    fn sorted(kind: Kind) -> Kind {
        match kind {
            Kind::Choice(mut choices) => {
                choices.sort_by(|one, other| one.name.cmp(&other.name));
                Kind::Choice(choices)
            }
            Kind::List(inner) => Kind::List(Box::new(sorted(*inner))),
            other => other,
        }
    }

    #[test]
    fn mistakes_in_a_request_are_told() {
        #[derive(JsonSchema)]
        #[serde(rename_all = "PascalCase")]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Open {
            name: String,
        }
        #[derive(JsonSchema)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Odd {
            size: f64,
        }
        #[derive(JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Snake {
            user_name: String,
        }
        for (error, why) in [
            (of_request::<Open>(), "deny_unknown_fields"),
            (of_request::<Odd>(), "Size"),
            (of_request::<Snake>(), "PascalCase"),
            (of_request::<String>(), "struct"),
        ] {
            assert!(error.unwrap_err().contains(why), "{why}");
        }
    }

    #[test]
    fn options_read_well() {
        for (name, option) in [
            ("CSVData", "csv-data"),
            ("IMAP", "imap"),
            ("AllowUnknownColumnsInCsv", "allow-unknown-columns-in-csv"),
            ("MaxConcurrentMigrations", "max-concurrent-migrations"),
            ("CertificateSHA256", "certificate-sha256"),
            ("UserIds", "user-ids"),
        ] {
            assert_eq!(kebab(name), option);
        }
    }
}
