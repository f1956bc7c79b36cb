//! `ConvertTo-Html`.

use std::fmt::Write as _;

use crate::{
    text,
    value::{Object, Value},
};

/// Parts of a page. `head`, `before` and `after` are markup, as in PowerShell.
#[derive(Clone, Debug, Default)]
pub(crate) struct HtmlPage {
    pub(crate) title: String,
    pub(crate) head: Option<String>,
    pub(crate) body: String,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) is_fragment: bool,
    pub(crate) as_list: bool,
}

/// Formats objects as a table, in a page or alone.
pub(crate) fn to_html(objects: &[Object], page: &HtmlPage) -> String {
    let mut table = String::from("<table>\n");
    if page.as_list {
        for object in objects {
            for (name, value) in object.iter() {
                _ = writeln!(table, "<tr><td>{}:</td><td>{}</td></tr>", escaped(name), cell(Some(value)));
            }
        }
    } else if let Some(first) = objects.first() {
        let names: Vec<&str> = first.iter().map(|(name, _)| name).collect();
        let header: Vec<String> = names.iter().map(|name| escaped(name)).collect();
        let header = format!("<th>{}</th>", header.join("</th><th>"));
        _ = writeln!(table, "<tr>{header}</tr>");
        for object in objects {
            let cells: Vec<String> = names.iter().map(|name| cell(object.get(name))).collect();
            let cells = format!("<td>{}</td>", cells.join("</td><td>"));
            _ = writeln!(table, "<tr>{cells}</tr>");
        }
    }
    table.push_str("</table>");
    let parts = [page.before.as_str(), table.as_str(), page.after.as_str()];
    let content: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let content = content.join("\n");
    if page.is_fragment {
        return content;
    }
    let head = page.head.clone().unwrap_or_else(|| format!("<title>{}</title>", escaped(&page.title)));
    let body = if page.body.is_empty() { String::new() } else { format!("{}\n", page.body) };
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n{head}\n</head>\n<body>\n{body}{content}\n</body>\n</html>"
    )
}

fn cell(value: Option<&Value>) -> String {
    escaped(&value.map(text::show).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
