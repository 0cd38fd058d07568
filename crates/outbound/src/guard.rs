//! Which addresses may be fetched if a tenant or a client configures the URL: public addresses, and networks
//! that the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// The IPv4 networks that are not public: the special-purpose registry (RFC 6890) and multicast.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this host on this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared with the provider's other customers (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, where clouds have their metadata service
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the platform address of Azure, which is public by its number only
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // multicast tunnels
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast
];

/// The networks within 2000::/3, the global unicast range of IPv6, that are not public. Nothing outside of
/// this range is public: loopback, mapped and translated IPv4 (NAT64), unique local, link-local, site-local
/// and multicast addresses.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which holds any address of IPv4
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

/// Why a URL is refused before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitUrl {
    /// The URL cannot be parsed, or contains a user or a fragment.
    #[error("this URL is not valid for fetching")]
    Malformed,
    /// The URL is neither https nor http on an allowed loopback address.
    #[error("Latchkey fetches only https URLs")]
    NotHttps,
    /// The host is an address that is neither public nor allowed.
    #[error("the address is neither public nor listed in server.outbound.allowed_networks")]
    Address,
}

impl Guard {
    /// Allows these networks in addition to all public addresses.
    #[must_use]
    pub const fn allowing(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        // A mapped address (::ffff:10.0.0.1) is connected to as the IPv4 address that it contains.
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Checks a URL before its host name is resolved. The caller must check the resolved addresses with
    /// [`Guard::allows`].
    ///
    /// # Errors
    /// [`UnfitUrl`].
    pub fn check(&self, url: &str) -> Result<Url, UnfitUrl> {
        let url = Url::parse(url).map_err(|_| UnfitUrl::Malformed)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let literal = match url.host() {
            None => return Err(UnfitUrl::Malformed),
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address).to_canonical()),
            Some(Host::Domain(_)) => None,
        };
        if has_user || url.fragment().is_some() {
            return Err(UnfitUrl::Malformed);
        }
        // Unencrypted http is allowed only for a literal loopback address. Names are not allowed for http,
        // because a resolver could return any address.
        let is_loopback = literal.is_some_and(|address| address.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
            return Err(UnfitUrl::NotHttps);
        }
        if literal.is_some_and(|address| !self.allows(address)) {
            return Err(UnfitUrl::Address);
        }
        Ok(url)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !NOT_PUBLIC_V4.iter().any(|(network, prefix)| holds_v4(*network, *prefix, address))
        }
        IpAddr::V6(address) => {
            let (global, prefix) = GLOBAL_UNICAST;
            holds_v6(global, prefix, address)
                && !NOT_PUBLIC_V6.iter().any(|(network, prefix)| holds_v6(*network, *prefix, address))
        }
    }
}

fn holds_v4(network: Ipv4Addr, prefix: u32, address: Ipv4Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= prefix
}

fn holds_v6(network: Ipv6Addr, prefix: u32, address: Ipv6Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(guard: &Guard, address: &str) -> bool {
        guard.allows(address.parse().unwrap())
    }

    // [registration RFC 7591 §5]: The server protects itself when it fetches a URL of a client: https, public
    //   addresses, no redirect, bounded size and time
    // [fetches #1]: a private, shared, link-local, loopback, multicast, documentation or reserved address, in
    //   any spelling | refused before a connection
    // [fetches #2]: an address of IPv4 inside one of IPv6 (mapped, compatible, NAT64, 6to4, Teredo) | a
    //   mapped one is judged as the address of IPv4; the others are refused
    #[test]
    fn non_public_addresses_are_refused() {
        let guard = Guard::default();
        let addresses = "
            0.0.0.0 0.0.0.1 0.255.255.255
            10.0.0.0 10.0.0.1 10.255.255.255
            100.64.0.0 100.64.0.1 100.100.100.200 100.127.255.255
            127.0.0.0 127.0.0.1 127.1.2.3 127.255.255.255
            168.63.129.16
            169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255
            172.16.0.0 172.17.0.1 172.31.255.255
            192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.255
            192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1
            192.168.0.0 192.168.1.1 192.168.255.255
            198.18.0.0 198.19.255.255 198.51.100.7
            203.0.113.9
            224.0.0.1 239.255.255.255 240.0.0.1 254.1.1.1 255.255.255.255
            :: ::1 ::2
            ::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:192.168.1.1
            ::127.0.0.1 ::10.0.0.1 ::ffff:0:127.0.0.1
            64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1
            100::1
            2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1
            2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff
            2001:db8::1 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
            2002::1 2002:7f00:1::1 2002:a00:1::1
            2620:4f:8000::1
            3fff::1 3fff:fff::1
            4000::1 5f00::1
            fc00::1 fd00::1 fd00:ec2::254 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
            fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 feff::1
            ff01::1 ff02::1 ff0e::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        for address in addresses.split_whitespace() {
            assert!(!allows(&guard, address), "{address}");
        }
    }

    #[test]
    fn neighbouring_addresses_of_refused_networks_are_allowed() {
        let guard = Guard::default();
        let addresses = "
            1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0
            100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
            168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0
            172.15.255.255 172.32.0.0 191.255.255.255
            192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0
            198.17.255.255 198.20.0.0 198.51.101.0
            203.0.112.255 203.0.114.0 223.255.255.255
            ::ffff:8.8.8.8 2000::1
            2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1
            2606:4700::1111 2620:4f:8001::1 3fff:1000::1";
        for address in addresses.split_whitespace() {
            assert!(allows(&guard, address), "{address}");
        }
    }

    #[test]
    fn allowed_networks_do_not_include_other_private_addresses() {
        let networks = ["10.1.0.0/16", "fd00:1::/32", "127.0.0.1/32"].map(|network| network.parse().unwrap());
        let guard = Guard::allowing(networks.to_vec());
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1::5", "8.8.8.8"] {
            assert!(allows(&guard, address), "{address}");
        }
        let beside = "10.2.0.1 127.0.0.2 ::1 ::127.0.0.1 fd00:2::5 64:ff9b::10.1.2.3 2002:a01:203::1";
        for address in beside.split(' ') {
            assert!(!allows(&guard, address), "{address}");
        }
    }

    // [fetches #1], [fetches #5]
    #[test]
    fn urls_need_https_and_allowed_literal_addresses() {
        use UnfitUrl::{Address, Malformed, NotHttps};
        let allowing = Guard::allowing(vec!["127.0.0.0/8".parse().unwrap()]);
        // The addresses of a name such as localhost are checked after the name is resolved.
        let good = "
            https://keys.example.com/jwks https://keys.example.com:8443/jwks?x=y HTTPS://KEYS.example.com
            https://8.8.8.8/ https://[2606:4700::1111]/ https://localhost/";
        let on_loopback = "
            https://127.0.0.1/ https://127.1/ https://2130706433/ https://0x7f000001/ https://0177.0.0.1/
            https://127.0.0.1./ https://[::ffff:7f00:1]/ https://１２７.0.0.1/ http://127.0.0.1:8080/jwks";
        let elsewhere = "
            https://10.0.0.1/ https://[::1]/ https://[::]/ https://0/ https://169.254.169.254/latest/meta-data
            https://[fd00:ec2::254]/ https://[64:ff9b::7f00:1]/ http://[::1]/jwks";
        let not_https = "
            http://localhost/jwks http://keys.example.com/jwks http://8.8.8.8/jwks http://10.0.0.1/ ftp://127.0.0.1/
            gopher://127.0.0.1/";
        let malformed = "
            file:///etc/passwd data:application/json,{} unix:/run/docker.sock https://user@keys.example.com/
            https://user:word@keys.example.com/ https://keys.example.com/#a https:// https://256.1.1.1/
            keys.example.com //keys.example.com";
        let check = |url: &str, expected, where_allowed| {
            assert_eq!(Guard::default().check(url).err(), expected, "{url}");
            assert_eq!(allowing.check(url).err(), where_allowed, "{url} where loopback is allowed");
        };
        for (urls, expected, where_allowed) in [
            (good, None, None),
            (on_loopback, Some(Address), None),
            (elsewhere, Some(Address), Some(Address)),
            (not_https, Some(NotHttps), Some(NotHttps)),
            (malformed, Some(Malformed), Some(Malformed)),
        ] {
            urls.split_whitespace().for_each(|url| check(url, expected, where_allowed));
        }
        check("", Some(Malformed), Some(Malformed));
    }
}
