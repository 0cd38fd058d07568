//! Which client is calling, and how was that proven? Registrations, their secrets, and the one place that turns presented
//! credentials into an [`AuthenticatedClient`]. In reading order:

mod client;
mod client_id;

mod client_secret;
mod secret_hash;

mod store;

pub use client::{Client, ClientStatus, IntrospectionRight};
pub use client_id::{ClientId, InvalidClientId};
pub use client_secret::{ClientSecret, SecretId};
pub use secret_hash::{SecretHash, UnknownHashFormat};
pub use store::ClientStore;
