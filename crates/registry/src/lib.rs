//! Which client sends a request, and how did it authenticate? This crate has the registered clients, the
//! declared people, and the service that turns presented credentials into an [`AuthenticatedClient`]. In
//! reading order:

// Stored clients and credentials.
mod api_key;
mod api_key_id;
mod client;
mod client_id;
mod client_keys;
mod client_secret;
mod code_flow;
mod groups_claim;
mod public_urls;
mod secret_rotation;
mod sender_keys;
mod shared_map;
mod store;

pub use api_key::ApiKey;
pub use api_key_id::{ApiKeyId, InvalidApiKeyId};
pub use client::{Client, ClientPurpose, ClientStatus, IntrospectionRight};
pub use client_id::{ClientId, InvalidClientId};
pub use client_keys::{ClientKeys, removed_keys};
pub use client_secret::{ClientSecret, SecretId};
pub use code_flow::CodeFlow;
pub use groups_claim::{ClaimPlace, GroupsClaim};
pub use public_urls::PublicUrls;
pub use secret_rotation::SecretRotation;
pub use sender_keys::SenderKeys;
pub use store::{ApiKeyStore, ClientStore, FetchedJwks, JwksFetcher, ReplayStore, RevocationStore};

// Credentials, their checks and the reasons for refusals.
mod assertion;
mod certificate;
mod dpop;
mod federation;
pub mod methods;

pub use assertion::*;
pub use certificate::*;
pub use dpop::*;
pub use federation::*;
pub use methods::assertion::AssertionCheck;
pub use methods::certificate::CertificateCheck;
pub use methods::dpop::DpopCheck;
pub use methods::federation::FederationCheck;

// Authentication of callers.
mod authentication;
mod flow_id;
mod users;

pub use authentication::*;
pub use users::{DeclaredPassword, DeclaredUser, HashedUsers, SignedInUser, UserSignInError, Users};

// Revoked tokens.
mod revocation;

pub use revocation::*;
