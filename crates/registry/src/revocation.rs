//! What a tenant has revoked, and which tokens are invalid by it.

mod credential_tag;
mod facts;
mod feed;
mod revoked;
mod token_credential;

pub use credential_tag::CredentialTag;
pub use facts::{FactsVersion, IssuedToken, PersonOfToken, RevocationFacts, RevokedBy};
pub use feed::{RevocationFeed, RevokedClient, RevokedPeople};
pub use revoked::{Revocation, RevokedSubject, TokenRevocation};
pub use token_credential::credential_of_token;
