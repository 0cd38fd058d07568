//! Identical requests of a client for itself get the same token while it is in the window of reuse
//! (`access_token.reuse`). This saves the signature only: each request is authenticated, decided,
//! counted and logged.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keys::SignError;
use parking_lot::Mutex;
use protocol::{StaticClaims, TokenResponse};
use registry::{CredentialTag, RevocationFacts};
use secrets::FairTable;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::{AccessTokenClaims, Grantee};

/// Tokens of all tenants. With the longest scope, audiences and static claims they have 8 KiB each.
const MOST: usize = 8_192;
/// Bytes of scope and audiences. The rules about tenants and clients limit all other claims.
const LONGEST: usize = 1_024;
/// A worker may have read the clock just before the worker that signed the token.
const AHEAD: Lifetime = Lifetime::from_seconds(1);

/// What a token depends on besides its claims and the settings of its tenant.
pub(crate) struct TokenForm<'a> {
    /// What the client authenticated with.
    pub(crate) credential: CredentialTag,
    /// The thumbprint of the key. A restored store can give a number to another key.
    pub(crate) key: &'a str,
    pub(crate) more: &'a StaticClaims,
}

/// The latest token for each kind of request, and counts for the metrics.
pub struct ReusedTokens {
    hashes: RandomState,
    slots: Mutex<FairTable<u64, Arc<Slot>>>,
    made: AtomicU64,
    reused: AtomicU64,
}

/// Locked while its token is made, so that concurrent requests cost one signature.
type Slot = Mutex<Option<Kept>>;

struct Kept {
    claims: AccessTokenClaims<'static>,
    credential: CredentialTag,
    key: String,
    typ: String,
    /// A hash with a random key. The claims themselves could take many times the memory of the token.
    more: u64,
    token: String,
}

impl Default for ReusedTokens {
    fn default() -> Self {
        let slots = Mutex::new(FairTable::new(MOST));
        Self { hashes: RandomState::new(), slots, made: AtomicU64::new(0), reused: AtomicU64::new(0) }
    }
}

impl ReusedTokens {
    /// The response with a token that `make` makes, or that it made for an identical request, and
    /// whether it is a new one. Without fresh `facts` it makes one, because a kept token could be
    /// revoked.
    ///
    /// # Errors The errors of `make`.
    pub(crate) fn response(
        &self,
        grantee: &Grantee<'_>,
        claims: AccessTokenClaims<'_>,
        form: &TokenForm<'_>,
        facts: impl FnOnce() -> Option<Arc<RevocationFacts>>,
        make: impl FnOnce(&AccessTokenClaims<'_>) -> Result<String, SignError>,
    ) -> Result<(TokenResponse, bool), SignError> {
        let make = |claims: &AccessTokenClaims<'_>| {
            self.made.fetch_add(1, Ordering::Relaxed);
            make(claims)
        };
        let Some((window, facts)) = window(grantee, &claims).and_then(|window| Some((window, facts()?)))
        else {
            let token = make(&claims)?;
            return Ok((claims.response(token), true));
        };
        let (tenant, more) = (grantee.tenant, self.hashes.hash_one(form.more));
        let slot = self.slot(&tenant.id, &claims, form.credential, more);
        let mut kept = slot.lock();
        if let Some(kept) = kept.as_ref()
            && (kept.credential, kept.key.as_str(), kept.more) == (form.credential, form.key, more)
            && kept.typ == tenant.access_token.typ
            && kept.serves(&claims, window, &facts)
        {
            self.reused.fetch_add(1, Ordering::Relaxed);
            let (since, until) = (kept.claims.iat.max(claims.iat), kept.claims.exp);
            let expires_in = until.seconds() - since.seconds();
            return Ok((TokenResponse { expires_in, ..claims.response(kept.token.clone()) }, false));
        }
        let token = make(&claims)?;
        *kept = Some(Kept {
            claims: serde_json::from_slice(&serde_json::to_vec(&claims)?)?,
            credential: form.credential,
            key: form.key.to_owned(),
            typ: tenant.access_token.typ.clone(),
            more,
            token: token.clone(),
        });
        Ok((claims.response(token), true))
    }

    /// Tokens that clients got for themselves: made for them, and reused.
    #[must_use]
    pub fn counts(&self) -> [u64; 2] {
        [&self.made, &self.reused].map(|count| count.load(Ordering::Relaxed))
    }

    fn slot(
        &self,
        tenant: &TenantId,
        claims: &AccessTokenClaims<'_>,
        credential: CredentialTag,
        more: u64,
    ) -> Arc<Slot> {
        let AccessTokenClaims { client_id, aud, scope, .. } = claims;
        let key = self.hashes.hash_one((client_id, aud, scope, credential, more));
        let mut slots = self.slots.lock();
        match slots.get_mut(tenant, &key) {
            Some(slot) => Arc::clone(slot),
            None => Arc::clone(slots.entry(tenant, &key, |slot| importance(slot, claims.iat))),
        }
    }
}

/// `None` if each such request gets its own token.
fn window(Grantee { tenant, client }: &Grantee<'_>, claims: &AccessTokenClaims<'_>) -> Option<Lifetime> {
    let window = client.access_token.reuse.unwrap_or(tenant.access_token.reuse).of(lifetime(claims))?;
    let length =
        claims.scope.as_ref().map_or(0, String::len) + claims.aud.iter().map(str::len).sum::<usize>();
    (claims.cnf.is_none() && length <= LONGEST).then_some(window)
}

fn lifetime(claims: &AccessTokenClaims<'_>) -> Lifetime {
    Lifetime::from_seconds(claims.exp.seconds() - claims.iat.seconds())
}

/// The end of the longest window. A token that is being made has the highest importance.
fn importance(slot: &Arc<Slot>, now: Timestamp) -> u64 {
    let Some(kept) = slot.try_lock() else { return u64::MAX };
    let until =
        kept.as_ref().map_or(0, |kept| u64::midpoint(kept.claims.iat.seconds(), kept.claims.exp.seconds()));
    if until > now.seconds() { until } else { 0 }
}

impl Kept {
    /// Whether a new token would differ only in its times and `jti`. The lifetime of an API key's last
    /// tokens differs, but they expire with the key.
    fn serves(&self, claims: &AccessTokenClaims<'_>, window: Lifetime, facts: &RevocationFacts) -> bool {
        let own = &self.claims;
        let is_in_window = own.iat <= claims.iat + AHEAD && claims.iat < own.iat + window;
        let expires_alike = lifetime(own) == lifetime(claims) || own.exp == claims.exp;
        is_in_window && expires_alike && agree(own, claims) && !facts.revoke(own.issued(None))
    }
}

/// Whether the claims are equal except for times and `jti`. Names all fields, so that the compiler asks
/// about a new one.
fn agree(kept: &AccessTokenClaims<'_>, asked: &AccessTokenClaims<'_>) -> bool {
    let AccessTokenClaims {
        iss,
        sub,
        aud,
        exp: _,
        iat: _,
        nbf: _,
        jti: _,
        scope,
        client_id,
        auth_time,
        acr,
        sid,
        userinfo_claims,
        grant_id,
        api_key,
        cnf,
    } = kept;
    (iss, sub, aud, scope, client_id, api_key)
        == (&asked.iss, &asked.sub, &asked.aud, &asked.scope, &asked.client_id, &asked.api_key)
        && (auth_time, acr, sid, userinfo_claims, grant_id, cnf)
            == (&asked.auth_time, &asked.acr, &asked.sid, &asked.userinfo_claims, &asked.grant_id, &asked.cnf)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    use protocol::{Audience, Confirmation, Thumbprint};
    use registry::{Client, Revocation, RevokedSubject, SecretId};
    use serde_json::json;
    use tenancy::{Issuer, ReuseWindow, Tenant};

    use super::*;
    use crate::test_fixtures::{acme, client};

    /// A request. The token is its `jti`.
    #[derive(Clone)]
    struct Request {
        tenant: Tenant,
        client: Client,
        claims: AccessTokenClaims<'static>,
        secret: &'static str,
        key: &'static str,
        more: StaticClaims,
        revoked: Option<RevokedSubject>,
    }

    /// A request in this second, for a tenant with a window of 720 seconds.
    fn at(second: u64) -> Request {
        let mut tenant = acme();
        tenant.access_token.reuse = ReuseWindow::parse("20%").unwrap();
        let iat = Timestamp::from_seconds(1_000 + second);
        let (iss, aud) = (tenant.issuer.to_string(), Audience::One("api".into()));
        let exp = iat + Lifetime::from_seconds(3_600);
        let claims = AccessTokenClaims::of_client(iss, "svc", aud, iat, exp, second.to_string());
        let claims = AccessTokenClaims { scope: Some("read".to_owned()), ..claims };
        let (client, more) = (client("svc"), StaticClaims::default());
        Request { tenant, client, claims, secret: "s1", key: "k1", more, revoked: None }
    }

    fn but(mut request: Request, change: impl FnOnce(&mut Request)) -> Request {
        change(&mut request);
        request
    }

    impl ReusedTokens {
        fn get_by(&self, request: &Request, meanwhile: impl FnOnce()) -> (String, u64) {
            let Request { tenant, client, claims, secret, key, more, revoked } = request;
            let credential = CredentialTag::of_secret(&tenant.id, &client.id, &SecretId::new(secret));
            let form = TokenForm { credential, key, more };
            let revoked = revoked.iter().cloned().map(|subject| {
                let issued_until = Timestamp::from_seconds(1_000);
                Revocation { subject, issued_until, expires_at: claims.exp }
            });
            let facts = Arc::new(RevocationFacts::new(tenant.id.clone(), revoked));
            let make = |claims: &AccessTokenClaims<'_>| {
                meanwhile();
                Ok(claims.jti.clone())
            };
            let grantee = Grantee { tenant, client };
            let (answer, _) = self.response(&grantee, claims.clone(), &form, || Some(facts), make).unwrap();
            assert_eq!(answer.scope, claims.scope);
            (answer.access_token, answer.expires_in)
        }

        fn get(&self, request: &Request) -> (String, u64) {
            self.get_by(request, || ())
        }

        #[track_caller]
        fn check(&self, request: &Request, token: u64, expires_in: u64) {
            assert_eq!(self.get(request), (token.to_string(), expires_in));
        }
    }

    #[test]
    fn token_is_reused_within_its_window() {
        let tokens = ReusedTokens::default();
        tokens.check(&at(0), 0, 3_600);
        tokens.check(&at(1), 0, 3_599);
        tokens.check(&at(719), 0, 2_881);
        tokens.check(&at(720), 720, 3_600);
        tokens.check(&at(721), 720, 3_599);
        assert_eq!(tokens.counts(), [2, 3]);
        let of_client = |now: u64, text: &str| {
            but(at(now), |request| request.client.access_token.reuse = ReuseWindow::parse(text))
        };
        tokens.check(&of_client(722, "0%"), 722, 3_600);
        tokens.check(&of_client(723, "1%"), 720, 3_597);
        tokens.check(&of_client(756, "1%"), 756, 3_600);
    }

    #[test]
    fn each_difference_needs_a_new_token() {
        let differences: [fn(&mut Request); 16] = [
            |request| request.claims.scope = None,
            |request| request.claims.scope = Some("read write".to_owned()),
            |request| request.claims.aud = Audience::One("other".into()),
            |request| request.claims.aud = Audience::Many(vec!["api".to_owned()].into()),
            |request| request.claims.iss = "https://alias.example".into(),
            |request| request.claims.sub = "other".into(),
            |request| request.claims.client_id = "other".into(),
            |request| request.claims.api_key = Some("k1".into()),
            |request| request.claims.exp = request.claims.exp + Lifetime::from_seconds(1),
            |request| request.claims.exp = request.claims.exp.saturating_sub(Lifetime::from_seconds(2)),
            |request| request.tenant.id = TenantId::parse("globex").unwrap(),
            |request| request.tenant.access_token.typ = "JWT".to_owned(),
            |request| request.secret = "s2",
            |request| request.key = "k2",
            |request| drop(request.more.0.insert("plan".to_owned(), json!("gold"))),
            |request| {
                request.claims.cnf = Confirmation::new(Some(Thumbprint::new([1; 32])), None);
            },
        ];
        for (index, difference) in differences.iter().enumerate() {
            let tokens = ReusedTokens::default();
            tokens.check(&at(0), 0, 3_600);
            let (token, _) = tokens.get(&but(at(1), difference));
            assert_eq!((token.as_str(), tokens.counts()), ("1", [2, 0]), "{index}");
        }
    }

    // Its tokens expire with the key.
    #[test]
    fn last_tokens_of_an_api_key_are_reused() {
        let tokens = ReusedTokens::default();
        let until = |now: u64| but(at(now), |request| request.claims.exp = Timestamp::from_seconds(2_000));
        tokens.check(&until(0), 0, 1_000);
        tokens.check(&until(100), 0, 900);
        tokens.check(&until(190), 190, 810);
        tokens.check(&until(1_000), 1_000, 0);
    }

    #[test]
    fn revoked_token_is_not_reused() {
        let tokens = ReusedTokens::default();
        let id = client("svc").id;
        let after =
            |now: u64, revoked: RevokedSubject| but(at(now), |request| request.revoked = Some(revoked));
        tokens.check(&at(0), 0, 3_600);
        tokens.check(&after(1, RevokedSubject::Token(id.clone(), "other".to_owned())), 0, 3_599);
        tokens.check(&after(2, RevokedSubject::Token(id.clone(), "0".to_owned())), 2, 3_600);
        tokens.check(&after(3, RevokedSubject::Token(id.clone(), "0".to_owned())), 2, 3_599);
        for revoked in
            [RevokedSubject::Client(id.clone()), RevokedSubject::AccessTokens(id), RevokedSubject::Tenant]
        {
            let tokens = ReusedTokens::default();
            tokens.check(&at(0), 0, 3_600);
            tokens.check(&after(4, revoked), 4, 3_600);
        }
    }

    #[test]
    fn without_fresh_revocations_nothing_is_reused() {
        let tokens = ReusedTokens::default();
        tokens.check(&at(0), 0, 3_600);
        let Request { tenant, client, claims, more, .. } = &at(1);
        let credential = CredentialTag::of_secret(&tenant.id, &client.id, &SecretId::new("s1"));
        let form = TokenForm { credential, key: "k1", more };
        let make = |claims: &AccessTokenClaims<'_>| Ok(claims.jti.clone());
        let answer = tokens.response(&Grantee { tenant, client }, claims.clone(), &form, || None, make);
        assert_eq!(answer.unwrap().0.access_token, "1");
        tokens.check(&at(2), 0, 3_598);
    }

    #[test]
    fn clock_set_back_needs_a_new_token() {
        let tokens = ReusedTokens::default();
        tokens.check(&at(10), 10, 3_600);
        tokens.check(&at(9), 10, 3_600);
        tokens.check(&at(8), 8, 3_600);
    }

    #[test]
    fn concurrent_requests_cost_one_signature() {
        const THREADS: u64 = 8;
        let (tokens, start) = (ReusedTokens::default(), Barrier::new(8));
        let ask = || {
            start.wait();
            tokens.get_by(&at(0), || thread::sleep(Duration::from_millis(20)))
        };
        thread::scope(|scope| {
            let asked: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            for thread in asked {
                assert_eq!(thread.join().unwrap(), ("0".to_owned(), 3_600));
            }
        });
        assert_eq!(tokens.counts(), [1, THREADS - 1]);
    }

    #[test]
    fn different_requests_do_not_wait_for_a_signature() {
        let tokens = ReusedTokens::default();
        let other = but(at(1), |request| request.claims.scope = None);
        tokens.get_by(&at(0), || tokens.check(&other, 1, 3_600));
        assert_eq!(tokens.counts(), [2, 0]);
    }

    #[test]
    fn full_memory_evicts_tokens_of_the_largest_tenant() {
        let tokens = ReusedTokens::default();
        tokens.check(&at(0), 0, 3_600);
        let (id, issuer) =
            (TenantId::parse("globex").unwrap(), Issuer::parse("https://globex.example").unwrap());
        let mut flood = at(1);
        flood.tenant = Tenant { id, issuer, ..flood.tenant };
        for number in 0..MOST + 10 {
            flood.claims.scope = Some(number.to_string());
            tokens.get(&flood);
        }
        assert!(tokens.slots.lock().len() <= MOST);
        tokens.check(&at(2), 0, 3_598);
        let long = but(at(3), |request| request.claims.scope = Some("x".repeat(LONGEST)));
        let later = but(long.clone(), |request| request.claims.jti = "4".to_owned());
        tokens.check(&long, 3, 3_600);
        tokens.check(&later, 4, 3_600);
    }
}
