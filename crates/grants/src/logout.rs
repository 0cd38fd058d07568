//! Which clients are notified that a person's session has ended, and with which token (OpenID Connect
//! Back-Channel Logout 1.0).

mod store;
pub(crate) mod token;

pub use store::{LogoutAddress, LogoutOutbox, LogoutTurn, QueuedLogout};
