//! Profiles of the command line: a client at a server, where its credential is, and the tokens that commands
//! share. The commands for profiles need neither the store nor the settings.

mod arguments;
pub(crate) mod commands;
mod credential;
mod error;
mod folders;
mod private_files;
mod profile;
mod profile_name;
mod source;
mod store;
mod token_cache;
mod trust;

pub(crate) use arguments::{ProfileArguments, RequestArguments};
pub(crate) use credential::CredentialStore;
pub(crate) use error::ProfileError;
pub(crate) use folders::Folders;
pub(crate) use profile::{CredentialKind, Profile, TokenEndpoint};
pub(crate) use profile_name::ProfileName;
pub(crate) use source::{no_answer, no_token, private_key, source_builder};
pub(crate) use store::{Chosen, ProfileStore};
pub(crate) use token_cache::{CachedToken, SharedTokens};
pub(crate) use trust::Trust;
