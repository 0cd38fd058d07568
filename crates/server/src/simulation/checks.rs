//! Compares each answer with the history of commits. An answer is correct if it was correct for some version
//! of each row that the replica may still use.

use std::time::Duration;

use keys::life_cycle::JwksCacheLifetime;
use keys::{KeyRecord, KeyRecords, KeyStage, Kid};
use registry::{Client, ClientId, ClientStatus, IssuedToken};
use secrets::{SecretHash, hash_token};
use values::{Secret, Timestamp};

use super::answers::{Answered, Refused};
use super::directory::{Copy, Token};
use super::evidence::{Evidence, STALE};
use super::model::{FRESH, Request};
use super::world::World;

/// The expected error of a request for a key that was generated while its process was stopped.
const OUTDATED: &str = "change faster than they can be read";
/// The expected error of a token request whose client has just ended.
const WAITS: &str = "ended_meanwhile";

impl World {
    /// Checks an answer of the token endpoint. `secret` is the one that the client presented.
    pub(super) fn check_token(
        &self,
        request: Request,
        (tenant, client, secret): (usize, &ClientId, &str),
        answer: &Answered<Token>,
    ) -> Result<(), String> {
        let evidence = self.evidence(request, tenant);
        let clocks = self.clocks(request);
        // If a failover loses a secret, the next secret gets the same identifier.
        let (id, secret) = (&self.directory().tenants[tenant].id.clone(), Secret::new(secret.to_owned()));
        let hash = hash_token(&self.pepper, id, client, &secret);
        let may = |client: &Client| authenticates(client, &hash, clocks);
        match answer {
            Ok(token) => {
                evidence.expect_serving()?;
                if !evidence.client(client).any(|version| version.is_some_and(may)) {
                    return Err("a token for a client that has ended".to_owned());
                }
                let may_sign = |key: &KeyRecord| {
                    let begins = key.active_from <= clocks[1] + evidence.skew();
                    key.id.kid() == token.kid && begins && key.state(clocks[0]) != KeyStage::Removed
                };
                if !evidence.keys().any(|records| records.keys.iter().any(may_sign)) {
                    return Err(format!("{} may not sign", token.kid));
                }
                self.note_warm(&evidence, client);
                let directory = self.directory();
                let lacking = directory.copies.iter().find(|copy| evidence.lacks(copy, token, request.to));
                lacking.map_or(Ok(()), |copy| Err(format!("a verifier lacks {}: {copy:?}", token.kid)))
            }
            Err(Refused::Client) => {
                let is_right = evidence.client(client).any(|version| !version.is_some_and(may));
                if is_right { Ok(()) } else { Err("a live client is refused".to_owned()) }
            }
            Err(Refused::Unavailable(_)) if self.must_serve(&evidence, client) => {
                Err("a client that nothing changed is not served from memory".to_owned())
            }
            // A token that would be revoked immediately is not issued.
            Err(Refused::Unavailable(cause)) if cause.contains(WAITS) && evidence.is_changing(client) => {
                Ok(())
            }
            Err(refused) => self.check_refusal(&evidence, refused),
        }
    }

    /// Checks an answer about a token. An inactive token is correct if at least one reason applies.
    pub(super) fn check_introspection(
        &self,
        request: Request,
        token: &Token,
        answer: &Answered<bool>,
    ) -> Result<(), String> {
        let evidence = self.evidence(request, token.tenant);
        let clocks = self.clocks(request);
        let Token { client, jti, issued_at, .. } = token;
        let issued = IssuedToken { client: client.as_str(), jti, issued_at: *issued_at, person: None };
        let verifies = |records: &KeyRecords, now| {
            records.find(token.kid).is_some_and(|key| key.verifies_at(now, evidence.skew()))
        };
        let is_active = |client: &Client| client.status == ClientStatus::Active;
        match answer {
            Ok(true) => {
                evidence.expect_serving()?;
                let is_live = [
                    evidence.revocations().any(|facts| !facts.revoke(issued)),
                    evidence.client(client).any(|version| version.is_some_and(is_active)),
                    evidence.keys().any(|records| clocks.into_iter().any(|now| verifies(records, now))),
                    clocks[0] < token.expires_at,
                ];
                if is_live.contains(&false) {
                    return Err(format!(
                        "an ended token is active (not revoked, client, key, not expired: {is_live:?})"
                    ));
                }
                Ok(())
            }
            Ok(false) => {
                let has_ended = evidence.revocations().any(|facts| facts.revoke(issued))
                    || evidence.client(client).any(|version| !version.is_some_and(is_active))
                    || evidence.keys().any(|records| clocks.into_iter().any(|now| !verifies(records, now)))
                    || token.expires_at <= clocks[1];
                if has_ended { Ok(()) } else { Err("a live token is inactive".to_owned()) }
            }
            Err(Refused::Client) => Err("the inspector is refused".to_owned()),
            Err(refused) => self.check_refusal(&evidence, refused),
        }
    }

    /// Checks a key set, and that a verifier with this key set can verify every live token.
    pub(super) fn check_keys(
        &self,
        request: Request,
        tenant: usize,
        answer: &Answered<(Vec<Kid>, JwksCacheLifetime)>,
    ) -> Result<(), String> {
        let evidence = self.evidence(request, tenant);
        let clocks = self.clocks(request);
        match answer {
            Ok((kids, lifetime)) => {
                let is_set = |records: &KeyRecords, now| {
                    let keys = records.keys.iter().filter(|key| key.state(now) != KeyStage::Removed);
                    keys.map(|key| key.id.kid()).eq(kids.iter().copied())
                };
                // Concurrent requests share one unsealed key ring.
                if !evidence.keys().any(|records| clocks.into_iter().any(|now| is_set(records, now))) {
                    return Err(format!("the key set {kids:?} was never right"));
                }
                let kept = Duration::from_secs(lifetime.max_age.seconds() + lifetime.stale.seconds());
                let copy =
                    Copy { tenant, kids: kids.clone(), from: request.from, until: request.from + kept };
                let mut directory = self.directory();
                directory.copies.retain(|copy| copy.until > request.to);
                directory.tokens.retain(|token| token.expires_at > self.clock(0));
                let lacking = directory.tokens.iter().find(|token| evidence.lacks(&copy, token, request.to));
                let lacking = lacking.map(|token| format!("the key set lacks {}: {token:?}", token.kid));
                directory.copies.push(copy);
                lacking.map_or(Ok(()), Err)
            }
            Err(Refused::Client) => Err("a key set needs no client".to_owned()),
            Err(refused) => self.check_refusal(&evidence, refused),
        }
    }

    fn check_refusal(&self, evidence: &Evidence<'_>, refused: &Refused) -> Result<(), String> {
        let Request { replica, from, to } = evidence.request;
        match refused {
            Refused::Tenant if evidence.tenants().any(|is_active| !is_active) => Ok(()),
            Refused::Tenant => Err("a tenant that serves is refused".to_owned()),
            Refused::Client => Ok(()),
            Refused::Unavailable(cause) => {
                // A request from before the first key must be sent again.
                let is_outdated = cause.contains(OUTDATED) && to > from + FRESH;
                if is_outdated || evidence.faults.concern_store(replica, from, to) {
                    Ok(())
                } else {
                    Err(format!("unavailable without a fault: {cause}"))
                }
            }
        }
    }

    /// Records that the replica has cached the rows of the client that no command changes.
    fn note_warm(&self, evidence: &Evidence<'_>, client: &ClientId) {
        let Request { replica, from, to } = evidence.request;
        let is_calm = !evidence.faults.concern_store(replica, from.saturating_sub(FRESH), to);
        if evidence.is_of_unchanged(client) && is_calm {
            self.warm_since.lock()[replica] = Some(from);
        }
    }

    /// Whether the replica has cached rows of the client that it may still use. Fresh rows may later be used
    /// as stale rows for as long as the tenant allows.
    fn must_serve(&self, evidence: &Evidence<'_>, client: &ClientId) -> bool {
        let Request { replica, to, .. } = evidence.request;
        let since = self.warm_since.lock()[replica];
        let changed = evidence.last_change();
        // The replica was notified of that change long ago.
        let is_notified = !evidence.faults.concern_feed(replica, changed, changed + FRESH);
        evidence.is_of_unchanged(client)
            && is_notified
            && since.is_some_and(|since| to < since + STALE && changed + FRESH < since)
    }

    fn evidence(&self, request: Request, tenant: usize) -> Evidence<'_> {
        Evidence { model: self.model(), faults: self.faults(), request, tenant }
    }

    /// The replica's clock when the request arrived, and when it was answered.
    fn clocks(&self, Request { replica, from, to }: Request) -> [Timestamp; 2] {
        [from, to].map(|at| self.clock_at(replica, at))
    }
}

fn authenticates(client: &Client, secret: &SecretHash, clocks: [Timestamp; 2]) -> bool {
    let is_live = |now| client.secrets.iter().any(|own| own.hash == *secret && own.is_live(now));
    client.status == ClientStatus::Active && clocks.into_iter().any(is_live)
}
