//! The revocations of a tenant. A store may add the allowed difference between the clocks of replicas to its
//! times.

use accounts::AccountId;
use administration::kinds::change::{ChangeKind, KeyChangeKind, SecretChangeKind};
use administration::kinds::{Change, Invalidation};
use keys::life_cycle::KeyTimes;
use registry::{
    Client, ClientId, ClientKeys, CredentialTag, IssuedToken, PersonOfToken, RevokedSubject, TokenRevocation,
};
use sessions::SessionId;
use tenancy::{RefreshTokenPolicy, Tenant, TenantId};
use values::{Lifetime, Timestamp};

use super::{Stores, add, apply as change, commit, published};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

const MINUTE: Lifetime = Lifetime::from_seconds(60);

/// All revoked subjects of a tenant, sorted, without the times.
async fn subjects(stores: &Stores, tenant: &TenantId) -> Vec<RevokedSubject> {
    let facts = stores.find_revocations(tenant).await.unwrap();
    assert_eq!(facts.tenant, *tenant);
    let mut subjects: Vec<_> = facts.iter().map(|(subject, _)| subject).collect();
    subjects.sort();
    subjects
}

/// The last second whose tokens of the subject are revoked.
async fn until(stores: &Stores, tenant: &TenantId, subject: &RevokedSubject) -> Option<Timestamp> {
    let facts = stores.find_revocations(tenant).await.unwrap();
    facts.iter().find(|(known, _)| known == subject).map(|(_, until)| until)
}

fn token(client: &str, jti: &str) -> TokenRevocation {
    let client = fixtures::client_id(client);
    let expires_at = NOW + Lifetime::from_seconds(60);
    TokenRevocation { client, jti: jti.to_owned(), issued_at: NOW, expires_at, sub: None }
}

fn of_token(client: &str, jti: &str) -> RevokedSubject {
    RevokedSubject::Token(fixtures::client_id(client), jti.to_owned())
}

fn of_client(client: &str) -> RevokedSubject {
    RevokedSubject::Client(fixtures::client_id(client))
}

async fn revoke(stores: &Stores, tenant: &TenantId, client: &str, jti: &str) {
    stores.revoke_token(tenant, &token(client, jti), NOW).await.unwrap();
}

fn with_secret(client: Client) -> Client {
    Client { secrets: vec![fixtures::secret("s1")], ..client }
}

/// Two tenants, each with the clients `svc` and `job`.
async fn two_tenants(stores: &Stores) -> [Tenant; 2] {
    let tenants = ["acme", "globex"].map(fixtures::tenant);
    for tenant in &tenants {
        let clients = ["svc", "job"].map(|id| with_secret(fixtures::client(tenant, id)));
        add(stores, tenant, &[&clients[0], &clients[1]]).await;
    }
    tenants
}

/// A tenant that does not exist has none either.
pub async fn new_tenant_has_no_revocations(stores: Stores) {
    let [acme, _] = two_tenants(&stores).await;
    assert_eq!(subjects(&stores, &acme.id).await, []);
    assert_eq!(subjects(&stores, &fixtures::tenant_id("nobody")).await, []);
}

/// The token of one tenant is not the token of the other, and repeating the revocation changes nothing.
pub async fn token_is_revoked_only_in_its_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    revoke(&stores, &acme.id, "svc", "1").await;
    let before = stores.position().await.unwrap();
    revoke(&stores, &acme.id, "svc", "1").await;
    assert_eq!(stores.position().await.unwrap(), before);
    revoke(&stores, &acme.id, "job", "1").await;
    assert_eq!(subjects(&stores, &acme.id).await, [of_token("job", "1"), of_token("svc", "1")]);
    assert_eq!(subjects(&stores, &globex.id).await, []);
}

/// The list is limited. The tokens on it stay revoked.
pub async fn full_token_list_becomes_one_client_revocation(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    for number in 0..TokenRevocation::MOST_OF_CLIENT {
        revoke(&stores, &acme.id, "svc", &number.to_string()).await;
    }
    revoke(&stores, &acme.id, "job", "1").await;
    revoke(&stores, &globex.id, "svc", "1").await;
    assert_eq!(subjects(&stores, &acme.id).await.len(), 1_001);
    revoke(&stores, &acme.id, "svc", "one more").await;
    let of_all = RevokedSubject::AccessTokens(fixtures::client_id("svc"));
    assert_eq!(subjects(&stores, &acme.id).await, [of_all.clone(), of_token("job", "1")]);
    assert!(until(&stores, &acme.id, &of_all).await >= Some(NOW));
    assert_eq!(subjects(&stores, &globex.id).await, [of_token("svc", "1")]);
}

/// Tests revocations of a grant, a session, an account and a consent. Each is only in its tenant, and each is
/// logged.
pub async fn person_tokens_are_revoked_only_in_their_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let all = [
        RevokedSubject::Grant("g".to_owned()),
        RevokedSubject::Session("s".to_owned()),
        RevokedSubject::Account("usr_a".to_owned()),
        RevokedSubject::Consent(fixtures::client_id("svc"), "usr_a".to_owned()),
    ];
    for subject in &all {
        let position = stores.position().await.unwrap();
        stores.revoke_people(&acme.id, subject, Some("usr_a"), NOW).await.unwrap();
        let logged = stores.changes_since(position).await.unwrap();
        assert!(matches!(&logged[..], [(_, Invalidation::Revocations(id))] if *id == acme.id), "{logged:?}");
        let ahead = Lifetime::from_seconds(if subject.ends_for_good() { 60 } else { 0 });
        assert!(until(&stores, &acme.id, subject).await >= Some(NOW + ahead), "{subject:?}");
    }
    assert_eq!(subjects(&stores, &acme.id).await, all);
    assert_eq!(subjects(&stores, &globex.id).await, []);
    // A revocation is kept until a minute after the last token that may have been issued before it, for
    // clocks that differ. A grant is revoked permanently, also for a concurrent request and a clock that is
    // ahead.
    for (subject, left) in [(&all[1], &all[..1]), (&all[0], &all[..0])] {
        let expiry = until(&stores, &acme.id, subject).await.unwrap() + acme.access_token.lifetime + MINUTE;
        let before = expiry.saturating_sub(Lifetime::from_seconds(1));
        assert_eq!(stores.delete_ended_revocations(before).await.unwrap(), 0, "{subject:?}");
        let after = expiry + Lifetime::from_seconds(30);
        stores.delete_ended_revocations(after).await.unwrap();
        assert_eq!(subjects(&stores, &acme.id).await, left);
    }
}

/// A token that a client got for a person's session.
fn token_of<'a>(account: &'a str, session: &'a str, grant: &'a str) -> IssuedToken<'a> {
    let person = PersonOfToken { account, sub: account, session: Some(session), grant: Some(grant) };
    IssuedToken { client: "svc", jti: "1", issued_at: NOW, person: Some(person) }
}

// [shared 2.2]: One person with a public client, or 10 000 ordinary sign-outs, ended the access tokens of all
//   people of a tenant: 10 000 rows became one fact of all people | fixed | Grants, sessions and single
//   tokens of people count for the `sub` of their tokens, 100 of it; one more is one fact of that `sub`, by
//   which a verifier that only polls the feed finds pairwise tokens, too. A tenant's rows are never
//   collapsed. A session without a code and a code without a token write no row. A count reads 101 rows at
//   most. After a change a replica reads the rows that were written since its last reading, and all of them
//   every ten minutes
// [shared 2.12]: The collapse of 2.2 deleted consents that were taken back: codes from before them were
//   redeemed | fixed | Consents are not counted and not deleted; the latest 50 facts of an account stay, too
/// If a person ends very many grants of the own account, they become one revocation of the account.
/// Everything that was revoked stays revoked, including consents.
pub async fn many_grant_revocations_become_one_account_revocation(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let consent = RevokedSubject::Consent(fixtures::client_id("svc"), "usr_a".to_owned());
    stores.revoke_people(&acme.id, &consent, None, NOW).await.unwrap();
    let grant = |number: u64| format!("grant {number}");
    let last = 2 * RevokedSubject::MOST_OF_ACCOUNT;
    for number in 0..=last {
        let subject = RevokedSubject::Grant(grant(number));
        stores.revoke_people(&acme.id, &subject, Some("usr_a"), NOW).await.unwrap();
        let of_person = TokenRevocation { sub: Some("usr_c".to_owned()), ..token("svc", &grant(number)) };
        stores.revoke_token(&acme.id, &of_person, NOW).await.unwrap();
    }
    let facts = stores.find_revocations(&acme.id).await.unwrap();
    let most = usize::try_from(RevokedSubject::MOST_OF_ACCOUNT).unwrap();
    assert!(facts.iter().count() <= 1 + 2 * (1 + most), "{}", facts.iter().count());
    assert!(facts.iter().all(|(subject, _)| subject != RevokedSubject::People));
    for number in [0, last / 2, last] {
        assert!(facts.revoke(token_of("usr_a", "s", &grant(number))), "{number}");
        assert!(facts.revoke(token_of("usr_c", "s", "other")), "{number}");
        assert!(!facts.revoke(token_of("usr_b", "s", "other")), "another person at the same client");
    }
    assert!(facts.is_grant_revoked(&grant(last)), "nothing is issued to a request that is under way");
    assert!(facts.is_consent_revoked_since("usr_a", "svc", NOW));
    assert_eq!(subjects(&stores, &globex.id).await, []);
}

// [shared 2.2]
/// Many people each sign out once.
pub async fn many_sign_outs_revoke_no_tokens_of_others(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let consent = RevokedSubject::Consent(fixtures::client_id("svc"), "usr_a".to_owned());
    stores.revoke_people(&acme.id, &consent, None, NOW).await.unwrap();
    let sign_out = |number: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let session = SessionId::from_bytes(id);
        Change::Sessions(acme.id.clone(), AccountId::from_bytes(id), Some(session))
    };
    commit(&stores, &requests::declared((0..10_000).map(sign_out).collect())).await;
    let known = stores.find_revocations(&acme.id).await.unwrap();
    let session = RevokedSubject::Session("one more".to_owned());
    stores.revoke_people(&acme.id, &session, Some("usr_a"), NOW).await.unwrap();
    let facts = stores.find_later_revocations(&acme.id, &known).await.unwrap();
    assert_eq!(facts.iter().count(), 10_002);
    assert!(facts.revoke(token_of("usr_a", "one more", "g")));
    assert!(!facts.revoke(token_of("usr_b", "s", "g")));
    assert!(facts.is_consent_revoked_since("usr_a", "svc", NOW));
    assert_eq!(subjects(&stores, &globex.id).await, []);
}

/// Tokens have no rows, so their number does not matter.
pub async fn revoking_all_client_tokens_writes_one_row(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    change(&stores, Change::Tokens(acme.id.clone(), Some(fixtures::client_id("svc")))).await;
    assert_eq!(subjects(&stores, &acme.id).await, [of_client("svc")]);
    change(&stores, Change::Tokens(acme.id.clone(), None)).await;
    assert_eq!(subjects(&stores, &acme.id).await, [RevokedSubject::Tenant, of_client("svc")]);
    assert_eq!(subjects(&stores, &globex.id).await, []);
}

/// A replica that does not know the revocation yet may issue more tokens, which are revoked, too. After the
/// row is resumed, only the earlier tokens are revoked.
pub async fn suspended_rows_are_revoked_until_resumed(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let svc = fixtures::client(&acme, "svc");
    let secret = &fixtures::secret("s1");
    let tag = CredentialTag::of_secret(&acme.id, &svc.id, &secret.id);
    let of_secret = |kind| requests::secret(&svc, secret, kind);
    let of_row = |kind| requests::client(kind, &svc, &svc);
    let of_tenant = |kind| requests::tenant(kind, &acme, &acme);
    let resumed = SecretChangeKind::Restored { expires_at: None };
    let credential = RevokedSubject::Credential(svc.id.clone(), tag);
    for (subject, ended, resumed) in [
        (credential, of_secret(SecretChangeKind::Revoked), of_secret(resumed)),
        (of_client("svc"), of_row(ChangeKind::Suspended), of_row(ChangeKind::Resumed)),
        (RevokedSubject::Tenant, of_tenant(ChangeKind::Suspended), of_tenant(ChangeKind::Resumed)),
    ] {
        change(&stores, ended).await;
        let ended = until(&stores, &acme.id, &subject).await.unwrap();
        assert!(ended > NOW + acme.stale_if_error, "{subject:?}: {ended:?}");
        let known = stores.find_revocations(&acme.id).await.unwrap();
        change(&stores, resumed).await;
        let later = stores.find_later_revocations(&acme.id, &known).await.unwrap();
        assert_eq!(
            later.iter().find(|(known, _)| *known == subject).map(|(_, until)| until),
            until(&stores, &acme.id, &subject).await
        );
        let resumed = until(&stores, &acme.id, &subject).await.unwrap();
        assert!(resumed >= NOW && resumed.seconds() + acme.stale_if_error.seconds() < ended.seconds());
    }
    assert_eq!(subjects(&stores, &globex.id).await, []);
    // A row that the files omit for a while is unchanged when they declare it again. A secret that they omit
    // had already expired.
    let job = Client { secrets: Vec::new(), ..fixtures::client(&acme, "job") };
    change(&stores, requests::secret(&job, secret, SecretChangeKind::Removed)).await;
    let of_job = CredentialTag::of_secret(&acme.id, &job.id, &secret.id);
    let of_job = RevokedSubject::Credential(job.id.clone(), of_job);
    assert_eq!(until(&stores, &acme.id, &of_job).await, None);
    for kind in [ChangeKind::Retired, ChangeKind::Restored] {
        change(&stores, requests::client(kind, &job, &job)).await;
    }
    assert_eq!(until(&stores, &acme.id, &of_client("job")).await, None);
    let times = KeyTimes::from_key(&fixtures::key(1));
    let revoked = KeyChangeKind::Revoked { after: times };
    let mut announced = requests::announcing(&acme.id, &[fixtures::key_of(&acme.id, 1)]);
    announced.edit.keys.due.push((acme.id.clone(), None));
    commit(&stores, &announced).await;
    let mut request = requests::declared(vec![requests::key(&acme.id, keys::KeyId::numbered(1), revoked)]);
    request.edit.keys.due.push((acme.id.clone(), None));
    commit(&stores, &request).await;
    let of_key = RevokedSubject::SigningKey("oauth2-key-1".to_owned());
    assert!(until(&stores, &acme.id, &of_key).await > Some(NOW + acme.stale_if_error));
}

/// Keys are compared by thumbprint, so their form and name do not matter.
pub async fn removed_keys_of_a_client_are_revoked(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let jwk = |kid: &str, x: &str| format!(r#"{{"kid":"{kid}","kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    let first = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let with = |keys: &[String]| {
        let keys = ClientKeys::parse(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap();
        Client { keys: Some(keys), secrets: Vec::new(), ..fixtures::client(&acme, "svc") }
    };
    let (one, renamed, none) = (with(&[jwk("a", first)]), with(&[jwk("b", first)]), with(&[]));
    let plain = Client { secrets: Vec::new(), ..fixtures::client(&acme, "svc") };
    let row = |before: &Client, after: &Client| requests::client(ChangeKind::Changed, before, after);
    change(&stores, row(&plain, &one)).await;
    change(&stores, row(&one, &renamed)).await;
    assert_eq!(subjects(&stores, &acme.id).await, []);
    change(&stores, row(&renamed, &none)).await;
    let tag = CredentialTag::of_key(&acme.id, &plain.id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let credential = RevokedSubject::Credential(plain.id.clone(), tag);
    assert_eq!(subjects(&stores, &acme.id).await, std::slice::from_ref(&credential));
    let ended = until(&stores, &acme.id, &credential).await.unwrap();
    change(&stores, row(&none, &one)).await;
    assert!(until(&stores, &acme.id, &credential).await.unwrap() < ended);
    assert_eq!(subjects(&stores, &globex.id).await, []);
}

/// A clock that was set back makes no token valid again.
pub async fn revocation_time_never_moves_back(stores: Stores) {
    let [acme, _] = two_tenants(&stores).await;
    let svc = Some(fixtures::client_id("svc"));
    let far = Timestamp::from_seconds(NOW.seconds() + 3_000_000_000);
    for now in [far, NOW] {
        let request = requests::declared(vec![Change::Tokens(acme.id.clone(), svc.clone())]);
        commit(&stores, &CommitRequest { now, ..request }).await;
        assert!(until(&stores, &acme.id, &of_client("svc")).await >= Some(far));
    }
}

/// Revocations are deleted a minute after the last access token expires, so that a clock that is behind does
/// not accept a token again. The revocation of a single token has the expiry of that token.
pub async fn revocations_are_deleted_after_last_token_expires(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let suspended = RevokedSubject::Account("usr_a".to_owned());
    stores.revoke_people(&acme.id, &suspended, None, NOW).await.unwrap();
    revoke(&stores, &globex.id, "svc", "1").await;
    let last = until(&stores, &acme.id, &suspended).await.unwrap();
    let (of_acme, of_globex) = (last + acme.access_token.lifetime + MINUTE, NOW + MINUTE + MINUTE);
    for (expiry, tenant, rest) in [(of_globex, &globex.id, 1), (of_acme, &acme.id, 0)] {
        let before = expiry.saturating_sub(Lifetime::from_seconds(1));
        assert_eq!(stores.delete_ended_revocations(before).await.unwrap(), 0);
        assert_eq!(subjects(&stores, tenant).await.len(), 1);
        assert_eq!(stores.delete_ended_revocations(expiry).await.unwrap(), 1);
        assert_eq!(subjects(&stores, tenant).await, []);
        assert_eq!(subjects(&stores, &acme.id).await.len(), rest);
    }
}

// [revocation ours]
/// Such revocations also end refresh tokens, so they are kept for the lifetime of refresh tokens. Verifiers
/// see them only for the lifetime of access tokens.
pub async fn tenant_client_and_credential_revocations_outlive_refresh_tokens(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let svc = Client { secrets: Vec::new(), ..fixtures::client(&acme, "svc") };
    change(&stores, Change::Tokens(acme.id.clone(), None)).await;
    change(&stores, requests::client(ChangeKind::Suspended, &svc, &svc)).await;
    change(&stores, requests::client(ChangeKind::Resumed, &svc, &svc)).await;
    change(&stores, Change::Tokens(globex.id.clone(), Some(fixtures::client_id("job")))).await;
    let (other, secret) = (fixtures::client(&globex, "svc"), fixtures::secret("s1"));
    change(&stores, requests::secret(&other, &secret, SecretChangeKind::Revoked)).await;
    let tag = CredentialTag::of_secret(&globex.id, &other.id, &secret.id);
    let all = [
        (&acme.id, RevokedSubject::Tenant),
        (&acme.id, of_client("svc")),
        (&globex.id, of_client("job")),
        (&globex.id, RevokedSubject::Credential(other.id.clone(), tag)),
    ];
    let of_acme = until(&stores, &acme.id, &RevokedSubject::Tenant).await.unwrap();
    let mut first_and_last = Vec::new();
    for (tenant, subject) in &all {
        let facts = stores.find_revocations(tenant).await.unwrap();
        let last = until(&stores, tenant, subject).await.unwrap();
        first_and_last.push(last);
        let (client, credential) = match subject {
            RevokedSubject::Client(client) => (client, None),
            RevokedSubject::Credential(client, tag) => (client, Some(*tag)),
            _ => continue,
        };
        let revoke = |client: &ClientId, at| facts.revoke_grant(client.as_str(), credential, at);
        assert!(revoke(client, last), "{subject:?}");
        assert_eq!(revoke(&fixtures::client_id("other"), of_acme), *tenant == &acme.id, "of the tenant");
        assert!(!revoke(client, last + Lifetime::from_seconds(1)), "{subject:?}");
        let is_published = |after: u64| {
            let at = last + Lifetime::from_seconds(after + acme.access_token.lifetime.seconds());
            facts.of_access_tokens(at).any(|(published, _)| published == *subject)
        };
        assert!(is_published(59), "{subject:?}");
        let (stale, margins) = (acme.stale_if_error.seconds(), 200);
        assert!(!is_published(stale + margins), "{subject:?}");
    }
    first_and_last.sort();
    let [first, .., last] = first_and_last[..] else { panic!("{first_and_last:?}") };
    let longest = first + RefreshTokenPolicy::LONGEST;
    assert_eq!(stores.delete_ended_revocations(longest).await.unwrap(), 0);
    for (tenant, subject) in &all {
        assert!(until(&stores, tenant, subject).await.is_some(), "{subject:?}");
    }
    let later = last + RefreshTokenPolicy::LONGEST + Lifetime::from_seconds(2 * 86_400);
    assert_eq!(stores.delete_ended_revocations(later).await.unwrap(), 4);
}

/// The id stays reserved, so none of the client's other credentials can be used again.
pub async fn deleted_client_leaves_an_access_token_revocation(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let svc = Client { secrets: Vec::new(), ..fixtures::client(&acme, "svc") };
    change(&stores, requests::client(ChangeKind::Deleted, &svc, &svc)).await;
    let left = RevokedSubject::AccessTokens(svc.id);
    assert_eq!(subjects(&stores, &acme.id).await, std::slice::from_ref(&left));
    assert_eq!(subjects(&stores, &globex.id).await, []);
    let later = until(&stores, &acme.id, &left).await.unwrap() + Lifetime::from_seconds(2 * 86_400);
    assert_eq!(stores.delete_ended_revocations(later).await.unwrap(), 1);
}

/// Replicas read the log to drop cached rows.
pub async fn each_revocation_is_logged(stores: Stores) {
    let [acme, _] = two_tenants(&stores).await;
    let position = async || stores.position().await.unwrap();
    let revocations = Invalidation::Revocations(acme.id.clone());
    let start = position().await;
    revoke(&stores, &acme.id, "svc", "1").await;
    assert_eq!(published(&stores, start).await, std::slice::from_ref(&revocations));
    let start = position().await;
    change(&stores, Change::Tokens(acme.id.clone(), None)).await;
    assert_eq!(published(&stores, start).await, std::slice::from_ref(&revocations));
    let (start, svc) = (position().await, fixtures::client(&acme, "svc"));
    change(&stores, requests::client(ChangeKind::Suspended, &svc, &svc)).await;
    let client = Invalidation::Client(acme.id.clone(), svc.id.clone());
    assert_eq!(published(&stores, start).await, [client, revocations]);
}
