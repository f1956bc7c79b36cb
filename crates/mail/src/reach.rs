//! Which addresses a connection may go to. Pure: the caller resolves names, and asks for each address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Destinations of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reach {
    /// To any address.
    #[default]
    Anywhere,
    /// To other machines: not to this one, and not to addresses of the link, where clouds keep their metadata.
    OtherMachines,
}

/// Metadata services and agents of clouds whose addresses are not link-local: Alibaba, Oracle, Azure.
const CLOUD_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
/// Those of Amazon and Google.
const CLOUD_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

impl Reach {
    /// Returns what is wrong with the address, if no connection may go there.
    pub fn refusal(self, address: IpAddr) -> Option<&'static str> {
        match (self, address) {
            (Self::Anywhere, _) => None,
            (Self::OtherMachines, IpAddr::V4(address)) => refusal_v4(address),
            (Self::OtherMachines, IpAddr::V6(address)) => refusal_v6(address),
        }
    }

    /// The same for a host as it is written: an address, or a name that always means this machine (RFC 6761, section 6.3).
    /// A name is not resolved.
    pub fn refusal_of_host(self, host: &str) -> Option<&'static str> {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        if let Ok(address) = host.parse() {
            return self.refusal(address);
        }
        let last = host.rsplit('.').next().unwrap_or(host);
        let is_here =
            last.eq_ignore_ascii_case("localhost") || host.eq_ignore_ascii_case("localhost.localdomain");
        (self == Self::OtherMachines && is_here).then_some(THIS_MACHINE)
    }
}

/// True if the host, as it is written, is `localhost` or a loopback address. A name is not resolved.
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

const THIS_MACHINE: &str = "is this machine";
const LINK: &str = "is an address of the link (clouds keep their metadata there)";
const CLOUD: &str = "is the metadata service of a cloud";
const MANY: &str = "is no address of one machine";

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    // Linux takes all of 0.0.0.0/8 that it takes for this machine.
    if address.is_loopback() || address.octets()[0] == 0 {
        Some(THIS_MACHINE)
    } else if address.is_link_local() {
        Some(LINK)
    } else if CLOUD_V4.contains(&address) {
        Some(CLOUD)
    } else if address.is_broadcast() || address.is_multicast() {
        Some(MANY)
    } else {
        None
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() || address.is_unspecified() {
        Some(THIS_MACHINE)
    } else if address.is_unicast_link_local() {
        Some(LINK)
    } else if CLOUD_V6.contains(&address) {
        Some(CLOUD)
    } else if address.is_multicast() {
        Some(MANY)
    } else {
        embedded(address).and_then(refusal_v4)
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible and translated ones (RFC 4291, RFC 2765), NAT64
/// (RFC 6052), and 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_its_link_are_refused_in_every_spelling() {
        let table = [
            (
                THIS_MACHINE,
                "127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 ::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1",
            ),
            (
                THIS_MACHINE,
                "::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 2002:7f00:1:: ::ffff:0.0.0.0 [::1] localhost LOCALHOST.",
            ),
            (THIS_MACHINE, "imap.localhost localhost.localdomain"),
            (LINK, "169.254.0.1 169.254.169.254 fe80::1 febf::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe"),
            (
                CLOUD,
                "100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254 fd20:ce::254 ::ffff:100.100.100.200",
            ),
            (MANY, "224.0.0.1 255.255.255.255 ff02::1"),
        ];
        for (words, hosts) in table {
            for host in hosts.split_whitespace() {
                assert_eq!(Reach::OtherMachines.refusal_of_host(host), Some(words), "{host}");
                assert_eq!(Reach::Anywhere.refusal_of_host(host), None, "{host}");
            }
        }
    }

    #[test]
    fn other_machines_are_not_refused() {
        let hosts = "10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 8.8.8.8 1.0.0.1 128.0.0.1 169.253.0.1 fd00::1 2001:db8::1 \
             ::ffff:10.0.0.1 64:ff9b::808:808 imap.contoso.edu localhost.contoso.edu mylocalhost localhosts";
        for host in hosts.split_whitespace() {
            assert_eq!(Reach::OtherMachines.refusal_of_host(host), None, "{host}");
        }
    }
}
