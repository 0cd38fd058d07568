//! Tests that a transaction that PostgreSQL has rolled back because of another one is repeated.

use keys::SigningKeyStore as _;
use registry::{ReplayStore as _, RevocationStore as _, RevokedSubject};
use tenancy::StoreError;
use testkit::fixtures::{self, NOW, key_of, tenant_id};
use testkit::requests;

use crate::belongings::identifier;
use crate::sandbox::Sandbox;

/// Each write of these tables fails, unless it is one of `every`.
async fn plant(sandbox: &Sandbox, code: &str, every: u32) {
    sandbox
        .define(&format!(
            "CREATE SEQUENCE tries; GRANT ALL ON SEQUENCE tries TO PUBLIC;
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF nextval('tries') % {every} <> 0 THEN
                     RAISE EXCEPTION 'conflict' USING ERRCODE = '{code}';
                 END IF;
                 RETURN NEW;
             END $$"
        ))
        .await;
    for table in ["tenants", "used_identifiers", "signing_keys", "revocations"] {
        sandbox
            .define(&format!("CREATE TRIGGER refused BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_repeated() {
    for code in ["40001", "40P01"] {
        let (sandbox, database) = Sandbox::opened().await;
        plant(&sandbox, code, 3).await;
        for id in ["acme", "globex"] {
            let tenant = fixtures::tenant(id);
            requests::commit(&database, &requests::added(&tenant, &[&fixtures::client(&tenant, "svc")]))
                .await
                .unwrap();
            assert!(database.add_key(&tenant.id, &key_of(&tenant.id, 1)).await.unwrap());
            assert!(database.record_use(&tenant.id, &identifier()).await.unwrap());
            assert!(!database.record_use(&tenant.id, &identifier()).await.unwrap());
            let subject = RevokedSubject::Grant("one".to_owned());
            database.revoke_people(&tenant.id, &subject, Some("ada"), NOW).await.unwrap();
        }
        let tries = sandbox.texts("SELECT (last_value % 3)::text FROM tries").await;
        assert_eq!(tries, [Some("0".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_conflicts_are_unavailable() {
    let (sandbox, database) = Sandbox::opened().await;
    plant(&sandbox, "40001", 1_000).await;
    let refused = database.record_use(&tenant_id("acme"), &identifier()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(sandbox.texts("SELECT last_value::text FROM tries").await, [Some("6".to_owned())]);
}
