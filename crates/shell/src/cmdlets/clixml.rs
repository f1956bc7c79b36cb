//! `Export-Clixml` and `Import-Clixml`: values as PowerShell's XML.

use std::fmt::Write as _;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use crate::{
    number, text,
    value::{Form, Object, Value},
};

/// Maximum depth of elements that are read.
const MAX_DEPTH: usize = 200;

/// Formats values. Credentials and secrets lose their secret.
pub(crate) fn to_clixml(values: &[Value]) -> String {
    let mut xml = String::from(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\n",
    );
    for value in values {
        write(&mut xml, value, None);
        xml.push('\n');
    }
    xml.push_str("</Objs>\n");
    xml
}

fn write(xml: &mut String, value: &Value, name: Option<&str>) {
    let attribute = name.map_or_else(String::new, |name| format!(" N=\"{}\"", escaped(name)));
    let simple = |tag: &str, text: &str| format!("<{tag}{attribute}>{text}</{tag}>");
    match value {
        Value::Null => {
            _ = write!(xml, "<Nil{attribute} />");
        }
        Value::Bool(is) => xml.push_str(&simple("B", if *is { "true" } else { "false" })),
        Value::Number(number) if number.is_f64() => xml.push_str(&simple("Db", &text::show(value))),
        Value::Number(_) => xml.push_str(&simple("I64", &text::show(value))),
        Value::List(values) => {
            _ = write!(xml, "<Obj{attribute}><LST>");
            for value in values {
                write(xml, value, None);
            }
            xml.push_str("</LST></Obj>");
        }
        Value::Object(object) if *object.form() == Form::Table => {
            _ = write!(xml, "<Obj{attribute}><DCT>");
            for (name, value) in object.iter() {
                _ = write!(xml, "<En><S N=\"Key\">{}</S>", escaped(name));
                write(xml, value, Some("Value"));
                xml.push_str("</En>");
            }
            xml.push_str("</DCT></Obj>");
        }
        Value::Object(object) => {
            _ = write!(xml, "<Obj{attribute}><MS>");
            object.iter().for_each(|(name, value)| write(xml, value, Some(name)));
            xml.push_str("</MS></Obj>");
        }
        other => xml.push_str(&simple("S", &escaped(&text::show(other)))),
    }
}

/// Writes characters that XML cannot have as `_xHHHH_`, as PowerShell does.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => {
                _ = write!(escaped, "_x{:04X}_", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) if rest[at + 6..].starts_with('_') => {
                plain.push_str(&rest[..at]);
                plain.push(c);
                rest = &rest[at + 7..];
            }
            _ => {
                plain.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Element that is being read.
#[derive(Default)]
struct Element {
    tag: String,
    name: Option<String>,
    text: String,
    children: Vec<(String, Option<String>, Value)>,
}

/// Parses values.
pub(crate) fn from_clixml(content: &str) -> Result<Vec<Value>, String> {
    let mut reader = Reader::from_str(content.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| format!("this is not XML: {error}"))? {
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err("the elements are nested too deeply".to_owned());
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                let element = element(&start)?;
                close(&mut open, element)?;
            }
            Event::End(_) => {
                let element = open.pop().unwrap_or_default();
                close(&mut open, element)?;
            }
            Event::Text(text) => {
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)
                        .unwrap_or_default()
                        .to_owned(),
                };
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&c);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or("the file ends within an element")?;
    match root.children.into_iter().next() {
        Some((tag, _, Value::List(values))) if tag == "Objs" => Ok(values),
        _ => Err("this is not a file of Export-Clixml".to_owned()),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut name = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_ref() == "N" {
            name = Some(
                quick_xml::escape::unescape(&attribute.value)
                    .map_err(|error| error.to_string())?
                    .into_owned(),
            );
        }
    }
    let tag = start.name().as_ref().to_owned();
    Ok(Element { tag, name, ..Element::default() })
}

fn close(open: &mut [Element], element: Element) -> Result<(), String> {
    let parent = open.last_mut().ok_or("an element ends that never began")?;
    let Element { tag, name, text, children } = element;
    let value = match tag.as_str() {
        "Nil" => Value::Null,
        "B" => Value::Bool(text.trim() == "true"),
        "I16" | "I32" | "I64" | "U16" | "U32" | "U64" | "Db" | "Sg" | "D" | "By" => {
            number::parse(text.trim())
                .map(Value::Number)
                .ok_or_else(|| format!("`{text}` is not a number"))?
        }
        "Objs" | "LST" | "IE" | "QUE" | "STK" => {
            Value::List(children.into_iter().map(|(_, _, value)| value).collect())
        }
        "MS" | "Props" | "En" => Value::Object(named(children)),
        "DCT" => {
            let mut table = Object::new().with_form(Form::Table);
            for (_, _, entry) in children {
                if let Value::Object(entry) = entry {
                    let value = entry.get("Value").cloned().unwrap_or_default();
                    table.insert(entry.get("Key").map(text::show).unwrap_or_default(), value);
                }
            }
            Value::Object(table)
        }
        "Obj" => whole(children),
        "TN" | "TNRef" | "T" => return Ok(()),
        _ => Value::Text(unescaped(&text)),
    };
    parent.children.push((tag, name, value));
    Ok(())
}

fn named(children: Vec<(String, Option<String>, Value)>) -> Object {
    let mut object = Object::new();
    for (_, name, value) in children {
        if let Some(name) = name {
            object.insert(name, value);
        }
    }
    object
}

/// Joins the parts of an object.
fn whole(children: Vec<(String, Option<String>, Value)>) -> Value {
    let mut object = Object::new();
    let mut shown = None;
    for (tag, _, value) in children {
        match (tag.as_str(), value) {
            ("MS" | "Props", Value::Object(properties)) => {
                for (name, value) in properties.iter() {
                    object.insert(name, value.clone());
                }
            }
            ("LST" | "IE" | "DCT" | "QUE" | "STK", value) => return value,
            ("ToString", value) => shown = Some(value),
            (_, value) if shown.is_none() => shown = Some(value),
            _ => {}
        }
    }
    if object.is_empty() { shown.unwrap_or_default() } else { Value::Object(object) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_back() {
        let value = Value::from(
            json!({ "Identity": "a<b>&\"c\u{1}", "Count": 5, "Half": 0.5, "Is": true, "None": null,
            "Tags": ["x", { "y": 1 }] }),
        );
        let xml = to_clixml(std::slice::from_ref(&value));
        assert_eq!(from_clixml(&xml), Ok(vec![value]));
        assert!(from_clixml("<a>").is_err() && from_clixml("x").is_err() && from_clixml("<a/>").is_err());
        assert!(from_clixml(&"<LST>".repeat(100_000)).is_err());
    }
}
