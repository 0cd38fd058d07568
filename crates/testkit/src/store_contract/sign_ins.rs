//! Sessions, codes, and the consents of people.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use accounts::{Account, AccountId, Authentication};
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::AdministrationStore;
use grants::{
    AuthorizationCode, CodeNotIssued, CodeProof, CodeWrite, Consent, ConsentedResources, Granted,
    MostWaiting, OneTime, OneTimeContent, OneTimeKey, OneTimeStore, OneTimeUse, PushedRequest,
};
use registry::RevokedSubject;
use secrets::{CallerAddress, Pepper};
use sessions::{SessionToken, SessionWrite, Sessions, SignInBrowser, SignedIn};
use tenancy::{SessionPolicy, TenantId};
use values::Timestamp;

use super::people::{at, client, device_code, person};
use super::{Stores, add, commit};
use crate::fixtures::{self};
use crate::requests::{self, CommitRequest, account};

/// The slot is the partition for codes that were issued in the first minute.
pub(super) const CODE: OneTimeKey = OneTimeKey { slot: 1, digest: [7; 32] };
const CALLBACK: &str = "https://app.example.com/cb?a=ä";

pub(super) fn sessions(stores: &Stores) -> Sessions {
    let pepper = Pepper::from_bytes(zeroize::Zeroizing::new([7; 32]));
    Sessions::new(stores.clone(), &pepper)
}

/// A new session of this person, which must be written, and its cookie.
pub fn begin(
    stores: &Stores,
    person: &Account,
    before: Option<&SignedIn>,
    now: Timestamp,
) -> (SessionWrite, SessionToken) {
    begin_in(stores, person, before, now, false)
}

/// Begins a session in a browser. The person may want to stay signed in.
pub(super) fn begin_in(
    stores: &Stores,
    person: &Account,
    before: Option<&SignedIn>,
    now: Timestamp,
    remembers: bool,
) -> (SessionWrite, SessionToken) {
    let proof = Authentication::unproven(person.tenant.clone(), person.id.clone(), now);
    let source = Some(IpAddr::V6(Ipv6Addr::LOCALHOST));
    let browser = SignInBrowser { user_agent: "Browser/1.0 “ä”", source, before, remembers };
    sessions(stores).begin(&proof, SessionPolicy::default(), browser, now)
}

pub(super) fn code_of(write: &SessionWrite) -> OneTime<AuthorizationCode> {
    let session = write.session();
    let created_at = session.last_seen_at;
    let content = AuthorizationCode {
        account: session.account.clone(),
        session_slot: session.slot,
        session: session.id.clone(),
        redirect_uri: CALLBACK.to_owned(),
        code_challenge: Some([9; 32]),
        granted: Granted {
            scope: Some("openid email".to_owned()),
            nonce: Some("“n”".to_owned()),
            auth_time: 5,
            amr: vec!["pwd".to_owned()],
            ..Granted::default()
        },
        created_at,
    };
    OneTime::new(&session.tenant, &client("web"), CODE, content, created_at)
}

/// Another code of the same session, with this digest.
pub(super) fn numbered(number: u8, of: &SessionWrite) -> OneTime<AuthorizationCode> {
    OneTime { key: OneTimeKey { digest: [number; 32], ..CODE }, ..code_of(of) }
}

pub(super) async fn write_code(
    stores: &Stores,
    code: &OneTime<AuthorizationCode>,
    session: Option<&SessionWrite>,
    consent: Option<&Consent>,
) {
    let write = CodeWrite { code, session, consent, pushed: None };
    assert_eq!(stores.write_code(&code.tenant, &write).await.unwrap(), Ok(()));
}

/// A person allows a client `openid`.
fn consent(person: &Account, id: &str, granted_at: Timestamp) -> Consent {
    Consent {
        account: person.id.clone(),
        client: client(id),
        scopes: vec!["openid".to_owned()],
        hosts: vec!["app.example.com".to_owned()],
        client_name: None,
        resources: None,
        granted_at,
    }
}

/// The correct use of the code by this client.
pub(super) fn use_of(id: &str) -> OneTimeUse<AuthorizationCode> {
    let proof = CodeProof { redirect_uri: CALLBACK.to_owned(), code_challenge: Some([9; 32]) };
    OneTimeUse { key: CODE, client: client(id), proof, family: None }
}

pub(super) async fn redeem(
    stores: &Stores,
    tenant: &TenantId,
    used: &OneTimeUse<AuthorizationCode>,
    now: Timestamp,
) -> Option<OneTime<AuthorizationCode>> {
    super::codes(stores).use_up(tenant, used, now).await.unwrap()
}

/// Signs a person in, who allows a client a code. In addition, another session of the person has ended, a
/// device waits, and the client has pushed another request.
pub async fn sign_in(stores: &Stores, person: &Account) {
    let (write, _) = begin(stores, person, None, at(0));
    let consent = consent(person, "web", at(0));
    write_code(stores, &code_of(&write), Some(&write), Some(&consent)).await;
    super::refresh_families::redeem_with_family(&*super::codes(stores), &person.tenant).await;
    assert!(push(stores, &pushed(&person.tenant, 1), 9, at(0)).await);
    let (ended, token) = begin(stores, person, None, at(0));
    let ended_code = numbered(9, &ended);
    write_code(stores, &ended_code, Some(&ended), None).await;
    let of = sessions(stores);
    let signed_in = of.find(&person.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap().unwrap();
    of.end(&person.tenant, &signed_in, at(1)).await.unwrap();
    let device = device_code(&person.tenant, 1);
    assert!(super::devices(stores).add(&person.tenant, &device, 20, at(0)).await.unwrap());
}

// [V7 7.2.1]: 1 | The server checks sessions | Each request with the cookie reads the row, and compares the
//   digest of the cookie's secret. No cache has sessions
/// A session is found by its own cookie, at its own tenant, until it ends. A new cookie of the same session
/// replaces the previous one.
pub async fn session_is_found_by_its_cookie_and_tenant(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let of = sessions(&stores);
    let (write, token) = begin(&stores, &ada, None, at(0));
    assert!(of.write(&write).await.unwrap());
    write_code(&stores, &code_of(&write), None, None).await;
    let found = of.find(&ada.tenant, SessionPolicy::default(), &token, at(10)).await.unwrap().unwrap();
    assert_eq!(found.session(), write.session());
    let proof = Authentication::unproven(ada.tenant.clone(), ada.id.clone(), at(0));
    let browser = SignInBrowser { user_agent: "", source: None, before: None, remembers: true };
    let (remembered, cookie) = of.begin(&proof, SessionPolicy::default(), browser, at(0));
    assert!(of.write(&remembered).await.unwrap());
    let stays = of.find(&ada.tenant, SessionPolicy::default(), &cookie, at(10)).await.unwrap().unwrap();
    assert!(stays.session().remembered && stays.session() == remembered.session());
    assert_eq!(of.find(&other.tenant, SessionPolicy::default(), &token, at(10)).await.unwrap(), None);
    let (_, unwritten) = begin(&stores, &ada, None, at(0));
    assert_eq!(of.find(&ada.tenant, SessionPolicy::default(), &unwritten, at(10)).await.unwrap(), None);

    let (again, next) = begin(&stores, &ada, Some(&found), at(20));
    assert_eq!(again.session().id, write.session().id, "the same person goes on");
    assert!(of.write(&again).await.unwrap());
    assert_eq!(
        of.find(&ada.tenant, SessionPolicy::default(), &token, at(30)).await.unwrap(),
        None,
        "the cookie before opens nothing"
    );
    let found = of.find(&ada.tenant, SessionPolicy::default(), &next, at(30)).await.unwrap().unwrap();
    assert_eq!(found.session().authenticated_at, at(20));
    assert!(
        of.find(&ada.tenant, SessionPolicy::default(), &next, at(20 + 8 * 3_600)).await.unwrap().is_some(),
        "and its use is noted"
    );
    assert!(
        of.find(&ada.tenant, SessionPolicy::default(), &next, at(20 + 15 * 3_600)).await.unwrap().is_some()
    );
    of.end(&ada.tenant, &found, at(60_000)).await.unwrap();
    assert_eq!(of.find(&ada.tenant, SessionPolicy::default(), &next, at(60_000)).await.unwrap(), None);
    // The session gave no client a code, so it has no tokens.
    of.end(&ada.tenant, &stays, at(60_000)).await.unwrap();
    let ended = RevokedSubject::Session(found.session().id.as_str().to_owned());
    assert_eq!(
        revoked(&stores, &ada.tenant).await,
        [ended],
        "its tokens end with it, and with its last cookie only"
    );
    assert_eq!(revoked(&stores, &other.tenant).await, []);
}

async fn revoked(stores: &Stores, tenant: &TenantId) -> Vec<RevokedSubject> {
    let facts = stores.find_revocations(tenant).await.unwrap();
    facts.iter().map(|(subject, _)| subject).collect()
}

// [V7 7.2.4]
/// If another person signs in in the same browser, the previous session ends.
pub async fn new_session_replaces_the_previous_session(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let of = sessions(&stores);
    let (write, token) = begin(&stores, &ada, None, at(0));
    assert!(of.write(&write).await.unwrap());
    write_code(&stores, &code_of(&write), None, None).await;
    let before = of.find(&ada.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap().unwrap();
    let bob = account(&ada.tenant, 2, &["bob@example.com"]);
    let added = Change::Account(requests::row(ChangeKind::Added, None, &bob));
    commit(&stores, &requests::declared(vec![added])).await;
    let (write, next) = begin(&stores, &bob, Some(&before), at(2));
    assert!(of.write(&write).await.unwrap());
    assert_eq!(of.find(&ada.tenant, SessionPolicy::default(), &token, at(3)).await.unwrap(), None);
    assert_eq!(
        of.find(&ada.tenant, SessionPolicy::default(), &next, at(3)).await.unwrap().unwrap().account(),
        &bob.id
    );
    let ended = RevokedSubject::Session(before.session().id.as_str().to_owned());
    assert_eq!(revoked(&stores, &ada.tenant).await, [ended]);
}

/// If a person signs in again during a sign-out, the ended session does not continue: neither the session nor
/// its tokens become valid again, in any partition.
pub async fn ended_session_is_not_resumed_by_next_sign_in(stores: Stores) {
    let of = sessions(&stores);
    let week = 7 * 86_400;
    for (tenant, again_at) in [("acme", 10), ("globex", week)] {
        let ada = person(&stores, tenant).await;
        let (write, _) = begin(&stores, &ada, None, at(0));
        write_code(&stores, &code_of(&write), Some(&write), None).await;
        let family = super::refresh_families::redeem_with_family(&*super::codes(&stores), &ada.tenant).await;
        // Read before the session ended, and written after.
        let before = write.signed_in();
        of.end(&ada.tenant, &before, at(5)).await.unwrap();
        let (again, token) = begin(&stores, &ada, Some(&before), at(again_at));
        assert_eq!(again.session().id, write.session().id);
        assert_eq!(again.session().slot == write.session().slot, again_at == 10);
        assert!(!of.write(&again).await.unwrap(), "{tenant}");
        let consent = consent(&ada, "web", at(again_at));
        let until = at(again_at + 60);
        let request = OneTime { valid_until: until, expires_at: until, ..pushed(&ada.tenant, 6) };
        assert!(push(&stores, &request, 9, at(again_at)).await);
        let code = numbered(8, &again);
        let with_session = CodeWrite {
            code: &code,
            session: Some(&again),
            consent: Some(&consent),
            pushed: Some(request.key),
        };
        for _ in 0..2 {
            let written = stores.write_code(&ada.tenant, &with_session).await.unwrap();
            assert_eq!(written, Err(CodeNotIssued::SessionEnded), "and the pushed request is left");
        }
        let found = of.find(&ada.tenant, SessionPolicy::default(), &token, at(again_at)).await.unwrap();
        assert_eq!(found, None);
        let consent = stores.find_consent(&ada.tenant, &ada.id, &client("web")).await;
        assert_eq!(consent.unwrap(), None);
        let policy = SessionPolicy::default();
        let found = stores.find_family(&ada.tenant, &family.key(), policy, at(10)).await;
        let found = found.unwrap().unwrap();
        assert_eq!((found.is_live, found.family.session_slot), (false, Some(write.session().slot)));
        // A sign-in without the previous session begins another one.
        let (anew, token) = begin(&stores, &ada, None, at(again_at));
        assert!(anew.session().id != write.session().id && of.write(&anew).await.unwrap());
        let found = of.find(&ada.tenant, SessionPolicy::default(), &token, at(again_at)).await.unwrap();
        assert!(found.is_some());
    }
}

// [oauth RFC 6749 §4.1.2]
/// A use with any single wrong value is refused, and does not use up the code.
pub async fn code_is_redeemed_once_with_matching_values(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let (write, _) = begin(&stores, &ada, None, at(0));
    let code = code_of(&write);
    write_code(&stores, &code, Some(&write), None).await;
    let right = use_of("web");
    let proving = |redirect_uri: &str, code_challenge| {
        let proof = CodeProof { redirect_uri: redirect_uri.to_owned(), code_challenge };
        OneTimeUse { proof, ..right.clone() }
    };
    let of_another = use_of("another");
    for wrong in [
        of_another.clone(),
        proving("https://app.example.com/cb", Some([9; 32])),
        proving(CALLBACK, None),
        proving(CALLBACK, Some([8; 32])),
        OneTimeUse { key: OneTimeKey { slot: 4, ..CODE }, ..right.clone() },
        OneTimeUse { key: OneTimeKey { digest: [6; 32], ..CODE }, ..right.clone() },
    ] {
        assert_eq!(redeem(&stores, &ada.tenant, &wrong, at(1)).await, None, "{wrong:?}");
    }
    assert_eq!(redeem(&stores, &other.tenant, &right, at(1)).await, None);
    assert_eq!(redeem(&stores, &ada.tenant, &right, at(60)).await, None, "too late");
    let find = async |tenant| super::codes(&stores).find(tenant, &CODE).await.unwrap();
    assert_eq!(find(&ada.tenant).await, Some(code.clone()));
    let used = OneTime { used_at: Some(at(59)), ..code };
    assert_eq!(redeem(&stores, &ada.tenant, &right, at(59)).await, Some(used.clone()));
    for again in [&right, &of_another] {
        assert_eq!(redeem(&stores, &ada.tenant, again, at(70)).await, None);
    }
    let found = find(&ada.tenant).await.unwrap();
    assert_eq!((found.used_at, &found.account, &found.granted), (used.used_at, &ada.id, &Granted::default()));
    assert_eq!(find(&other.tenant).await, None);
}

// [oauth RFC 6749 §4.1.2]
/// The result is the same with any number of connections.
pub async fn concurrent_code_redemptions_succeed_once(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (write, _) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    assert_eq!(first_uses(super::codes(&stores), &ada.tenant, &use_of("web"), at(1)).await, 1);
}

/// How many of a hundred concurrent uses succeed. Only one must.
pub(super) async fn first_uses<T: OneTimeContent>(
    store: Arc<dyn OneTimeStore<T>>,
    tenant: &TenantId,
    used: &OneTimeUse<T>,
    now: Timestamp,
) -> usize {
    let attempts = (0..100).map(|_| {
        let (store, tenant, used) = (store.clone(), tenant.clone(), used.clone());
        tokio::spawn(async move { store.use_up(&tenant, &used, now).await.unwrap().is_some() })
    });
    let mut first = 0;
    for attempt in Vec::from_iter(attempts) {
        first += usize::from(attempt.await.unwrap());
    }
    first
}

// [V7 7.4.1]
/// A code also ends if its session or account ends before it is redeemed.
pub async fn code_ends_with_its_session_or_account(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let of = sessions(&stores);
    let (write, token) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    let signed_in = of.find(&ada.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap().unwrap();
    of.end(&ada.tenant, &signed_in, at(1)).await.unwrap();
    assert_eq!(redeem(&stores, &ada.tenant, &use_of("web"), at(2)).await, None);

    let bob = person(&stores, "globex").await;
    let (write, token) = begin(&stores, &bob, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    let suspended = Account { status: accounts::AccountStatus::Suspended, ..bob.clone() };
    let change = Change::Account(requests::row(ChangeKind::Suspended, Some(&bob), &suspended));
    super::accounts::change(&stores, at(1), vec![change]).await;
    assert_eq!(
        of.find(&bob.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap(),
        None,
        "nobody is signed in"
    );
    assert_eq!(redeem(&stores, &bob.tenant, &use_of("web"), at(2)).await, None);
}

/// Each person has one row for each client.
pub async fn consent_round_trips(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (write, _) = begin(&stores, &ada, None, at(0));
    let consent = Consent {
        scopes: vec!["email".to_owned(), "openid".to_owned()],
        client_name: Some("Wéb \u{201c}1\u{201d}".to_owned()),
        resources: Some(ConsentedResources::new(&["urn:ä".to_owned()], ["email", "openid"].into_iter())),
        ..consent(&ada, "web", at(5))
    };
    write_code(&stores, &code_of(&write), Some(&write), Some(&consent)).await;
    let of = |tenant: &TenantId, account: &AccountId, id: &str| {
        let (stores, tenant, account, id) = (stores.clone(), tenant.clone(), account.clone(), client(id));
        async move { stores.find_consent(&tenant, &account, &id).await.unwrap() }
    };
    assert_eq!(of(&ada.tenant, &ada.id, "web").await, Some(consent.clone()));
    let globex = fixtures::tenant_id("globex");
    let stranger = AccountId::from_bytes([8; 16]);
    assert_eq!(of(&ada.tenant, &ada.id, "another").await, None);
    assert_eq!(of(&globex, &ada.id, "web").await, None);
    assert_eq!(of(&ada.tenant, &stranger, "web").await, None);
    let client_name = Some("Another".to_owned());
    let more = Consent { scopes: vec!["openid".to_owned()], client_name, granted_at: at(6), ..consent };
    let code = numbered(8, &write);
    write_code(&stores, &code, None, Some(&more)).await;
    assert_eq!(of(&ada.tenant, &ada.id, "web").await, Some(more));
}

/// The list includes ended sessions, the most recently used first, and no sessions of another account or
/// tenant.
pub async fn sessions_of_an_account_are_listed_and_ended(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let of = sessions(&stores);
    let mut tokens = Vec::new();
    for (person, seconds) in [(&ada, 0), (&ada, 5), (&other, 7)] {
        let (write, token) = begin(&stores, person, None, at(seconds));
        assert!(of.write(&write).await.unwrap());
        tokens.push((write, token));
    }
    let listed = async |tenant: &TenantId, account: &AccountId| {
        let found = stores.list_sessions(tenant, account).await.unwrap();
        assert!(
            found.iter().all(|found| found.session.tenant == *tenant && found.session.account == *account)
        );
        found
            .into_iter()
            .map(|found| (found.session.id.clone(), found.is_valid(SessionPolicy::default(), at(10))))
            .collect::<Vec<_>>()
    };
    let id = |at: usize| tokens[at].0.session().id.clone();
    assert_eq!(listed(&ada.tenant, &ada.id).await, [(id(1), true), (id(0), true)]);
    assert_eq!(listed(&other.tenant, &ada.id).await, [(id(2), true)], "they have one id at each tenant");
    assert_eq!(listed(&ada.tenant, &AccountId::from_bytes([9; 16])).await, []);

    // Sessions of another tenant or another account do not end.
    for (tenant, account) in [(&other.tenant, &ada.id), (&ada.tenant, &AccountId::from_bytes([9; 16]))] {
        let change = Change::Sessions(tenant.clone(), account.clone(), Some(id(1)));
        super::accounts::change(&stores, at(8), vec![change]).await;
    }
    assert_eq!(listed(&ada.tenant, &ada.id).await.len(), 2);
    let change = Change::Sessions(ada.tenant.clone(), ada.id.clone(), Some(id(1)));
    super::accounts::change(&stores, at(8), vec![change]).await;
    assert!(of.find(&ada.tenant, SessionPolicy::default(), &tokens[1].1, at(9)).await.unwrap().is_none());
    assert!(of.find(&ada.tenant, SessionPolicy::default(), &tokens[0].1, at(9)).await.unwrap().is_some());

    // All sessions end, including those of the same second, but no later ones.
    let (same_second, token) = begin(&stores, &ada, None, at(9));
    assert!(of.write(&same_second).await.unwrap());
    let change = Change::Sessions(ada.tenant.clone(), ada.id.clone(), None);
    super::accounts::change(&stores, at(9), vec![change]).await;
    for token in [&tokens[0].1, &token] {
        assert!(of.find(&ada.tenant, SessionPolicy::default(), token, at(10)).await.unwrap().is_none());
    }
    assert!(listed(&ada.tenant, &ada.id).await.iter().all(|(_, is_valid)| !is_valid));
    assert!(of.find(&other.tenant, SessionPolicy::default(), &tokens[2].1, at(10)).await.unwrap().is_some());
    let (later, token) = begin(&stores, &ada, None, at(10));
    assert!(of.write(&later).await.unwrap());
    assert!(of.find(&ada.tenant, SessionPolicy::default(), &token, at(10)).await.unwrap().is_some());
}

/// Signs a person out everywhere. The person has several sessions at this tenant, each with a client.
pub async fn sign_out_everywhere(stores: &Stores, tenant: &str, times: u8) -> CommitRequest {
    let person = person(stores, tenant).await;
    for number in 0..times {
        let (write, _) = begin(stores, &person, None, at(u64::from(number)));
        let code = numbered(number, &write);
        write_code(stores, &code, Some(&write), None).await;
    }
    let ended = Change::Sessions(person.tenant.clone(), person.id, None);
    super::accounts::request(stores, at(1_000), vec![ended]).await
}

/// Returns how many sessions of the account are valid afterwards, and how many are not.
pub async fn signed_in_and_out(store: &dyn AdministrationStore, request: &CommitRequest) -> (usize, usize) {
    let [Change::Sessions(tenant, account, _)] = &request.edit.changes[..] else { panic!("{request:?}") };
    let found = store.list_sessions(tenant, account).await.unwrap();
    let valid = found.iter().filter(|found| found.is_valid(SessionPolicy::default(), request.now)).count();
    (valid, found.len() - valid)
}

/// Consents are deleted individually, or all together with the account.
pub async fn consents_of_an_account_are_listed_and_deleted(stores: Stores) {
    let other = person(&stores, "globex").await;
    // The account is managed by the API, which may then delete it.
    let ada = account(&add(&stores, &fixtures::tenant("acme"), &[]).await, 1, &["ada@example.com"]);
    let added = Change::Account(requests::row(ChangeKind::Added, None, &ada));
    super::accounts::change(&stores, at(0), vec![added]).await;
    for person in [&ada, &other] {
        for (number, id) in [(1, "web"), (2, "app")] {
            let (write, _) = begin(&stores, person, None, at(0));
            let consent = consent(person, id, at(number));
            let code = numbered(u8::try_from(number).unwrap(), &write);
            let stores = &stores;
            let write =
                CodeWrite { code: &code, session: Some(&write), consent: Some(&consent), pushed: None };
            assert_eq!(stores.write_code(&person.tenant, &write).await.unwrap(), Ok(()));
        }
    }
    let listed = async |person: &Account| {
        let found = stores.list_consents(&person.tenant, &person.id).await.unwrap();
        found.into_iter().map(|row| (row.client.to_string(), row.scopes, row.granted_at)).collect::<Vec<_>>()
    };
    let row = |id: &str, seconds| (id.to_owned(), vec!["openid".to_owned()], at(seconds));
    assert_eq!(listed(&ada).await, [row("app", 2), row("web", 1)]);
    let change = Change::Consent(ada.tenant.clone(), ada.id.clone(), client("app"));
    super::accounts::change(&stores, at(3), vec![change]).await;
    assert_eq!(listed(&ada).await, [row("web", 1)]);
    let deleted = Change::Account(requests::row(ChangeKind::Deleted, Some(&ada), &ada));
    super::accounts::change(&stores, at(4), vec![deleted]).await;
    assert_eq!(listed(&ada).await, []);
    assert_eq!(listed(&other).await.len(), 2);
}

fn pushed(tenant: &TenantId, number: u8) -> OneTime<PushedRequest> {
    let content = PushedRequest {
        parameters: "scope=openid&state=“ä”".to_owned(),
        pushed_from: Some("192.0.2.1/".to_owned()),
        opened_at: None,
    };
    let key = OneTimeKey { slot: OneTimeKey::RING.slot(at(3_660)), digest: [number; 32] };
    OneTime::new(tenant, &client("web"), key, content, at(0))
}

async fn push(stores: &Stores, request: &OneTime<PushedRequest>, of_client: u32, now: Timestamp) -> bool {
    let most = MostWaiting { of_client, of_source: of_client, of_site: of_client };
    super::pushed(stores).add(&request.tenant, request, most, now).await.unwrap()
}

/// A pushed request is found in its tenant, until it expires or a code is issued for it.
pub async fn pushed_request_is_found_until_used(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let request = pushed(&ada.tenant, 5);
    assert!(push(&stores, &request, 9, at(0)).await);
    let find = async |tenant: &TenantId, key| super::pushed(&stores).find(tenant, &key).await.unwrap();
    let key = request.key;
    assert_eq!(find(&ada.tenant, key).await, Some(request.clone()));
    assert_eq!(find(&other.tenant, key).await, None);
    assert_eq!(find(&ada.tenant, OneTimeKey { slot: 4, ..key }).await, None);
    assert_eq!(find(&ada.tenant, OneTimeKey { digest: [6; 32], ..key }).await, None);

    let (write, token) = begin(&stores, &ada, None, at(1));
    let (code, used) = (code_of(&write), Err(CodeNotIssued::RequestUsed));
    for wrong in [OneTimeKey { slot: 4, ..key }, OneTimeKey { digest: [6; 32], ..key }] {
        let write = CodeWrite { code: &code, session: Some(&write), consent: None, pushed: Some(wrong) };
        assert_eq!(stores.write_code(&ada.tenant, &write).await.unwrap(), used);
    }
    assert_eq!(
        sessions(&stores).find(&ada.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap(),
        None,
        "nothing is written"
    );
    let right = CodeWrite { code: &code, session: Some(&write), consent: None, pushed: Some(key) };
    let (elsewhere, _) = begin(&stores, &other, None, at(1));
    let of_other = code_of(&elsewhere);
    let at_other = CodeWrite { code: &of_other, session: Some(&elsewhere), ..right };
    assert_eq!(stores.write_code(&other.tenant, &at_other).await.unwrap(), used);
    assert_eq!(stores.write_code(&ada.tenant, &right).await.unwrap(), Ok(()));
    let found = find(&ada.tenant, key).await.unwrap();
    assert_eq!((found.used_at, found.parameters.as_str()), (Some(at(1)), ""));
    let second = numbered(8, &write);
    let again = CodeWrite { code: &second, session: None, ..right };
    assert_eq!(stores.write_code(&ada.tenant, &again).await.unwrap(), used);
}

// [core RFC 9126 §4]
/// The result is the same with any number of connections.
pub async fn pushed_request_gives_only_one_code(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (write, _) = begin(&stores, &ada, None, at(0));
    assert!(sessions(&stores).write(&write).await.unwrap());
    let request = pushed(&ada.tenant, 5);
    assert!(push(&stores, &request, 9, at(0)).await);
    let attempts: Vec<_> = (0..100)
        .map(|number| {
            let (stores, tenant, key) = (stores.clone(), ada.tenant.clone(), request.key);
            let code = numbered(number, &write);
            tokio::spawn(async move {
                let write = CodeWrite { code: &code, session: None, consent: None, pushed: Some(key) };
                stores.write_code(&tenant, &write).await.unwrap().is_ok()
            })
        })
        .collect();
    let mut issued = 0;
    for attempt in attempts {
        issued += u32::from(attempt.await.unwrap());
    }
    assert_eq!(issued, 1);
}

/// The limit is for one client of one tenant. Expired and used requests do not count.
pub async fn pushed_requests_of_a_client_are_limited(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let request = |number| pushed(&ada.tenant, number);
    for number in 0..3 {
        assert!(push(&stores, &request(number), 3, at(0)).await);
    }
    assert!(!push(&stores, &request(3), 3, at(1)).await);
    let of_another = OneTime { client: client("another"), ..request(4) };
    assert!(push(&stores, &of_another, 3, at(1)).await);
    assert!(push(&stores, &pushed(&other.tenant, 1), 3, at(1)).await);
    let (write, _) = begin(&stores, &ada, None, at(1));
    let code = code_of(&write);
    let write = CodeWrite { code: &code, session: Some(&write), consent: None, pushed: Some(request(0).key) };
    assert_eq!(stores.write_code(&ada.tenant, &write).await.unwrap(), Ok(()));
    assert!(push(&stores, &request(3), 3, at(2)).await);
    assert!(!push(&stores, &request(5), 3, at(59)).await);
    assert!(push(&stores, &request(5), 3, at(60)).await);
}

// [shared 2.5]: One address used up the pushed requests of a public client, and filled the store with unknown
//   parameters | fixed | 20 waiting requests of one address and 200 of one IPv6 site for a public client, in
//   the statement that inserts; 2 000 of each client. Only parameters that the authorization endpoint reads
//   are kept; what was used or never opened is deleted within three minutes
/// The limit for an address is lower, so a single address leaves room for others.
pub async fn pushed_requests_of_an_address_are_limited(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let most = MostWaiting { of_client: 6, of_source: 2, of_site: 3 };
    let push = async |request: OneTime<PushedRequest>, now| {
        super::pushed(&stores).add(&request.tenant, &request, most, now).await.unwrap()
    };
    let from = |source: &str, number| {
        let mut request = pushed(&ada.tenant, number);
        request.content.pushed_from = Some(CallerAddress::new(Some(source.parse().unwrap())).key());
        request
    };
    assert!(push(from("192.0.2.1", 1), at(0)).await && push(from("192.0.2.1", 2), at(0)).await);
    assert!(!push(from("192.0.2.1", 3), at(1)).await);
    assert!(push(from("192.0.2.2", 3), at(1)).await, "another address");
    assert!(push(OneTime { client: client("another"), ..from("192.0.2.1", 4) }, at(1)).await);
    assert!(push(pushed(&other.tenant, 1), at(1)).await);
    for (network, number) in [("2001:db8:7:1::", 5), ("2001:db8:7:2::", 6), ("2001:db8:7:3::", 7)] {
        assert!(push(from(network, number), at(1)).await, "{network}");
        assert!(number < 7 || !push(from("2001:db8:7:4::", 8), at(1)).await, "another network of its site");
    }
    assert!(!push(from("192.0.2.10", 8), at(1)).await, "the client has as many as it may");
    assert!(push(from("192.0.2.1", 8), at(60)).await);
}

// [shared 2.4]: A person filled the store with codes: no count, a `nonce` of 2 KB, rows for a day | fixed |
//   20 codes of a session for a client and 60 for all its clients in a minute, counted in the statement that
//   notes the client of a code; beyond it `temporarily_unavailable` at the redirect URI. `nonce` up to 512
//   bytes. A code that was not redeemed is deleted within three minutes
/// There is a limit for one client, and one for all clients together. Codes over the limit are not stored,
/// and each minute counts from zero.
pub async fn codes_of_a_session_are_limited_per_minute(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let (session, _) = begin(&stores, &ada, None, at(0));
    let (elsewhere, _) = begin(&stores, &other, None, at(0));
    let (another, _) = begin(&stores, &ada, None, at(0));
    for write in [&session, &elsewhere, &another] {
        assert!(sessions(&stores).write(write).await.unwrap());
    }
    let issue = async |of: &SessionWrite, id: &str, number: u8, now| {
        let mut code = OneTime { client: client(id), ..numbered(number, of) };
        code.content.created_at = now;
        let write = CodeWrite { code: &code, session: None, consent: None, pushed: None };
        stores.write_code(&code.tenant, &write).await.unwrap()
    };
    for number in 0..20 {
        assert_eq!(issue(&session, "web", number, at(1)).await, Ok(()), "{number}");
    }
    let too_many = Err(CodeNotIssued::TooMany);
    assert_eq!(issue(&session, "web", 20, at(60)).await, too_many);
    let unwritten = OneTimeUse { key: OneTimeKey { digest: [20; 32], ..CODE }, ..use_of("web") };
    assert_eq!(redeem(&stores, &ada.tenant, &unwritten, at(60)).await, None);
    // Codes of another session or tenant do not count.
    assert_eq!(issue(&another, "web", 21, at(60)).await, Ok(()));
    assert_eq!(issue(&elsewhere, "web", 22, at(60)).await, Ok(()));
    for number in 0..40 {
        let id = if number < 20 { "app" } else { "svc" };
        assert_eq!(issue(&session, id, 100 + number, at(60)).await, Ok(()), "{number}");
    }
    assert_eq!(issue(&session, "fourth", 30, at(60)).await, too_many, "of all its clients");
    assert_eq!(issue(&session, "web", 31, at(121)).await, Ok(()));
}

// [shared 2.4]
/// Rows that were not redeemed, used up, or never opened are deleted early. A redeemed code stays, so that a
/// second use is noticed.
pub async fn used_and_unopened_rows_are_deleted_early(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (write, _) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    assert!(redeem(&stores, &ada.tenant, &use_of("web"), at(1)).await.is_some());
    let slot = OneTimeKey::RING.slot(at(86_460));
    let unredeemed = OneTime { key: OneTimeKey { slot, digest: [8; 32] }, ..code_of(&write) };
    write_code(&stores, &unredeemed, None, None).await;
    for number in 1..=2 {
        assert!(push(&stores, &pushed(&ada.tenant, number), 9, at(0)).await);
    }
    let [never, opened] = [1, 2].map(|number| pushed(&ada.tenant, number).key);
    assert!(super::pushed(&stores).note(&ada.tenant, &opened, &(), at(5)).await.unwrap());
    assert!(!super::pushed(&stores).note(&ada.tenant, &opened, &(), at(6)).await.unwrap());
    assert_eq!(stores.delete_expired_sign_ins(at(119)).await.unwrap(), 0);
    assert_eq!(stores.delete_expired_sign_ins(at(121)).await.unwrap(), 2);
    let found = super::pushed(&stores).find(&ada.tenant, &opened).await.unwrap().unwrap();
    assert_eq!(found.opened_at, Some(at(5)));
    assert_eq!(super::pushed(&stores).find(&ada.tenant, &never).await.unwrap(), None);
    assert_eq!(redeem(&stores, &ada.tenant, &use_of("web"), at(130)).await, None);
    assert!(super::codes(&stores).find(&ada.tenant, &CODE).await.unwrap().unwrap().used_at.is_some());
}

/// Rows that have not expired stay.
pub async fn expired_sign_ins_are_deleted(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (write, token) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    assert!(redeem(&stores, &ada.tenant, &use_of("web"), at(1)).await.is_some());
    assert_eq!(stores.delete_expired_sign_ins(at(86_300)).await.unwrap(), 0);
    assert!(
        sessions(&stores).find(&ada.tenant, SessionPolicy::default(), &token, at(0)).await.unwrap().is_some()
    );
    assert!(push(&stores, &pushed(&ada.tenant, 5), 1, at(0)).await);
    let weeks = 22 * 86_400;
    // Rows are deleted individually, or with their partition.
    stores.delete_expired_sign_ins(at(weeks)).await.unwrap();
    assert!(
        sessions(&stores).find(&ada.tenant, SessionPolicy::default(), &token, at(0)).await.unwrap().is_none()
    );
    let key = pushed(&ada.tenant, 5).key;
    assert_eq!(super::pushed(&stores).find(&ada.tenant, &key).await.unwrap(), None);
    assert_eq!(stores.delete_expired_sign_ins(at(weeks)).await.unwrap(), 0);
}
