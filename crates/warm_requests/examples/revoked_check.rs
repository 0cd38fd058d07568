//! Measures how long it takes to check whether a token is revoked, with the caches of the program. Each line
//! is a name, a tab and nanoseconds.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Caches, Capacity, Freshness};
use registry::{CredentialTag, IssuedToken, RevocationStore as _, SecretId, TokenRevocation};
use testkit::{TestStore, fixtures};
use uuid::Uuid;
use values::Lifetime;

const CHECKS: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let store = Arc::new(TestStore::new());
    let fresh = Freshness::new(Duration::from_secs(3600));
    let caches = Caches::new(store.clone(), None, Capacity::default(), fresh);
    let tenant = fixtures::tenant("acme");
    let client = fixtures::client(&tenant, "svc");
    store.put_tenant(tenant.clone());
    store.put_client(client.clone());
    let now = fixtures::NOW;
    let tag = CredentialTag::of_secret(&tenant.id, &client.id, &SecretId::new("1"));
    let jti = tag.token_id(Uuid::new_v4()).to_string();
    let token = IssuedToken { client: client.id.as_str(), jti: &jti, issued_at: now, person: None };

    for (name, revoked) in [("nothing is revoked", 0), ("1 000 tokens of the client are revoked", 1_000)] {
        for _ in 0..revoked {
            let revocation = TokenRevocation {
                client: client.id.clone(),
                jti: tag.token_id(Uuid::new_v4()).to_string(),
                issued_at: now,
                expires_at: now + Lifetime::from_seconds(3600),
                sub: None,
            };
            caches.revocations.revoke_token(&tenant.id, &revocation, now).await.expect("the store has room");
        }
        caches.revocations.find_revocations(&tenant.id).await.expect("the store answers");
        let begun = Instant::now();
        for _ in 0..CHECKS {
            let facts = caches.revocations.fresh_revocations(black_box(&tenant.id)).expect("they are fresh");
            assert!(!facts.revoke(black_box(token)));
        }
        println!("is a token revoked, ns: {name}\t{}", begun.elapsed().as_nanos() / u128::from(CHECKS));
    }
}
