//! The life of a secret's row.

use administration::{CommitOutcome, CommitRequest, ManagedBy, SecretChangeKind};
use protocol::Timestamp;
use registry::{Client, ClientSecret};

use super::{Stores, add, commit, commit_now};
use crate::fixtures::{self, NOW};
use crate::requests;

/// Each step is seen by requests and by administration alike.
pub async fn secrets_end_are_revoked_and_come_back(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let secret = fixtures::secret("s1");
    let mut request = requests::declared(Vec::new());
    requests::add_secret(&mut request, &svc, secret.clone(), Some([3; 32]));
    commit(&stores, &request).await;

    let end = Some(Timestamp::from_seconds(NOW.seconds() + 60));
    let ending = ClientSecret { expires_at: end, ..secret.clone() };
    let revoked = ClientSecret { revoked_at: Some(NOW), ..ending.clone() };
    let steps = [
        (SecretChangeKind::Rescheduled { before: None, after: end }, &ending, None),
        (SecretChangeKind::Revoked, &revoked, Some(ManagedBy::Config)),
        (SecretChangeKind::Restored { expires_at: None }, &secret, None),
    ];
    for (kind, expected, revoked_by) in steps {
        commit(&stores, &requests::declared(vec![requests::secret(&svc, &secret, kind)])).await;
        let found = stores.clients.find_client(&acme.id, &svc.id).await.unwrap().unwrap();
        assert_eq!(found.secrets, std::slice::from_ref(expected), "{kind:?}");
        let state = stores.administration.load_state(&acme.id).await.unwrap().unwrap();
        let row = &state.clients[0].secrets[0];
        assert_eq!((&row.secret, row.revoked_by), (expected, revoked_by), "{kind:?}");
        assert_eq!((row.managed_by, row.declared_digest), (ManagedBy::Config, Some([3; 32])));
        assert_eq!(row.declared_expires_at, expected.expires_at, "{kind:?}");
    }
}

/// Its own end moves, the declared one does not; what it revokes stays revoked although it is declared.
pub async fn the_api_ends_and_revokes_declared_secrets(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let declared_end = Some(Timestamp::from_seconds(NOW.seconds() + 60));
    let secret = ClientSecret { expires_at: declared_end, ..fixtures::secret("s1") };
    let svc = Client { secrets: vec![secret.clone()], ..fixtures::client(&acme, "svc") };
    add(&stores, &acme, &[&svc]).await;
    let end = Some(Timestamp::from_seconds(NOW.seconds() + 5));
    let by = |managed_by, kind| CommitRequest {
        managed_by,
        ..requests::declared(vec![requests::secret(&svc, &secret, kind)])
    };
    let rescheduled = SecretChangeKind::Rescheduled { before: declared_end, after: end };
    commit(&stores, &by(ManagedBy::Api, rescheduled)).await;
    commit(&stores, &by(ManagedBy::Api, SecretChangeKind::Revoked)).await;
    let state = stores.administration.load_state(&acme.id).await.unwrap().unwrap();
    let row = &state.clients[0].secrets[0];
    assert_eq!((row.secret.expires_at, row.declared_expires_at), (end, declared_end));
    assert_eq!((row.secret.revoked_at, row.revoked_by), (Some(NOW), Some(ManagedBy::Api)));
    assert_eq!(row.managed_by, ManagedBy::Config);
    for kind in [SecretChangeKind::Restored { expires_at: None }, SecretChangeKind::Revoked] {
        let outcome = commit_now(&stores, &by(ManagedBy::Config, kind)).await;
        assert_eq!(outcome, CommitOutcome::Superseded, "{kind:?}");
    }
}

/// Also at a client of theirs.
pub async fn the_files_leave_the_secrets_of_the_api_alone(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let end = Some(Timestamp::from_seconds(NOW.seconds() + 60));
    let secret = ClientSecret { expires_at: end, ..fixtures::secret("s1") };
    let mut request = CommitRequest { managed_by: ManagedBy::Api, ..requests::declared(Vec::new()) };
    requests::add_secret(&mut request, &svc, secret.clone(), None);
    commit(&stores, &request).await;
    let rescheduled = SecretChangeKind::Rescheduled { before: end, after: None };
    for kind in [rescheduled, SecretChangeKind::Revoked] {
        let request = requests::declared(vec![requests::secret(&svc, &secret, kind)]);
        assert_eq!(commit_now(&stores, &request).await, CommitOutcome::Superseded, "{kind:?}");
    }
    let state = stores.administration.load_state(&acme.id).await.unwrap().unwrap();
    let row = &state.clients[0].secrets[0];
    assert_eq!((&row.secret, row.declared_expires_at), (&secret, None));
    assert_eq!((row.managed_by, row.revoked_by), (ManagedBy::Api, None));
}
