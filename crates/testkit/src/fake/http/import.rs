//! Labels, and the import of a message with its labels.

use std::sync::Arc;

use hyper::StatusCode;
use mail_parser::DateTime;
use mailhaul_imap::MailboxName;
use mailhaul_mail::{Flags, InternalDate};
use serde_json::{Value, json};

use super::{
    super::{
        personality::Verdict,
        server::{Server, User},
        store::{Mailbox, StoredMessage},
    },
    api_state::Fault,
    reply::{Reply, invalid, reply},
    request::ApiRequest,
};

/// Labels without a folder in IMAP, and those with one, by the attributes there.
const SYSTEM: [(&str, &str); 7] = [
    ("SENT", "\\Sent"),
    ("SPAM", "\\Junk"),
    ("TRASH", "\\Trash"),
    ("DRAFT", "\\Drafts"),
    ("IMPORTANT", "\\Important"),
    ("STARRED", "\\Flagged"),
    ("CHAT", "\\Chats"),
];

/// A label: its ID, its name, and its folder in IMAP.
struct Label {
    id: String,
    name: String,
    folder: Option<String>,
}

fn all_labels(mailbox: &Mailbox) -> Vec<Label> {
    let system = SYSTEM.iter().map(|(id, attribute)| ((*id).to_owned(), mailbox.special(attribute)));
    let inbox = ("INBOX".to_owned(), Some("INBOX".to_owned()));
    let unread = ("UNREAD".to_owned(), None);
    let system = system.chain([inbox, unread]);
    let mut labels: Vec<Label> = system.map(|(id, folder)| Label { name: id.clone(), id, folder }).collect();
    for (name, folder) in &mailbox.folders {
        if folder.attributes.is_empty() && name != "INBOX" {
            labels.push(Label {
                id: format!("Label_{}", folder.uids.uid_validity),
                name: MailboxName::from_wire(name.as_bytes()).to_text(),
                folder: Some(name.clone()),
            });
        }
    }
    labels
}

pub(super) fn labels(user: &User) -> Reply {
    let content: Vec<Value> = all_labels(&user.mailbox())
        .iter()
        .map(|it| {
            let kind = if it.id.starts_with("Label_") { "user" } else { "system" };
            json!({"id": it.id, "name": it.name, "type": kind})
        })
        .collect();
    reply(StatusCode::OK, &json!({"labels": content}))
}

/// Stores a message. Returns the answer, or the reason of the refusal.
pub(super) fn store(
    server: &Server,
    user: &User,
    request: &ApiRequest,
    metadata: &Value,
    octets: &[u8],
) -> Result<Value, Box<Reply>> {
    let personality = &server.personality;
    user.clock.pass(personality.limits.append_time);
    if let Verdict::Refuse(words) | Verdict::HangUp(words) = (personality.judge)(octets) {
        user.meter().note("refused");
        return Err(invalid(words).into());
    }
    for (parameter, value) in
        [("internalDateSource", "dateHeader"), ("neverMarkSpam", "true"), ("processForCalendar", "false")]
    {
        if request.query.get(parameter).map(String::as_str) != Some(value) {
            server.violation(&user.name, format!("{parameter} is not {value}"));
        }
    }
    let mut mailbox = user.mailbox();
    let known = all_labels(&mailbox);
    let ids = metadata.get("labelIds").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
    let (mut flags, mut folders) = (Flags::new(), Vec::new());
    if !ids.contains(&"UNREAD") {
        flags.insert("\\Seen");
    }
    for id in &ids {
        let Some(label) = known.iter().find(|it| it.id == *id) else {
            return Err(invalid(&format!("Invalid label: {id}")).into());
        };
        match *id {
            "DRAFT" | "CHAT" => return Err(invalid(&format!("Invalid label: {id}")).into()),
            "STARRED" => flags.insert("\\Flagged"),
            _ => folders.extend(label.folder.clone()),
        }
    }
    let now = user.clock.now();
    let shown = match request.fault {
        Some(Fault::SeenAfter(wait)) => now + wait,
        _ => now,
    };
    let seconds = date_header(octets).unwrap_or_else(|| i64::try_from(now.as_secs()).unwrap());
    let date = InternalDate::new(seconds, 0).unwrap();
    let message_to_store = StoredMessage { octets: Arc::new(octets.to_vec()), flags, date };
    let (message, is_there) = mailbox.import(folders, message_to_store, shown);
    mailbox.arrive(now);
    drop(mailbox);
    user.meter().note("imported");
    if is_there {
        server.violation(&user.name, format!("sent {message:x} again, with labels that it has"));
    }
    Ok(json!({"id": format!("{message:x}"), "threadId": format!("{message:x}"), "labelIds": ids}))
}

/// Reads the time of the Date field.
fn date_header(octets: &[u8]) -> Option<i64> {
    let end = octets.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(octets.len());
    let header = String::from_utf8_lossy(&octets[..end]).into_owned();
    let line = header.lines().find(|it| it.to_ascii_lowercase().starts_with("date:"))?.to_owned();
    DateTime::parse_rfc822(line[5..].trim()).filter(DateTime::is_valid).map(|it| it.to_timestamp())
}
