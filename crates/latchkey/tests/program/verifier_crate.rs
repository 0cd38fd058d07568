//! Tests `latchkey-verifier` in an API: through rotations, revocations and an outage of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use latchkey_verifier::{
    Caller, Clock, Introspection, Moment, Reason, Refusal, Revocations, TokenError, Trusted, Verifier,
};

use crate::cli::Cli;
use crate::program::Program;
use crate::running::tenant_path;
use crate::secrets_of_libraries::{new_api_key, with_api_keys};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

/// The issuer of a tenant. It differs from the address at which a test's program listens.
pub(crate) fn issuer(tenant: &str) -> String {
    format!("http://localhost:3000{}", tenant_path(tenant, ""))
}

fn trusted(program: &Program, tenant: &str) -> Trusted {
    Trusted::issuer(issuer(tenant))
        .jwks_uri(program.url(&tenant_path(tenant, "/.well-known/jwks.json")))
        .revocations_uri(program.url(&tenant_path(tenant, "/oauth/revocations")))
        .tenant(tenant)
}

/// The clock of the machine, plus the seconds that a test adds.
#[derive(Clone)]
struct AheadClock {
    began: Instant,
    ahead: Arc<AtomicU64>,
}

impl AheadClock {
    fn new() -> Self {
        Self { began: Instant::now(), ahead: Arc::default() }
    }

    fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for AheadClock {
    fn now(&self) -> Moment {
        let ahead = Duration::from_secs(self.ahead.load(Ordering::SeqCst));
        let unix = std::time::UNIX_EPOCH.elapsed().unwrap();
        Moment { monotonic: self.began.elapsed() + ahead, unix: unix + ahead }
    }
}

/// An API that both tenants' services call.
fn of_both(program: &Program, revocations: Revocations, clock: &AheadClock) -> Verifier {
    let builder = Verifier::builder().issuer(trusted(program, "acme")).issuer(trusted(program, "globex"));
    builder.audience("api").revocations(revocations).clock(Arc::new(clock.clone())).build().unwrap()
}

pub(crate) async fn verify(verifier: &Verifier, token: &str) -> Result<(), Reason> {
    let verified: Result<Caller, Refusal> = verifier.verify(token).await;
    verified.map(|_| ()).map_err(|refusal| refusal.reason().clone())
}

#[tokio::test]
async fn revoked_token_is_refused_after_the_next_poll() {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    let clock = AheadClock::new();
    let verifier = of_both(&program, Revocations::Within(Duration::from_secs(60)), &clock);
    let revoked = program.token("acme", "svc", ACME_SECRET).await;
    let kept = program.token("acme", "svc", ACME_SECRET).await;
    let theirs = program.token("globex", "svc", GLOBEX_SECRET).await;
    for token in [&revoked, &kept, &theirs] {
        assert_eq!(verify(&verifier, token).await, Ok(()));
    }
    let form = [("client_id", "svc"), ("client_secret", ACME_SECRET), ("token", &revoked)];
    assert_eq!(program.post(&tenant_path("acme", "/oauth/revoke"), &form).await.status, 200);
    // After more than a minute the verifier waits for the feed, so the test need not sleep.
    clock.advance(61);
    assert_eq!(verify(&verifier, &revoked).await, Err(Reason::Token(TokenError::Revoked)));
    assert_eq!(verify(&verifier, &kept).await, Ok(()));
    assert_eq!(verify(&verifier, &theirs).await, Ok(()));
    // The program is stopped: the API accepts tokens while the feed is valid, and then answers 503.
    program.stop();
    clock.advance(30);
    assert_eq!(verify(&verifier, &kept).await, Ok(()));
    clock.advance(31);
    assert!(matches!(verify(&verifier, &kept).await, Err(Reason::NotReady { .. })));
}

#[tokio::test]
async fn verifier_accepts_tokens_and_api_keys() {
    #[derive(serde::Deserialize)]
    struct Claims {
        api_key: Option<String>,
        owner: Option<String>,
    }
    let (folder, program) = with_api_keys();
    for (tenant, secret, other, auditor) in [
        ("acme", ACME_SECRET, "globex", "acme-auditor-canary-90aa"),
        ("globex", GLOBEX_SECRET, "acme", "globex-auditor-canary-77e0"),
    ] {
        let introspection = program.url(&tenant_path(tenant, "/oauth/introspect"));
        let verifier = Verifier::builder()
            .issuer(trusted(&program, tenant))
            .audience("api")
            .introspection(Introspection::new(introspection, "auditor", auditor));
        let verifier = verifier.build().unwrap();
        let token = program.token(tenant, "svc", secret).await;
        let caller: Caller<Claims> = verifier.verify(&token).await.unwrap();
        assert_eq!((caller.client_id(), &caller.claims().api_key), ("svc", &None));
        let (id, key) = new_api_key(&folder, tenant, &["--owner", "cus_1"]);
        let caller: Caller<Claims> = verifier.verify(&key).await.unwrap();
        caller.require("api:read").unwrap();
        assert_eq!((caller.client_id(), caller.tenant(), caller.token_id()), ("svc", Some(tenant), &*id));
        assert!(caller.is_machine());
        let claims = caller.into_claims();
        assert_eq!((claims.api_key.as_deref(), claims.owner.as_deref()), (Some(&*id), Some("cus_1")));
        let (_, foreign) = new_api_key(&folder, other, &[]);
        assert_eq!(verify(&verifier, &foreign).await, Err(Reason::Token(TokenError::Inactive)));
    }
    program.stop();
}

#[tokio::test]
async fn key_is_refused_after_an_emergency_rotation() {
    let seconds = Duration::from_secs;
    // The feed is unavailable, and the key set is older than `max-age` and `stale-while-revalidate`.
    for (revocations, later, expected) in [
        (Revocations::Within(seconds(60)), 61, TokenError::Revoked),
        (Revocations::Off, 361, TokenError::UnknownKey),
    ] {
        let (folder, program) = Program::serving(TWO_TENANTS);
        let clock = AheadClock::new();
        let verifier = of_both(&program, revocations, &clock);
        let old = program.token("acme", "svc", ACME_SECRET).await;
        let theirs = program.token("globex", "svc", GLOBEX_SECRET).await;
        for token in [&old, &theirs] {
            assert_eq!(verify(&verifier, token).await, Ok(()));
        }
        let cli = Cli::server(&folder, &program).await;
        cli.run(&["key", "rotate", "acme", "--emergency", "--yes"]).output();
        clock.advance(later);
        assert_eq!(verify(&verifier, &old).await, Err(Reason::Token(expected)), "{revocations:?}");
        let new = program.token("acme", "svc", ACME_SECRET).await;
        for token in [&new, &theirs] {
            assert_eq!(verify(&verifier, token).await, Ok(()), "{revocations:?}");
        }
        program.stop();
    }
}
