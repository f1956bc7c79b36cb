//! Dev only: real and scripted servers, faults, generated mail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends with a panic if its servers fail"
)]

mod bearer;
mod certificate;
mod corpus;
mod courier;
mod cyrus;
mod dns;
mod dns_wire;
mod dns_world;
mod dovecot;
pub mod fake;
mod mailbox;
mod mailmaker;
mod notification_sinks;
pub mod peer;
mod postgres;
mod processes;
mod proxy;
mod room;
mod scripted_smtp;
mod server;
mod shapes;
mod tls_front;
mod token_server;
mod uid_folder;

pub use bearer::{Bearer, TokensOf};
pub use certificate::Certificate;
pub use corpus::{corpus, with_crlf};
pub use courier::{Courier, CourierSetup};
pub use cyrus::{Cyrus, CyrusSetup};
pub use dns::{DnsQuestion, ScriptedDns};
pub use dns_world::{DnsFault, DnsWorld};
pub use dovecot::{Dovecot, Setup};
pub use mailbox::{Folder, Mailbox, Message, connect, differences, fill, offer, snapshot};
pub use mailmaker::Mailmaker;
pub use notification_sinks::{SmtpSink, WebhookSink};
pub use postgres::Postgres;
pub use processes::signal;
pub use proxy::{ConnectionTimes, Cut, Faults, Proxy};
pub use scripted_smtp::{ScriptedSmtp, SmtpMail};
pub use server::{Server, Shape};
pub use tls_front::TlsFront;
pub use token_server::{TokenRequest, TokenServer};

/// Names and passwords of users. Each password is `secret-` and the name.
pub(crate) fn passwords(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|it| ((*it).to_owned(), Dovecot::password(it))).collect()
}
