//! Failures of operations, in one form for users, scripts and HTTP.

use std::fmt::Display;

use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The object does not exist.
    NotFound,
    /// The status of the object does not allow the operation, or its name is taken.
    Conflict,
    /// The request is wrong.
    Invalid,
    /// The caller's role does not allow it.
    Forbidden,
    /// The caller is unknown.
    Unauthorized,
    /// The request is too large.
    TooLarge,
    /// A needed server or file is unavailable; a later retry may succeed.
    Unavailable,
    /// Error in this program, or damaged data.
    Internal,
}

struct Row {
    kind: FailureKind,
    /// Code for programs.
    code: &'static str,
    status: u16,
    exit: u8,
    /// Description in the `OpenAPI` document.
    meaning: &'static str,
}

const fn row(kind: FailureKind, code: &'static str, status: u16, exit: u8, meaning: &'static str) -> Row {
    Row { kind, code, status, exit, meaning }
}

/// In the order of [`FailureKind`].
static ROWS: [Row; 8] = [
    row(FailureKind::NotFound, "NotFound", 404, 3, "The object does not exist."),
    row(
        FailureKind::Conflict,
        "Conflict",
        409,
        4,
        "The status of the object does not allow it, or its name is taken.",
    ),
    row(FailureKind::Invalid, "Invalid", 422, 2, "A parameter is wrong; the message names it."),
    row(FailureKind::Forbidden, "Forbidden", 403, 5, "The caller's role does not allow it."),
    row(FailureKind::Unauthorized, "Unauthorized", 401, 5, "The token is missing or unknown."),
    row(FailureKind::TooLarge, "TooLarge", 413, 2, "The body is too large."),
    row(FailureKind::Unavailable, "Unavailable", 503, 6, "A needed server or file is unavailable."),
    row(FailureKind::Internal, "Internal", 500, 1, "Error in the service, or its database is damaged."),
];

/// Failure of an operation. It never contains a secret: it is printed, logged and audited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: FailureKind,
    /// One sentence.
    pub message: String,
    /// Next step for the caller, if there is one.
    pub advice: Option<String>,
    /// Parameter that is wrong, if it is known.
    pub place: Option<Box<FailurePlace>>,
    /// Change of another caller, if the object has another revision than the request expects.
    pub change: Option<Box<ForeignChange>>,
}

/// Place of a failure in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePlace {
    /// Name of the parameter.
    pub parameter: String,
    /// Wrong rows of its file, each as an object; empty unless it is a file.
    pub rows: Vec<Value>,
}

/// Change of an object by another caller, which a conditional request must not overwrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignChange {
    /// Current revision of the object.
    pub revision: String,
    /// Caller of the last change, if the audit log still has it.
    pub who: Option<String>,
    /// Time of the last change.
    pub time: Option<String>,
    /// The object as it is now.
    pub current: Value,
    /// Parameters of the request that differ from the object, each with both values.
    pub values: Vec<Value>,
}

/// Status of a request whose condition does not hold (RFC 9110, section 15.5.13).
pub(crate) const PRECONDITION_FAILED: u16 = 412;

impl FailureKind {
    /// Code for programs.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    pub fn status(self) -> u16 {
        self.row().status
    }

    /// Exit code of a program that received this failure.
    pub fn exit_code(self) -> u8 {
        self.row().exit
    }

    pub(crate) fn meaning(self) -> &'static str {
        self.row().meaning
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|it| it.kind)
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    fn of(code: &str, status: u16) -> Self {
        // Failures of HTTP itself (a malformed request, a wrong method) are the caller's mistake
        // too.
        let by_status = if (400..500).contains(&status) { Self::Invalid } else { Self::Internal };
        ROWS.iter().find(|row| row.code == code).map_or(by_status, |row| row.kind)
    }
}

impl Failure {
    fn new(kind: FailureKind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), advice: None, place: None, change: None }
    }

    /// The object does not exist.
    pub fn not_found(message: impl Display) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    /// The status of the object does not allow the operation, or its name is taken.
    pub fn conflict(message: impl Display) -> Self {
        Self::new(FailureKind::Conflict, message)
    }

    /// The request is wrong.
    pub fn invalid(message: impl Display) -> Self {
        Self::new(FailureKind::Invalid, message)
    }

    /// The caller's role does not allow it.
    pub fn forbidden(message: impl Display) -> Self {
        Self::new(FailureKind::Forbidden, message)
    }

    /// The caller is unknown.
    pub fn unauthorized(message: impl Display) -> Self {
        Self::new(FailureKind::Unauthorized, message)
    }

    /// The request is too large.
    pub fn too_large(message: impl Display) -> Self {
        Self::new(FailureKind::TooLarge, message)
    }

    /// A needed server or file is unavailable.
    pub fn unavailable(message: impl Display) -> Self {
        Self::new(FailureKind::Unavailable, message)
    }

    /// Error in this program.
    pub fn internal(message: impl Display) -> Self {
        Self::new(FailureKind::Internal, message)
    }

    #[must_use]
    pub fn with_advice(mut self, advice: impl Display) -> Self {
        self.advice = Some(advice.to_string());
        self
    }

    /// Adds the parameter that is wrong, unless one is known already.
    #[must_use]
    pub fn at(self, parameter: &str) -> Self {
        if self.place.is_some() { self } else { self.with_rows(parameter, Vec::new()) }
    }

    /// Adds the parameter that is wrong, and the wrong rows of its file.
    #[must_use]
    pub fn with_rows(mut self, parameter: &str, rows: Vec<Value>) -> Self {
        self.place = Some(Box::new(FailurePlace { parameter: parameter.to_owned(), rows }));
        self
    }

    /// Adds the change of another caller.
    #[must_use]
    pub fn with_change(mut self, change: ForeignChange) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Adds both values of each given parameter that differs from the object as it is now.
    #[must_use]
    pub(crate) fn with_given(mut self, given: &Map<String, Value>) -> Self {
        if let Some(change) = &mut self.change {
            let differing = given.iter().filter_map(|(name, given)| {
                let current = change.current.get(name).filter(|current| *current != given)?;
                Some(json!({ "Parameter": name, "Given": given, "Current": current }))
            });
            change.values = differing.collect();
        }
        self
    }

    /// HTTP status of the answer.
    pub fn status(&self) -> u16 {
        if self.change.is_some() { PRECONDITION_FAILED } else { self.kind.status() }
    }

    /// Adds advice, if any.
    #[must_use]
    pub(crate) fn advised(mut self, advice: Option<String>) -> Self {
        self.advice = advice.or(self.advice);
        self
    }

    /// JSON form, as in HTTP and `mailhaul invoke`.
    pub fn to_json(&self) -> Value {
        let mut json = error_json(self.kind.code(), &self.message, self.advice.as_deref());
        if let Some(place) = &self.place {
            json["Error"]["Parameter"] = json!(place.parameter);
            if !place.rows.is_empty() {
                json["Error"]["Rows"] = json!(place.rows);
            }
        }
        if let Some(change) = &self.change {
            json["Error"]["Revision"] = json!(change.revision);
            json["Error"]["ChangedBy"] = json!(change.who);
            json["Error"]["ChangedTime"] = json!(change.time);
            json["Error"]["Current"] = change.current.clone();
            json["Error"]["Values"] = json!(change.values);
        }
        json
    }

    /// Parses the form of [`Failure::to_json`]; `None` for anything else.
    pub(crate) fn from_json(status: u16, body: &Value) -> Option<Self> {
        let error = body.get("Error")?;
        let text = |name| error.get(name).and_then(Value::as_str);
        Some(Self {
            kind: FailureKind::of(text("Code")?, status),
            message: text("Message")?.to_owned(),
            advice: text("Advice").map(str::to_owned),
            place: text("Parameter").map(|parameter| {
                let rows = error.get("Rows").and_then(Value::as_array).cloned().unwrap_or_default();
                Box::new(FailurePlace { parameter: parameter.to_owned(), rows })
            }),
            change: text("Revision").map(|revision| {
                Box::new(ForeignChange {
                    revision: revision.to_owned(),
                    who: text("ChangedBy").map(str::to_owned),
                    time: text("ChangedTime").map(str::to_owned),
                    current: error.get("Current").cloned().unwrap_or_default(),
                    values: error.get("Values").and_then(Value::as_array).cloned().unwrap_or_default(),
                })
            }),
        })
    }
}

pub(crate) fn error_json(code: &str, message: &str, advice: Option<&str>) -> Value {
    json!({ "Error": { "Code": code, "Message": message, "Advice": advice } })
}

/// "Did you mean": the known word that is most similar to the written one.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
    shown: impl Fn(&str) -> String,
) -> Option<String> {
    let written = written.to_lowercase();
    let near = known
        .into_iter()
        .map(|it| (strsim::jaro_winkler(&it.to_lowercase(), &written), it))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    Some(format!("Did you mean {}?", shown(near.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_survive_the_wire() {
        for kind in FailureKind::all() {
            assert_eq!((kind.row().kind, kind.code()), (kind, format!("{kind:?}").as_str()));
            let failure = Failure::new(kind, "no").with_advice("do");
            assert_eq!(Failure::from_json(kind.status(), &failure.to_json()), Some(failure.clone()));
            assert_eq!(failure.to_json()["Error"].get("Parameter"), None);
            let placed = failure.clone().at("Name").at("CSVData");
            assert_eq!(placed.to_json()["Error"]["Parameter"], "Name");
            assert_eq!(placed.to_json()["Error"].get("Rows"), None);
            assert_eq!(Failure::from_json(kind.status(), &placed.to_json()), Some(placed));
            let placed = failure.with_rows("CSVData", vec![json!({ "Row": 2 })]);
            assert_eq!(placed.to_json()["Error"]["Rows"][0]["Row"], 2);
            assert_eq!(Failure::from_json(kind.status(), &placed.to_json()), Some(placed));
        }
        let given = json!({ "Port": 2, "Name": "x", "SyncNow": true });
        let changed = Failure::conflict("changed").with_change(ForeignChange {
            revision: "r".to_owned(),
            who: Some("grace".to_owned()),
            time: None,
            current: json!({ "Port": 1, "Name": "x" }),
            values: Vec::new(),
        });
        let changed = changed.with_given(given.as_object().unwrap());
        assert_eq!(
            changed.to_json()["Error"]["Values"],
            json!([{ "Parameter": "Port", "Given": 2, "Current": 1 }])
        );
        assert_eq!(
            (changed.status(), Failure::from_json(412, &changed.to_json())),
            (412, Some(changed.clone()))
        );
        let other = error_json("MethodNotAllowed", "no", None);
        assert_eq!(Failure::from_json(405, &other), Some(Failure::invalid("no")));
        assert_eq!(Failure::from_json(502, &json!("gateway")), None);
    }

    #[test]
    fn near_names_are_offered() {
        let known = ["SourceEndpoint", "Name", "CSVData"];
        let offered = |written| did_you_mean(written, known, |it| format!("-{it}"));
        assert_eq!(offered("SourceEndpont"), Some("Did you mean -SourceEndpoint?".to_owned()));
        assert_eq!(offered("csv"), Some("Did you mean -CSVData?".to_owned()));
        assert_eq!(offered("xyzzy"), None);
    }
}
