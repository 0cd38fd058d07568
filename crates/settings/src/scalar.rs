//! The small values that config.yaml contains as text. Each is checked when it is read, so that the message
//! has its line and column. The error and how to fix it are one text, separated by a semicolon.

mod address;
mod network;

pub(crate) use address::ListenAddress;
pub use address::PublicUrl;
pub(crate) use network::Network;
