//! A tenant's keys: made, sealed, published, used to sign and to verify (RFC 7515, RFC 7517, RFC 7519). In reading order:

mod key_id;
mod key_record;

mod store;

pub use key_id::KeyId;
pub use key_record::{KeyRecord, KeyRecords, KeyState};
pub use store::SigningKeyStore;
