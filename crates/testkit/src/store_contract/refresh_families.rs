//! Refresh tokens: one row for each family, and one step from each token to the next.

use accounts::Account;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use grants::{
    AuthorizationCode, AuthorizationStore, FamilyKey, FamilyStep, FoundFamily, GrantId, Granted, NewFamily,
    OneTimeStore, OneTimeUse, RefreshFamily,
};
use protocol::Thumbprint;
use registry::{ClientId, CredentialTag, RevokedSubject, SenderKeys};
use sessions::SessionWrite;
use tenancy::{RefreshTokenPolicy, SessionPolicy, TenantId};
use values::Lifetime;
use zeroize::Zeroizing;

use super::Stores;
use super::people::{at, client, device_code, person};
use super::sign_ins::{begin, begin_in, code_of, redeem, sessions, use_of, write_code};
use crate::requests;

const ID: GrantId = GrantId::from_bytes([5; 16]);
const SECRET: [u8; 32] = [6; 32];
const KEYS: SenderKeys =
    SenderKeys { dpop: Some(Thumbprint::new([1; 32])), certificate: Some(Thumbprint::new([2; 32])) };

fn new_family(sender: SenderKeys) -> NewFamily {
    let credential = CredentialTag::parse("0000002a");
    NewFamily::new(
        ID,
        Zeroizing::new([9; 16]),
        SECRET,
        sender,
        credential,
        RefreshTokenPolicy::default(),
        at(1),
    )
}

/// Signs a person in. A client redeems the code a second later.
async fn redeemed(
    stores: &Stores,
    person: &Account,
    scope: &str,
    sender: SenderKeys,
) -> (RefreshFamily, SessionWrite) {
    let (write, _) = begin(stores, person, None, at(0));
    let mut code = code_of(&write);
    code.content.granted.scope = Some(scope.to_owned());
    write_code(stores, &code, Some(&write), None).await;
    let new = new_family(sender);
    let used = OneTimeUse { family: Some(new.clone()), ..use_of("web") };
    let first = redeem(stores, &person.tenant, &used, at(1)).await.unwrap();
    (first.family(&new).unwrap(), write)
}

fn step<'a>(family: &RefreshFamily, client: &'a ClientId) -> FamilyStep<'a> {
    FamilyStep {
        key: family.key(),
        client,
        secret_digest: SECRET,
        generation: 0,
        sender: KEYS,
        idle: Lifetime::from_seconds(600),
        session: SessionPolicy::default(),
    }
}

async fn find(stores: &Stores, tenant: &TenantId, key: FamilyKey, seconds: u64) -> Option<FoundFamily> {
    judge(stores, tenant, key, SessionPolicy::default(), seconds).await
}

async fn judge(
    stores: &Stores,
    tenant: &TenantId,
    key: FamilyKey,
    policy: SessionPolicy,
    seconds: u64,
) -> Option<FoundFamily> {
    stores.find_family(tenant, &key, policy, at(seconds)).await.unwrap()
}

async fn take(
    stores: &Stores,
    tenant: &TenantId,
    step: &FamilyStep<'_>,
    seconds: u64,
) -> Option<RefreshFamily> {
    stores.step_family(tenant, step, at(seconds)).await.unwrap()
}

/// Signs a person in at a tenant `acme`. The person allows a client a code and offline access.
pub async fn code_with_offline_access(stores: &Stores) -> TenantId {
    let ada = person(stores, "acme").await;
    let (write, _) = begin(stores, &ada, None, at(0));
    let mut code = code_of(&write);
    code.content.granted.scope = Some("offline_access".to_owned());
    write_code(stores, &code, Some(&write), None).await;
    ada.tenant
}

/// Redeems that code, and begins a family of refresh tokens.
pub async fn redeem_with_family(
    store: &dyn OneTimeStore<AuthorizationCode>,
    tenant: &TenantId,
) -> RefreshFamily {
    let new = new_family(KEYS);
    let used = OneTimeUse { family: Some(new.clone()), ..use_of("web") };
    let first = store.use_up(tenant, &used, at(1)).await.unwrap().unwrap();
    first.family(&new).unwrap()
}

/// Whether using the token of this generation succeeds.
pub async fn takes_step(store: &dyn AuthorizationStore, family: &RefreshFamily, generation: u32) -> bool {
    let web = client("web");
    let step = FamilyStep { generation, ..step(family, &web) };
    store.step_family(&family.tenant, &step, at(2)).await.unwrap().is_some()
}

/// The family begins with the values that were decided for the code, and only if the code is redeemed.
pub async fn redeemed_code_begins_a_family_in_its_tenant(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let (write, _) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &code_of(&write), Some(&write), None).await;
    let new = new_family(KEYS);
    let right = OneTimeUse { family: Some(new.clone()), ..use_of("web") };
    let wrong = OneTimeUse { client: client("another"), ..right.clone() };
    let family = code_of(&write).family(&new).unwrap();
    assert_eq!(redeem(&stores, &ada.tenant, &wrong, at(1)).await, None);
    assert_eq!(find(&stores, &ada.tenant, family.key(), 1).await, None);
    assert!(redeem(&stores, &ada.tenant, &right, at(1)).await.is_some());
    let found = Some(FoundFamily { family: family.clone(), is_live: true });
    assert_eq!(find(&stores, &ada.tenant, family.key(), 1).await, found);
    assert_eq!(redeem(&stores, &ada.tenant, &right, at(2)).await, None);
    assert_eq!(find(&stores, &ada.tenant, family.key(), 2).await, found);
    assert_eq!(find(&stores, &other.tenant, family.key(), 1).await, None);
    let elsewhere = FamilyKey { slot: (family.slot + 1) % 20, ..family.key() };
    assert_eq!(find(&stores, &ada.tenant, elsewhere, 1).await, None);
}

/// The family belongs to no session, so no session ends it, whatever was granted.
pub async fn allowed_device_code_begins_a_family(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let new = new_family(SenderKeys::default());
    let code = device_code(&ada.tenant, 1);
    assert!(super::devices(&stores).add(&ada.tenant, &code, 20, at(0)).await.unwrap());
    let granted = Granted { scope: Some("openid".to_owned()), ..Granted::default() };
    let allowed = Some((ada.id.clone(), granted));
    assert!(super::devices(&stores).note(&ada.tenant, &code.key, &allowed, at(0)).await.unwrap());
    let redeem = async |id| {
        let used = OneTimeUse { key: code.key, client: client(id), proof: (), family: Some(new.clone()) };
        super::devices(&stores).use_up(&ada.tenant, &used, at(1)).await.unwrap()
    };
    assert_eq!(redeem("another").await, None);
    let first = redeem("tv").await.unwrap();
    let family = first.family(&new).unwrap();
    assert_eq!((&family.session, family.session_slot, &family.client), (&None, None, &client("tv")));
    let found = Some(FoundFamily { family: family.clone(), is_live: true });
    assert_eq!(find(&stores, &ada.tenant, family.key(), 1).await, found);
    assert_eq!(redeem("tv").await, None, "a second time");
    assert_eq!(find(&stores, &other.tenant, family.key(), 1).await, None);
    assert!(find(&stores, &ada.tenant, family.key(), 100_000).await.unwrap().is_live, "without a session");
}

// [mutual-tls RFC 8705 §4]: Refresh tokens of public clients are bound to the certificate of the request that
//   redeemed the code, and access tokens as those of other clients
// [dpop RFC 9449 §5 b]
/// A step with one wrong value fails, and changes nothing.
pub async fn family_step_succeeds_once_with_matching_binding(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let (family, _) = redeemed(&stores, &ada, "offline_access", KEYS).await;
    let (web, another) = (client("web"), client("another"));
    let right = step(&family, &web);
    let swapped = SenderKeys { dpop: KEYS.certificate, certificate: KEYS.dpop };
    for wrong in [
        FamilyStep { client: &another, ..right },
        FamilyStep { secret_digest: [7; 32], ..right },
        FamilyStep { sender: SenderKeys::default(), ..right },
        FamilyStep { sender: SenderKeys { certificate: None, ..KEYS }, ..right },
        FamilyStep { sender: swapped, ..right },
        FamilyStep { key: FamilyKey { id: GrantId::from_bytes([6; 16]), ..right.key }, ..right },
    ] {
        assert_eq!(take(&stores, &ada.tenant, &wrong, 10).await, None, "{wrong:?}");
        assert_eq!(family.step(&wrong, at(10)), None, "{wrong:?}");
    }
    assert_eq!(take(&stores, &other.tenant, &right, 10).await, None);
    assert_eq!(find(&stores, &ada.tenant, right.key, 10).await.unwrap().family, family);
    let first = take(&stores, &ada.tenant, &right, 10).await;
    assert_eq!(first, family.step(&right, at(10)), "as the rule says");
    assert!(family.credential.is_some() && first.as_ref().unwrap().credential == family.credential);
    assert_eq!(find(&stores, &ada.tenant, right.key, 10).await.map(|found| found.family), first);
    assert_eq!(take(&stores, &ada.tenant, &right, 10).await, None);
    // The token has a later generation than the row: after a failover the store may have lost writes.
    let ahead = take(&stores, &ada.tenant, &FamilyStep { generation: 7, ..right }, 20).await.unwrap();
    assert_eq!((ahead.generation, ahead.rotated_at, ahead.idle_until), (8, at(20), at(620)));
    let late = FamilyStep { generation: 8, ..right };
    assert_eq!(take(&stores, &ada.tenant, &late, 620).await, None, "it was idle for too long");
    assert!(take(&stores, &ada.tenant, &late, 619).await.is_some());
    stores.note_use_of_family(&ada.tenant, &right.key, at(5_000)).await.unwrap();
    stores.note_use_of_family(&ada.tenant, &right.key, at(4_000)).await.unwrap();
    assert_eq!(find(&stores, &ada.tenant, right.key, 20).await.unwrap().family.idle_until, at(5_000));
}

// [rfc9700 §2.2.2]
/// For each generation, two requests use the same token at the same time.
pub async fn concurrent_family_steps_succeed_once(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (family, _) = redeemed(&stores, &ada, "offline_access", KEYS).await;
    for generation in 0..100 {
        let attempts = [(); 2].map(|()| {
            let (stores, tenant, family) = (stores.clone(), ada.tenant.clone(), family.clone());
            tokio::spawn(async move {
                let web = client("web");
                let step = FamilyStep { generation, ..step(&family, &web) };
                take(&stores, &tenant, &step, 2).await.is_some()
            })
        });
        let [one, other] = attempts;
        assert_ne!(one.await.unwrap(), other.await.unwrap(), "{generation}");
    }
    assert_eq!(find(&stores, &ada.tenant, family.key(), 2).await.unwrap().family.generation, 100);
}

// [back-channel §2.7], [rfc9700 §4.14]
/// A family ends with its grant, its consent and its account. If it is bound to a session, it also ends with
/// the session.
pub async fn family_ends_with_its_grant_consent_or_account(stores: Stores) {
    let web = client("web");
    let ada = person(&stores, "acme").await;
    let (bound, write) = redeemed(&stores, &ada, "openid", KEYS).await;
    let (slot, id) = (write.session().slot, write.session().id.clone());
    assert!(find(&stores, &ada.tenant, bound.key(), 2).await.unwrap().is_live);
    assert!(!find(&stores, &ada.tenant, bound.key(), 86_400).await.unwrap().is_live, "a session lasts a day");
    stores.end_session(&ada.tenant, slot, &id, at(2)).await.unwrap();
    assert!(!find(&stores, &ada.tenant, bound.key(), 3).await.unwrap().is_live);
    assert_eq!(take(&stores, &ada.tenant, &step(&bound, &web), 3).await, None);

    let bob = person(&stores, "globex").await;
    let (offline, write) = redeemed(&stores, &bob, "offline_access", KEYS).await;
    let (slot, id) = (write.session().slot, write.session().id.clone());
    stores.end_session(&bob.tenant, slot, &id, at(2)).await.unwrap();
    assert!(take(&stores, &bob.tenant, &step(&offline, &web), 3).await.is_some(), "it outlives its session");
    let next = FamilyStep { generation: 1, ..step(&offline, &web) };
    let grant = RevokedSubject::Grant(ID.to_string());
    stores.revoke_people(&ada.tenant, &grant, None, at(4)).await.unwrap();
    assert!(
        find(&stores, &bob.tenant, offline.key(), 4).await.unwrap().family.lasts(at(4)),
        "of another tenant"
    );
    stores.revoke_people(&bob.tenant, &grant, None, at(4)).await.unwrap();
    assert_eq!(find(&stores, &bob.tenant, offline.key(), 5).await.unwrap().family.ended_at, Some(at(4)));
    assert_eq!(take(&stores, &bob.tenant, &next, 5).await, None);

    let ann = person(&stores, "hooli").await;
    let (allowed, _) = redeemed(&stores, &ann, "offline_access", KEYS).await;
    let consent = |client| Change::Consent(ann.tenant.clone(), ann.id.clone(), client);
    super::accounts::change(&stores, at(2), vec![consent(client("another"))]).await;
    assert!(find(&stores, &ann.tenant, allowed.key(), 3).await.unwrap().is_live);
    super::accounts::change(&stores, at(2), vec![consent(web.clone())]).await;
    assert_eq!(find(&stores, &ann.tenant, allowed.key(), 3).await, None, "the person's consent was revoked");

    let eve = person(&stores, "initech").await;
    let (offline, _) = redeemed(&stores, &eve, "offline_access", KEYS).await;
    let suspended = Account { status: accounts::AccountStatus::Suspended, ..eve.clone() };
    let change = Change::Account(requests::row(ChangeKind::Suspended, Some(&eve), &suspended));
    super::accounts::change(&stores, at(2), vec![change]).await;
    assert!(!find(&stores, &eve.tenant, offline.key(), 3).await.unwrap().is_live);
    assert_eq!(take(&stores, &eve.tenant, &step(&offline, &web), 3).await, None);
}

// [back-channel §2.7]
/// Each read checks the session: how long it was unused, and whether the policy has become stricter. The
/// session is not checked for a family that may outlive it.
pub async fn family_ends_with_idle_session_or_stricter_policy(stores: Stores) {
    let web = client("web");
    let hours = |hours: u64| Lifetime::from_seconds(hours * 3_600);
    let lasting = |idle, absolute, remember| SessionPolicy {
        idle: hours(idle),
        absolute: hours(absolute),
        remember: hours(remember),
    };
    for (tenant, remembers) in [("acme", false), ("globex", true)] {
        let person = person(&stores, tenant).await;
        let (write, token) = begin_in(&stores, &person, None, at(0), remembers);
        let mut code = code_of(&write);
        code.content.granted.scope = Some("openid".to_owned());
        write_code(&stores, &code, Some(&write), None).await;
        let family = redeem_with_family(&*super::codes(&stores), &person.tenant).await;
        let remember = if remembers { 720 } else { 0 };
        for (policy, seconds) in [
            (lasting(8, 24, 720), if remembers { 720 * 3_600 - 1 } else { 8 * 3_600 }),
            (lasting(1, 24, remember), if remembers { 720 * 3_600 - 1 } else { 3_600 }),
            (lasting(1, 2, 48), if remembers { 48 * 3_600 - 1 } else { 3_600 }),
            (lasting(4, 2, 0), 2 * 3_600 - 1),
            (lasting(1, 24, 0), 3_600),
            (lasting(100, 1_000, 1_000), if remembers { 720 * 3_600 - 1 } else { 8 * 3_600 }),
        ] {
            for (seconds, is_live) in [(seconds, true), (seconds + 1, false)] {
                let found = judge(&stores, &person.tenant, family.key(), policy, seconds).await.unwrap();
                assert_eq!(found.is_live, is_live, "{tenant} {policy:?} {seconds}");
                let session = write.session();
                assert_eq!(session.lasts(policy, at(seconds)), is_live, "as the rule says");
            }
            let late = FamilyStep { session: policy, idle: hours(10_000), ..step(&family, &web) };
            assert_eq!(take(&stores, &person.tenant, &late, seconds + 1).await, None, "{tenant} {policy:?}");
        }
        // Using the session keeps its family valid.
        let policy = lasting(1, 24, 0);
        let used = sessions(&stores).find(&person.tenant, policy, &token, at(3_000)).await.unwrap();
        assert!(used.is_some());
        let later = FamilyStep { session: policy, ..step(&family, &web) };
        assert!(take(&stores, &person.tenant, &later, 6_000).await.is_some());
    }
    let ann = person(&stores, "hooli").await;
    let (offline, _) = redeemed(&stores, &ann, "offline_access", KEYS).await;
    let found = judge(&stores, &ann.tenant, offline.key(), lasting(1, 1, 0), 7_200).await.unwrap();
    assert!(found.is_live, "it outlives the session");
}

/// The row of a session moves to another partition when the person signs in again a week later.
pub async fn a_family_follows_its_session_to_another_partition(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (family, write) = redeemed(&stores, &ada, "openid", KEYS).await;
    let week = 7 * 86_400;
    let (again, _) = begin(&stores, &ada, Some(&write.signed_in()), at(week));
    assert_eq!(again.session().id, write.session().id);
    assert_ne!(again.session().slot, write.session().slot);
    assert!(sessions(&stores).write(&again).await.unwrap());
    let found = find(&stores, &ada.tenant, family.key(), week + 1).await.unwrap();
    assert_eq!((found.family.session_slot, found.is_live), (Some(again.session().slot), true));
}

/// Families that have not ended stay.
pub async fn expired_families_are_deleted(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let (family, _) = redeemed(&stores, &ada, "offline_access", KEYS).await;
    let until = family.expires_at.seconds() - at(0).seconds();
    stores.delete_expired_sign_ins(at(until - 1)).await.unwrap();
    assert!(find(&stores, &ada.tenant, family.key(), 1).await.is_some());
    // Rows are deleted individually, or with their partition.
    stores.delete_expired_sign_ins(at(until + 90 * 86_400)).await.unwrap();
    assert_eq!(find(&stores, &ada.tenant, family.key(), 1).await, None);
}
