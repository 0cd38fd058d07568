//! Why the options of a service are unusable. No message quotes a secret.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::KeyService;

/// The options are unusable; no request was sent.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The program is built without this service.
    #[error("this program is built without {0}")]
    NotBuiltIn(KeyService),
    /// The address is not `https://host[:port]` or, on this machine, `http://host[:port]`. It may contain a
    /// password and is not quoted.
    #[error("{what} is no address of the form https://host:port")]
    Address { what: &'static str },
    /// Data keys and tokens would cross a network in clear.
    #[error("{what} is http:// on another machine; only https:// is taken there")]
    InClear { what: &'static str },
    /// A name that cannot be part of a path as it is.
    #[error("{what} {name:?} is empty or has characters other than letters, digits, '-', '_', '.'")]
    Name {
        what: &'static str,
        /// Its value.
        name: String,
    },
    /// Empty, or not of visible ASCII characters.
    #[error("the token is empty or has blanks, line ends or characters beyond ASCII")]
    Token,
    /// The token file does not exist or is not readable.
    #[error("the token's file {} cannot be read", .0.display())]
    TokenFile(PathBuf, #[source] io::Error),
    /// The file is not readable as PEM.
    #[error("the certificate authority is no PEM certificate")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// Valid PEM without a certificate.
    #[error("the certificate authority has no PEM certificate in it")]
    NoCertificate,
    /// The TLS library found no usable configuration.
    #[error("no HTTP client can be made")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// Neither the options, with the key's ARN, nor the environment name a region.
    #[error("the AWS region is not known: neither the options nor the environment name it")]
    Region,
}
