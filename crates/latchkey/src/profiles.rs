//! Profiles of the command line: a client at a server, the place of its credential, and the tokens that
//! commands share.

mod arguments;
mod credential;
mod folders;
mod private_files;
mod profile;
mod source;
mod store;
mod token_cache;

pub(crate) use arguments::{ProfileArguments, RequestArguments};
pub(crate) use credential::CredentialStore;
pub(crate) use folders::Folders;
pub(crate) use profile::{CredentialKind, Endpoint, Profile, ProfileName};
pub(crate) use source::{no_answer, no_token, source_builder};
pub(crate) use store::{Chosen, ProfileStore};
pub(crate) use token_cache::{CachedToken, SharedTokens};
