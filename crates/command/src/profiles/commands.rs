//! The commands of a profile.

pub(crate) mod call;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod token;
pub(crate) mod whoami;
