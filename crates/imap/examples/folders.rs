//! Lists the mailboxes of a user. The password is read from the environment.
//!
//! ```text
//! IMAP_PASSWORD=... cargo run --example folders -- HOST PORT implicit|starttls|clear USER [MECHANISM]
//! ```

#![expect(clippy::print_stdout, reason = "that is what the example is for")]

use std::{env, error::Error};

use mailhaul_imap::{ConnectOptions, Connection, Credentials, ListQuery, Security, StatusItem};
use mailhaul_mail::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, security, user, mechanism @ ..] = arguments.as_slice() else {
        return Err("usage: folders HOST PORT implicit|starttls|clear USER [MECHANISM]".into());
    };
    let security = match security.as_str() {
        "implicit" => Security::Implicit,
        "starttls" => Security::StartTls,
        _ => Security::Clear,
    };
    let mut options = ConnectOptions::new(host, port.parse()?, security);
    options.tls.accept_untrusted = env::var_os("IMAP_ACCEPT_UNTRUSTED").is_some();
    let mut credentials = Credentials::password(user, Secret::new(env::var("IMAP_PASSWORD")?));
    credentials.mechanism = mechanism.first().cloned();

    let mut session = Connection::open(&options).await?.authenticate(&credentials).await?;
    let query = ListQuery { status: vec![StatusItem::Messages, StatusItem::Size], ..ListQuery::default() };
    for mailbox in session.list(&query).await? {
        let messages = mailbox.status.and_then(|status| status.messages);
        let messages = messages.map_or("?".to_owned(), |count| count.to_string());
        println!("{messages:>8}  {}  {}", mailbox.item.name, mailbox.item.attributes.join(" "));
    }
    session.logout().await?;
    Ok(())
}
