//! Families of refresh tokens (RFC 6749 §1.5). Each grant has one family, with one row in the store. The row
//! says which of the family's tokens is valid.

use accounts::AccountId;
use protocol::{OFFLINE_ACCESS, Thumbprint};
use registry::{ClientId, CredentialTag, RevocationFacts, SenderKeys};
use sessions::{Ring, SessionId};
use subtle::ConstantTimeEq as _;
use tenancy::{RefreshTokenPolicy, SessionPolicy, TenantId};
use values::{Lifetime, Timestamp};
use zeroize::Zeroizing;

use crate::person_grant::PersonGrant;
use crate::refresh_token_text::{RefreshToken, SECRET};
use crate::{Allowed, GrantId, Granted};

/// A family that ends with its session lasts no longer than any session.
const LONGEST_SESSION: Lifetime = Lifetime::from_seconds(SessionPolicy::LONGEST.seconds() + 86_400);
/// A use that changes nothing else is noted once in this part of the idle time.
const USES: u64 = 20;

/// The key of the row of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyKey {
    /// The partition.
    pub slot: u32,
    /// The grant.
    pub id: GrantId,
}

/// The refresh tokens for what a person has granted a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshFamily {
    /// The tenant.
    pub tenant: TenantId,
    /// The partition, which follows from `expires_at`.
    pub slot: u32,
    /// The grant.
    pub id: GrantId,
    /// The client.
    pub client: ClientId,
    /// The person.
    pub account: AccountId,
    /// The session in which it was granted.
    pub session: Option<SessionId>,
    /// The partition of that session, if the family ends with it.
    pub session_slot: Option<u32>,
    /// The digest of the secret that all of its tokens have.
    pub secret_digest: [u8; 32],
    /// The number of the valid token.
    pub generation: u32,
    /// When that became so.
    pub rotated_at: Timestamp,
    /// The DPoP key that a public client must prove (RFC 9449 §5).
    pub dpop_key: Option<[u8; 32]>,
    /// The certificate that a public client must present (RFC 8705 §4).
    pub certificate: Option<[u8; 32]>,
    /// The credential with which the client got the first token. None for a public client, and for a family
    /// that a program from before this column began.
    pub credential: Option<CredentialTag>,
    /// What was granted.
    pub granted: Granted,
    /// When the person granted it.
    pub created_at: Timestamp,
    /// The family is valid until this instant if it is not used.
    pub idle_until: Timestamp,
    /// The family ends at this instant at the latest.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

/// A family as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFamily {
    /// The family.
    pub family: RefreshFamily,
    /// Whether the person may sign in and has not had to sign in again since, and the session that the family
    /// ends with still exists.
    pub is_live: bool,
}

/// A family that begins when a code is redeemed.
#[derive(Clone, Debug)]
pub struct NewFamily {
    id: GrantId,
    pub(crate) secret: Zeroizing<[u8; SECRET]>,
    pub(crate) secret_digest: [u8; 32],
    sender: SenderKeys,
    credential: Option<CredentialTag>,
    policy: RefreshTokenPolicy,
    now: Timestamp,
}

/// A step from one token to the next.
#[derive(Clone, Copy, Debug)]
pub struct FamilyStep<'a> {
    /// The family.
    pub key: FamilyKey,
    /// The client that sends the token.
    pub client: &'a ClientId,
    /// The digest of its secret.
    pub secret_digest: [u8; 32],
    /// The place of the token.
    pub generation: u32,
    /// The keys that the request proves.
    pub sender: SenderKeys,
    /// How long the next token is valid without a use.
    pub idle: Lifetime,
    /// The policy of the session that the family ends with.
    pub session: SessionPolicy,
}

/// The state of a token within its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    /// The token is the valid one.
    Current,
    /// The token is the one before the valid one, and was used a moment ago.
    Retried,
    /// The token was used longer ago.
    Reused,
    /// The family has ended.
    Ended,
}

impl NewFamily {
    /// A new family with this secret, of which the store gets the digest, for a client that proves these keys
    /// and has this credential.
    #[must_use]
    pub const fn new(
        id: GrantId,
        secret: Zeroizing<[u8; SECRET]>,
        secret_digest: [u8; 32],
        sender: SenderKeys,
        credential: Option<CredentialTag>,
        policy: RefreshTokenPolicy,
        now: Timestamp,
    ) -> Self {
        Self { id, secret, secret_digest, sender, credential, policy, now }
    }

    /// The family for what a person has allowed this client. Without `offline_access` it ends
    /// with its session.
    #[must_use]
    pub fn of(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        Allowed { account, session, granted, at }: Allowed<'_>,
    ) -> RefreshFamily {
        let ends_with = session.filter(|_| !granted.has_scope(OFFLINE_ACCESS));
        let absolute = self.policy.absolute;
        let lifetime = if ends_with.is_some() { absolute.min(LONGEST_SESSION) } else { absolute };
        let expires_at = self.now + lifetime;
        RefreshFamily {
            tenant: tenant.clone(),
            slot: RefreshFamily::RING.slot(expires_at),
            id: self.id,
            client: client.clone(),
            account: account.clone(),
            session: session.map(|(_, id)| id.clone()),
            session_slot: ends_with.map(|(slot, _)| slot),
            secret_digest: self.secret_digest,
            generation: 0,
            rotated_at: self.now,
            dpop_key: self.sender.dpop.map(|key| *key.as_bytes()),
            certificate: self.sender.certificate.map(|key| *key.as_bytes()),
            credential: self.credential,
            granted: Granted { nonce: None, ..granted.clone() },
            created_at: at,
            idle_until: expires_at.min(self.now + self.policy.idle),
            expires_at,
            ended_at: None,
        }
    }
}

impl RefreshFamily {
    /// The ring of partitions that has the row.
    pub const RING: Ring = Ring::MONTHS;

    /// The key of the row.
    #[must_use]
    pub const fn key(&self) -> FamilyKey {
        FamilyKey { slot: self.slot, id: self.id }
    }

    /// Whether the token of this client belongs to the family.
    pub(crate) fn has(&self, tenant: &TenantId, client: &ClientId, token: &RefreshToken) -> bool {
        self.tenant == *tenant
            && self.client == *client
            && self.key() == token.key
            && bool::from(self.secret_digest.ct_eq(&token.secret_digest))
    }

    /// Whether its time has not come.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.idle_until && now < self.expires_at
    }

    /// Whether all tokens of the client or the tenant have been revoked since the grant, or those of the
    /// credential of the family's first token. The family keeps that credential, even if the client uses
    /// another one later: a family that a thief began with a stolen credential must end with it. The
    /// revocation of a later credential ends the access tokens for it. The refresh token needs another
    /// credential then.
    pub(crate) fn is_revoked(&self, facts: &RevocationFacts) -> bool {
        facts.revoke_grant(self.client.as_str(), self.credential, self.created_at)
    }

    /// Whether the request proves the keys that it is bound to.
    #[must_use]
    pub fn is_proven_by(&self, sender: &SenderKeys) -> bool {
        sender.prove_dpop_key(self.dpop_key.map(Thumbprint::new))
            && sender.prove_certificate(self.certificate.map(Thumbprint::new))
    }

    /// Takes the step, if its token is the valid one. A token that is ahead of the row is genuine, too: the
    /// store has lost a write.
    #[must_use]
    pub fn step(&self, step: &FamilyStep<'_>, now: Timestamp) -> Option<Self> {
        let is_right = self.key() == step.key
            && self.client == *step.client
            && self.secret_digest == step.secret_digest
            && self.generation <= step.generation
            && self.lasts(now)
            && self.is_proven_by(&step.sender);
        is_right.then(|| Self {
            generation: step.generation.saturating_add(1),
            rotated_at: now,
            idle_until: self.expires_at.min(now + step.idle),
            ..self.clone()
        })
    }

    /// The grant of the family.
    pub(crate) const fn grant<'a>(&'a self, granted: &'a Granted) -> PersonGrant<'a> {
        PersonGrant { id: self.id, account: &self.account, session: self.session.as_ref(), granted }
    }

    /// The instant until which the family is valid without another use, if this use is to be noted.
    pub(crate) fn noted_use(&self, policy: &RefreshTokenPolicy, now: Timestamp) -> Option<Timestamp> {
        let idle_until = self.expires_at.min(now + policy.idle);
        let gained = idle_until.seconds().saturating_sub(self.idle_until.seconds());
        (gained > policy.idle.seconds() / USES).then_some(idle_until)
    }
}

impl FoundFamily {
    /// Returns the state of the token in this family.
    pub(crate) fn judge(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        token: &RefreshToken,
        grace: Lifetime,
        now: Timestamp,
    ) -> TokenUse {
        let family = &self.family;
        if !family.has(tenant, client, token) || !self.is_live || !family.lasts(now) {
            return TokenUse::Ended;
        }
        if token.generation >= family.generation {
            return TokenUse::Current;
        }
        let is_retried =
            token.generation.saturating_add(1) == family.generation && now < family.rotated_at + grace;
        if is_retried { TokenUse::Retried } else { TokenUse::Reused }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use registry::{Revocation, RevokedSubject};
    use secrets::Pepper;

    use super::*;
    use crate::refresh_token_text::RefreshTokens;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000_000);

    pub(crate) fn tokens() -> RefreshTokens {
        RefreshTokens::new(&Pepper::from_bytes(Zeroizing::new([7; 32])))
    }

    pub(crate) fn acme() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    pub(crate) fn web() -> ClientId {
        ClientId::parse("web").unwrap()
    }

    fn family(new: &NewFamily, scope: &str) -> RefreshFamily {
        let granted =
            Granted { scope: Some(scope.to_owned()), nonce: Some("n".to_owned()), ..Granted::default() };
        let session: SessionId = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let ada = crate::test_fixtures::ADA.parse().unwrap();
        let session = Some((3, &session));
        new.of(&acme(), &web(), Allowed { account: &ada, session, granted: &granted, at: NOW })
    }

    pub(crate) fn begin(tokens: &RefreshTokens) -> (RefreshFamily, String) {
        let id = GrantId::from_bytes([9; 16]);
        let new = tokens.begin(&acme(), id, SenderKeys::default(), None, RefreshTokenPolicy::default(), NOW);
        let family = family(&new, "openid offline_access");
        let first = tokens.first(&new, &family);
        (family, first)
    }

    fn after(seconds: u64) -> Timestamp {
        NOW + Lifetime::from_seconds(seconds)
    }

    // [V10 10.4.8]: 2 | Refresh tokens expire absolutely | After 180 days, or as the tenant says
    // [rfc9700 §4.14]
    #[test]
    fn a_family_lasts_as_the_policy_says_and_without_offline_access_as_its_session() {
        let tokens = tokens();
        let policy = RefreshTokenPolicy::default();
        let id = GrantId::from_bytes([9; 16]);
        let new = tokens.begin(&acme(), id, SenderKeys::default(), None, policy, NOW);
        let (offline, bound) = (family(&new, "offline_access"), family(&new, "openid"));
        assert_eq!((offline.session_slot, bound.session_slot), (None, Some(3)));
        assert_eq!(offline.session, bound.session, "both name it");
        assert_eq!(offline.expires_at, NOW + policy.absolute);
        assert_eq!(bound.expires_at, NOW + LONGEST_SESSION);
        assert_eq!(offline.slot, RefreshFamily::RING.slot(offline.expires_at));
        assert_eq!(offline.granted.nonce, None);
        for (now, lasts) in [(0, true), (30 * 86_400 - 1, true), (30 * 86_400, false)] {
            assert_eq!(offline.lasts(after(now)), lasts, "{now}");
        }
        assert!(!RefreshFamily { ended_at: Some(NOW), ..offline.clone() }.lasts(NOW));
        // A use is noted once in a twentieth of thirty days.
        assert_eq!(offline.noted_use(&policy, after(129_600)), None);
        let noted = offline.noted_use(&policy, after(129_601));
        assert_eq!(noted, Some(after(129_601) + policy.idle));
        let late = offline.noted_use(&policy, offline.expires_at.saturating_sub(Lifetime::from_seconds(5)));
        assert_eq!(late, Some(offline.expires_at));
    }

    // [revocation ours b]
    #[test]
    fn a_family_ends_with_its_first_credential_whatever_is_used_later() {
        let tag = |digits: &str| CredentialTag::parse(digits);
        let facts = |credential: &str, client: ClientId| {
            let subject = RevokedSubject::Credential(client, tag(credential).unwrap());
            let revoked = Revocation { subject, issued_until: after(100), expires_at: after(900) };
            RevocationFacts::new(acme(), [revoked])
        };
        let (first, _) = begin(&tokens());
        for (credential, granted_after, revoked, expected) in [
            (tag("0000000a"), 100, facts("0000000a", web()), true),
            (tag("0000000a"), 101, facts("0000000a", web()), false),
            (tag("0000000b"), 100, facts("0000000a", web()), false),
            (tag("0000000a"), 100, facts("0000000a", ClientId::parse("another").unwrap()), false),
            // The family is of a public client, or older than the tags of families.
            (None, 100, facts("0000000a", web()), false),
        ] {
            let family = RefreshFamily { credential, created_at: after(granted_after), ..first.clone() };
            assert_eq!(family.is_revoked(&revoked), expected, "{credential:?} {granted_after}");
            let rotated = RefreshFamily { generation: 5, rotated_at: after(200), ..family };
            assert_eq!(rotated.is_revoked(&revoked), expected, "a later use");
        }
    }

    // [rfc9700 §2.2.2]
    #[test]
    fn of_the_tokens_of_a_family_one_is_valid_and_the_one_before_for_a_moment() {
        let tokens = tokens();
        let (family, first) = begin(&tokens);
        let mut texts = vec![first];
        for at in 0..3 {
            texts.push(tokens.next(&acme(), &web(), &tokens.read(&acme(), &web(), &texts[at]).unwrap()));
        }
        let at_two =
            RefreshFamily { generation: 2, rotated_at: after(100), idle_until: after(9_000), ..family };
        let judge = |family: &RefreshFamily, is_live, generation: usize, now| {
            let token = tokens.read(&acme(), &web(), &texts[generation]).unwrap();
            let found = FoundFamily { family: family.clone(), is_live };
            found.judge(&acme(), &web(), &token, Lifetime::from_seconds(30), after(now))
        };
        for (generation, now, expected) in [
            (0, 100, TokenUse::Reused),
            (1, 100, TokenUse::Retried),
            (1, 129, TokenUse::Retried),
            (1, 130, TokenUse::Reused),
            (2, 100, TokenUse::Current),
            (2, 8_999, TokenUse::Current),
            (2, 9_000, TokenUse::Ended),
            // The store has lost the write.
            (3, 100, TokenUse::Current),
        ] {
            assert_eq!(judge(&at_two, true, generation, now), expected, "{generation} {now}");
            assert_eq!(judge(&at_two, false, generation, now), TokenUse::Ended, "{generation} {now}");
        }
        let of_another = RefreshFamily { secret_digest: [0; 32], ..at_two.clone() };
        assert_eq!(judge(&of_another, true, 2, 100), TokenUse::Ended);
        let strict = FoundFamily { family: at_two, is_live: true };
        let token = tokens.read(&acme(), &web(), &texts[1]).unwrap();
        let none = Lifetime::from_seconds(0);
        assert_eq!(strict.judge(&acme(), &web(), &token, none, after(100)), TokenUse::Reused, "no grace");
    }

    // [dpop RFC 9449 §5 b]: Refresh tokens of public clients are bound to the key of the proof; those of
    //   other clients to their credential
    // [mutual-tls RFC 8705 §4]
    #[test]
    fn a_step_needs_all_that_the_family_is_bound_to() {
        let tokens = tokens();
        let (key, other) = (Thumbprint::new([1; 32]), Thumbprint::new([2; 32]));
        let sender = SenderKeys { dpop: Some(key), certificate: None };
        let id = GrantId::from_bytes([9; 16]);
        let new = tokens.begin(&acme(), id, sender, None, RefreshTokenPolicy::default(), NOW);
        let family = family(&new, "offline_access");
        let (web, another) = (web(), ClientId::parse("another").unwrap());
        let right = FamilyStep {
            key: family.key(),
            client: &web,
            secret_digest: family.secret_digest,
            generation: 0,
            sender,
            idle: Lifetime::from_seconds(60),
            session: SessionPolicy::default(),
        };
        let stepped = family.step(&right, after(5)).unwrap();
        assert_eq!((stepped.generation, stepped.rotated_at, stepped.idle_until), (1, after(5), after(65)));
        assert_eq!(family.step(&FamilyStep { generation: 4, ..right }, NOW).unwrap().generation, 5);
        for wrong in [
            FamilyStep { client: &another, ..right },
            FamilyStep { secret_digest: [0; 32], ..right },
            FamilyStep { key: FamilyKey { slot: 19, id }, ..right },
            FamilyStep { sender: SenderKeys::default(), ..right },
            FamilyStep { sender: SenderKeys { dpop: Some(other), certificate: Some(key) }, ..right },
        ] {
            assert_eq!(family.step(&wrong, NOW), None, "{wrong:?}");
        }
        assert_eq!(stepped.step(&right, after(6)), None, "the step was taken");
    }
}
