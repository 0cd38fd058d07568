//! Profiles of the command line: a client at a server, the place of its credential, and the tokens that
//! commands share; and the commands of a profile, which need neither the store nor the settings.

mod arguments;
pub mod commands;
mod credential;
mod error;
mod folders;
mod private_files;
mod profile;
mod source;
mod store;
mod token_cache;
mod trust;

pub use arguments::{ProfileArguments, RequestArguments};
pub use credential::CredentialStore;
pub use error::ProfileError;
pub use folders::Folders;
pub use profile::{CredentialKind, Endpoint, Profile, ProfileName};
pub use source::{no_token, source_builder};
pub use store::{Chosen, ProfileStore};
pub use token_cache::{CachedToken, SharedTokens};
pub use trust::Trust;

use source::no_answer;
