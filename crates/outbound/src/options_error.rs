//! Why the options of a service are unusable. Messages never contain a secret.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::KeyService;

/// The options are unusable. No request was sent.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    #[error("this program was built without {0}")]
    NotBuiltIn(KeyService),
    /// The address is not `https://host[:port]` or, on this machine, `http://host[:port]`. The message does
    /// not contain the address, which may contain a password.
    #[error("{what} is not an address of the form https://host:port")]
    Address { what: &'static str },
    /// Data keys and tokens would be sent over a network unencrypted.
    #[error("{what} uses http:// for another machine; use https://")]
    InClear { what: &'static str },
    /// The name cannot be used in a URL path without escaping.
    #[error("{what} {name:?} is empty or contains characters other than letters, digits, '-', '_', '.'")]
    Name { what: &'static str, name: String },
    /// The token is empty or contains other characters than visible ASCII.
    #[error("the token is empty or contains blanks, line ends or non-ASCII characters")]
    Token,
    /// The token file does not exist or cannot be read.
    #[error("cannot read the token file {}", .0.display())]
    TokenFile(PathBuf, #[source] io::Error),
    /// The file cannot be parsed as PEM.
    #[error("the certificate authority is not a PEM certificate")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The PEM contains no certificate.
    #[error("the file of the certificate authority contains no PEM certificate")]
    NoCertificate,
    /// The TLS library found no usable configuration.
    #[error("cannot create an HTTP client")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// Neither the options, the key's ARN nor the environment contains a region.
    #[error("the AWS region is missing: neither the options nor the environment set it")]
    Region,
}
