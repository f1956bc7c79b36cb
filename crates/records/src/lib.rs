//! DNS records of a mail domain, as each of its name servers and some resolvers tell them.
//!
//! Resolvers say what the world sees; TTLs are whole, and a change is seen at once, only at the name servers
//! of the zone. So these are asked directly, and an answer counts only if it is authoritative.
//!
//! Nothing here judges an answer. Invariant: each question is about the given domain, or about a host that an
//! answer named.

mod ask;
mod mail;
mod message;
mod policy;
mod trouble;
mod wire;
mod zone;

pub use ask::Dns;
pub use mail::{MailHost, MailRecords, Mx, ToldMx};
pub use policy::{PolicyRecords, StsMode, StsPolicy};
pub use trouble::Trouble;
pub use zone::{NameServer, Zone};
