//! The revocations of one tenant in memory, and the rule that decides on a token with them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenancy::{History, TenantId};
use values::{Lifetime, Timestamp};

use crate::shared_map::SharedMap;
use crate::{ClientId, CredentialTag, Revocation, RevokedSubject};

/// All that a tenant has revoked. A time is the last second whose tokens are invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationFacts {
    /// Their tenant; detects a store that returns another tenant's facts.
    pub tenant: TenantId,
    read: FactsVersion,
    all: Option<EndedTokens>,
    clients: HashMap<ClientId, ClientFacts>,
    signing_keys: BTreeMap<String, Timestamp>,
    people: PeopleFacts,
}

/// How long later revocations are added before all are read again. Reading all drops what has ended.
const READ_WHOLE_AFTER: Lifetime = Lifetime::from_seconds(600);

/// Which changes of the store the facts contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsVersion {
    /// The history of the store, in which `next_change` is a number.
    pub history: History,
    /// The first change that they may be without.
    pub next_change: u64,
    /// When they were read.
    pub at: Timestamp,
}

impl FactsVersion {
    /// Facts that were never read.
    pub const NEVER: Self = Self { history: History(0), next_change: 0, at: Timestamp::from_seconds(0) };
}

/// The revocations of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PeopleFacts {
    issued_until: Option<Timestamp>,
    grants: SharedMap<Timestamp>,
    sessions: SharedMap<Timestamp>,
    accounts: SharedMap<Timestamp>,
    /// The consents that were taken back, by account, and then by client.
    consents: SharedMap<HashMap<ClientId, Timestamp>>,
}

/// Ended tokens with their refresh tokens. Those of the tenant or of a client include codes; those of a
/// credential do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EndedTokens {
    issued_until: Timestamp,
    /// When the last of these access tokens has expired. After that the fact is kept for refresh tokens, and
    /// is not published.
    published_until: Timestamp,
}

/// The revocations of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ClientFacts {
    all: Option<EndedTokens>,
    access_tokens: Option<Timestamp>,
    credentials: BTreeMap<CredentialTag, EndedTokens>,
    /// When each expires, by its `jti`.
    tokens: SharedMap<Timestamp>,
}

/// The facts about a token that decide whether it is revoked.
#[derive(Clone, Copy, Debug)]
pub struct IssuedToken<'a> {
    /// `client_id`.
    pub client: &'a str,
    /// `jti`.
    pub jti: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// The person of the token. A client's own token has none.
    pub person: Option<PersonOfToken<'a>>,
}

/// The facts that make a token one of a person.
#[derive(Clone, Copy, Debug)]
pub struct PersonOfToken<'a> {
    /// The account.
    pub account: &'a str,
    /// `sub`: the account, or a pairwise one.
    pub sub: &'a str,
    /// `sid`.
    pub session: Option<&'a str>,
    /// `grant_id`.
    pub grant: Option<&'a str>,
}

/// The reason for which a token is invalid. The time is the last second whose tokens are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// All tokens of the tenant.
    Tenant(Timestamp),
    /// The tokens of its client.
    Client(Timestamp),
    /// The tokens of the credential that it was issued for.
    Credential(Timestamp),
    /// This token. The time of its revocation is not kept.
    Token,
    /// The tokens of all people.
    People(Timestamp),
    /// The tokens of its person's account.
    Account(Timestamp),
    /// The tokens of its person's session.
    Session(Timestamp),
    /// The tokens of its grant.
    Grant(Timestamp),
    /// The tokens that its client has of its person.
    Consent(Timestamp),
}

impl RevocationFacts {
    /// Nothing is revoked.
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

    /// The facts of these revocations.
    #[must_use]
    pub fn new(tenant: TenantId, revocations: impl IntoIterator<Item = Revocation>) -> Self {
        let mut facts = Self::none(tenant);
        revocations.into_iter().for_each(|revocation| facts.add(revocation));
        facts
    }

    /// Returns these facts as the result of this reading.
    #[must_use]
    pub fn read(self, read: FactsVersion) -> Self {
        Self { read, ..self }
    }

    /// The first change of the store that they may be without.
    #[must_use]
    pub const fn next_change(&self) -> u64 {
        self.read.next_change
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns these facts with the revocations that were written since [`RevocationFacts::next_change`].
    /// Returns `None` if all must be read again: after a while, after a client or tenant was resumed, which
    /// moves its time back, and when the history of the store is another one.
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

    /// The time of a subject, but for single tokens, whose time never changes.
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

    /// Whether the token is invalid. An earlier version of this program issued tokens without a tag. Such a
    /// token is invalid with each credential of its client, because it may have been issued for that one.
    #[must_use]
    pub fn revoke(&self, token: IssuedToken<'_>) -> bool {
        self.revoked_by(token).is_some()
    }

    /// The first reason for which the token is invalid, in the order from the tenant to the single token.
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

    /// Whether the whole tenant's tokens of this second are invalid.
    #[must_use]
    pub fn revoke_tenant_at(&self, issued_at: Timestamp) -> bool {
        self.tenant_issued_until().is_some_and(|until| issued_at <= until)
    }

    /// Whether a code or refresh tokens of this client, which were granted at this second, have ended with
    /// all tokens of the client or the tenant, or with the credential for which the client got them. If a
    /// revoked credential becomes valid again, the grants from before its revocation stay ended.
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

    /// The last second whose codes and refresh tokens of this client are invalid. The next code needs a later
    /// second.
    #[must_use]
    pub fn granted_until(&self, client: &str) -> Option<Timestamp> {
        let of_client = self.clients.get(client).and_then(|of_client| of_client.all);
        self.tenant_issued_until().max(of_client.map(|ended| ended.issued_until))
    }

    fn tenant_issued_until(&self) -> Option<Timestamp> {
        self.all.map(|ended| ended.issued_until)
    }

    /// The last second whose tokens of this client and credential are invalid. The next token needs a later
    /// second.
    #[must_use]
    pub fn issued_until(&self, client: &str, tag: CredentialTag) -> Option<Timestamp> {
        let of_client = self.clients.get(client);
        let credential = of_client.and_then(|of_client| of_client.credential_until(tag));
        self.tenant_issued_until().max(of_client.and_then(ClientFacts::issued_until)).max(credential)
    }

    /// The last second whose tokens of this person at this client are invalid. The next token needs a later
    /// second.
    #[must_use]
    pub fn issued_until_of(&self, client: &str, person: PersonOfToken<'_>) -> Option<Timestamp> {
        self.people.of(client, person).into_iter().flatten().max()
    }

    /// Whether this grant has ended: no token follows from it any more.
    #[must_use]
    pub fn is_grant_revoked(&self, grant: &str) -> bool {
        self.people.grants.get(grant).is_some()
    }

    /// Whether a person has taken back the consent to this client, at this second or later.
    #[must_use]
    pub fn is_consent_revoked_since(&self, account: &str, client: &str, allowed_at: Timestamp) -> bool {
        let until = self.people.consents.get(account).and_then(|clients| clients.get(client));
        until.is_some_and(|until| allowed_at <= *until)
    }

    /// Each revocation, in no order. A single token has the time of its expiry only.
    pub fn iter(&self) -> impl Iterator<Item = (RevokedSubject, Timestamp)> {
        self.select(|_| true)
    }

    /// The revocations that access tokens still need.
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

    /// The estimated bytes in memory.
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
    /// Moves forward only.
    fn add(ended: &mut Option<Self>, issued_until: Timestamp, published_until: Timestamp) {
        let known = ended.get_or_insert(Self { issued_until, published_until });
        known.issued_until = known.issued_until.max(issued_until);
        known.published_until = known.published_until.max(published_until);
    }
}

impl ClientFacts {
    /// The last second whose access tokens are invalid.
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
    fn a_token_of_a_person_is_revoked_by_its_grant_its_session_its_account_its_consent_and_with_all_people() {
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
    fn a_token_is_revoked_by_what_it_was_issued_for() {
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
    fn codes_and_refresh_tokens_end_with_all_tokens_of_their_client_or_tenant_and_with_no_others() {
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
    fn refresh_tokens_end_with_the_credential_for_which_their_client_got_them() {
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
    fn what_is_kept_for_refresh_tokens_is_not_published() {
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
    fn the_revocation_of_a_token_is_named_from_the_tenant_on() {
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
    fn the_next_token_is_issued_after_the_latest_of_its_revocations() {
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
    fn what_is_new_is_added_and_what_moved_back_or_is_old_is_read_again() {
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
        // The first two are read again, because a transaction that began earlier may have written them.
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

    /// The lists of the tenant are full.
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
