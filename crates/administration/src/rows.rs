//! Code that every store needs beside its statements: the rows that a commit decides, the search for tenants,
//! and one row for each usage.

mod complete;
mod decided;
mod search;
mod verifier_fetches;

pub use crate::fingerprint::hex;
pub use crate::kinds::{Decided, DecidedTenant};
pub use complete::{Incomplete, check_complete};
pub(crate) use decided::Rows;
pub use search::{COUNTED_TERMS, Prefix, TenantSearch};
pub use verifier_fetches::{merged_fetches, places_kept_since};
