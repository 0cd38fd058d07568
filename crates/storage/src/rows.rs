//! How the rows of each table are read and written. Each column is listed once.

mod bookkeeping;
mod client;
mod lifecycle;
mod revocation;
mod sign_in;
mod signing_key;
mod tenant;

pub use bookkeeping::{LogReading, LoggedChange};
pub(crate) use bookkeeping::{log_row, name_column};
pub(crate) use lifecycle::lifecycle_without;
pub(crate) use revocation::{ReadRevocation, subject_row};
pub(crate) use tenant::longest_token;
