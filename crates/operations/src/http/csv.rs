//! Whole lists and reports as CSV, page by page as the client reads them.

use std::{fmt::Write as _, io};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, header},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mailhaul_shell::{Object, Value as Shown, format};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::reply::JSON;
use crate::{entry::Entry, failure::Failure, operation::Answer, verb::Verb};

/// Media type of the answers.
pub(crate) const CSV: &str = "text/csv";
/// Property with the text of an exported file.
const CONTENT: &str = "Content";
/// Property with the name of an exported file.
const FILE_NAME: &str = "FileName";

/// True if the client wants CSV, and the operation shows something.
pub(super) fn is_wanted(entry: &Entry, headers: &HeaderMap) -> bool {
    let shows = matches!(entry.verb(), Verb::Get | Verb::Export);
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|it| it.to_str().ok());
    let mut kinds =
        accepted.flat_map(|it| it.split(',')).filter_map(|it| it.split(';').next()).map(str::trim);
    shows && kinds.find(|it| [CSV, JSON].contains(it)) == Some(CSV)
}

/// Form of the text.
pub(super) enum CsvForm {
    /// A row for each result, with these columns.
    Rows(Vec<String>),
    /// The results are parts of a file.
    Parts,
}

impl CsvForm {
    pub(super) fn of(entry: &Entry) -> Self {
        match entry.verb() {
            Verb::Export => Self::Parts,
            _ => Self::Rows(entry.properties()),
        }
    }

    fn header(&self) -> String {
        match self {
            Self::Rows(columns) => format::csv_header(columns),
            Self::Parts => String::new(),
        }
    }

    fn text(&self, results: &[Value]) -> String {
        match self {
            Self::Rows(columns) => {
                let objects: Vec<Object> = results.iter().cloned().filter_map(object).collect();
                format::csv_further(&objects, columns)
            }
            Self::Parts => results.iter().filter_map(|part| part.get(CONTENT)?.as_str()).collect(),
        }
    }
}

fn object(result: Value) -> Option<Object> {
    match Shown::from(result) {
        Shown::Object(object) => Some(object),
        _ => None,
    }
}

/// Name of the file: that of an export, or that of the noun.
pub(super) fn file_name(entry: &Entry, first: &Answer<Value>) -> String {
    let exported = first.value.first().and_then(|part| part.get(FILE_NAME)?.as_str());
    exported.map_or_else(|| format!("{}.csv", entry.noun().path), str::to_owned)
}

/// Place in the answer.
enum Step {
    Page(Answer<Value>),
    /// Continuation of the next page.
    Next(String),
    End,
}

/// Answer that writes the first page, and asks for each further one when the client has read so far.
///
/// If a page fails, the answer breaks off, so that no client takes a part for the whole.
pub(super) fn reply<F, Fut>(form: CsvForm, name: &str, first: Answer<Value>, more: F) -> Response<Body>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Answer<Value>, Failure>> + Send + 'static,
{
    let header = Bytes::from(form.header());
    let pages = stream::try_unfold((Step::Page(first), form, more), |(step, form, more)| async move {
        let answer = match step {
            Step::Page(answer) => answer,
            Step::Next(continuation) => more(continuation).await.map_err(io::Error::other)?,
            Step::End => return Ok(None),
        };
        let text = Bytes::from(form.text(&answer.value));
        let step = answer.next.map_or(Step::End, Step::Next);
        Ok::<_, io::Error>(Some((text, (step, form, more))))
    });
    let body = stream::iter([Ok(header)]).chain(pages);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    if let Ok(value) = HeaderValue::from_str(&attachment(name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Value of `Content-Disposition` (RFC 6266) for a file of this name.
pub fn attachment(name: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_. @".contains(it);
    let plain: String = name.chars().map(|it| if is_plain(it) { it } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        _ = write!(value, "; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_neither_its_quotes_nor_its_line() {
        assert_eq!(attachment("Staff-Errors.csv"), "attachment; filename=\"Staff-Errors.csv\"");
        assert_eq!(
            attachment("a\"\r\n\u{fc}.csv"),
            "attachment; filename=\"a____.csv\"; filename*=UTF-8''a%22%0D%0A%C3%BC%2Ecsv"
        );
    }
}
