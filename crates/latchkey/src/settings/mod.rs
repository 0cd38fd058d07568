//! The settings of the program, in reading order: what config.yaml may hold, how it is read, what it comes to, and the
//! rules over it. `docs/configuration.md` is the reference for operators.

// What the files may hold.
mod client;
mod document;
mod scalar;
mod secret;
mod sections;
mod tenant;

// How they are read.
mod declared_tenants;
mod environment;
mod intake;
mod layers;
mod read;
mod read_error;
mod resolve;
mod yaml;

// What they come to.
mod declared;
mod schema;

// What is said about them.
mod check;
mod diagnostic;
mod findings;
mod nearest;
mod outline;
mod source;

pub(crate) use check::secret::SAMPLE_SECRET;
pub(crate) use client::{AuthMethod, GrantType, Introspection};
pub(crate) use declared::{
    DeclaredClient, DeclaredSecret, DeclaredTenant, SealingKey, SecretText, StorageLocation,
};
pub(crate) use environment::{Environment, Variable};
pub(crate) use read::{Loaded, read, refuse_beyond_loopback};
pub(crate) use read_error::ReadError;
pub(crate) use scalar::Lifetime;
pub(crate) use schema::schema;
pub(crate) use sections::{MaxRetired, Surface};
pub(crate) use tenant::{AccessToken, Algorithm, TokenFormat};
