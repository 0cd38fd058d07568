//! Tests opening of new files, files of other programs and newer files, and opening without changing the
//! file.

use administration::store::query::TenantQuery;
use administration::store::{Generations as _, SealedItems as _, TenantList as _};
use storage::{OpenError, sqlite};
use tenancy::TenantStore as _;
use testkit::fixtures::tenant_id;

use crate::declared::{apply, declaration, tenant, value};
use crate::sandbox::Sandbox;

#[tokio::test]
async fn new_file_is_private_to_its_owner() {
    let (sandbox, database) = Sandbox::opened().await;
    assert_eq!(database.latest_generation().await.unwrap(), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(sandbox.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn committed_rows_survive_a_crash() {
    let (sandbox, crashed) = (Sandbox::new().await, Sandbox::new().await);
    let database = sandbox.open().await;
    let secrets = vec![value("chosen")];
    apply(&database, &declaration(vec![tenant("acme", secrets)]), "one").await.unwrap();
    // The state after `kill -9`: a file and its write-ahead log, neither closed nor merged.
    std::fs::create_dir_all(crashed.path().parent().unwrap()).unwrap();
    for suffix in ["", "-wal"] {
        let [from, to] = [sandbox.path(), crashed.path()].map(|path| format!("{}{suffix}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
    let database = crashed.open().await;
    assert!(database.find_tenant(&tenant_id("acme")).await.unwrap().is_some());
    assert_eq!(database.latest_generation().await.unwrap().unwrap().number, 1);
}

#[tokio::test]
async fn newer_schema_is_refused_and_unchanged() {
    let sandbox = Sandbox::new().await;
    sandbox.open().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sandbox.execute(newer).await;
    let refused = sqlite::open(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("run a newer version of Latchkey"), "{refused}");
    let refused = sqlite::open_read_only(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
}

#[tokio::test]
async fn read_only_opening_creates_no_file() {
    let sandbox = Sandbox::new().await;
    assert!(sqlite::open_read_only(&sandbox.path()).await.unwrap().is_none());
    assert!(!sandbox.path().exists());
    let database = sandbox.open().await;
    apply(&database, &declaration(vec![tenant("acme", Vec::new())]), "one").await.unwrap();
    let reading = sqlite::open_read_only(&sandbox.path()).await.unwrap().unwrap();
    assert!(reading.find_tenant(&tenant_id("acme")).await.unwrap().is_some());
    assert!(reading.put_sealed_if_absent("x", b"y", testkit::fixtures::NOW).await.is_err());
    reading.close().await;
    database.close().await;
    sandbox.execute("DELETE FROM _sqlx_migrations WHERE version > 1").await;
    let refused = sqlite::open_read_only(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Older { found: 1, .. }), "{refused}");
}

#[tokio::test]
async fn file_without_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not-a-database");
    std::fs::write(&path, "not a database, and long enough to be told from an empty one").unwrap();
    let refused = sqlite::open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Open { .. }), "{refused}");
    assert_eq!(refused.hint().as_deref(), Some("name a SQLite database, or a new file, in storage.url"));
    assert!(values::causes(&refused).ends_with(": file is not a database"), "{refused:?}");
}

#[tokio::test]
async fn page_of_tenants_takes_few_statements() {
    let (_sandbox, database) = Sandbox::opened().await;
    let tenants = (0..60).map(|nth| tenant(&format!("tenant-{nth}"), Vec::new()));
    apply(&database, &declaration(tenants.collect()), "one").await.unwrap();
    for (terms, found, statements) in [(vec![], 50, 1), (vec!["tenant"], 50, 1), (vec!["tenant", "7"], 1, 2)]
    {
        let terms = terms.into_iter().map(str::to_owned).collect();
        let before = database.statements();
        let page = database.list_tenants(&TenantQuery { terms, limit: 50, after: None }).await.unwrap();
        assert_eq!((page.len(), database.statements() - before), (found, statements));
    }
}
