//! What an operation is.

use std::future::Future;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    caller::{Caller, Role},
    failure::Failure,
    verb::Verb,
};

/// What operations are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// In the name of a cmdlet: `MigrationBatch`.
    pub cmdlet: &'static str,
    /// On the command line: `batch`.
    pub word: &'static str,
    /// In the path of an address: `batches`.
    pub path: &'static str,
    /// One line of help.
    pub about: &'static str,
}

/// One thing that an administrator can do.
///
/// What a parameter is called, takes and means comes from the JSON schema of the request, its help from the comments of
/// the request's fields. A field `Identity` names the object: it is part of the address.
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
    /// What is done.
    const VERB: Verb;
    /// To what.
    const NOUN: Noun;
    /// Who may, at least.
    const ROLE: Role;
    /// One sentence.
    const ABOUT: &'static str;
    /// The columns of a table of results; all properties where it is empty.
    const VIEW: &'static [&'static str] = &[];
    /// Whether a person is asked before.
    const CONFIRM: bool = Self::VERB.asks();

    /// The parameters: a struct with `#[serde(rename_all = "PascalCase", deny_unknown_fields)]`.
    type Request: DeserializeOwned + JsonSchema + Send;
    /// One result. Its name becomes that of a schema in the API's description, so it is named after the noun.
    type Response: Serialize + JsonSchema + Send;

    /// Carries it out. It is not cancelled when its caller goes away.
    fn run(
        context: &C,
        caller: &Caller,
        request: Self::Request,
    ) -> impl Future<Output = Result<Answer<Self::Response>, Failure>> + Send;
}

/// What an operation answers: some results, and where to go on when there are more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The results.
    pub value: Vec<T>,
    /// What the next call has as its `Continuation` to get more. Only operations whose request has this field may set it.
    pub next: Option<String>,
}

impl<T> Answer<T> {
    /// Done, and nothing to show.
    pub fn none() -> Self {
        Self::all(Vec::new())
    }

    /// One result.
    pub fn one(value: T) -> Self {
        Self::all(vec![value])
    }

    /// All results.
    pub fn all(value: Vec<T>) -> Self {
        Self { value, next: None }
    }

    /// Some of the results.
    pub fn page(value: Vec<T>, next: Option<String>) -> Self {
        Self { value, next }
    }
}
