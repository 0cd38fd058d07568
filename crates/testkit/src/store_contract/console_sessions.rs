//! Sessions of the console. A link is exchanged for one session, only in its tenant and until the link
//! expires.

use administration::administrator::console_session::{ConsoleHolder, ConsoleSession};
use sessions::SessionId;

use super::{Stores, add, at, two_tenants};
use crate::fixtures;

/// A link of a tenant's administrator, which can be exchanged for a minute.
pub fn console_link(tenant: &str, number: u8, proven: u64) -> ConsoleSession {
    ConsoleSession {
        tenant: fixtures::tenant_id(tenant),
        id: SessionId::from_bytes([number; 16]),
        token_digest: [number; 32],
        is_link: true,
        holder: ConsoleHolder::Operator,
        actor: "cli:root".to_owned(),
        proven_at: at(proven),
        last_seen_at: at(proven),
        expires_at: at(proven + 60),
    }
}

/// A link is exchanged once, in its tenant and before it expires. The session is used, and ends.
pub async fn console_link_becomes_one_session_in_its_tenant(stores: Stores) {
    let [acme, globex] = two_tenants(&stores, &[]).await.map(|tenant| tenant.id);
    let made = console_link("acme", 1, 100);
    stores.add_console_session(&acme, &made, at(100)).await.unwrap();
    let find = async |tenant, now| stores.find_console_session(tenant, &made.id, at(now)).await.unwrap();
    assert_eq!(find(&acme, 159).await, Some(made.clone()));
    assert_eq!((find(&acme, 160).await, find(&globex, 159).await), (None, None));

    let session = ConsoleSession {
        token_digest: [2; 32],
        is_link: false,
        last_seen_at: at(110),
        expires_at: at(1_000),
        ..made.clone()
    };
    assert!(!stores.begin_console_session(&globex, &session).await.unwrap());
    assert!(stores.begin_console_session(&acme, &session).await.unwrap());
    assert!(!stores.begin_console_session(&acme, &session).await.unwrap(), "it was exchanged before");
    assert_eq!(find(&acme, 999).await, Some(session.clone()));
    stores.touch_console_session(&acme, &made.id, at(500)).await.unwrap();
    stores.touch_console_session(&globex, &made.id, at(600)).await.unwrap();
    assert_eq!(find(&acme, 999).await.unwrap().last_seen_at, at(500));
    stores.end_console_session(&globex, &made.id).await.unwrap();
    assert!(find(&acme, 999).await.is_some());
    stores.end_console_session(&acme, &made.id).await.unwrap();
    assert_eq!(find(&acme, 999).await, None);

    let late = console_link("acme", 3, 100);
    stores.add_console_session(&acme, &late, at(100)).await.unwrap();
    let begun = ConsoleSession { last_seen_at: at(160), is_link: false, ..late };
    assert!(!stores.begin_console_session(&acme, &begun).await.unwrap(), "the link has expired");
}

/// An owner has at most ten sessions: the oldest ones are deleted. Sessions of others stay.
pub async fn console_sessions_of_one_owner_are_limited(stores: Stores) {
    add(&stores, &fixtures::tenant("acme"), &[]).await;
    let (store, acme) = (&stores, fixtures::tenant_id("acme"));
    let other = ConsoleSession { actor: "client:acme/ops".to_owned(), ..console_link("acme", 99, 100) };
    store.add_console_session(&acme, &other, at(100)).await.unwrap();
    for number in 0..12 {
        let made = console_link("acme", number, 100 + u64::from(number));
        store.add_console_session(&acme, &made, made.proven_at).await.unwrap();
    }
    let mut there = Vec::new();
    for number in (0..12).chain([99]) {
        let id = SessionId::from_bytes([number; 16]);
        if store.find_console_session(&acme, &id, at(120)).await.unwrap().is_some() {
            there.push(number);
        }
    }
    assert_eq!(there, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]);
}
