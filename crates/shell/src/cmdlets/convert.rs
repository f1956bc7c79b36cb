//! `ConvertTo-Json`, `ConvertTo-Csv` and `Export-Csv`.

use super::bind::BoundArguments;
use crate::{
    error::Fault,
    flow::{EvalResult, Flow},
    format,
    host::Host,
    text,
    value::{Object, Value},
};

pub(crate) fn to_json(bound: &BoundArguments<'_>, input: &Flow) -> Flow {
    if input.values.is_empty() && !bound.has("AsArray") {
        return Flow::default();
    }
    let text = match input.values.as_slice() {
        [one] if bound.has("AsArray") => serde_json::Value::Array(vec![one.into()]),
        [one] => one.into(),
        several => serde_json::Value::Array(several.iter().map(serde_json::Value::from).collect()),
    };
    let text = if bound.has("Compress") { text.to_string() } else { format!("{text:#}") };
    Flow::new(vec![text.into()])
}

pub(crate) fn to_csv(at: usize, input: Flow) -> EvalResult<Flow> {
    let text = format::csv(&objects(at, input)?);
    let text = text.strip_suffix("\r\n").unwrap_or(&text);
    Ok(Flow::new(if text.is_empty() { Vec::new() } else { vec![text.into()] }))
}

pub(crate) fn export_csv<H: Host>(
    at: usize,
    mut bound: BoundArguments<'_>,
    input: Flow,
    host: &H,
) -> EvalResult<Flow> {
    let Some((_, Value::Text(path))) = bound.value("Path")? else {
        return Err(Fault::value(at, "Export-Csv needs the name of a file"));
    };
    if let Some((at, encoding)) = bound.value("Encoding")? {
        let name = text::show(&encoding);
        if !["utf8", "utf8NoBOM", "utf-8"].iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Err(Fault::unsupported(at, format!("the encoding {name} (files are UTF-8) is")));
        }
    }
    let csv = format::csv(&objects(at, input)?);
    host.write_file(&path, csv.as_bytes())
        .map_err(|error| Fault::value(at, format!("the file {path} cannot be written: {error}")))?;
    Ok(Flow::default())
}

fn objects(at: usize, input: Flow) -> EvalResult<Vec<Object>> {
    let object = |value| match value {
        Value::Object(object) => Ok(object),
        other => {
            let shown = text::show(&other);
            Err(Fault::value(
                at,
                format!("only objects have columns, and `{shown}` is not one; use Select-Object first"),
            ))
        }
    };
    input.values.into_iter().map(object).collect()
}
