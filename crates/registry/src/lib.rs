//! Which client sends a request, and how did it authenticate? Contains registered clients, declared people,
//! and the service that turns presented credentials into an [`AuthenticatedClient`]. In reading order:

// Clients and their credentials, as they are stored.
mod api_key;
mod api_key_id;
mod client;
mod client_id;
mod client_keys;
mod client_secret;
mod code_flow;
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
pub use public_urls::PublicUrls;
pub use secret_rotation::SecretRotation;
pub use sender_keys::SenderKeys;
pub use store::{ApiKeyStore, ClientStore, FetchedJwks, JwksFetcher, ReplayStore, RevocationStore};

// What proves a client, and each check of it, with why it fails.
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

// Who is calling.
mod authentication;
mod flow_id;
mod users;

pub use authentication::*;
pub use users::{DeclaredPassword, DeclaredUser, HashedUsers, SignedInUser, UserSignInError, Users};

// Which tokens of a client are no longer valid.
mod revocation;

pub use revocation::*;
