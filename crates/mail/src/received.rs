//! The way of a message to a mailbox, out of its `Received` fields (RFC 5321, section 4.4).
//!
//! Only the upper fields can be trusted: each server adds its own above those that it got. So the walk ends at
//! the first host from outside, and nothing below it is believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Maximum number of hops that are read. More are a loop, or an attack.
const MAX_HOPS: usize = 100;
/// Maximum length of a host name (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;

/// The way of a message to the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A host from outside delivered it.
    External(Deliverer),
    /// The server itself: a form of a web site, a cron job, another customer of the same host.
    Internal,
    /// Nothing delivered it: a user saved it (Sent, Drafts).
    Saved,
    /// The target delivered it: it forwards back.
    Returned,
}

/// The host that delivered a message. Its name is what the receiving server wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deliverer {
    pub name: Option<String>,
    pub address: Option<IpAddr>,
}

/// Hosts that belong to one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet {
    /// Names; each stands for its subdomains too.
    pub names: Vec<String>,
    pub addresses: Vec<IpAddr>,
}

/// Hosts of the source and of the target, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownHosts {
    pub source: HostSet,
    pub target: HostSet,
}

impl HostSet {
    fn has(&self, hop: &Hop) -> bool {
        let by_address = hop.address.is_some_and(|address| self.addresses.contains(&address));
        by_address
            || hop.from.as_deref().is_some_and(|name| self.names.iter().any(|known| is_below(name, known)))
    }
}

/// A `Received` field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// Name of the sending host, in lower case: its reverse name if the server wrote one, else its own word.
    pub from: Option<String>,
    pub address: Option<IpAddr>,
    /// Name of the server that wrote the field.
    pub by: Option<String>,
}

/// Returns the way of a message with this header to the source.
pub fn via(header: &[u8], known: &KnownHosts) -> Via {
    let mut has_hops = false;
    for hop in hops(header).take(MAX_HOPS) {
        has_hops = true;
        if known.target.has(&hop) {
            return Via::Returned;
        }
        if !hop.is_inside() && !known.source.has(&hop) {
            return Via::External(Deliverer { name: hop.from, address: hop.address });
        }
    }
    if has_hops { Via::Internal } else { Via::Saved }
}

/// Returns the `Received` fields of a header, the newest first.
pub fn hops(header: &[u8]) -> impl Iterator<Item = Hop> {
    Fields { rest: header }.filter_map(|field| {
        let (name, value) = field.split_at_checked(9)?;
        name.eq_ignore_ascii_case(b"received:").then(|| Hop::parse(&String::from_utf8_lossy(value)))
    })
}

impl Hop {
    /// Reads the value of a field. Parts that make no sense are left out.
    pub fn parse(value: &str) -> Self {
        let words: Vec<&str> = value.split_whitespace().collect();
        let text = words.join(" ");
        // The date is not read: `by` may stand in no comment of it.
        let clauses = text.rsplit_once(';').map_or(text.as_str(), |(clauses, _)| clauses);
        let (from, rest) = match clause(clauses, "from") {
            Some(from) => from,
            None => (Clause::default(), clauses),
        };
        let by = clause(rest, "by").map(|(by, _)| by);
        let is_local = has_local_protocol(rest);
        Self {
            from: if is_local && from.address().is_none() { None } else { from.host() },
            address: from.address(),
            by: by.and_then(|by| by.word.as_deref().and_then(host_name)),
        }
    }

    /// True if the sending host is the server itself, or in its own network, or none is named.
    fn is_inside(&self) -> bool {
        match (self.address, self.from.as_deref()) {
            (Some(address), _) => is_private(address),
            (None, Some(name)) => {
                !name.contains('.') || is_below(name, "localhost") || name == "localhost.localdomain"
            }
            (None, None) => true,
        }
    }
}

/// The words after `from` or `by`, up to the next clause.
#[derive(Debug, Default)]
struct Clause {
    /// First word: the name that a host gave itself, or that the server looked up.
    word: Option<String>,
    /// Name in a comment: the reverse name (Postfix, Sendmail, Gmail).
    reverse: Option<String>,
    /// Name of HELO in a comment (Exim, qmail).
    helo: Option<String>,
    /// Address in place of the first word. A host may give any address in HELO.
    literal: Option<IpAddr>,
    /// Addresses in comments, which the server saw itself.
    seen: Vec<IpAddr>,
}

impl Clause {
    fn address(&self) -> Option<IpAddr> {
        self.seen.first().copied().or(self.literal)
    }

    fn host(&self) -> Option<String> {
        let names = [&self.reverse, &self.word, &self.helo];
        names.into_iter().flatten().find_map(|name| host_name(name))
    }
}

/// Reads a clause at the start of the text, or after a field's opening comment. Returns it with the rest.
fn clause<'t>(text: &'t str, keyword: &str) -> Option<(Clause, &'t str)> {
    let start = find_word(text, keyword)?;
    let body = &text[start + keyword.len()..];
    let next = if keyword == "from" { &["by"][..] } else { &["with", "via", "id", "for"][..] };
    let end = next.iter().filter_map(|word| find_word(body, word)).min().unwrap_or(body.len());
    Some((read_clause(&body[..end]), &body[end..]))
}

/// Finds a word outside of comments.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut start = 0;
    let end = text.len();
    for (index, letter) in text.char_indices().chain([(end, ' ')]) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' => {
                if depth == 0 && text[start..index].eq_ignore_ascii_case(word) {
                    return Some(start);
                }
                start = index + 1;
            }
            _ => {}
        }
    }
    None
}

fn read_clause(text: &str) -> Clause {
    let mut clause = Clause::default();
    let mut in_comment = false;
    let mut after_helo = false;
    for word in text.split_inclusive([' ', '(', ')']) {
        let end = word.chars().last().unwrap_or(' ');
        let bare = word.trim_matches([' ', '(', ')']);
        // `host.example[192.0.2.1]` has no blank.
        let (name, glued) = match bare.find('[') {
            Some(start) if start > 0 && !bare.contains('=') => bare.split_at(start),
            _ => (bare, ""),
        };
        for part in [name, glued] {
            if !part.is_empty() {
                read_word(&mut clause, part, in_comment, &mut after_helo);
            }
        }
        match end {
            '(' => in_comment = true,
            ')' => in_comment = false,
            _ => {}
        }
    }
    clause
}

fn read_word(clause: &mut Clause, word: &str, in_comment: bool, after_helo: &mut bool) {
    if let Some(address) = address(word) {
        if std::mem::take(after_helo) {
            return;
        }
        if in_comment {
            clause.seen.push(address);
        } else {
            // MDaemon writes the address that it saw after that of HELO.
            clause.literal = Some(address);
            clause.word.get_or_insert_default();
        }
        return;
    }
    let lower = word.to_ascii_lowercase();
    if let Some(name) = lower.strip_prefix("helo=").or_else(|| lower.strip_prefix("ehlo=")) {
        clause.helo.get_or_insert_with(|| name.to_owned());
    } else if in_comment && (lower == "helo" || lower == "ehlo") {
        *after_helo = true;
    } else if in_comment && *after_helo {
        *after_helo = false;
        clause.helo.get_or_insert(lower);
    } else if in_comment && clause.seen.is_empty() {
        // The reverse name stands before its address; comments about TLS follow it. Sendmail writes `user@host` where the host answers identd.
        let name = lower.rsplit('@').next().unwrap_or_default();
        if name.contains('.') && host_name(name).is_some() {
            clause.reverse.get_or_insert_with(|| name.to_owned());
        }
    } else if !in_comment {
        clause.word.get_or_insert(lower);
    }
}

/// Reads an address: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `192.0.2.1`, `[192.0.2.1]:25`.
fn address(word: &str) -> Option<IpAddr> {
    let inner = match word.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => word.trim_end_matches([',', ';', ']']),
    };
    let inner = match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => &inner[5..],
        _ => inner,
    };
    // `2001:db8::1%eth0` names the interface.
    let inner = inner.split('%').next().unwrap_or_default();
    inner.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// Returns a host name in lower case; `None` for texts that are none.
fn host_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches(['.', ',']).to_ascii_lowercase();
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_fine);
    (is_name && name != "unknown" && name.parse::<IpAddr>().is_err()).then_some(name)
}

/// True if the field says that a program on the same machine gave the message.
fn has_local_protocol(rest: &str) -> bool {
    let Some(start) = find_word(rest, "with") else { return false };
    let protocol = rest[start..].split(' ').nth(1).unwrap_or_default();
    protocol.eq_ignore_ascii_case("local")
}

/// True if `name` is `domain` or a subdomain of it, without regard to case.
fn is_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_ascii_lowercase(), domain.trim_end_matches('.').to_ascii_lowercase());
    !domain.is_empty()
        && name.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// True for addresses of a network of its own: they are not on the Internet.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is between a provider and its customers (RFC 6598).
    let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || is_shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// Fields of a header, each with its continuation lines, up to the empty line.
struct Fields<'h> {
    rest: &'h [u8],
}

impl<'h> Iterator for Fields<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        if matches!(self.rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let mut end = 0;
        loop {
            match memchr::memchr(b'\n', &self.rest[end..]) {
                Some(line) => end += line + 1,
                None => end = self.rest.len(),
            }
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests;
