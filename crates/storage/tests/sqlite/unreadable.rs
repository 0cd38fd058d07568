//! Tests tenants whose settings this version cannot read, and restored rows.

use std::fs::File;
use std::io::{self, BufReader, Write as _};

use administration::administrator::Caller;
use administration::edit::{EditError, TenantStep};
use administration::kinds::authority::{Actor, Authority};
use serde_json::json;
use storage::store_copy::{StorePlace, backup, restore};
use tenancy::{Tenant, TenantStore as _};
use testkit::fixtures::{self, NOW};
use testkit::requests;
use values::Timestamp;

use crate::sandbox::Sandbox;
use crate::unreadable_rows::administrator;

// [third 4]
#[tokio::test]
async fn unreadable_tenant_is_listed_and_deletable() {
    for broken in ["not json", "{}", r#"{"signing.algorithm":"none"}"#] {
        let (sandbox, database) = Sandbox::opened().await;
        let [acme, beta] = ["acme", "beta"].map(fixtures::tenant);
        for tenant in [&acme, &beta] {
            requests::commit(&*database, &requests::added(tenant, &[])).await.unwrap();
        }
        let text = broken.replace('\'', "''");
        sandbox
            .execute(&format!(
                "UPDATE tenants SET settings = '{text}', managed_by = 'api' WHERE tenant_id = 'acme'"
            ))
            .await;
        assert!(database.find_tenant(&acme.id).await.is_err(), "it serves nothing");
        let administrator = administrator(database.clone());
        let operator = Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() });
        let caller = Caller::new(operator, NOW);
        let listed = async || administrator.tenants(&caller, None, None, 10).await.unwrap();
        let page = listed().await;
        assert_eq!((page.items[0].id.as_str(), page.items.len()), ("beta", 1));
        assert_eq!(page.unreadable, ["acme"]);
        let patched = administrator.of(&caller, &acme.id).patch::<Tenant>(&(), json!({ "name": "A" })).await;
        assert!(matches!(patched, Err(EditError::Conflict(_))), "{patched:?}");
        let step = async |step| administrator.of(&caller, &acme.id).step::<Tenant>(&(), step).await;
        step(TenantStep::Suspend).await.unwrap();
        let kept = "SELECT settings FROM tenants WHERE tenant_id = 'acme' AND suspended_at IS NOT NULL";
        assert_eq!(sandbox.texts(kept).await, [Some(broken.to_owned())], "the settings stay");
        assert!(matches!(step(TenantStep::Resume).await, Err(EditError::Conflict(_))));
        step(TenantStep::ScheduleDeletion).await.unwrap();
        step(TenantStep::Delete).await.unwrap();
        let page = listed().await;
        assert_eq!((page.items.len(), page.unreadable.len()), (1, 0));
        assert_eq!(database.find_tenant(&beta.id).await.unwrap().unwrap().id, beta.id, "the other goes on");
    }
}

// [third 5]
#[tokio::test]
async fn restore_ends_links_and_records_its_time() {
    let (sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&*database, &requests::added(&acme, &[])).await.unwrap();
    let account = "INSERT INTO accounts (tenant_id, account_id, claims, group_names, valid_from, managed_by, created_at, updated_at)
                   VALUES ('acme', 'usr_aeaqcaibaeaqcaibaeaqcaibae', '{}', '[]', 7, 'api', 7, 7)";
    sandbox.execute(account).await;
    database.close().await;
    let file = sandbox.path().with_file_name("backup");
    let mut out = File::create(&file).unwrap();
    backup(&StorePlace::Sqlite(sandbox.path()), &mut out, NOW, &|_| {}).await.unwrap();
    out.flush().unwrap();
    let other = Sandbox::new().await;
    std::fs::create_dir_all(other.path().parent().unwrap()).unwrap();
    let at = Timestamp::from_seconds(NOW.seconds() + 60);
    let (place, path) = (StorePlace::Sqlite(other.path()), other.path());
    let missing = || File::open(path.with_file_name("none")).map(BufReader::new);
    let create = || File::create(&path).map(drop);
    restore(missing, &place, create, Vec::new(), at, &|_| {}).await.unwrap_err();
    assert!(!path.exists(), "a backup that is not there makes no store");
    let open = || io::Result::Ok(BufReader::new(File::open(&file)?));
    restore(open, &place, create, Vec::new(), at, &|_| {}).await.unwrap();
    let valid_from = other.texts("SELECT CAST(valid_from AS TEXT) FROM accounts").await;
    assert_eq!(valid_from, [Some(at.seconds().to_string())]);
    let restored = other.open().await;
    assert_eq!(restored.find_tenant(&acme.id).await.unwrap().unwrap().restored_at, Some(at));
    // A later change does not remove `restored_at`.
    let operator = Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() });
    let (caller, step) = (Caller::new(operator, NOW), TenantStep::Suspend);
    administrator(restored.clone()).of(&caller, &acme.id).step::<Tenant>(&(), step).await.unwrap();
    assert_eq!(restored.find_tenant(&acme.id).await.unwrap().unwrap().restored_at, Some(at));
}
