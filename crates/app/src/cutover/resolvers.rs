//! Resolvers of this process.

use std::net::{IpAddr, SocketAddr};

use mailhaul_mail::Reach;
use mailhaul_records::Dns;

/// Variable with resolvers in place of the machine's: addresses with commas between them, or `none`.
const VARIABLE: &str = "MAILHAUL_RESOLVERS";
const DNS_PORT: u16 = 53;

/// Returns the client of DNS: of the resolvers that the environment names, or of the machine's.
pub(crate) fn dns() -> Dns {
    match std::env::var(VARIABLE) {
        Ok(list) if !list.is_empty() => of_list(&list),
        _ => Dns::of_machine().refusing(is_this_machine),
    }
}

/// True for this machine and for the addresses of the link: the owner of a zone must not lead questions there.
fn is_this_machine(address: IpAddr) -> bool {
    Reach::OtherMachines.refusal(address).is_some()
}

/// Words that are no address are left out, so `none` asks no resolver.
fn of_list(list: &str) -> Dns {
    let resolvers: Vec<SocketAddr> = list.split(',').filter_map(parse).collect();
    match resolvers.first().map(SocketAddr::port) {
        // A resolver at another port belongs to a private DNS, whose name servers have that port too.
        Some(port) if port != DNS_PORT => Dns::new(resolvers).with_name_server_port(port),
        _ => Dns::new(resolvers).refusing(is_this_machine),
    }
}

/// Reads a resolver: an address, with a port or without one.
pub(crate) fn parse(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    address.ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_addresses() {
        let found = |text| of_list(text).resolvers().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("none"), Vec::<String>::new());
        assert_eq!(found("192.0.2.1, 2001:db8::1"), ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!(found("127.0.0.1:5353"), ["127.0.0.1:5353"]);
    }
}
