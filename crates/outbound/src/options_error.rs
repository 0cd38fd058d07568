//! Why a service cannot be asked as the operator says. Nothing of it quotes a secret.

use std::io;
use std::path::PathBuf;

/// The options are unusable; nothing was asked yet.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// Not `https://host[:port]` or, on this machine, `http://host[:port]`; an address may hold a password and is not quoted.
    #[error("{what} is no address of the form https://host:port")]
    Address {
        /// Which option.
        what: &'static str,
    },
    /// Data keys and tokens would cross a network in clear.
    #[error("{what} is http:// on another machine; only https:// is taken there")]
    InClear {
        /// Which option.
        what: &'static str,
    },
    /// A name that would not stand in the path of a request as it is.
    #[error("{what} {name:?} is empty or has characters other than letters, digits, '-', '_', '.'")]
    Name {
        /// Which option.
        what: &'static str,
        /// What it is.
        name: String,
    },
    /// Empty, or not of visible ASCII characters.
    #[error("the token is empty or has blanks, line ends or characters beyond ASCII")]
    Token,
    /// The file that holds the token is not there, or not for us.
    #[error("the token's file {} cannot be read", .0.display())]
    TokenFile(PathBuf, #[source] io::Error),
    /// Not readable as PEM.
    #[error("the certificate authority is no PEM certificate")]
    Certificate(#[source] reqwest::Error),
    /// Readable, but with none in it.
    #[error("the certificate authority has no PEM certificate in it")]
    NoCertificate,
    /// The TLS library found nothing that it can work with.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// Neither the options nor the key's ARN nor the environment name one.
    #[error("the AWS region is not known: neither the options, the key's ARN nor the environment name it")]
    Region,
}
