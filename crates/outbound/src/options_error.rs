//! Why the options of a service are unusable. Messages never contain a secret.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::KeyService;

/// The options are unusable. No request was sent.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    #[error("this program is built without {0}")]
    NotBuiltIn(KeyService),
    /// The address is not `https://host[:port]` or, on this machine, `http://host[:port]`. The message does
    /// not contain the address, which may contain a password.
    #[error("{what} is no address of the form https://host:port")]
    Address { what: &'static str },
    /// Data keys and tokens would be sent over a network unencrypted.
    #[error("{what} is http:// on another machine; only https:// is taken there")]
    InClear { what: &'static str },
    /// The name cannot be used in a URL path without escaping.
    #[error("{what} {name:?} is empty or has characters other than letters, digits, '-', '_', '.'")]
    Name { what: &'static str, name: String },
    /// The token is empty or contains other characters than visible ASCII.
    #[error("the token is empty or has blanks, line ends or characters beyond ASCII")]
    Token,
    /// The token file does not exist or cannot be read.
    #[error("the token's file {} cannot be read", .0.display())]
    TokenFile(PathBuf, #[source] io::Error),
    /// The file cannot be parsed as PEM.
    #[error("the certificate authority is no PEM certificate")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The PEM contains no certificate.
    #[error("the certificate authority has no PEM certificate in it")]
    NoCertificate,
    /// The TLS library found no usable configuration.
    #[error("no HTTP client can be made")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// Neither the options, the key's ARN nor the environment contains a region.
    #[error("the AWS region is not known: neither the options nor the environment name it")]
    Region,
}
