//! HTTP clients that follow no redirection, and connect only to addresses that they may go to.

use std::{io, sync::Arc, time::Duration};

use mailhaul_mail::Reach;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use url::Url;

/// A client for addresses that were checked by [`check_url`].
///
/// # Errors
/// In words, where TLS cannot be set up on this machine.
pub fn http_client(reach: Reach, patience: Duration) -> Result<Client, String> {
    let mut builder = Client::builder().timeout(patience).redirect(Policy::none());
    if reach != Reach::Anywhere {
        builder = builder.dns_resolver(Arc::new(Resolver(reach)));
    }
    builder.build().map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// Checks the host as it is written: addresses are not resolved, so that a client's resolver never sees them.
///
/// # Errors
/// In words, where no connection may go there.
pub fn check_url(url: &Url, reach: Reach) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    match reach.refusal_of_host(host) {
        None => Ok(()),
        Some(why) => Err(format!("no connection may go there: {host} {why}")),
    }
}

/// Resolves names as the system does, and leaves out addresses that no connection may go to.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let refusal = found.iter().find_map(|it| Some((it.ip(), reach.refusal(it.ip())?)));
            let allowed: Vec<_> = found.into_iter().filter(|it| reach.refusal(it.ip()).is_none()).collect();
            match refusal {
                Some((address, why)) if allowed.is_empty() => {
                    let words = format!("no connection may go there: {address} {why}");
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, words).into())
                }
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn names_that_resolve_to_this_machine_are_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = http_client(Reach::OtherMachines, Duration::from_secs(30)).unwrap();
        let error = client.get(format!("http://localhost:{port}/")).send().await.unwrap_err();
        let words = crate::innermost(&error);
        assert!(words.starts_with("no connection may go there: "), "{words}");
        assert!(listener.accept().is_err(), "a connection was made");
    }

    #[test]
    fn addresses_are_read_as_urls_have_them() {
        for host in
            "127.0.0.1 2130706433 0x7f.1 0177.1 localhost localhost. [::1] [::ffff:7f00:1] 0 ①②⑦.1".split(' ')
        {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert!(check_url(&url, Reach::OtherMachines).is_err(), "{host}");
            assert!(check_url(&url, Reach::Anywhere).is_ok(), "{host}");
        }
        let url = Url::parse("https://login.example.org/").unwrap();
        check_url(&url, Reach::OtherMachines).unwrap();
    }
}
