//! Why a document at a configured URL cannot be fetched.

use crate::guard::UnfitUrl;

/// The maximum size of a document in bytes.
pub(crate) const LARGEST: usize = 64 << 10;

/// Why there is no document. Errors never contain bytes of the response.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is refused before anything is sent.
    #[error(transparent)]
    Url(#[from] UnfitUrl),
    /// No address of the host name may be connected to.
    #[error("the name resolves to no address that is public or listed in server.outbound.allowed_networks")]
    Address,
    /// The tenant already has the maximum number of name lookups. Nothing was sent.
    #[error("the tenant looks up too many names that take too long to resolve")]
    NoTurn,
    /// The name is unknown, the connection is refused, or the certificate is not trusted.
    #[error("cannot connect: {0}")]
    Connection(String),
    #[error("no complete response in time")]
    TooSlow,
    /// The status is not 200, or for a form not a success. Redirects are not followed.
    #[error("the response has status {0}")]
    Status(u16),
    /// The response is compressed, although the request accepts no compression.
    #[error("the response is compressed")]
    Encoded,
    #[error("the response is larger than {} KiB", LARGEST >> 10)]
    TooLarge,
    /// The response ended early or is not HTTP.
    #[error("the response ended early: {0}")]
    Broken(String),
    /// No HTTP client can be created, because the machine has no trusted certificates.
    #[error("cannot create the HTTP client: {0}")]
    NoClient(String),
}
