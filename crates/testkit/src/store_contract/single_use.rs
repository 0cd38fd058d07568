//! Identifiers that may be used once.

use registry::{ClientId, SingleUseIdentifier};

use super::{Stores, at};
use crate::at_once;
use crate::fixtures::tenant_id as tenant;

fn identifier(jti: &str, expires: u64) -> SingleUseIdentifier {
    SingleUseIdentifier::of_assertion(&ClientId::parse("billing").unwrap(), jti, at(expires))
}

// [assertions RFC 7523 §6 b]: Replay: an identifier is remembered until the assertion has ended, over a
//   restart and at all replicas
/// Each tenant has its own identifiers.
pub async fn an_identifier_is_used_once_in_its_tenant(stores: Stores) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    for (tenant, jti, expected) in [
        (&acme, "1", true),
        (&acme, "1", false),
        (&acme, "2", true),
        (&globex, "1", true),
        (&globex, "1", false),
        (&acme, "1", false),
    ] {
        let is_used = stores.is_used(tenant, &identifier(jti, 60)).await.unwrap();
        assert_eq!(is_used, !expected, "{jti} at {tenant}");
        let first = stores.record_use(tenant, &identifier(jti, 60)).await.unwrap();
        assert_eq!(first, expected, "{jti} at {tenant}");
    }
}

// [assertions RFC 7521 §5.2], [dpop RFC 9449 §11.1]
/// Requests use three identifiers at the same time, each a hundred times.
pub async fn concurrent_identifier_uses_succeed_once(stores: Stores) {
    let identifiers = (0..100).flat_map(|_| [("acme", "1"), ("acme", "2"), ("globex", "1")]);
    let attempts = identifiers.map(|(id, jti)| {
        let store = stores.clone();
        async move {
            let first = store.record_use(&tenant(id), &identifier(jti, 60)).await.unwrap();
            first.then_some((id, jti))
        }
    });
    let mut first: Vec<_> = at_once(attempts).await.into_iter().flatten().collect();
    first.sort_unstable();
    assert_eq!(first, [("acme", "1"), ("acme", "2"), ("globex", "1")]);
}

// [assertions RFC 7523 §6 b]
/// Identifiers that have not expired stay.
pub async fn expired_identifiers_are_deleted(stores: Stores) {
    let acme = tenant("acme");
    for (jti, expires) in [("1", 60), ("2", 61), ("3", 62)] {
        assert!(stores.record_use(&acme, &identifier(jti, expires)).await.unwrap());
    }
    for (now, deleted) in [(59, 0), (61, 2), (61, 0)] {
        assert_eq!(stores.delete_expired_identifiers(at(now)).await.unwrap(), deleted, "{now}");
    }
    for (jti, first) in [("1", true), ("2", true), ("3", false)] {
        assert_eq!(stores.record_use(&acme, &identifier(jti, 90)).await.unwrap(), first, "{jti}");
    }
}
