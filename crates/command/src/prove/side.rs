//! One of the two tenants with its clients, its people and their credentials. Clients and people have equal
//! names at both, so that a lookup without the tenant finds the other one.

mod setup;

use anyhow::Context as _;
use keys::{KeyId, PrivateKeyDocument, SigningKey};
use protocol::SigningAlgorithm;
use serde_json::Value;

use super::browser::ProofBrowser;
use super::dpop::Prover;
use crate::admin_client::segment;

/// The client with all grants.
pub(super) const APP: &str = "app";
/// The client with a chosen secret.
pub(super) const CHOSEN: &str = "chosen";
/// The client with the same key at both tenants.
pub(super) const SHARED: &str = "shared";
/// The email address of a person who exists at each tenant.
pub(super) const EMAIL: &str = "person@isolation-proof.invalid";

/// What is needed to create a tenant of a proof.
pub(super) struct SideParts<'a> {
    pub(super) id: &'a str,
    pub(super) issuer: &'a str,
    pub(super) marker: &'a str,
    pub(super) shared: &'a SigningKey,
    /// The idempotency key of a request that is sent to both tenants.
    pub(super) idempotency: &'a str,
}

pub(super) struct Side {
    pub(super) id: String,
    /// A random text in all names that people read. Finding it in an answer shows a leak.
    pub(super) marker: String,
    pub(super) issuer: String,
    pub(super) secret: String,
    pub(super) chosen_secret: String,
    /// The client that only this tenant has, and its secret.
    pub(super) only: String,
    pub(super) secret_of_only: String,
    /// The key of [`APP`]. Its `kid` is the same at the other tenant.
    pub(super) key: SigningKey,
    pub(super) prover: Prover,
    /// The token of the tenant's administrator.
    pub(super) administrator: String,
    pub(super) api_key: String,
    pub(super) api_key_id: String,
    account: String,
    /// The email address of a person that only this tenant has.
    pub(super) email: String,
    pub(super) password: String,
    pub(super) token: String,
    pub(super) bound_token: String,
    /// The cookies of the person's browser, and the tokens of [`APP`], after a sign-in.
    pub(super) browser: ProofBrowser,
    pub(super) tokens: Value,
    session: String,
}

/// A key for signatures of clients. Its `kid` is the first `kid` of tenants.
pub(super) fn generate_key() -> anyhow::Result<SigningKey> {
    let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256)?;
    Ok(SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, document.expose())?)
}

pub(super) fn text(document: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("a response has no {pointer}"))?.to_owned())
}

impl Side {
    /// A token from the person's sign-in.
    pub(super) fn token_of_person(&self, name: &str) -> anyhow::Result<String> {
        text(&self.tokens, &format!("/{name}"))
    }

    /// The id for a placeholder in a path.
    pub(super) fn named(&self, name: &str) -> &str {
        match name {
            "account" => &self.account,
            "client" => APP,
            "key" => &self.api_key_id,
            "session" => &self.session,
            "secret" => "s1",
            "kid" => "oauth2-key-1",
            "file" => "pages.css",
            "application" => "00000000-0000-4000-8000-000000000000",
            _ => "isolation-proof",
        }
    }

    /// The path of a route at this tenant. `named` replaces the value of one placeholder.
    pub(super) fn path(&self, route: &str, named: Option<(&str, &str)>) -> String {
        let parts = route.split('/').map(|part| {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => part.to_owned(),
                Some("id") => self.id.clone(),
                Some(name) => match named {
                    Some((given, value)) if given == name => segment(value),
                    _ => segment(self.named(name)),
                },
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }
}
