//! The logos of tenants, which are stored separately from the tenant's row while the tenant shows them.

use std::sync::Arc;

use administration::kinds::change::ChangeKind;
use tenancy::{Branding, Logo, Tenant};

use super::{Stores, add, apply};
use crate::{fixtures, requests};

/// Another tenant does not find the logo. A row only contains the digest.
pub async fn logo_is_found_only_in_its_tenant(stores: Stores) {
    let acme = showing("acme", Some(logo("light", 300)), Some(logo("dark", 256 * 1024)));
    let globex = showing("globex", Some(logo("other", 3)), None);
    for tenant in [&acme, &globex] {
        add(&stores, tenant, &[]).await;
    }
    for (tenant, hash, length) in [
        (&acme, "light", Some(300)),
        (&acme, "dark", Some(256 * 1024)),
        (&acme, "other", None),
        (&acme, "", None),
        (&acme, "light\0", None),
        (&globex, "other", Some(3)),
        (&globex, "light", None),
        (&globex, "dark", None),
    ] {
        let expected = length.map(|length| bytes(hash, length));
        assert_eq!(found(&stores, tenant, hash).await, expected, "{} {hash}", tenant.id);
    }
    let read = stores.find_tenant(&acme.id).await.unwrap().unwrap();
    assert_eq!(read.branding, acme.branding);
    assert!(read.branding.logos().all(|logo| logo.content().is_none()));
}

/// The other tenant shows an equal picture, which must stay.
pub async fn unused_logo_is_deleted(stores: Stores) {
    let light = || Some(logo("light", 9));
    let [acme, globex] = ["acme", "globex"].map(|id| showing(id, light(), light()));
    for tenant in [&acme, &globex] {
        add(&stores, tenant, &[]).await;
    }
    let there = async |tenant: &Tenant| {
        let found = [found(&stores, tenant, "light").await, found(&stores, tenant, "new").await];
        found.map(|found| found.is_some())
    };
    let stored = || Some(Logo::stored("light".to_owned()));
    // The dark scheme still shows the logo. The tenant was read from the store, so the logo is only a digest.
    let dark_only = showing("acme", Some(logo("new", 8)), stored());
    apply(&stores, requests::tenant(ChangeKind::Changed, &acme, &dark_only)).await;
    assert_eq!(there(&acme).await, [true, true]);
    let renamed =
        Tenant { name: "Another".to_owned(), ..showing("acme", Some(Logo::stored("new".to_owned())), None) };
    apply(&stores, requests::tenant(ChangeKind::Changed, &dark_only, &renamed)).await;
    assert_eq!(there(&acme).await, [false, true]);
    let light_only = showing("acme", light(), None);
    apply(&stores, requests::tenant(ChangeKind::Changed, &renamed, &light_only)).await;
    assert_eq!(there(&acme).await, [true, false]);
    apply(&stores, requests::tenant(ChangeKind::Deleted, &acme, &acme)).await;
    assert_eq!(there(&acme).await, [false, false]);
    assert_eq!(there(&globex).await, [true, false]);
}

fn bytes(hash: &str, length: usize) -> Vec<u8> {
    hash.bytes().chain(0..=255).cycle().take(length).collect()
}

fn logo(hash: &str, length: usize) -> Logo {
    Logo::new(hash.to_owned(), bytes(hash, length))
}

fn showing(id: &str, logo: Option<Logo>, logo_dark: Option<Logo>) -> Tenant {
    Tenant { branding: Branding { logo, logo_dark, ..Branding::default() }, ..fixtures::tenant(id) }
}

async fn found(stores: &Stores, tenant: &Tenant, hash: &str) -> Option<Vec<u8>> {
    stores.find_logo(&tenant.id, hash).await.unwrap().map(Arc::unwrap_or_clone)
}
