//! The reach of endpoints: only an administrator makes one that may connect to this machine.
//!
//! Who may make endpoints but not use this machine could otherwise ask the service what listens there, and send bytes to it
//! that come from a trusted address. Names are checked when they are resolved, at each connection.

use mailhaul_mail::Reach;
use mailhaul_migration::Endpoint;
use mailhaul_oauth::TokenUrl;
use mailhaul_operations::{Caller, Failure, Role};

/// The reach of what this caller names.
pub(crate) fn reach_of(caller: &Caller) -> Reach {
    if caller.role >= Role::Admin { Reach::Anywhere } else { Reach::OtherMachines }
}

/// The reach of a changed endpoint: that of the caller where the caller says where its connections go.
pub(crate) fn changed(before: &Endpoint, after: &Endpoint, caller: &Caller, is_named: bool) -> Reach {
    let is_same = destinations(before) == destinations(after) && before.port == after.port;
    let is_approved = is_named && caller.role >= Role::Admin;
    if is_same && !is_approved { before.reach } else { reach_of(caller) }
}

/// # Errors
/// Names the parameter whose host is this machine as it is written.
pub(crate) fn check(endpoint: &Endpoint) -> Result<(), Failure> {
    for (parameter, host) in destinations(endpoint) {
        if let Some(why) = endpoint.reach.refusal_of_host(&host) {
            return Err(Failure::forbidden(format_args!("{parameter}: {host} {why}"))
                .with_advice("An administrator may make an endpoint that reaches it; an operator may not."));
        }
    }
    Ok(())
}

/// The hosts that connections for this endpoint go to, by parameter. Hosts of addresses are in their usual form.
fn destinations(endpoint: &Endpoint) -> Vec<(&'static str, String)> {
    let oauth = endpoint.access.oauth();
    let urls = [
        ("TokenUrl", oauth.map(|it| it.token_url.as_str())),
        ("DeviceUrl", oauth.map(|it| it.device_url.as_str())),
        ("GmailApiUrl", endpoint.gmail_api.as_deref()),
    ];
    let host = |url: &str| TokenUrl::parse(url).ok().map(|it| it.host().to_owned());
    let of_urls = urls.into_iter().filter_map(|(name, url)| Some((name, host(url?)?)));
    [("RemoteServer", endpoint.remote_server.to_ascii_lowercase())].into_iter().chain(of_urls).collect()
}
