//! The tenants and clients of a run, with what their callers know: secrets, tokens, and copies of key sets.

use std::time::Duration;

use administration::kinds::state::ManagedBy;
use keys::Kid;
use protocol::SigningAlgorithm;
use registry::{Client, ClientId, ClientSecret, IntrospectionRight};
use secrets::{GeneratedSecret, Pepper, hash_token};
use tenancy::{KidForm, SigningPolicy, Tenant, TenantId};
use testkit::{Random, TestStore, fixtures, requests};
use values::{Lifetime, Timestamp};

use super::model::FRESH;
use super::world::at_once;
use testkit::requests::CommitRequest;

/// The index of the tenant that no command changes.
pub(super) const UNCHANGED: usize = 2;
/// The client that introspects the tokens of its tenant.
pub(super) const INSPECTOR: &str = "inspector";
/// How many clients exist from the start, and how many there may be in total.
pub(super) const CLIENTS: [usize; 2] = [2, 6];

/// The most tokens that are kept to be presented and verified again.
const TOKENS: usize = 40;

#[derive(Default)]
pub(super) struct Directory {
    pub(super) tenants: Vec<Known>,
    pub(super) tokens: Vec<Token>,
    pub(super) copies: Vec<Copy>,
    kids: Vec<Kid>,
}

pub(super) struct Known {
    pub(super) id: TenantId,
    pub(super) inspector: (ClientId, String),
    /// The clients with their secrets and the identifiers of these, the newest last.
    pub(super) clients: Vec<(ClientId, Vec<(String, String)>)>,
    /// The number of clients that have been created.
    pub(super) created: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) tenant: usize,
    pub(super) client: ClientId,
    pub(super) kid: Kid,
    pub(super) jti: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) text: String,
    /// When the token was requested.
    pub(super) from: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) tenant: usize,
    pub(super) kids: Vec<Kid>,
    /// When the key set was requested, and until when it may be used (RFC 9111 §4.2.3 counts from the
    /// request).
    pub(super) from: Duration,
    pub(super) until: Duration,
}

impl Directory {
    pub(super) fn number_of(&mut self, kid: Kid) -> usize {
        self.kids.iter().position(|known| *known == kid).unwrap_or_else(|| {
            self.kids.push(kid);
            self.kids.len() - 1
        })
    }

    pub(super) fn keep(&mut self, token: &Token) {
        if self.tokens.len() == TOKENS {
            self.tokens.remove(0);
        }
        self.tokens.push(token.clone());
    }
}

impl Known {
    /// All clients that exist or may be created.
    pub(super) fn all_clients(&self) -> impl Iterator<Item = &ClientId> {
        self.clients.iter().map(|(id, _)| id).chain([&self.inspector.0])
    }
}

/// A key policy that rotates within minutes.
pub(super) fn draw_signing(random: &mut Random, skew: u64) -> SigningPolicy {
    let mut span = |from: usize, to: usize| (from + random.below(to - from)) as u64;
    let (jwks_max_age, jwks_stale) = (span(2, 20), span(0, 8));
    let publish_before = jwks_max_age + jwks_stale + skew + FRESH.as_secs() + span(0, 30);
    let rotate_every = publish_before + span(5, 30);
    let span = Lifetime::from_seconds;
    SigningPolicy {
        algorithm: SigningAlgorithm::ES256,
        rotate_every: span(rotate_every),
        publish_before: span(publish_before),
        jwks_max_age: span(jwks_max_age),
        jwks_stale: span(jwks_stale),
        skew: span(skew),
        // With numbered ids, the next key after a failover that loses a key would get the same kid.
        kid: KidForm::Thumbprint,
        ..SigningPolicy::default()
    }
}

pub(super) fn settle(random: &mut Random, store: &TestStore, pepper: &Pepper) -> Directory {
    let skew = 12 + random.below(12) as u64;
    let tenants = ["first", "second", "unchanged"].map(|name| {
        let mut tenant = fixtures::tenant(name);
        let is_unchanged = name == "unchanged";
        let stale = [0, 20, 60][random.below(3)];
        tenant.stale_if_error = Lifetime::from_seconds(if is_unchanged { 60 } else { stale });
        tenant.signing = draw_signing(random, skew);
        if is_unchanged {
            // Keys may be used for as long as other rows.
            let later = tenant.signing.publish_before.seconds() + tenant.stale_if_error.seconds();
            tenant.signing.publish_before = Lifetime::from_seconds(later);
            tenant.signing.rotate_every = Lifetime::from_seconds(later + 30);
        }
        tenant.access_token.lifetime = Lifetime::from_seconds(20 + random.below(60) as u64);
        let [created, all] = CLIENTS;
        let ids: Vec<_> = (0..all).map(|number| fixtures::client_id(&format!("client-{number}"))).collect();
        let inspector =
            Client { introspection: IntrospectionRight::Tenant, ..fixtures::client(&tenant, INSPECTOR) };
        let present = ids[..created].iter().map(|id| fixtures::client(&tenant, id.as_str()));
        let mut added: Vec<_> =
            present.chain([inspector]).map(|client| with_secret(pepper, &tenant, client)).collect();
        let rows: Vec<_> = added.iter().map(|(_, client)| client).collect();
        let request = CommitRequest { managed_by: ManagedBy::Api, ..requests::added(&tenant, &rows) };
        at_once(requests::commit(&*store, &request));
        let inspector = added.pop().map(|(secret, client)| (client.id, secret)).expect("it was added");
        let mut secrets = added.into_iter().map(|(secret, _)| vec![("s1".to_owned(), secret)]);
        let clients = ids.into_iter().map(|id| (id, secrets.next().unwrap_or_default())).collect();
        Known { id: tenant.id, inspector, clients, created }
    });
    Directory { tenants: tenants.into(), ..Directory::default() }
}

fn with_secret(pepper: &Pepper, tenant: &Tenant, mut client: Client) -> (String, Client) {
    let secret = GeneratedSecret::generate().secret;
    let hash = hash_token(pepper, &tenant.id, &client.id, &secret);
    client.secrets.push(ClientSecret { hash, ..fixtures::secret("s1") });
    (secret.expose().to_owned(), client)
}
