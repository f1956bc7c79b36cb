//! The trait of an operation.

use std::future::Future;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    caller::{Caller, Role},
    failure::Failure,
    parameter::IDENTITY,
    steps::{StepUse, Steps},
    verb::Verb,
};

/// Kind of object that operations work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// Part of the cmdlet's name: `MigrationBatch`.
    pub cmdlet: &'static str,
    /// Command: `batch`.
    pub word: &'static str,
    /// Part of the URL's path: `batches`.
    pub path: &'static str,
    /// One line of help.
    pub about: &'static str,
}

/// One operation of an administrator.
///
/// Name and type of a parameter come from the JSON schema of the request, its help from the comment
/// of the field. A field `Identity` names the object, and is part of the URL.
///
/// ```
/// use mailhaul_operations::{Answer, Caller, Failure, Noun, Operation, Operations, Role, Verb};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// struct GetLamp;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(rename_all = "PascalCase", deny_unknown_fields)]
/// struct Request {
///     /// The lamp.
///     identity: String,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// #[serde(rename_all = "PascalCase")]
/// struct Lamp {
///     identity: String,
/// }
///
/// impl Operation<Vec<String>> for GetLamp {
///     const VERB: Verb = Verb::Get;
///     const NOUN: Noun = Noun { cmdlet: "Lamp", word: "lamp", path: "lamps", about: "Lamps of the house" };
///     const ROLE: Role = Role::Viewer;
///     const ABOUT: &'static str = "Shows a lamp.";
///
///     type Request = Request;
///     type Response = Lamp;
///
///     async fn run(lamps: &Vec<String>, _: &Caller, request: Request) -> Result<Answer<Lamp>, Failure> {
///         match lamps.contains(&request.identity) {
///             true => Ok(Answer::one(Lamp { identity: request.identity })),
///             false => Err(Failure::not_found(format_args!("there is no lamp \"{}\"", request.identity))),
///         }
///     }
/// }
///
/// let operations = Operations::new().with::<GetLamp>();
/// assert_eq!(operations.entries()[0].name(), "Get-Lamp");
/// ```
pub trait Operation<C>: 'static {
    const VERB: Verb;
    const NOUN: Noun;
    /// Minimum role of the caller.
    const ROLE: Role;
    /// Description in one sentence.
    const ABOUT: &'static str;
    /// Columns of a table of results; empty for all properties.
    const VIEW: &'static [&'static str] = &[];
    /// True if the command asks for confirmation.
    const CONFIRM: bool = Self::VERB.asks();
    /// Use of the steps that `run_in_steps` reports.
    const STEPS: StepUse = StepUse::None;

    /// Parameters: a struct with `#[serde(rename_all = "PascalCase", deny_unknown_fields)]`.
    type Request: DeserializeOwned + JsonSchema + Send;
    /// One result. Its name is the name of a schema in the `OpenAPI` document, so it is named after
    /// the noun.
    type Response: Serialize + JsonSchema + Send;

    /// Runs the operation. It is not cancelled if its caller disconnects.
    fn run(
        context: &C,
        caller: &Caller,
        request: Self::Request,
    ) -> impl Future<Output = Result<Answer<Self::Response>, Failure>> + Send;

    /// Runs the operation, and reports its steps. An operation with steps defines it.
    fn run_in_steps(
        context: &C,
        caller: &Caller,
        request: Self::Request,
        _steps: &Steps,
    ) -> impl Future<Output = Result<Answer<Self::Response>, Failure>> + Send {
        Self::run(context, caller, request)
    }
}

/// Answer of an operation: results, and the start of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    pub value: Vec<T>,
    /// `Continuation` of the next call. Only operations whose request has this field may set it.
    pub next: Option<String>,
    /// Number of results of all pages, where the operation knows it.
    pub total: Option<u64>,
    /// Outcome of an operation on many objects, in place of results.
    pub many: Option<ManyOutcome>,
}

/// Outcome of an operation on many objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManyOutcome {
    /// Number of objects for which it was done.
    pub changed: u64,
    /// Objects for which it was refused, each with its failure.
    pub refusals: Vec<(String, Failure)>,
}

/// Property of the number of objects for which an operation on many was done.
pub(crate) const CHANGED_COUNT: &str = "ChangedCount";
/// Property of the number of objects for which it was refused.
pub(crate) const REFUSED_COUNT: &str = "RefusedCount";
/// Maximum number of refusals that an answer names.
const MAX_NAMED_REFUSALS: usize = 1000;

impl ManyOutcome {
    /// JSON form: both counts, and the first refusals.
    pub(crate) fn to_json(&self) -> Value {
        let named = self.refusals.iter().take(MAX_NAMED_REFUSALS).map(|(identity, failure)| {
            json!({
                IDENTITY: identity,
                "Code": failure.kind.code(),
                "Message": failure.message,
                "Advice": failure.advice,
            })
        });
        json!({
            CHANGED_COUNT: self.changed,
            REFUSED_COUNT: self.refusals.len(),
            "Refusals": named.collect::<Vec<_>>(),
        })
    }
}

impl<T> Answer<T> {
    pub fn none() -> Self {
        Self::all(Vec::new())
    }

    pub fn one(value: T) -> Self {
        Self::all(vec![value])
    }

    pub fn all(value: Vec<T>) -> Self {
        Self { value, next: None, total: None, many: None }
    }

    pub fn page(value: Vec<T>, next: Option<String>) -> Self {
        Self { next, ..Self::all(value) }
    }

    /// Answer of an operation on many objects.
    pub fn many(outcome: ManyOutcome) -> Self {
        Self { many: Some(outcome), ..Self::none() }
    }
}
