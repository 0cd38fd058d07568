//! The client address for counting failed attempts, queueing hashes and recording uses of secrets.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address or an IPv6 /64. A /64 belongs to one caller (RFC 6177 §2), so counting its addresses
/// separately would limit nothing. All requests without an address share one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerAddress(Option<IpAddr>);

impl CallerAddress {
    #[must_use]
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }))
    }

    /// A unique text for the address. IPv6 networks of one site have the same part before the `/`.
    #[must_use]
    pub fn key(&self) -> String {
        match self.0 {
            Some(IpAddr::V6(network)) => {
                let [first, second, third, fourth, ..] = network.segments();
                format!("{first:x}:{second:x}:{third:x}/{fourth:x}")
            }
            Some(IpAddr::V4(_)) | None => format!("{self}/"),
        }
    }

    /// The /48 of an IPv6 network, represented by its first /64. `None` for other addresses.
    pub(crate) fn site(self) -> Option<Self> {
        match self.0 {
            Some(IpAddr::V6(network)) => {
                Some(Self(Some(IpAddr::V6(Ipv6Addr::from_bits(network.to_bits() >> 80 << 80)))))
            }
            Some(IpAddr::V4(_)) | None => None,
        }
    }
}

/// Displays `192.0.2.1`, `2001:db8::/64`, or `unknown`.
impl fmt::Display for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(IpAddr::V4(address)) => address.fmt(f),
            Some(IpAddr::V6(network)) => write!(f, "{network}/64"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_address_is_displayed_as_ip_or_network() {
        for (address, expected) in [
            (Some("192.0.2.1"), "192.0.2.1"),
            (Some("::ffff:192.0.2.1"), "192.0.2.1"),
            (Some("2001:db8::1:2:3:4"), "2001:db8::/64"),
            (Some("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"),
            (Some("::1"), "::/64"),
            (None, "unknown"),
        ] {
            let source = CallerAddress::new(address.map(|text| text.parse().unwrap()));
            assert_eq!(source.to_string(), expected, "{address:?}");
        }
    }

    #[test]
    fn ipv6_key_starts_with_its_site() {
        let key = |text: &str| CallerAddress::new(Some(text.parse().unwrap())).key();
        assert_eq!(["2001:db8:7:1::9", "192.0.2.1"].map(key), ["2001:db8:7/1", "192.0.2.1/"]);
        assert_eq!(CallerAddress::new(None).key(), "unknown/");
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        let source = |text: &str| CallerAddress::new(Some(text.parse().unwrap()));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:0:0:1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        for (left, right) in
            [("2001:db8::1", "2001:db8:0:1::1"), ("192.0.2.1", "192.0.2.2"), ("::1", "127.0.0.1")]
        {
            assert_ne!(source(left), source(right));
        }
        assert_ne!(CallerAddress::new(None), source("::"));
    }
}
