//! The life cycle of a secret's row.

use administration::kinds::change::SecretChangeKind;
use administration::kinds::state::ManagedBy;
use administration::store::CommitOutcome;
use registry::{Client, ClientSecret};

use super::{Stores, add, apply, at, commit, commit_now, two_tenants};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// Requests and administration both see each step.
pub async fn secrets_can_expire_be_revoked_and_restored(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let secret = fixtures::secret("s1");
    let mut request = requests::declared(Vec::new());
    requests::add_secret(&mut request, &svc, secret.clone(), Some([3; 32]));
    commit(&stores, &request).await;

    let end = Some(at(60));
    let ending = ClientSecret { expires_at: end, ..secret.clone() };
    let revoked = ClientSecret { revoked_at: Some(NOW), ..ending.clone() };
    let steps = [
        (SecretChangeKind::Rescheduled { before: None, after: end }, &ending, None),
        (SecretChangeKind::Revoked, &revoked, Some(ManagedBy::Config)),
        (SecretChangeKind::Restored { expires_at: None }, &secret, None),
    ];
    for (kind, expected, revoked_by) in steps {
        apply(&stores, requests::secret(&svc, &secret, kind)).await;
        let found = stores.find_client(&acme.id, &svc.id).await.unwrap().unwrap();
        assert_eq!(found.secrets, std::slice::from_ref(expected), "{kind:?}");
        let state = stores.load_state(&acme.id).await.unwrap().unwrap();
        let row = &state.clients[0].secrets[0];
        assert_eq!((&row.secret, row.revoked_by), (expected, revoked_by), "{kind:?}");
        assert_eq!((row.managed_by, row.declared_digest), (ManagedBy::Config, Some([3; 32])));
        assert_eq!(row.declared_expires_at, expected.expires_at, "{kind:?}");
    }
}

/// The secret's own expiry changes, but not the declared one. A secret that the API revokes stays revoked
/// even if it is declared.
pub async fn api_may_expire_and_revoke_declared_secrets(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let declared_end = Some(at(60));
    let secret = ClientSecret { expires_at: declared_end, ..fixtures::secret("s1") };
    let svc = Client { secrets: vec![secret.clone()], ..fixtures::client(&acme, "svc") };
    add(&stores, &acme, &[&svc]).await;
    let end = Some(at(5));
    let by = |managed_by, kind| CommitRequest {
        managed_by,
        ..requests::declared(vec![requests::secret(&svc, &secret, kind)])
    };
    let rescheduled = SecretChangeKind::Rescheduled { before: declared_end, after: end };
    commit(&stores, &by(ManagedBy::Api, rescheduled)).await;
    commit(&stores, &by(ManagedBy::Api, SecretChangeKind::Revoked)).await;
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    let row = &state.clients[0].secrets[0];
    assert_eq!((row.secret.expires_at, row.declared_expires_at), (end, declared_end));
    assert_eq!((row.secret.revoked_at, row.revoked_by), (Some(NOW), Some(ManagedBy::Api)));
    assert_eq!(row.managed_by, ManagedBy::Config);
    for kind in [SecretChangeKind::Restored { expires_at: None }, SecretChangeKind::Revoked] {
        let outcome = commit_now(&stores, &by(ManagedBy::Config, kind)).await;
        assert_eq!(outcome, CommitOutcome::StaleRevision, "{kind:?}");
    }
}

/// The client itself may be one of the files.
pub async fn files_do_not_change_api_secrets(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let end = Some(at(60));
    let secret = ClientSecret { expires_at: end, ..fixtures::secret("s1") };
    let mut request = CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(Vec::new()) };
    requests::add_secret(&mut request, &svc, secret.clone(), None);
    commit(&stores, &request).await;
    let rescheduled = SecretChangeKind::Rescheduled { before: end, after: None };
    for kind in [rescheduled, SecretChangeKind::Revoked] {
        let request = requests::declared(vec![requests::secret(&svc, &secret, kind)]);
        assert_eq!(commit_now(&stores, &request).await, CommitOutcome::StaleRevision, "{kind:?}");
    }
    let state = stores.load_state(&acme.id).await.unwrap().unwrap();
    let row = &state.clients[0].secrets[0];
    assert_eq!((&row.secret, row.declared_expires_at), (&secret, None));
    assert_eq!((row.managed_by, row.revoked_by), (ManagedBy::Api, None));
}

// [limits #25]: ended secrets of a client | the newest 20, and all of the last 30 days | an hourly pass of
//   each replica deletes others
// [found 7]
/// A regular pass deletes secrets that expired or were revoked more than a month ago. The newest twenty of
/// these secrets of each client stay, and so do declared secrets.
pub async fn long_expired_secrets_are_deleted_except_the_newest(stores: Stores) {
    let day = |days: u64| at(days * 86_400);
    let tenants = two_tenants(&stores, &["svc", "other"]).await;
    for tenant in &tenants {
        for client in &["svc", "other"].map(|id| fixtures::client(tenant, id)) {
            let declared = fixtures::secret("s1");
            let mut request = requests::declared(Vec::new());
            requests::add_secret(&mut request, client, declared.clone(), Some([3; 32]));
            commit(&stores, &request).await;
            let revoked = requests::secret(client, &declared, SecretChangeKind::Revoked);
            let mut request =
                CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(vec![revoked]) };
            for number in 2..=31 {
                let ended = ClientSecret { expires_at: Some(day(1)), ..numbered(number) };
                requests::add_secret(&mut request, client, ended, None);
            }
            requests::add_secret(&mut request, client, numbered(32), None);
            commit(&stores, &request).await;
        }
    }
    let all: Vec<u32> = (1..=32).collect();
    // The declared secret stays, the newest twenty of the thirty expired ones, and the valid one.
    let kept: Vec<u32> = [1].into_iter().chain(12..=32).collect();
    // The secrets expired on the first day, 29 days before the 30th.
    for (days, limit, deleted, rest) in
        [(30, 100, 0, Some(&all)), (31, 15, 15, None), (31, 100, 25, Some(&kept)), (31, 100, 0, Some(&kept))]
    {
        let pruned = stores.prune_ended_secrets(day(days), limit).await.unwrap();
        assert_eq!(pruned, deleted, "on day {days}");
        for (tenant, id) in tenants.iter().flat_map(|tenant| [(tenant, "svc"), (tenant, "other")]) {
            let found = numbers(&stores, &fixtures::client(tenant, id)).await;
            assert!(
                rest.is_none_or(|rest| found == *rest),
                "{found:?} of {id} of {} on day {days}",
                tenant.id
            );
        }
    }
}

fn numbered(number: u32) -> ClientSecret {
    fixtures::secret(&format!("s{number}"))
}

async fn numbers(stores: &Stores, client: &Client) -> Vec<u32> {
    let state = stores.load_state(&client.tenant).await.unwrap().unwrap();
    let row = state.clients.iter().find(|row| row.client.id == client.id).unwrap();
    let mut numbers: Vec<u32> =
        row.secrets.iter().map(|row| row.secret.id.as_str()[1..].parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}
