//! The address of a service: https, or http on this machine.

use url::Url;
use values::is_loopback;

use crate::OptionsError;

/// An address that the operator configured: scheme, host and port. It is https, or http on this machine, so
/// nothing is sent over a network unencrypted.
#[derive(Clone, Debug, derive_more::Deref, PartialEq, Eq)]
pub struct ServiceUrl(Url);

impl ServiceUrl {
    /// Parses the address in the option `what`.
    ///
    /// # Errors
    /// [`OptionsError::Address`] and [`OptionsError::InClear`]. Neither contains the address, which may
    /// contain a password.
    pub fn parse(what: &'static str, address: &str) -> Result<Self, OptionsError> {
        let url = Url::parse(address).map_err(|_| OptionsError::Address { what })?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match url.scheme() {
            "https" if is_bare => Ok(Self(url)),
            "http" if is_bare && is_loopback(&url) => Ok(Self(url)),
            "http" if is_bare => Err(OptionsError::InClear { what }),
            _ => Err(OptionsError::Address { what }),
        }
    }

    #[cfg(any(feature = "aws-secrets", feature = "vault"))]
    /// The host, with the port unless it is the scheme's default.
    pub(crate) fn authority(&self) -> String {
        let host = self.host_str().unwrap_or_default();
        match self.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: Result<&str, &str>) {
        let found = ServiceUrl::parse("vault.address", address).map(|url| url.authority());
        let found = found.map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{address}");
    }

    // [V13 13.2.4]: 2 | The program connects to listed systems only | not met | Those of the settings, over
    //   https or on this machine, and the public hosts that tenant administrators name as `jwks_uri`, over
    //   https; both without following redirects. The AWS SDK also connects to AWS' sources of credentials
    #[test]
    fn address_must_use_https_or_be_local() {
        check("https://vault.example:8200", Ok("vault.example:8200"));
        check("https://10.0.0.7/", Ok("10.0.0.7"));
        check("https://[fd00::1]:8200", Ok("[fd00::1]:8200"));
        check("http://127.0.0.1:8200", Ok("127.0.0.1:8200"));
        check("http://[::1]:8200", Ok("[::1]:8200"));
        check("http://localhost", Ok("localhost"));
        let in_clear = "vault.address uses http:// for another machine; use https://";
        for address in ["http://vault.example:8200", "http://10.0.0.7", "http://127.0.0.1.example"] {
            check(address, Err(in_clear));
        }
    }

    #[test]
    fn address_with_extra_parts_is_refused_without_quoting() {
        let refused = "vault.address is not an address of the form https://host:port";
        let addresses = "vault.example:8200 unix:///run/vault https://root:hunter2@vault.example \
            https://vault.example/v1 https://vault.example?token=hunter2 https://vault.example/#x";
        for address in [""].into_iter().chain(addresses.split(' ')) {
            check(address, Err(refused));
        }
    }
}
