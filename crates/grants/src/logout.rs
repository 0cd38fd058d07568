//! Notifies clients that a person's session has ended (OpenID Connect Back-Channel Logout 1.0).

mod store;
pub(crate) mod token;

pub use store::{LogoutAddress, LogoutOutbox, LogoutTurn, QueuedLogout};
