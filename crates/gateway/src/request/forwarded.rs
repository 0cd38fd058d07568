//! Finds the address of a caller behind proxies. Callers can write any forwarding header, so only
//! the parts that trusted proxies added are used: one header, read from its right end to the first
//! address that is not a trusted proxy.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use administration::documents::schema::JsonSchema;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Proxies whose forwarding header is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedPeers {
    pub from: Vec<IpNet>,
    /// The header that the proxies write. A caller may have written any other.
    pub header: ForwardingHeader,
}

/// A header in which a proxy sends the address of a request's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, to which each proxy appends an address.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl TrustedPeers {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.from.iter().any(|network| network.contains(&address))
    }

    /// The rightmost address that is not a trusted proxy. If an entry has no readable address
    /// (`unknown`, or an identifier of the proxy, RFC 7239 §6), the previous address is used.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer;
        if !self.trusts(known) {
            return known;
        }
        let lines: Vec<&[u8]> = headers.get_all(self.header.name()).map(HeaderValue::as_bytes).collect();
        for element in lines.iter().rev().flat_map(|line| FromRight(Some(line))) {
            let Some(address) = self.header.address(element) else { break };
            known = address;
            if !self.trusts(known) {
                break;
            }
        }
        known
    }
}

impl ForwardingHeader {
    const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => FORWARDED,
        }
    }

    fn address(self, element: &[u8]) -> Option<IpAddr> {
        let element = std::str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
        let node = match self {
            Self::XForwardedFor => element,
            Self::Forwarded => forwarded_for(element)?,
        };
        let address = node.parse::<IpAddr>().or_else(|_| node.parse::<SocketAddr>().map(|node| node.ip()));
        let bracketed =
            || node.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
        address.ok().or_else(bracketed).map(|address| address.to_canonical())
    }
}

pub(crate) fn claims_to_be_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// The value of the parameter `for`, without quotes. `None` if it is missing or repeated.
fn forwarded_for(element: &str) -> Option<&str> {
    parameter(element, "for").ok().flatten()
}

/// The value of a parameter of one element, without quotes. The other parameters may have any value.
///
/// # Errors If the parameter is repeated, or the element is not a list of parameters.
pub(crate) fn parameter<'e>(element: &'e str, wanted: &str) -> Result<Option<&'e str>, NotOneElement> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        let end = end_of_pair(rest);
        let (name, value) = rest[..end].split_once('=').ok_or(NotOneElement)?;
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value.trim()).is_some() {
            return Err(NotOneElement);
        }
        rest = match rest.as_bytes().get(end) {
            Some(b',') => return Err(NotOneElement),
            _ => rest.get(end + 1..).unwrap_or_default(),
        };
    }
    let unquoted = |value: &'e str| match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').ok_or(NotOneElement),
        None => Ok(value),
    };
    found.map(unquoted).transpose()
}

/// The text is several elements, or none that can be read.
pub(crate) struct NotOneElement;

/// The end of the first pair of an element: the first semicolon or comma outside quotes.
fn end_of_pair(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' | b',' if !quoted => return index,
            _ => {}
        }
    }
    text.len()
}

/// Iterates over a list from its end. The caller's own part is on the left, so an open quote in it
/// cannot hide what a proxy has added.
struct FromRight<'a>(Option<&'a [u8]>);

impl<'a> Iterator for FromRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.0?;
        let mut quoted = false;
        for (index, byte) in line.iter().enumerate().rev() {
            match byte {
                b'"' if !is_escaped(line, index) => quoted = !quoted,
                b',' if !quoted => {
                    self.0 = Some(&line[..index]);
                    return Some(&line[index + 1..]);
                }
                _ => {}
            }
        }
        self.0 = None;
        Some(line)
    }
}

fn is_escaped(line: &[u8], index: usize) -> bool {
    line[..index].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: ForwardingHeader, peer: &str, lines: &[(&str, &str)], expected: &str) {
        let from =
            ["127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"].map(|text| text.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let found = TrustedPeers { from, header }.caller(peer.parse().unwrap(), &headers);
        assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
    }

    // [found 11]: Behind a proxy all callers were one source | fixed | `trusted_proxies` of a listener: the
    //   server reads only the named header, and uses its rightmost hop that is not a trusted proxy. `check`
    //   and a metric report forwarding headers that arrive when no proxy is trusted
    // [rfc9700 §4.13]
    #[test]
    fn rightmost_untrusted_hop_is_the_caller() {
        const XFF: &str = "x-forwarded-for";
        for (peer, lines, expected) in [
            ("127.0.0.1", &[][..], "127.0.0.1"),
            ("127.0.0.1", &[(XFF, "192.0.2.1")], "192.0.2.1"),
            ("192.0.2.9", &[(XFF, "192.0.2.1")], "192.0.2.9"),
            ("127.0.0.1", &[(XFF, "192.0.2.66, 192.0.2.1, 10.0.0.1")], "192.0.2.1"),
            ("127.0.0.1", &[(XFF, "192.0.2.66"), (XFF, "192.0.2.1"), (XFF, "10.0.0.1")], "192.0.2.1"),
            ("127.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("127.0.0.1", &[(XFF, "192.0.2.1:4711")], "192.0.2.1"),
            ("127.0.0.1", &[(XFF, "2001:db8::1")], "2001:db8::1"),
            ("127.0.0.1", &[(XFF, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("127.0.0.1", &[(XFF, "[2001:db8::1]")], "2001:db8::1"),
            ("2001:db8:1::5", &[(XFF, "::ffff:192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", &[(XFF, "192.0.2.1, unknown")], "127.0.0.1"),
            ("127.0.0.1", &[(XFF, "192.0.2.1, unknown, 10.0.0.1")], "10.0.0.1"),
            ("127.0.0.1", &[(XFF, "192.0.2.1,")], "127.0.0.1"),
            ("127.0.0.1", &[(XFF, "\", 192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", &[("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.2")], "127.0.0.1"),
        ] {
            check(ForwardingHeader::XForwardedFor, peer, lines, expected);
        }
    }

    // [found 11]
    #[test]
    fn forwarded_header_is_parsed_per_rfc_7239() {
        const FWD: &str = "forwarded";
        for (lines, expected) in [
            (&[(FWD, "for=192.0.2.1")][..], "192.0.2.1"),
            (&[(FWD, "For=\"[2001:db8::1]:4711\"")], "2001:db8::1"),
            (&[(FWD, "for=\"192.0.2.1:80\";proto=https;by=10.0.0.1")], "192.0.2.1"),
            (&[(FWD, "proto=https; for=192.0.2.1")], "192.0.2.1"),
            (&[(FWD, "for=192.0.2.66, for=192.0.2.1, for=10.0.0.1")], "192.0.2.1"),
            (&[(FWD, "for=192.0.2.66"), (FWD, "for=192.0.2.1")], "192.0.2.1"),
            (&[(FWD, "for=192.0.2.1, for=_hidden")], "127.0.0.1"),
            (&[(FWD, "for=192.0.2.1, for=unknown")], "127.0.0.1"),
            (&[(FWD, "for=192.0.2.1, proto=https")], "127.0.0.1"),
            (&[(FWD, "for=192.0.2.1;for=192.0.2.2")], "127.0.0.1"),
            // The caller's part is on the left, or inside a value that the proxy has quoted.
            (&[(FWD, "for=\", for=192.0.2.1")], "192.0.2.1"),
            (&[(FWD, "for=192.0.2.1;host=\"x;for=192.0.2.66\"")], "192.0.2.1"),
            (&[(FWD, "for=192.0.2.1;host=\"x\\\", for=192.0.2.66\"")], "192.0.2.1"),
            (&[("x-forwarded-for", "192.0.2.66")], "127.0.0.1"),
        ] {
            check(ForwardingHeader::Forwarded, "127.0.0.1", lines, expected);
        }
    }
}
