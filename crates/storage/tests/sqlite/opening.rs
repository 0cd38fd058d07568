//! Opening files: new ones, foreign ones, newer ones, and without touching them.

use std::path::Path;
use std::sync::Arc;

use administration::{
    Generations as _, KeySchedule as _, RelatedClients, SealedItems as _, TenantList as _, TenantQuery,
    TenantRows as _,
};
use keys::{KeyRecord, SigningKeyStore as _};
use protocol::Timestamp;
use registry::ClientStore as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use storage::{OpenError, sqlite};
use tenancy::TenantStore as _;
use testkit::fixtures::{AUDIENCE, client_id, tenant_id};
use testkit::store_contract::Stores;

use crate::declared::{Sandbox, apply, declaration, tenant, value};
use crate::signing_out::cost_of_one_and_fifty;
use crate::{settings_of_clients, settings_of_tenants};

pub(crate) async fn execute(sandbox: &Sandbox, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(sandbox.path());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_new_file_is_made_with_its_folder_for_its_owner_only() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    assert_eq!(database.latest_generation().await.unwrap(), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(sandbox.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_was_answered_survives_the_end_of_the_process() {
    let (sandbox, crashed) = (Sandbox::new(), Sandbox::new());
    let database = sandbox.open().await;
    let secrets = vec![value("chosen")];
    apply(&database, &declaration(vec![tenant("acme", secrets)]), "one").await.unwrap();
    // What `kill -9` leaves: a file and its write-ahead log, neither closed nor folded together.
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
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.open().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    execute(&sandbox, newer).await;
    let refused = sqlite::open(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("run a newer version of Latchkey"), "{refused}");
    let refused = sqlite::open_read_only(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
}

#[tokio::test]
async fn reading_only_makes_no_file_and_needs_the_schema() {
    let sandbox = Sandbox::new();
    assert!(sqlite::open_read_only(&sandbox.path()).await.unwrap().is_none());
    assert!(!sandbox.path().exists());
    let database = sandbox.open().await;
    apply(&database, &declaration(vec![tenant("acme", Vec::new())]), "one").await.unwrap();
    let reading = sqlite::open_read_only(&sandbox.path()).await.unwrap().unwrap();
    assert!(reading.find_tenant(&tenant_id("acme")).await.unwrap().is_some());
    assert!(reading.put_sealed_if_absent("x", b"y", testkit::fixtures::NOW).await.is_err());
    reading.close().await;
    database.close().await;
    execute(&sandbox, "DELETE FROM _sqlx_migrations WHERE version > 1").await;
    let refused = sqlite::open_read_only(&sandbox.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Older { found: 1, .. }), "{refused}");
}

#[tokio::test]
async fn another_file_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not-a-database");
    std::fs::write(&path, "not a database, and long enough to be told from an empty one").unwrap();
    let refused = sqlite::open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Open { .. }), "{refused}");
    assert_eq!(refused.hint(), Some("name a database of SQLite, or a new file, in storage.url"));
    assert!(protocol::causes(&refused).ends_with(": file is not a database"), "{refused:?}");
}

#[tokio::test]
async fn every_statement_of_a_request_is_counted() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    let before = database.statements();
    database.find_tenant(&tenant_id("acme")).await.unwrap();
    assert_eq!(database.statements() - before, 1);
}

#[tokio::test]
async fn signing_out_everywhere_is_as_many_statements_for_fifty_sessions_as_for_one() {
    let sandbox = Sandbox::new();
    let stores = Stores::of(Arc::into_inner(sandbox.open().await).unwrap());
    let [one, fifty] = cost_of_one_and_fifty(&stores, &*sandbox.open().await).await;
    assert_eq!(one, fifty);
}

/// Takes back what later migrations have made.
const AFTER_THE_FIFTH: &str = "
    ALTER TABLE clients ADD COLUMN authentication_method TEXT NOT NULL DEFAULT 'any';
    ALTER TABLE clients ADD COLUMN grant_types TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE clients ADD COLUMN audiences TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE clients ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE clients ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
    ALTER TABLE clients ADD COLUMN issuer TEXT;
    ALTER TABLE clients ADD COLUMN introspection TEXT NOT NULL DEFAULT 'own';
    UPDATE clients SET audiences = settings -> 'audiences', resources = settings -> 'resources';
    ALTER TABLE clients DROP COLUMN settings;
    ALTER TABLE tenants ADD COLUMN oauth2_enabled INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE tenants ADD COLUMN oidc_enabled INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tenants ADD COLUMN signing_algorithm TEXT NOT NULL DEFAULT 'RS256';
    ALTER TABLE tenants ADD COLUMN rotate_every INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE tenants ADD COLUMN publish_before INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE tenants ADD COLUMN jwks_stale INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE tenants ADD COLUMN access_token_format TEXT NOT NULL DEFAULT 'jwt';
    ALTER TABLE tenants ADD COLUMN access_token_typ TEXT NOT NULL DEFAULT 'JWT';
    ALTER TABLE tenants DROP COLUMN settings;
    DROP TABLE key_schedules;
    DROP TABLE key_sightings;
    DROP TABLE leases;
    DROP INDEX clients_by_lifetime;
    DROP TRIGGER clients_counted_insert;
    DROP TRIGGER clients_counted_update;
    DROP TRIGGER clients_counted_delete;
    ALTER TABLE tenants DROP COLUMN client_count;
    ALTER TABLE clients DROP COLUMN description;
    ALTER TABLE signing_keys DROP COLUMN shown_announced_at;
    ALTER TABLE signing_keys DROP COLUMN shown_active_from;
    ALTER TABLE signing_keys DROP COLUMN shown_retiring_from;
    ALTER TABLE signing_keys DROP COLUMN shown_removed_at;
    ALTER TABLE signing_keys DROP COLUMN public_jwk;
    DROP TABLE sessions;
    DROP TABLE authorization_codes;
    DROP TABLE pushed_requests;
    DROP TABLE refresh_families;
    DROP TABLE consents;
    DROP TABLE device_codes;
    DROP TABLE session_clients;
    DROP TABLE logout_outbox;
    DROP TABLE tenant_logos;
    ALTER TABLE generations DROP COLUMN left_out;
    DROP TRIGGER signing_keys_claim_thumbprint;
    DROP TABLE key_thumbprints;
    DROP TABLE used_identifiers;
    DROP TABLE revocations;
    DROP TABLE account_identifiers;
    DROP TABLE accounts;
    ALTER TABLE audit_records DROP COLUMN credential;
    ALTER TABLE audit_records DROP COLUMN sender_constraint;
    DELETE FROM _sqlx_migrations WHERE version >= 6";

#[tokio::test]
async fn keys_of_an_older_schema_are_due_at_once() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    let tenants = ["acme", "globex", "other"].map(|id| tenant(id, Vec::new()));
    apply(&database, &declaration(tenants.into()), "one").await.unwrap();
    for (id, numbers) in [("acme", 1..=2), ("globex", 1..=1)] {
        for number in numbers {
            let public_jwk = Some("{}".to_owned());
            let key = KeyRecord { public_jwk, ..testkit::fixtures::key_of(&tenant_id(id), number) };
            assert!(database.add_key(&tenant_id(id), &key).await.unwrap());
        }
    }
    database.close().await;
    for statement in AFTER_THE_FIFTH.split(';') {
        execute(&sandbox, statement).await;
    }
    // Two tenants could have the same key. Both keep it, and one owns it.
    execute(&sandbox, "UPDATE signing_keys SET thumbprint = 'shared' WHERE number = 1").await;
    let database = sandbox.open().await;
    let owners = database.find_key_owners(&["shared", "unknown"]).await.unwrap();
    assert_eq!(owners, [("shared".to_owned(), tenant_id("acme"))]);
    let due = database.find_due_keys(Timestamp::from_seconds(0), 9).await.unwrap();
    assert_eq!(due, ["acme", "globex"].map(tenant_id));
    let state = database.load_keys(&tenant_id("acme")).await.unwrap().unwrap();
    assert_eq!((state.due_at, state.previous_jwks), (Some(Timestamp::from_seconds(0)), None));
    assert_eq!((state.tenant.signing.rsa_bits, state.tenant.signing.hold_activation), (2048, None));
    assert_eq!(state.records.keys.len(), 2);
    assert!(state.records.keys.iter().all(|key| key.public_jwk.is_none()), "nothing knew the public keys");
}

#[tokio::test]
async fn tenants_of_an_older_schema_are_searched_and_touched_as_new_ones_are() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    apply(&database, &declaration(vec![tenant("acme", Vec::new()), tenant("other", Vec::new())]), "one")
        .await
        .unwrap();
    database.close().await;
    // As the migrations before the fifth have left it.
    for statement in AFTER_THE_FIFTH.split(';') {
        execute(&sandbox, statement).await;
    }
    let older = "DROP TABLE tenant_words;
                 DROP TABLE client_names;
                 DROP TABLE secret_uses;
                 DROP TABLE applications;
                 DROP TABLE idempotent_answers;
                 DROP INDEX tenants_by_deletion;
                 DROP INDEX audit_by_actor;
                 DROP INDEX audit_by_action;
                 DROP INDEX audit_by_time;
                 ALTER TABLE tenants DROP COLUMN deletion_due_at;
                 ALTER TABLE tenants DROP COLUMN revision;
                 ALTER TABLE generations DROP COLUMN sealed_sources;
                 ALTER TABLE audit_records DROP COLUMN source;
                 DELETE FROM _sqlx_migrations WHERE version >= 5";
    for statement in older.split(';') {
        execute(&sandbox, statement).await;
    }
    let database = sandbox.open().await;
    let query = TenantQuery { terms: vec!["acm".to_owned()], limit: 9, after: None };
    let found = database.list_tenants(&query).await.unwrap();
    assert_eq!(found.iter().map(|(at, _)| at.tenant.as_str()).collect::<Vec<_>>(), ["acme"]);
    assert_eq!(found[0].1.revision, 1);
    let related = RelatedClients { ids: &[], listed: &[AUDIENCE] };
    let related = database.load_with_related_clients(&tenant_id("acme"), related).await.unwrap().unwrap();
    assert_eq!(related.clients.len(), 1);
}

#[tokio::test]
async fn a_page_of_tenants_is_a_statement_or_a_few() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
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

/// A program of the version before, beside this one, writes clients and keeps no count.
#[tokio::test]
async fn clients_that_an_earlier_program_writes_are_counted() {
    let sandbox = Sandbox::new();
    let database = sandbox.open().await;
    let tenants = ["acme", "globex"].map(|id| tenant(id, Vec::new()));
    apply(&database, &declaration(tenants.into()), "one").await.unwrap();
    let count = async |id| database.load_state(&tenant_id(id)).await.unwrap().unwrap().client_count;
    for (statement, counted) in [
        (
            "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, settings)
             SELECT tenant_id, 'more-' || client_id, name, managed_by, 1, 2, settings
               FROM clients WHERE tenant_id = 'acme'",
            2,
        ),
        ("UPDATE clients SET name = 'other' WHERE tenant_id = 'acme'", 2),
        ("UPDATE clients SET retired_at = 5 WHERE tenant_id = 'acme' AND client_id = 'svc'", 1),
        (
            "UPDATE clients SET deleted_at = 6 WHERE tenant_id = 'acme' AND client_id IN ('svc', 'more-svc')",
            0,
        ),
        ("UPDATE clients SET retired_at = NULL, deleted_at = NULL WHERE tenant_id = 'acme'", 2),
        ("DELETE FROM clients WHERE tenant_id = 'acme' AND client_id = 'more-svc'", 1),
    ] {
        execute(&sandbox, statement).await;
        assert_eq!((count("acme").await, count("globex").await), (counted, 1), "{statement}");
    }
}

#[tokio::test]
async fn each_setting_of_the_fortieth_schema_is_kept() {
    let (sandbox, acme) = (Sandbox::new(), tenant_id("acme-1"));
    std::fs::create_dir_all(sandbox.path().parent().unwrap()).unwrap();
    let options = SqliteConnectOptions::new().filename(sandbox.path()).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let all = Migrator::new(folder).await.unwrap();
    let earlier = all.iter().filter(|migration| migration.version <= 40).cloned().collect();
    Migrator::with_migrations(earlier).run_direct(None, &mut connection, false).await.unwrap();
    let written = settings_of_clients::written(|texts| format!("'{}'", serde_json::json!(texts)));
    for sql in [
        "INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, oauth2_enabled, oidc_enabled, stale_if_error,
                              signing_algorithm, rotate_every, publish_before, jwks_max_age, jwks_stale, skew, access_token_lifetime,
                              access_token_format, access_token_typ)
         VALUES ('acme-1', 'ACME (Tools), No. 1', 'api', 1, 2, 1, 1, 900, 'RS256', 1, 1, 1, 1, 1, 1, 'jwt', 'JWT')",
        "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method, grant_types, audiences,
                              resources, scopes, access_token_lifetime, introspection)
         VALUES ('acme-1', 'svc', 'svc', 'api', 1, 2, 'any', '[\"client_credentials\"]', '[]', '[]', '', 77, 'own')",
        "INSERT INTO tenant_issuers VALUES ('acme-1', 0, 'https://auth.example.com/acme-1')",
        &written,
        settings_of_tenants::WRITTEN,
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let database = sandbox.open().await;
    let found = database.find_client(&acme, &client_id("svc")).await.unwrap();
    assert_eq!(found.as_deref(), Some(&settings_of_clients::expected()));
    let found = database.find_tenant(&acme).await.unwrap();
    assert_eq!(found.as_deref(), Some(&settings_of_tenants::expected()));
}
