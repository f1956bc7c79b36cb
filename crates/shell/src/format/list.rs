//! `Format-List`: one line per property.

use unicode_width::UnicodeWidthStr;

use super::resolve;
use crate::{text, value::Object};

/// Columns of the names. A longer name is not aligned with the others.
const MAX_NAME: usize = 100;
/// Bytes of blanks before the further lines of a value. Beyond, they are not aligned.
const MAX_BLANKS: usize = 16 << 20;

/// Formats objects as `Name : value` lines, with an empty line between two objects.
pub fn list(objects: &[Object], properties: &[&str]) -> String {
    let mut blocks = Vec::new();
    for object in objects {
        let known: Vec<&str> = object.iter().map(|(name, _)| name).collect();
        let names = resolve(&known, properties);
        let shown: Vec<String> = names.iter().map(|name| text::harmless_on_screen(name)).collect();
        let widths = shown.iter().map(|name| name.width());
        let width = widths.filter(|width| *width <= MAX_NAME).max().unwrap_or_default();
        let mut block = String::new();
        for (name, shown) in names.iter().zip(shown) {
            let value = object.get(name).map(text::show).unwrap_or_default();
            // Further lines are aligned with the first.
            let mut value = text::harmless_on_screen(&value);
            if value.matches('\n').count().saturating_mul(width + 3) <= MAX_BLANKS {
                value = value.replace('\n', &format!("\n{}", " ".repeat(width + 3)));
            }
            let pad = " ".repeat(width.saturating_sub(shown.width()));
            block.push_str(format!("{shown}{pad} : {value}").trim_end());
            block.push('\n');
        }
        if !block.is_empty() {
            blocks.push(block);
        }
    }
    blocks.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::Value;

    fn object(json: serde_json::Value) -> Object {
        let Value::Object(object) = Value::from(json) else { panic!("no object") };
        object
    }

    #[test]
    fn names_and_values_are_aligned() {
        let endpoint = object(json!({
            "Identity": "IMAPEndpoint", "Port": 993, "MaxConcurrentMigrations": 20, "Valid": true,
            "Nothing": null, "Tags": ["a", "b"], "Server": { "Name": "x", "Up": false },
        }));
        let expected = "\
Identity                : IMAPEndpoint
Port                    : 993
MaxConcurrentMigrations : 20
Valid                   : True
Nothing                 :
Tags                    : {a, b}
Server                  : @{Name=x; Up=False}
";
        assert_eq!(list(&[endpoint], &[]), expected);
    }

    #[test]
    fn objects_are_set_apart_and_properties_chosen() {
        let objects =
            [object(json!({ "Status": "Synced", "Id": 1 })), object(json!({ "Id": 2, "Status": "Failed" }))];
        let expected = "id2 :\nId  : 1\n\nid2 :\nId  : 2\n";
        assert_eq!(list(&objects, &["id2", "I*"]), expected);
        assert_eq!(list(&objects, &["Nothing*"]), "");
        assert_eq!(list(&[], &[]), "");
    }

    #[test]
    fn further_lines_are_aligned_and_controls_are_replaced() {
        let report = object(json!({ "Report": "one\r\ntwo\u{1b}[2J", "用户": "x" }));
        assert_eq!(list(&[report], &[]), "Report : one\n         two\u{FFFD}[2J\n用户   : x\n");
    }
}
