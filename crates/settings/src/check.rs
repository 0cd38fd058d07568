//! The rules for a well-formed configuration. Each rule is a pure function of the declared settings. Its
//! findings have a key, from which the line is found.

pub(crate) mod admins;
pub(crate) mod effects;
pub(crate) mod files;
pub(crate) mod mail;
pub(crate) mod opened;
pub(crate) mod openid;
pub(crate) mod sealing;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod tenant;

#[cfg(test)]
mod logo_tests;
#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod openid_tests;
#[cfg(test)]
pub(crate) mod test_folder;
#[cfg(test)]
mod tests;
