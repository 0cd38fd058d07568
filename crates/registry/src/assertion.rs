//! Assertions of clients (RFC 7523) and request objects (RFC 9101): keys, checks and single use.

mod assertion_inspection;
pub(crate) mod assertions;
pub(crate) mod client_assertion;
pub(crate) mod fetched_keys;
pub(crate) mod key_sets;
mod key_source;
pub(crate) mod live_identifiers;
pub(crate) mod request_object;
pub(crate) mod single_use;
mod single_use_identifier;

pub use assertion_inspection::KnownClient;
pub use assertions::Assertions;
pub use key_source::{KeyPlace, KeySource, jwks_uri_of};
pub use request_object::{OpenedRequestObject, RequestObjectError, RequestObjectId};
pub use single_use::SingleUseError;
pub use single_use_identifier::SingleUseIdentifier;
