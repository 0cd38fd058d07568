//! The small values that config.yaml writes as text. Each is checked where it is read, so that the message carries its
//! line and column; what is wrong and how to fix it are one text, separated by a semicolon.

mod address;
mod network;

pub(crate) use address::ListenAddress;
pub use address::PublicUrl;
pub(crate) use network::Network;
