//! Why a document at a URL that a tenant or a client named cannot be had.

use crate::guard::UnfitUrl;

/// A document has no more bytes.
pub(crate) const LARGEST: usize = 64 << 10;

/// Why there is no document. No variant holds bytes of the answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is refused before anything is sent.
    #[error(transparent)]
    Url(#[from] UnfitUrl),
    /// The name has no address that may be connected to.
    #[error("the name resolves to no address that is public or listed in server.outbound.allowed_networks")]
    Address,
    /// The tenant resolves as many names as it may, and nothing was sent.
    #[error("the tenant resolves too many names that are not found in time")]
    NoTurn,
    /// The name is unknown, the connection is refused, or the certificate is not trusted.
    #[error("no connection: {0}")]
    Connection(String),
    /// It took too long.
    #[error("no whole answer in time")]
    TooSlow,
    /// The status is not 200, or for a form no success. Redirects are not followed.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer is compressed, although the request accepts no compression.
    #[error("the answer is compressed")]
    Encoded,
    /// More bytes than a document may have.
    #[error("the answer is larger than {} KiB", LARGEST >> 10)]
    TooLarge,
    /// The answer ended early, or is no HTTP.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// No client can be created, because the machine trusts no certificate.
    #[error("no HTTP client: {0}")]
    NoClient(String),
}
