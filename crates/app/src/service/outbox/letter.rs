//! Subject, text and HTML of a notification. Pure; everything foreign is escaped.

use std::fmt::Write as _;

use mailhaul_migration::Notification;
use serde_json::Value;

/// Styles are in the elements: many mail programs drop style sheets.
const BODY: &str =
    "margin:0;padding:24px;background:#f3f4f6;color:#1f2937;font:15px/1.5 Arial,Helvetica,sans-serif";
const CARD: &str = "max-width:640px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d1d5db;border-radius:6px";
const EVENT: &str = "margin:0 0 4px;color:#4b5563;font-size:13px";
const SUMMARY: &str = "margin:0 0 16px;font-size:18px;font-weight:bold";
const NAME: &str = "width:1%;padding:6px 16px 6px 0;border-top:1px solid #e5e7eb;color:#4b5563;text-align:left;font-weight:normal;\
                    vertical-align:top;white-space:nowrap";
const VALUE: &str = "padding:6px 0;border-top:1px solid #e5e7eb;vertical-align:top;word-break:break-word";
const STEP: &str = "margin:16px 0 0;padding:12px;background:#eff6ff;border-left:3px solid #2563eb";
const FOOT: &str = "margin:16px 0 0;color:#6b7280;font-size:12px";

/// A notification as text.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

impl Letter {
    pub(super) fn new(notification: &Notification) -> Self {
        let heading = match &notification.batch {
            Some(batch) => format!("{batch}: {}", notification.event),
            None => notification.event.to_string(),
        };
        let heading = one_line(&heading);
        Self {
            subject: format!("[mailhaul] {heading}"),
            text: text(notification, &heading),
            html: html(notification, &heading),
        }
    }
}

fn text(notification: &Notification, heading: &str) -> String {
    let facts = &notification.facts;
    let mut text = format!("{heading}\n\n{}\n", one_line(&facts.summary));
    if !facts.details.is_empty() {
        text.push('\n');
    }
    let width = facts.details.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in &facts.details {
        for (number, line) in lines(value).iter().enumerate() {
            let name = if number == 0 { format!("{name}:") } else { String::new() };
            _ = writeln!(text, "{name:<0$} {line}", width + 1);
        }
    }
    if let Some(step) = &facts.next_step {
        _ = writeln!(text, "\n{}", one_line(step));
    }
    _ = writeln!(text, "\n-- \n{}", foot(notification));
    text
}

fn html(notification: &Notification, heading: &str) -> String {
    let facts = &notification.facts;
    let mut rows = String::new();
    for (name, value) in &facts.details {
        let lines: Vec<String> = lines(value).iter().map(|line| escaped(line)).collect();
        _ = writeln!(
            rows,
            "<tr><th scope=\"row\" style=\"{NAME}\">{}</th><td style=\"{VALUE}\">{}</td></tr>",
            escaped(name),
            lines.join("<br>")
        );
    }
    let table = if rows.is_empty() {
        String::new()
    } else {
        format!("<table style=\"width:100%;border-collapse:collapse;font-size:14px\">\n{rows}</table>\n")
    };
    let step = match &facts.next_step {
        Some(step) => format!("<p style=\"{STEP}\">{}</p>\n", with_whole_words(&one_line(step))),
        None => String::new(),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0}</title></head>\n\
         <body style=\"{BODY}\">\n<div style=\"{CARD}\">\n<p style=\"{EVENT}\">{0}</p>\n<p style=\"{SUMMARY}\">{1}</p>\n\
         {table}{step}<p style=\"{FOOT}\">{2}</p>\n</div>\n</body>\n</html>\n",
        escaped(heading),
        escaped(&one_line(&facts.summary)),
        escaped(&foot(notification))
    )
}

fn foot(notification: &Notification) -> String {
    format!("mailhaul, {:.0}, notification {}", notification.created, notification.id)
}

/// Escapes a text. The names of cmdlets are not broken at their hyphens.
fn with_whole_words(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        if word.contains('-') {
            format!("<span style=\"white-space:nowrap\">{}</span>", escaped(word))
        } else {
            escaped(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns a value line by line: a list has one for each element.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(lines).collect(),
        Value::String(text) => vec![one_line(text)],
        other => vec![other.to_string()],
    }
}

/// Replaces control characters by blanks: no text begins a line or a header of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::{Guid, NotificationEvent, NotificationFacts};
    use serde_json::json;

    use super::*;

    fn notification(batch: &str) -> Notification {
        Notification {
            id: Guid::from_u128(7),
            event: NotificationEvent::UsersFailed,
            batch: Some(batch.to_owned()),
            created: "2026-11-27T18:02:00Z".parse().unwrap(),
            facts: NotificationFacts::new("2 users failed.")
                .with("FailedCount", 2)
                .with("Users", json!(["anna@contoso.edu", "<b>@contoso.edu"]))
                .with_next_step("Get-MigrationFailure -BatchId \"Staff\""),
        }
    }

    #[test]
    fn a_letter_has_a_text_for_people() {
        let letter = Letter::new(&notification("Staff"));
        assert_eq!(letter.subject, "[mailhaul] Staff: UsersFailed");
        let expected = "Staff: UsersFailed\n\n2 users failed.\n\nFailedCount: 2\nUsers:       anna@contoso.edu\n             \
                        <b>@contoso.edu\n\nGet-MigrationFailure -BatchId \"Staff\"\n\n-- \nmailhaul, 2026-11-27T18:02:00Z, \
                        notification 00000000-0000-0000-0000-000000000007\n";
        assert_eq!(letter.text, expected);
    }

    #[test]
    fn foreign_texts_are_neither_elements_nor_headers() {
        let letter = Letter::new(&notification("<script>\r\nBcc: x@y\u{0}"));
        assert_eq!(letter.subject, "[mailhaul] <script>  Bcc: x@y : UsersFailed");
        assert!(!letter.html.contains("<script") && !letter.html.contains("<b>"), "{}", letter.html);
        assert!(letter.html.contains("&lt;script&gt;") && letter.html.contains("&lt;b&gt;@contoso.edu"));
        assert!(!letter.text.contains('\r'));
    }
}
