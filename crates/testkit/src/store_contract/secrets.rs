//! The life of a secret's row.

use administration::{ManagedBy, SecretChangeKind};
use protocol::Timestamp;
use registry::ClientSecret;

use super::{Stores, add, commit};
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
