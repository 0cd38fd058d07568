//! The address of a sender, and the URL of a mail server.

use std::net::IpAddr;
use std::str::FromStr;

use derive_more::Display;
use lettre::message::Mailbox;
use url::{Host, Url};

/// The address of a sender, with or without a name: `Acme <no-reply@id.example.com>`.
#[derive(Clone, Debug, Display, PartialEq, Eq)]
pub struct MailAddress(pub(super) Mailbox);

impl FromStr for MailAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, address) = match text.strip_suffix('>') {
            Some(text) => text.split_once('<').ok_or(())?,
            None => ("", text),
        };
        let name = name.trim().trim_matches('"');
        // These characters need no encoding in a `mailto` URL, and no extension of the server.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+=~-".contains(&byte);
        if name.chars().any(char::is_control) || !address.bytes().all(plain) {
            return Err(());
        }
        let address = address.parse().map_err(|_| ())?;
        Ok(Self(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address)))
    }
}

/// `smtps://host:465` uses TLS from the beginning, `smtp://host:587` with STARTTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) uses_tls_at_once: bool,
}

impl MailUrl {
    /// Whether the server is on this machine. Without its own certificates, it needs no TLS.
    #[must_use]
    pub fn is_on_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for MailUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url = Url::parse(text).map_err(|_| ())?;
        let (uses_tls_at_once, port) = match url.scheme() {
            "smtp" => (false, 587),
            "smtps" => (true, 465),
            _ => return Err(()),
        };
        let host = match url.host().ok_or(())? {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        };
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && ["", "/"].contains(&url.path())
            && url.query().is_none()
            && url.fragment().is_none();
        let url = Self { host, port: url.port().unwrap_or(port), uses_tls_at_once };
        if is_bare { Ok(url) } else { Err(()) }
    }
}
