//! Sign-in mechanisms that work at each server, shared by all mailboxes of this process.

use std::{collections::HashMap, sync::Arc};

use mailhaul_imap::{ConnectOptions, SignInMemory};
use mailhaul_migration::Endpoint;
use parking_lot::Mutex;

use super::account::connect_options;

/// One memory for each server and security setting. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct SignIns(Arc<Mutex<HashMap<Server, SignInMemory>>>);

/// Host, port and security.
type Server = (String, u16, String);

impl SignIns {
    /// Returns the endpoint's connection settings, with the mechanisms that work.
    pub(crate) fn connect_options(&self, endpoint: &Endpoint) -> ConnectOptions {
        let key = (endpoint.remote_server.clone(), endpoint.port, endpoint.security.to_string());
        let sign_in = self.0.lock().entry(key).or_default().clone();
        ConnectOptions { sign_in, ..connect_options(endpoint) }
    }
}
