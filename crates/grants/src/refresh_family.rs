//! Families of refresh tokens (RFC 6749 §1.5). Each grant has one family, and each family has one
//! row, which knows which of the family's tokens is valid.

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

/// The maximum lifetime of a family that ends with its session: the maximum lifetime of a session
/// and a day.
const LONGEST_SESSION: Lifetime = Lifetime::from_seconds(SessionPolicy::LONGEST.seconds() + 86_400);
/// A use is noted at most once in a twentieth of the idle time, which saves writes.
const USES: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyKey {
    /// The partition of the row.
    pub slot: u32,
    pub id: GrantId,
}

/// The row of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshFamily {
    pub tenant: TenantId,
    /// The partition, derived from `expires_at`.
    pub slot: u32,
    pub id: GrantId,
    pub client: ClientId,
    pub account: AccountId,
    /// The session in which the person granted access.
    pub session: Option<SessionId>,
    /// The partition of the session's row. `None` if the family outlives the session.
    pub session_slot: Option<u32>,
    /// The digest of the secret that all tokens of the family share.
    pub secret_digest: [u8; 32],
    /// The number of the valid token.
    pub generation: u32,
    /// When the valid token was issued.
    pub rotated_at: Timestamp,
    /// The DPoP key that a public client must prove (RFC 9449 §5).
    pub dpop_key: Option<[u8; 32]>,
    /// The thumbprint of the certificate that a public client must present (RFC 8705 §4).
    pub certificate: Option<[u8; 32]>,
    /// The credential with which the client got the first token. `None` for a public client, and in
    /// rows of an older program.
    pub credential: Option<CredentialTag>,
    pub granted: Granted,
    pub created_at: Timestamp,
    /// The family expires at this instant if the client does not use it.
    pub idle_until: Timestamp,
    /// The family expires at this instant even if the client uses it.
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFamily {
    pub family: RefreshFamily,
    /// Whether the person may still sign in, has not been signed out everywhere since, and the
    /// session that the family ends with still exists.
    pub is_live: bool,
}

/// A family to create when a code is redeemed.
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

/// The replacement of a refresh token by the next one.
#[derive(Clone, Copy, Debug)]
pub struct FamilyStep<'a> {
    pub key: FamilyKey,
    pub client: &'a ClientId,
    pub secret_digest: [u8; 32],
    /// The number of the token that the client sent.
    pub generation: u32,
    /// The keys that the request has proven.
    pub sender: SenderKeys,
    /// How long the next token is valid if the client does not use it.
    pub idle: Lifetime,
    /// The policy of the session that the family ends with.
    pub session: SessionPolicy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    /// The valid token.
    Current,
    /// The previous token, shortly after its use. The client may not have received the answer.
    Retried,
    /// A previous token that was used longer ago.
    Reused,
    Ended,
}

impl NewFamily {
    /// `secret` goes into the tokens; the store gets only its digest.
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

    /// Without `offline_access` the family ends with its session.
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
    /// The partitions of these rows.
    pub const RING: Ring = Ring::MONTHS;

    #[must_use]
    pub const fn key(&self) -> FamilyKey {
        FamilyKey { slot: self.slot, id: self.id }
    }

    /// Whether the token belongs to this family and client.
    pub(crate) fn has(&self, tenant: &TenantId, client: &ClientId, token: &RefreshToken) -> bool {
        self.tenant == *tenant
            && self.client == *client
            && self.key() == token.key
            && bool::from(self.secret_digest.ct_eq(&token.secret_digest))
    }

    /// Whether the family has neither ended nor expired.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.idle_until && now < self.expires_at
    }

    /// Whether the tokens of the client, of the tenant or of the family's first credential have
    /// been revoked since the grant. The family keeps its first credential even if the client
    /// authenticates with another one later: a family that a thief started with a stolen credential
    /// must end when that credential is revoked.
    ///
    /// Revoking a later credential ends the access tokens issued for it. The client then needs
    /// another credential to use the refresh token.
    pub(crate) fn is_revoked(&self, facts: &RevocationFacts) -> bool {
        facts.revoke_grant(self.client.as_str(), self.credential, self.created_at)
    }

    #[must_use]
    pub fn is_proven_by(&self, sender: &SenderKeys) -> bool {
        sender.prove_dpop_key(self.dpop_key.map(Thumbprint::new))
            && sender.prove_certificate(self.certificate.map(Thumbprint::new))
    }

    /// Returns the family after the step if the token is valid. A token with a higher number than
    /// the row is valid, too: the store has lost a write.
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

    pub(crate) const fn grant<'a>(&'a self, granted: &'a Granted) -> PersonGrant<'a> {
        PersonGrant { id: self.id, account: &self.account, session: self.session.as_ref(), granted }
    }

    /// Returns the new `idle_until`, if the use has to be noted.
    pub(crate) fn noted_use(&self, policy: &RefreshTokenPolicy, now: Timestamp) -> Option<Timestamp> {
        let idle_until = self.expires_at.min(now + policy.idle);
        let gained = idle_until.seconds().saturating_sub(self.idle_until.seconds());
        (gained > policy.idle.seconds() / USES).then_some(idle_until)
    }
}

impl FoundFamily {
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
    fn family_lifetime_follows_policy_or_session() {
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
        // The idle time is thirty days. A use is stored at most once per twentieth of the idle time.
        assert_eq!(offline.noted_use(&policy, after(129_600)), None);
        let noted = offline.noted_use(&policy, after(129_601));
        assert_eq!(noted, Some(after(129_601) + policy.idle));
        let late = offline.noted_use(&policy, offline.expires_at.saturating_sub(Lifetime::from_seconds(5)));
        assert_eq!(late, Some(offline.expires_at));
    }

    // [revocation ours b]
    #[test]
    fn revoking_the_first_credential_ends_the_family() {
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
            // A family of a public client, or a family that an older program stored without its credential.
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
    fn previous_token_is_valid_only_during_the_grace() {
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
            // The store has lost a write.
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
    fn rotation_needs_matching_client_secret_and_key() {
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
