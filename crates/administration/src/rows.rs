//! The rows that a commit decides, and code that every store needs in addition to its statements: searching
//! tenants, and merging usage into one row each.

mod decided;
mod search;
mod verifier_fetches;

pub use crate::declaration::fingerprint::hex;
pub(crate) use decided::Decided;
pub use search::{COUNTED_TERMS, Prefix, TenantSearch};
pub use verifier_fetches::{merged_fetches, places_kept_since};
