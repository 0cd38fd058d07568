//! The revocations of one tenant in memory, and the decision whether a token is revoked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenancy::{History, TenantId};
use values::{Lifetime, Timestamp};

use crate::shared_map::SharedMap;
use crate::{ClientId, CredentialTag, Revocation, RevokedSubject};

/// Everything that a tenant has revoked. A time is the last second in which revoked tokens were issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationFacts {
    /// The tenant. Detects a store that returns another tenant's facts.
    pub tenant: TenantId,
    read: FactsVersion,
    all: Option<EndedTokens>,
    clients: HashMap<ClientId, CutOffs>,
    signing_keys: BTreeMap<String, Timestamp>,
    people: PeopleFacts,
}

/// After this time, all revocations are read again instead of only the new ones. This drops expired
/// revocations.
const READ_WHOLE_AFTER: Lifetime = Lifetime::from_seconds(600);

/// The state of the store from which the facts were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsVersion {
    /// The history of the store. `next_change` is only comparable within one history.
    pub history: History,
    /// The first change that the facts may not contain.
    pub next_change: u64,
    /// The time of the read.
    pub at: Timestamp,
}

impl FactsVersion {
    /// Facts that were never read.
    pub const NEVER: Self = Self { history: History(0), next_change: 0, at: Timestamp::from_seconds(0) };
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PeopleFacts {
    issued_until: Option<Timestamp>,
    grants: SharedMap<Timestamp>,
    sessions: SharedMap<Timestamp>,
    accounts: SharedMap<Timestamp>,
    /// The revoked consents, by account and then by client.
    consents: SharedMap<HashMap<ClientId, Timestamp>>,
}

/// The end of tokens, together with refresh tokens. For a tenant or client this includes codes; for a
/// credential it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EndedTokens {
    issued_until: Timestamp,
    /// When the last of these access tokens has expired. Later, the fact is kept for refresh tokens only and
    /// is not published in the feed.
    published_until: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CutOffs {
    all: Option<EndedTokens>,
    access_tokens: Option<Timestamp>,
    credentials: BTreeMap<CredentialTag, EndedTokens>,
    /// The expiry of each revoked token, by its `jti`.
    tokens: SharedMap<Timestamp>,
}

/// The claims of a token that decide whether it is revoked.
#[derive(Clone, Copy, Debug)]
pub struct IssuedToken<'a> {
    /// `client_id`.
    pub client: &'a str,
    /// `jti`.
    pub jti: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `None` for a client's own token.
    pub person: Option<PersonOfToken<'a>>,
}

/// The claims of a person's token.
#[derive(Clone, Copy, Debug)]
pub struct PersonOfToken<'a> {
    pub account: &'a str,
    /// `sub`: the account or a pairwise subject.
    pub sub: &'a str,
    /// `sid`.
    pub session: Option<&'a str>,
    /// `grant_id`.
    pub grant: Option<&'a str>,
}

/// Why a token is revoked. The time is the last second in which revoked tokens were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// All tokens of the tenant are revoked.
    Tenant(Timestamp),
    /// All tokens of the client are revoked.
    Client(Timestamp),
    /// All tokens of the credential are revoked.
    Credential(Timestamp),
    /// Only this token is revoked. The time of the revocation is not kept.
    Token,
    /// All tokens of people are revoked.
    People(Timestamp),
    /// All tokens of the account are revoked.
    Account(Timestamp),
    /// All tokens of the session are revoked.
    Session(Timestamp),
    /// All tokens of the grant are revoked.
    Grant(Timestamp),
    /// The person has revoked the consent to the client.
    Consent(Timestamp),
}

impl RevocationFacts {
    #[must_use]
    pub fn none(tenant: TenantId) -> Self {
        Self {
            tenant,
            read: FactsVersion::NEVER,
            all: None,
            clients: HashMap::new(),
            signing_keys: BTreeMap::new(),
            people: PeopleFacts::default(),
        }
    }

    #[must_use]
    pub fn new(tenant: TenantId, revocations: impl IntoIterator<Item = Revocation>) -> Self {
        let mut facts = Self::none(tenant);
        revocations.into_iter().for_each(|revocation| facts.add(revocation));
        facts
    }

    /// Sets the state of the store from which the facts were read.
    #[must_use]
    pub fn read(self, read: FactsVersion) -> Self {
        Self { read, ..self }
    }

    /// The first change that the facts may not contain.
    #[must_use]
    pub const fn next_change(&self) -> u64 {
        self.read.next_change
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Adds the revocations that were written since [`RevocationFacts::next_change`]. Returns `None` if the
    /// caller must read all facts again: after some time, after a client or tenant was resumed (its time
    /// moves back), and if the store has a different history.
    #[must_use]
    pub fn with(self: &Arc<Self>, later: Vec<Revocation>, read: FactsVersion) -> Option<Arc<Self>> {
        let is_recent = (self.read.at..self.read.at + READ_WHOLE_AFTER).contains(&read.at);
        let is_later =
            |row: &Revocation| self.until(&row.subject).is_none_or(|known| known <= row.issued_until);
        let is_continued = read.history == self.read.history;
        if !is_recent
            || !is_continued
            || read.next_change < self.read.next_change
            || !later.iter().all(is_later)
        {
            return None;
        }
        if later.is_empty() {
            return Some(Arc::clone(self));
        }
        let mut facts = Self::clone(self);
        facts.read.next_change = read.next_change;
        later.into_iter().for_each(|revocation| facts.add(revocation));
        Some(Arc::new(facts))
    }

    fn add(&mut self, Revocation { subject, issued_until, expires_at }: Revocation) {
        let people = &mut self.people;
        match subject {
            RevokedSubject::Tenant => EndedTokens::add(&mut self.all, issued_until, expires_at),
            RevokedSubject::Client(client) => {
                EndedTokens::add(&mut self.clients.entry(client).or_default().all, issued_until, expires_at);
            }
            RevokedSubject::AccessTokens(client) => {
                self.clients.entry(client).or_default().access_tokens = Some(issued_until);
            }
            RevokedSubject::Credential(client, tag) => {
                let ended = EndedTokens { issued_until, published_until: expires_at };
                self.clients.entry(client).or_default().credentials.insert(tag, ended);
            }
            RevokedSubject::SigningKey(kid) => drop(self.signing_keys.insert(kid, issued_until)),
            RevokedSubject::Token(client, jti) => {
                *self.clients.entry(client).or_default().tokens.entry(jti, || expires_at) = expires_at;
            }
            RevokedSubject::People => people.issued_until = people.issued_until.max(Some(issued_until)),
            RevokedSubject::Grant(id) => *people.grants.entry(id, || issued_until) = issued_until,
            RevokedSubject::Session(id) => *people.sessions.entry(id, || issued_until) = issued_until,
            RevokedSubject::Account(id) => *people.accounts.entry(id, || issued_until) = issued_until,
            RevokedSubject::Consent(client, account) => {
                people.consents.entry(account, HashMap::new).insert(client, issued_until);
            }
        }
    }

    /// The time of a subject. Single tokens are not included, because their time never changes.
    fn until(&self, subject: &RevokedSubject) -> Option<Timestamp> {
        let of_client = |client: &ClientId| self.clients.get(client);
        let people = &self.people;
        match subject {
            RevokedSubject::Tenant => self.tenant_issued_until(),
            RevokedSubject::Client(client) => of_client(client)?.all.map(|ended| ended.issued_until),
            RevokedSubject::AccessTokens(client) => of_client(client)?.access_tokens,
            RevokedSubject::Credential(client, tag) => of_client(client)?.credential_until(*tag),
            RevokedSubject::SigningKey(kid) => self.signing_keys.get(kid).copied(),
            RevokedSubject::Token(..) => None,
            RevokedSubject::People => people.issued_until,
            RevokedSubject::Grant(id) => people.grants.get(id).copied(),
            RevokedSubject::Session(id) => people.sessions.get(id).copied(),
            RevokedSubject::Account(id) => people.accounts.get(id).copied(),
            RevokedSubject::Consent(client, account) => people.consents.get(account)?.get(client).copied(),
        }
    }

    /// Whether the token is revoked. A token from an earlier version of Latchkey has no tag. It is treated as
    /// revoked if any credential of its client is revoked, because it may belong to that credential.
    #[must_use]
    pub fn revoke(&self, token: IssuedToken<'_>) -> bool {
        self.revoked_by(token).is_some()
    }

    /// The first reason why the token is revoked, from the tenant down to the single token.
    #[must_use]
    pub fn revoked_by(&self, token: IssuedToken<'_>) -> Option<RevokedBy> {
        let is_by = |until: &Timestamp| token.issued_at <= *until;
        if let Some(until) = self.tenant_issued_until().filter(is_by) {
            return Some(RevokedBy::Tenant(until));
        }
        let of_person = token.person.and_then(|person| self.people.revoked_by(token, person));
        of_person.or_else(|| self.revoked_by_client(token))
    }

    fn revoked_by_client(&self, token: IssuedToken<'_>) -> Option<RevokedBy> {
        let is_by = |until: &Timestamp| token.issued_at <= *until;
        let of_client = self.clients.get(token.client)?;
        if let Some(until) = of_client.issued_until().filter(is_by) {
            return Some(RevokedBy::Client(until));
        }
        if of_client.tokens.get(token.jti).is_some() {
            return Some(RevokedBy::Token);
        }
        if of_client.credentials.is_empty() {
            return None;
        }
        let credential = match CredentialTag::of_token(token.jti) {
            Some(tag) => of_client.credential_until(tag).filter(is_by),
            None => of_client.credentials.values().map(|ended| ended.issued_until).filter(is_by).max(),
        };
        credential.map(RevokedBy::Credential)
    }

    /// Whether all tokens that the tenant issued in this second are revoked.
    #[must_use]
    pub fn revoke_tenant_at(&self, issued_at: Timestamp) -> bool {
        self.tenant_issued_until().is_some_and(|until| issued_at <= until)
    }

    /// Whether a code or refresh tokens of this client, granted in this second, are revoked, with all tokens
    /// of the client or the tenant or with the credential that the client used. If a revoked credential
    /// becomes valid again, grants from before the revocation stay revoked.
    #[must_use]
    pub fn revoke_grant(
        &self,
        client: &str,
        credential: Option<CredentialTag>,
        granted_at: Timestamp,
    ) -> bool {
        let of_client = self.clients.get(client);
        let until = credential.zip(of_client).and_then(|(tag, of_client)| of_client.credential_until(tag));
        self.granted_until(client).max(until).is_some_and(|until| granted_at <= until)
    }

    /// The last second in which revoked codes and refresh tokens of this client were issued. A new code needs
    /// a later second.
    #[must_use]
    pub fn granted_until(&self, client: &str) -> Option<Timestamp> {
        let of_client = self.clients.get(client).and_then(|of_client| of_client.all);
        self.tenant_issued_until().max(of_client.map(|ended| ended.issued_until))
    }

    fn tenant_issued_until(&self) -> Option<Timestamp> {
        self.all.map(|ended| ended.issued_until)
    }

    /// The last second in which revoked tokens of this client and credential were issued. A new token needs a
    /// later second.
    #[must_use]
    pub fn issued_until(&self, client: &str, tag: CredentialTag) -> Option<Timestamp> {
        let of_client = self.clients.get(client);
        let credential = of_client.and_then(|of_client| of_client.credential_until(tag));
        self.tenant_issued_until().max(of_client.and_then(CutOffs::issued_until)).max(credential)
    }

    /// The last second in which revoked tokens of this person at this client were issued. A new token needs a
    /// later second.
    #[must_use]
    pub fn issued_until_of(&self, client: &str, person: PersonOfToken<'_>) -> Option<Timestamp> {
        self.people.of(client, person).into_iter().flatten().max()
    }

    /// Whether this grant is revoked. No further token may be issued for it.
    #[must_use]
    pub fn is_grant_revoked(&self, grant: &str) -> bool {
        self.people.grants.get(grant).is_some()
    }

    /// Whether the person has revoked the consent to this client in this second or later.
    #[must_use]
    pub fn is_consent_revoked_since(&self, account: &str, client: &str, allowed_at: Timestamp) -> bool {
        let until = self.people.consents.get(account).and_then(|clients| clients.get(client));
        until.is_some_and(|until| allowed_at <= *until)
    }

    /// All revocations in no particular order. For a single token the time is its expiry.
    pub fn iter(&self) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
        self.select(|_| true)
    }

    /// The revocations of access tokens that have not expired yet.
    pub fn of_access_tokens(&self, now: Timestamp) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
        self.select(move |ended| now < ended.published_until)
    }

    fn select(
        &self,
        is_selected: impl Fn(&EndedTokens) -> bool + Copy,
    ) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
        let tenant = self.all.filter(is_selected).map(|ended| (RevokedSubject::Tenant, ended.issued_until));
        let keys =
            self.signing_keys.iter().map(|(kid, until)| (RevokedSubject::SigningKey(kid.clone()), *until));
        let clients = self.clients.iter().flat_map(move |(client, facts)| {
            let own = facts.all.filter(is_selected);
            let own = own.map(|ended| (RevokedSubject::Client(client.clone()), ended.issued_until));
            let access_tokens = facts.access_tokens;
            let access_tokens =
                access_tokens.map(|until| (RevokedSubject::AccessTokens(client.clone()), until));
            let credentials = facts.credentials.iter().filter(move |(_, ended)| is_selected(ended));
            let credentials = credentials
                .map(|(tag, ended)| (RevokedSubject::Credential(client.clone(), *tag), ended.issued_until));
            let tokens = facts.tokens.iter();
            let tokens = tokens
                .map(|(jti, expires_at)| (RevokedSubject::Token(client.clone(), jti.clone()), *expires_at));
            own.into_iter().chain(access_tokens).chain(credentials).chain(tokens)
        });
        tenant.into_iter().chain(keys).chain(clients).chain(self.people.iter())
    }

    /// The estimated memory in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const ENTRY: usize = 128;
        let clients = self.clients.iter().map(|(client, facts)| {
            let tokens: usize = facts.tokens.iter().map(|(jti, _)| ENTRY + jti.len()).sum();
            2 * ENTRY + client.as_str().len() + facts.credentials.len() * ENTRY + tokens
        });
        let PeopleFacts { grants, sessions, accounts, consents, .. } = &self.people;
        let consents: usize = consents.iter().map(|(_, clients)| 1 + clients.len()).sum();
        let people = (grants.len() + sessions.len() + accounts.len() + consents) * ENTRY;
        size_of::<Self>() + self.signing_keys.len() * ENTRY + clients.sum::<usize>() + people
    }
}

impl EndedTokens {
    /// Never moves a time back.
    fn add(ended: &mut Option<Self>, issued_until: Timestamp, published_until: Timestamp) {
        let known = ended.get_or_insert(Self { issued_until, published_until });
        known.issued_until = known.issued_until.max(issued_until);
        known.published_until = known.published_until.max(published_until);
    }
}

impl CutOffs {
    /// The last second in which revoked access tokens were issued.
    fn issued_until(&self) -> Option<Timestamp> {
        self.all.map(|ended| ended.issued_until).max(self.access_tokens)
    }

    fn credential_until(&self, tag: CredentialTag) -> Option<Timestamp> {
        self.credentials.get(&tag).map(|ended| ended.issued_until)
    }
}

impl PeopleFacts {
    /// The times of all people, and of this person's account, session, grant and consent to the client.
    fn of(&self, client: &str, person: PersonOfToken<'_>) -> [Option<Timestamp>; 5] {
        [
            self.issued_until,
            self.accounts.get(person.account).max(self.accounts.get(person.sub)).copied(),
            person.session.and_then(|id| self.sessions.get(id).copied()),
            person.grant.and_then(|id| self.grants.get(id).copied()),
            self.consents.get(person.account).and_then(|clients| clients.get(client).copied()),
        ]
    }

    fn revoked_by(&self, token: IssuedToken<'_>, person: PersonOfToken<'_>) -> Option<RevokedBy> {
        let by = |until: Option<Timestamp>| until.filter(|until| token.issued_at <= *until);
        let [all, account, session, grant, consent] = self.of(token.client, person).map(by);
        let all = all.map(RevokedBy::People).or_else(|| account.map(RevokedBy::Account));
        let one = session.map(RevokedBy::Session).or_else(|| grant.map(RevokedBy::Grant));
        all.or(one).or_else(|| consent.map(RevokedBy::Consent))
    }

    fn iter(&self) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
        fn each(
            facts: &SharedMap<Timestamp>,
            of: fn(String) -> RevokedSubject,
        ) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
            facts.iter().map(move |(id, until)| (of(id.clone()), *until))
        }
        let all = self.issued_until.map(|until| (RevokedSubject::People, until));
        let consents = self.consents.iter().flat_map(|(account, clients)| {
            let of = |client: &ClientId| RevokedSubject::Consent(client.clone(), account.clone());
            clients.iter().map(move |(client, until)| (of(client), *until))
        });
        all.into_iter()
            .chain(consents)
            .chain(each(&self.grants, RevokedSubject::Grant))
            .chain(each(&self.sessions, RevokedSubject::Session))
            .chain(each(&self.accounts, RevokedSubject::Account))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::SecretId;

    fn id(client: &str) -> ClientId {
        ClientId::parse(client).unwrap()
    }

    fn acme() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn tag(client: &str, secret: &str) -> CredentialTag {
        CredentialTag::of_secret(&acme(), &id(client), &SecretId::new(secret))
    }

    fn jti(client: &str, secret: &str) -> String {
        tag(client, secret).token_id(Uuid::nil()).to_string()
    }

    fn facts(revocations: &[(RevokedSubject, u64)]) -> RevocationFacts {
        RevocationFacts::new(acme(), revocations.iter().map(row))
    }

    fn row((subject, until): &(RevokedSubject, u64)) -> Revocation {
        let [issued_until, expires_at] = [*until, 900].map(Timestamp::from_seconds);
        Revocation { subject: subject.clone(), issued_until, expires_at }
    }

    #[track_caller]
    fn check(revocations: &[(RevokedSubject, u64)], client: &str, jti: &str, issued_at: u64, expected: bool) {
        let issued_at = Timestamp::from_seconds(issued_at);
        let revoked = facts(revocations).revoke(IssuedToken { client, jti, issued_at, person: None });
        assert_eq!(revoked, expected, "{revocations:?}: {client} {jti} {issued_at:?}");
    }

    const ADA: PersonOfToken<'_> =
        PersonOfToken { account: "usr_a", sub: "pw_a", session: Some("s"), grant: Some("g") };

    #[test]
    fn person_token_is_revoked_by_each_related_subject() {
        use RevokedSubject as S;
        let name = str::to_owned;
        let at = Timestamp::from_seconds;
        let other = PersonOfToken { account: "usr_b", sub: "usr_b", session: Some("t"), grant: Some("h") };
        for (subject, by) in [
            (S::Grant(name("g")), RevokedBy::Grant(at(100))),
            (S::Session(name("s")), RevokedBy::Session(at(100))),
            (S::Account(name("usr_a")), RevokedBy::Account(at(100))),
            (S::Account(name("pw_a")), RevokedBy::Account(at(100))),
            (S::Consent(id("web"), name("usr_a")), RevokedBy::Consent(at(100))),
            (S::People, RevokedBy::People(at(100))),
        ] {
            let facts = facts(&[(subject.clone(), 100)]);
            let revoked_by = |person, issued_at| {
                facts.revoked_by(IssuedToken { client: "web", jti: "1", issued_at: at(issued_at), person })
            };
            assert_eq!(revoked_by(Some(ADA), 100), Some(by), "{subject:?}");
            assert_eq!(revoked_by(Some(ADA), 101), None, "{subject:?}");
            assert_eq!(revoked_by(None, 100), None, "a client's own token is of no person: {subject:?}");
            let elsewhere = IssuedToken { client: "a", jti: "1", issued_at: at(100), person: Some(ADA) };
            let is_of_client = matches!(subject, S::Consent(..));
            assert_eq!(facts.revoke(elsewhere), !is_of_client, "another client: {subject:?}");
            let is_all = subject == S::People;
            assert_eq!(revoked_by(Some(other), 100).is_some(), is_all, "{subject:?}");
            assert_eq!(facts.is_grant_revoked("g"), matches!(subject, S::Grant(_)), "{subject:?}");
            assert_eq!(facts.issued_until_of("web", ADA), Some(at(100)));
            assert_eq!(facts.issued_until_of("web", other).is_some(), is_all);
        }
        let all = [(S::Grant(name("g")), 100), (S::Account(name("usr_a")), 101), (S::Grant(name("h")), 300)];
        assert_eq!(facts(&all).issued_until_of("web", ADA), Some(at(101)));
    }

    #[test]
    fn token_is_revoked_with_tenant_client_or_credential() {
        use RevokedSubject as S;
        let s1 = jti("a", "s1");
        let untagged = Uuid::nil().to_string();
        let of = |secret: &str| S::Credential(id("a"), tag("a", secret));
        check(&[], "a", &s1, 0, false);
        check(&[(S::Tenant, 100)], "a", &s1, 99, true);
        check(&[(S::Tenant, 100)], "a", &s1, 100, true);
        check(&[(S::Tenant, 100)], "a", &s1, 101, false);
        check(&[(S::Tenant, 100), (S::Tenant, 50)], "a", &s1, 100, true);
        check(&[(S::Client(id("a")), 100)], "a", &s1, 100, true);
        check(&[(S::Client(id("a")), 100)], "a", &s1, 101, false);
        check(&[(S::Client(id("a")), 100)], "b", &s1, 100, false);
        check(&[(S::AccessTokens(id("a")), 100)], "a", &s1, 100, true);
        check(&[(S::AccessTokens(id("a")), 100)], "a", &s1, 101, false);
        check(&[(S::AccessTokens(id("a")), 100), (S::Client(id("a")), 50)], "a", &s1, 100, true);
        check(&[(S::AccessTokens(id("a")), 50), (S::Client(id("a")), 100)], "a", &s1, 100, true);
        check(&[(S::AccessTokens(id("a")), 100)], "b", &s1, 100, false);
        check(&[(of("s1"), 100)], "a", &s1, 100, true);
        check(&[(of("s1"), 100)], "a", &s1, 101, false);
        check(&[(of("s1"), 100)], "a", &jti("a", "s2"), 100, false);
        check(&[(of("s1"), 100)], "b", &s1, 100, false);
        check(&[(of("s1"), 100)], "a", &untagged, 100, true);
        check(&[(of("s1"), 100)], "a", &untagged, 101, false);
        check(&[(of("s1"), 100)], "a", "no uuid", 100, true);
        check(&[(S::Token(id("a"), s1.clone()), 0)], "a", &s1, 800, true);
        check(&[(S::Token(id("a"), s1.clone()), 0)], "b", &s1, 800, false);
        check(&[(S::Token(id("a"), s1.clone()), 0)], "a", &jti("a", "s2"), 0, false);
        check(&[(S::SigningKey("oauth2-key-1".to_owned()), 900)], "a", &s1, 0, false);
    }

    #[test]
    fn grants_end_only_with_their_client_or_tenant() {
        use RevokedSubject as S;
        let at = Timestamp::from_seconds;
        let until = |revocations: &[(S, u64)], client| {
            let facts = facts(revocations);
            let until = facts.granted_until(client);
            for (granted_at, expected) in [(0, until.is_some()), (100, until.is_some()), (101, false)] {
                for credential in [None, Some(tag(client, "s2"))] {
                    let revoked = facts.revoke_grant(client, credential, at(granted_at));
                    assert_eq!(revoked, expected, "{revocations:?}");
                }
            }
            until
        };
        assert_eq!(until(&[(S::Tenant, 100)], "a"), Some(at(100)));
        assert_eq!(until(&[(S::Client(id("a")), 100)], "a"), Some(at(100)));
        assert_eq!(until(&[(S::Client(id("a")), 100), (S::Tenant, 50)], "a"), Some(at(100)));
        for other in [
            S::Client(id("b")),
            S::AccessTokens(id("a")),
            S::Credential(id("a"), tag("a", "s1")),
            S::Token(id("a"), jti("a", "s1")),
            S::People,
        ] {
            assert_eq!(until(&[(other, 900)], "a"), None);
        }
    }

    #[test]
    fn refresh_tokens_are_revoked_with_their_credential() {
        use RevokedSubject as S;
        let (s1, s2) = (Some(tag("a", "s1")), Some(tag("a", "s2")));
        let of_s1 = (S::Credential(id("a"), tag("a", "s1")), 100);
        let check = |revocations: &[(S, u64)], client, credential, granted_at, expected| {
            let at = Timestamp::from_seconds(granted_at);
            let revoked = facts(revocations).revoke_grant(client, credential, at);
            assert_eq!(revoked, expected, "{revocations:?}: {client} {credential:?} {granted_at}");
        };
        let of_s1 = std::slice::from_ref(&of_s1);
        check(of_s1, "a", s1, 100, true);
        check(of_s1, "a", s1, 101, false);
        check(of_s1, "a", s2, 100, false);
        check(of_s1, "a", None, 100, false);
        check(of_s1, "b", s1, 100, false);
        check(&[(S::SigningKey("k".to_owned()), 100)], "a", s1, 100, false);
        check(&[of_s1[0].clone(), (S::Client(id("a")), 200)], "a", s1, 200, true);
        check(&[of_s1[0].clone(), (S::Client(id("a")), 50)], "a", s1, 100, true);
    }

    #[test]
    fn refresh_token_revocations_are_not_published() {
        use RevokedSubject as S;
        let of_s1 = S::Credential(id("a"), tag("a", "s1"));
        let of_b = (S::AccessTokens(id("b")), 3);
        let all = facts(&[(S::Tenant, 1), (S::Client(id("a")), 2), of_b, (of_s1.clone(), 4)]);
        let published = |now| {
            let mut subjects: Vec<_> = all.of_access_tokens(Timestamp::from_seconds(now)).collect();
            subjects.sort();
            subjects.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>()
        };
        assert_eq!(published(899), [S::Tenant, S::Client(id("a")), S::AccessTokens(id("b")), of_s1]);
        assert_eq!(published(900), [S::AccessTokens(id("b"))], "the row of the others is gone by then");
    }

    #[test]
    fn revocation_is_named_from_tenant_to_credential() {
        use RevokedSubject as S;
        let s1 = jti("a", "s1");
        let at = Timestamp::from_seconds;
        let all = [
            (S::Tenant, 40),
            (S::Client(id("a")), 50),
            (S::Token(id("a"), s1.clone()), 0),
            (S::Credential(id("a"), tag("a", "s1")), 60),
        ];
        let by = |from: usize, jti: &str, issued_at: u64| {
            let token = IssuedToken { client: "a", jti, issued_at: at(issued_at), person: None };
            facts(&all[from..]).revoked_by(token)
        };
        assert_eq!(by(0, &s1, 40), Some(RevokedBy::Tenant(at(40))));
        assert_eq!(by(0, &s1, 41), Some(RevokedBy::Client(at(50))));
        assert_eq!(by(0, &s1, 51), Some(RevokedBy::Token));
        assert_eq!(by(3, &s1, 60), Some(RevokedBy::Credential(at(60))));
        assert_eq!(by(3, &s1, 61), None);
        assert_eq!(by(2, &jti("a", "s2"), 1), None);
        assert_eq!(by(3, "no uuid", 60), Some(RevokedBy::Credential(at(60))));
    }

    #[test]
    fn next_token_is_issued_after_latest_revocation() {
        use RevokedSubject as S;
        let of = |secret: &str| S::Credential(id("a"), tag("a", secret));
        let until = |revocations: &[(S, u64)]| {
            facts(revocations).issued_until("a", tag("a", "s1")).map(Timestamp::seconds)
        };
        assert_eq!(until(&[]), None);
        let others = [(S::Client(id("b")), 9), (of("s2"), 9), (S::Token(id("a"), jti("a", "s1")), 9)];
        assert_eq!(until(&others), None);
        assert_eq!(until(&[(S::Tenant, 1), (S::Client(id("a")), 3), (of("s1"), 2)]), Some(3));
        assert_eq!(until(&[(S::Tenant, 4), (S::Client(id("a")), 3), (of("s1"), 5)]), Some(5));
        assert_eq!(until(&[(S::Tenant, 6)]), Some(6));
    }

    #[test]
    fn only_additions_update_facts_without_a_reread() {
        use RevokedSubject as S;
        let all = [
            (S::Client(id("a")), 50),
            (S::Grant("g".to_owned()), 60),
            (S::Token(id("a"), "t".to_owned()), 60),
            (S::Consent(id("a"), "usr_a".to_owned()), 60),
        ];
        let read = |next_change, at| FactsVersion {
            history: History(1),
            next_change,
            at: Timestamp::from_seconds(at),
        };
        let known = Arc::new(facts(&all[..2]).read(read(5, 1_000)));
        let later = |rows: &[(S, u64)], next_change, at| {
            known.with(rows.iter().map(row).collect(), read(next_change, at))
        };
        assert!(Arc::ptr_eq(&known, &later(&[], 9, 1_599).unwrap()), "nothing is new");
        // The first two revocations are read again, because a transaction that began earlier may have written
        // them later.
        assert_eq!(*later(&all, 9, 1_001).unwrap(), facts(&all).read(read(9, 1_000)));
        let (back, other) = ([(S::Client(id("a")), 49)], [(S::Client(id("b")), 49)]);
        assert_eq!(later(&back, 9, 1_001), None, "a client was resumed");
        assert!(later(&other, 9, 1_001).is_some());
        assert_eq!(later(&[], 9, 1_600), None, "what has ended is dropped");
        assert_eq!(later(&[], 9, 999), None, "the clock went back");
        assert_eq!(later(&[], 4, 1_001), None, "the store is an earlier copy");
        let promoted = FactsVersion { history: History(2), ..read(9, 1_001) };
        assert_eq!(known.with(Vec::new(), promoted), None, "the numbers are of another history");
    }

    /// Uses the maximum number of revocations.
    #[test]
    fn a_check_allocates_nothing() {
        use RevokedSubject as S;
        let tokens = (0..10_000).map(|number| (S::Token(id("a"), format!("{number}")), 900));
        let clients = (0..1_000).map(|number| (S::Client(id(&format!("c{number}"))), 100));
        let sessions = (0..10_000).map(|number| (S::Session(format!("s{number}")), 100));
        let own = [(S::Credential(id("a"), tag("a", "s1")), 100)];
        let facts = facts(&tokens.chain(clients).chain(sessions).chain(own).collect::<Vec<_>>());
        let issued_at = Timestamp::from_seconds(101);
        for (client, jti) in
            [("a", jti("a", "s1")), ("a", jti("a", "s2")), ("b", jti("b", "s1")), ("a", String::new())]
        {
            let token = IssuedToken { client, jti: &jti, issued_at, person: Some(ADA) };
            let counted = allocation_counter::measure(|| assert!(!facts.revoke(token)));
            assert_eq!(counted.count_total, 0, "{client} {jti}");
        }
    }

    #[test]
    fn each_revocation_is_listed() {
        use RevokedSubject as S;
        let all = [
            (S::Tenant, 1),
            (S::Client(id("a")), 2),
            (S::AccessTokens(id("a")), 9),
            (S::Credential(id("a"), tag("a", "s1")), 3),
            (S::SigningKey("k".to_owned()), 4),
            (S::Token(id("b"), jti("b", "s1")), 900),
            (S::People, 5),
            (S::Grant("g".to_owned()), 6),
            (S::Session("s".to_owned()), 7),
            (S::Account("usr_a".to_owned()), 8),
        ];
        let mut listed: Vec<_> = facts(&all).iter().map(|(subject, at)| (subject, at.seconds())).collect();
        listed.sort();
        let mut expected = all.to_vec();
        expected.sort();
        assert_eq!(listed, expected);
        assert_eq!(RevocationFacts::none(acme()).iter().count(), 0);
    }
}
