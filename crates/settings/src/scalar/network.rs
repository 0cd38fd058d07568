//! Networks: those with trusted proxies, and those to which the server may connect.

use std::net::IpAddr;

use administration::documents::schema::JsonSchema;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use values::cropped;

/// An address or a network: `10.0.0.0/8`, `127.0.0.1`, `2001:db8::/32`. A network that covers every address
/// is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9A-Fa-f:.]+(/0*[1-9][0-9]*)?$"))]
pub struct Network(IpNet);

impl Network {
    pub const fn net(self) -> IpNet {
        self.0
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .ok()
            .filter(|network| network.prefix_len() > 0)
            .map(|network| Self(network.trunc()))
            .ok_or_else(|| {
                format!(
                    "`{}` is not a network; use an address or a network, such as 127.0.0.1 or 10.0.0.0/8",
                    cropped(&text)
                )
            })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_address_with_optional_prefix() {
        for (text, network) in [
            ("127.0.0.1", Some("127.0.0.1/32")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::1", Some("::1/128")),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("10.0.0.0/33", None),
            ("proxy.example.com", None),
            ("", None),
        ] {
            let found = Network::try_from(text.to_owned()).ok().map(String::from);
            assert_eq!(found.as_deref(), network, "{text}");
        }
    }
}
