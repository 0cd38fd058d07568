//! The single name that identifies a client's certificate, as registered (RFC 8705 §2.1.2).
//! `client_certificate.rs` compares it.

use std::net::IpAddr;
use std::str::FromStr;

use values::{DeserializeFromStr, SerializeDisplay};

use crate::{DistinguishedName, InvalidName};

/// The subject that the client's certificate must have.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr, derive_more::Display)]
#[display("{}:{}", self.kind().name(), self.text())]
pub enum CertificateSubject {
    Dn(DistinguishedName),
    Dns(String),
    Uri(String),
    Ip(IpAddr),
    Email(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    Dn,
    Dns,
    Uri,
    Ip,
    Email,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    #[error("this is not a distinguished name: {0}")]
    Dn(#[from] InvalidName),
    /// The text is not a DNS name. Wildcards are refused, because they do not identify a single client.
    #[error("this is not a valid DNS name")]
    Dns,
    /// The text is not an absolute URI.
    #[error("this is not an absolute URI")]
    Uri,
    #[error("this is not an IP address")]
    Ip,
    #[error("this is not a valid email address")]
    Email,
    /// A stored text without a kind.
    #[error("this is not a known kind of subject")]
    Kind,
}

impl SubjectKind {
    /// In the order of RFC 8705 §2.1.2.
    pub const ALL: [Self; 5] = [Self::Dn, Self::Dns, Self::Uri, Self::Ip, Self::Email];

    /// The member of the client registration.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Dn => "tls_client_auth_subject_dn",
            Self::Dns => "tls_client_auth_san_dns",
            Self::Uri => "tls_client_auth_san_uri",
            Self::Ip => "tls_client_auth_san_ip",
            Self::Email => "tls_client_auth_san_email",
        }
    }

    /// The kind in a stored text.
    const fn name(self) -> &'static str {
        match self {
            Self::Dn => "subject_dn",
            Self::Dns => "san_dns",
            Self::Uri => "san_uri",
            Self::Ip => "san_ip",
            Self::Email => "san_email",
        }
    }
}

impl CertificateSubject {
    pub fn parse(kind: SubjectKind, text: &str) -> Result<Self, InvalidSubject> {
        match kind {
            SubjectKind::Dn => Ok(Self::Dn(DistinguishedName::parse(text)?)),
            SubjectKind::Dns if is_dns_name(text) => Ok(Self::Dns(text.to_owned())),
            SubjectKind::Dns => Err(InvalidSubject::Dns),
            SubjectKind::Uri if is_uri(text) => Ok(Self::Uri(text.to_owned())),
            SubjectKind::Uri => Err(InvalidSubject::Uri),
            SubjectKind::Ip => text.parse().map(Self::Ip).map_err(|_| InvalidSubject::Ip),
            SubjectKind::Email if is_email_address(text) => Ok(Self::Email(text.to_owned())),
            SubjectKind::Email => Err(InvalidSubject::Email),
        }
    }

    #[must_use]
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Dn(_) => SubjectKind::Dn,
            Self::Dns(_) => SubjectKind::Dns,
            Self::Uri(_) => SubjectKind::Uri,
            Self::Ip(_) => SubjectKind::Ip,
            Self::Email(_) => SubjectKind::Email,
        }
    }

    /// The name without its kind.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Dn(name) => name.as_str().to_owned(),
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) => text.clone(),
            Self::Ip(address) => address.to_string(),
        }
    }
}

fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_uri(text: &str) -> bool {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let parts = text.split_once(':');
    is_visible
        && text.len() <= 2048
        && parts.is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
}

fn is_email_address(text: &str) -> bool {
    let is_visible = text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = text.rsplit_once('@');
    is_visible && parts.is_some_and(|(mailbox, host)| !mailbox.is_empty() && is_dns_name(host))
}

impl FromStr for CertificateSubject {
    type Err = InvalidSubject;

    fn from_str(stored: &str) -> Result<Self, InvalidSubject> {
        let (name, text) = stored.split_once(':').ok_or(InvalidSubject::Kind)?;
        let kind = SubjectKind::ALL.into_iter().find(|kind| kind.name() == name);
        Self::parse(kind.ok_or(InvalidSubject::Kind)?, text)
    }
}
