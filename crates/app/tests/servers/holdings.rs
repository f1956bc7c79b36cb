//! Contents of servers, in a form that can be compared.

use mailhaul_mail::InternalDate;
use mailhaul_testkit::{Mailbox, Server, Shape, differences};

use crate::common::contents;

/// The server's name of a folder whose levels are separated by `/`.
pub(crate) fn name_on(shape: &Shape, folder: &str) -> String {
    let (prefix, separator) = shape.naming();
    match folder {
        "INBOX" => folder.to_owned(),
        _ => prefix.to_owned() + &folder.replace('/', &separator.to_string()),
    }
}

/// Returns the server's contents with normalised folder names and dates: servers show the same time in different
/// zones.
pub(crate) async fn shown(shape: &Shape, server: &dyn Server, user: &str) -> Mailbox {
    let (prefix, separator) = shape.naming();
    let path = |name: &str| match name.strip_prefix(prefix) {
        Some(rest) if name != "INBOX" => rest.replace(separator, "/"),
        _ => name.to_owned(),
    };
    let mut mailbox: Mailbox =
        contents(server.port(), user).await.into_iter().map(|(name, it)| (path(&name), it)).collect();
    // What repeats the mail of the other folders is not to be copied.
    mailbox.retain(|name, _| !name.starts_with("virtual/"));
    // Some servers make a folder of what only stands above others.
    let names: Vec<String> = mailbox.keys().map(|it| it.clone() + "/").collect();
    let is_above =
        |name: &str| names.iter().any(|it| it.len() > name.len() + 1 && it.starts_with(&format!("{name}/")));
    mailbox.retain(|name, it| !it.messages.is_empty() || it.subscribed || !is_above(name));
    for message in mailbox.values_mut().flat_map(|it| &mut it.messages) {
        message.date = InternalDate::parse(&message.date).unwrap().unix_seconds().to_string();
    }
    mailbox
}

#[track_caller]
pub(crate) fn assert_holds(what: &str, expected: &Mailbox, shown: &Mailbox) {
    let told = differences(expected, shown);
    assert!(
        told.is_empty(),
        "{what}: {} differences:\n{}",
        told.len(),
        told[..told.len().min(20)].join("\n")
    );
}
