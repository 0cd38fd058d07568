//! The commands of a profile.

pub mod call;
pub mod list;
pub mod login;
pub mod logout;
pub mod token;
pub mod whoami;
