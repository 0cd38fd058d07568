//! Tests row level security: a query without a condition on the tenant reads and writes only the rows of the
//! entered tenant.

use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::query::{AuditQuery, ClientQuery, RelatedClients};
use administration::store::{
    Applications as _, AuditLog as _, CommitOutcome, EndedSecrets as _, IdempotentAnswer,
    IdempotentAnswers as _, KeySchedule as _, TenantRows as _, UsageLog as _, readable,
};
use keys::SigningKeyStore as _;
use registry::ClientStore as _;
use sessions::SessionStore as _;
use sqlx::{AssertSqlSafe, PgConnection};
use tenancy::TenantId;
use testkit::fixtures::{self, key, key_of};
use testkit::requests;
use testkit::store_contract::sign_ins::begin;

use crate::belongings::{answer, application, seen, used};
use crate::sandbox::execute;
use crate::two_tenants::{TABLES, enter, two_tenants};

/// Partitions that can be read directly, bypassing the policies of their table.
const OPEN_PARTITIONS: &str = "
    SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)";

/// The tenants of the rows that a query without a condition on the tenant finds.
async fn owners(connection: &mut PgConnection, table: &str) -> Vec<String> {
    let sql = format!("SELECT DISTINCT tenant_id FROM {table} ORDER BY 1");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

// [parties #14]: a statement of a request that forgets its tenant | in PostgreSQL read the rows of the one
//   tenant that was entered | read or write another tenant's
#[tokio::test]
async fn query_without_tenant_sees_only_the_entered_tenant() {
    let (_sandbox, mut connection) = two_tenants().await;
    let tables: Vec<(String, bool)> = sqlx::query_as(TABLES).fetch_all(&mut connection).await.unwrap();
    assert_eq!(tables.len(), 39, "{tables:?}");
    let open: Vec<(String,)> = sqlx::query_as(OPEN_PARTITIONS).fetch_all(&mut connection).await.unwrap();
    assert!(open.is_empty(), "{open:?}");
    for (table, row_level_security) in &tables {
        assert!(row_level_security, "{table}");
        let mut all = enter(&mut connection, "latchkey_operator", None).await;
        assert_eq!(owners(&mut all, table).await, ["acme", "globex"], "{table}");
        drop(all);
        let unread = ["secret_uses", "used_identifiers", "api_key_uses", "audit_chains", "audit_salts"];
        if !unread.contains(&table.as_str()) {
            for tenant in ["acme", "globex"] {
                let mut one = enter(&mut connection, "latchkey_writer", Some(tenant)).await;
                assert_eq!(owners(&mut one, table).await, [tenant], "{table}");
            }
            let mut none = enter(&mut connection, "latchkey_writer", None).await;
            assert!(owners(&mut none, table).await.is_empty(), "{table}");
        }
        if ["change_log", "tenant_words", "audit_salts"].contains(&table.as_str()) {
            continue;
        }
        for tenant in ["acme", "globex"] {
            let mut one = enter(&mut connection, "latchkey_app", Some(tenant)).await;
            assert_eq!(owners(&mut one, table).await, [tenant], "{table}");
        }
        for unknown in [None, Some(""), Some("initech")] {
            let mut none = enter(&mut connection, "latchkey_app", unknown).await;
            assert!(owners(&mut none, table).await.is_empty(), "{table} {unknown:?}");
        }
    }
    // The owner of the tables sees no rows either.
    assert!(owners(&mut connection, "clients").await.is_empty());
}

#[tokio::test]
async fn request_role_writes_only_permitted_columns() {
    let (_sandbox, mut connection) = two_tenants().await;
    let key = "INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at,
                                         active_from) VALUES ('acme', 2, 'RS256', '', 'new', 0, 0)";
    let log = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', 'acme', 0)";
    let due = |tenant: &str| {
        format!(
            "INSERT INTO key_schedules (tenant_id, due_at) VALUES ('{tenant}', 1)
             ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at"
        )
    };
    let refused = [
        due("globex"),
        due("initech"),
        "UPDATE tenants SET name = 'renamed'".to_owned(),
        "SELECT * FROM tenant_words".to_owned(),
        "UPDATE secret_uses SET last_used_at = 0".to_owned(),
        "UPDATE tenants SET revision = 9".to_owned(),
        "UPDATE key_schedules SET earlier_jwks_until = 9".to_owned(),
        "UPDATE signing_keys SET sealed_private_key = ''".to_owned(),
        "UPDATE key_sightings SET newest_key = 9".to_owned(),
        "UPDATE used_identifiers SET expires_at = 0".to_owned(),
        "UPDATE accounts SET password_hash = ''".to_owned(),
        "UPDATE account_identifiers SET value = 'x'".to_owned(),
        "UPDATE session_clients SET account_id = ''".to_owned(),
        "UPDATE logout_outbox SET attempts = 9".to_owned(),
        "UPDATE mail_outbox SET attempts = 9".to_owned(),
        "UPDATE audit_records SET actor = 'other'".to_owned(),
        "UPDATE api_keys SET expires_at = 9".to_owned(),
        "UPDATE audit_chains SET sequence = 9".to_owned(),
        "SELECT * FROM audit_salts".to_owned(),
    ];
    let kept = "clients api_keys idempotent_answers audit_records key_schedules key_thumbprints accounts used_identifiers sessions authorization_codes
                device_codes pushed_requests refresh_families consents mail_outbox";
    let deletions = kept.split_whitespace().map(|table| format!("DELETE FROM {table}"));
    for sql in refused.into_iter().chain(deletions) {
        let mut acme = enter(&mut connection, "latchkey_app", Some("acme")).await;
        let error = sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut *acme).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}: {error}");
    }
    let allowed = [
        key.to_owned(),
        log.to_owned(),
        due("acme"),
        "UPDATE tenants SET next_key = 9".to_owned(),
        "UPDATE key_schedules SET due_at = 9".to_owned(),
        "INSERT INTO used_identifiers VALUES ('acme', '', 0)".to_owned(),
        "INSERT INTO revocations VALUES ('acme', 'tenant', '', '', 0, 0)".to_owned(),
        "UPDATE revocations SET issued_until = 9 WHERE kind = 'token'".to_owned(),
        "DELETE FROM revocations WHERE kind = 'token'".to_owned(),
    ];
    for sql in allowed {
        let mut acme = enter(&mut connection, "latchkey_app", Some("acme")).await;
        let done = sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut *acme).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
    }
}

// [V13 13.2.2]: 2 | These connections have the least privilege | Requests read as a role that sees one
//   tenant, and a commit that concerns one tenant runs as a role that sees and writes that tenant; Vault
//   needs two permissions
// [parties #14]
#[tokio::test]
async fn row_level_security_applies_to_requests_only() {
    let (sandbox, mut connection) = two_tenants().await;
    let database = sandbox.open().await;
    let (acme, svc) = (fixtures::tenant_id("acme"), fixtures::client_id("svc"));
    let ada = requests::account(&acme, 1, &["ada@example.com"]);
    let stores = sandbox.stores().await;
    let [write, another] = [(); 2].map(|()| begin(&stores, &ada, None, fixtures::NOW).0);
    let (slot, id) = (write.session().slot, &write.session().id);
    database.write_session(&acme, &write).await.unwrap();
    assert!(database.find_client(&acme, &svc).await.unwrap().is_some());
    assert!(database.find_session(&acme, slot, id).await.unwrap().is_some());
    let tables: Vec<(String, bool)> = sqlx::query_as(TABLES).fetch_all(&mut connection).await.unwrap();
    for (table, _) in tables {
        let policy = "AS RESTRICTIVE TO latchkey_app USING (false)";
        execute(&mut connection, format!("CREATE POLICY nothing ON {table} {policy}")).await;
    }
    assert!(database.find_client(&acme, &svc).await.unwrap().is_none());
    assert!(database.find_keys(&acme).await.unwrap().keys.is_empty());
    assert!(!database.add_key(&acme, &key(2)).await.unwrap(), "there is no tenant to add it to");
    assert!(database.find_session(&acme, slot, id).await.unwrap().is_none());
    for write in [&write, &another] {
        let refused = database.write_session(&acme, write).await.unwrap_err();
        assert!(values::causes(&refused).contains("row-level security policy"), "{refused}");
    }
    assert_eq!(database.list_tenant_summaries(&[]).await.unwrap().len(), 2);
}

/// The administrator of a tenant reads with the same role as requests. The result contains no row of another
/// tenant with the same names.
#[tokio::test]
async fn administration_of_one_tenant_uses_row_level_security() {
    let (sandbox, mut connection) = two_tenants().await;
    let database = sandbox.open().await;
    let audit =
        |tenant: Option<&TenantId>| AuditQuery { tenant: tenant.cloned(), limit: 9, ..AuditQuery::default() };
    let clients = ClientQuery { limit: 9, ..ClientQuery::default() };
    for id in ["acme", "globex"] {
        let id = fixtures::tenant_id(id);
        let (svc, own) = (fixtures::client_id("svc"), application(&id));
        assert_eq!(database.secret_usage(&id, &svc).await.unwrap(), [used(&id)]);
        assert_eq!(database.find_application(&id, &own.id).await.unwrap(), Some(own.clone()));
        assert_eq!(database.find_application_named(&id, "app").await.unwrap(), Some(own.id));
        assert_eq!(database.list_applications(&id, 0, 9).await.unwrap(), (1, vec![own]));
        let found = database.find_idempotent_answer(&id, &[1; 32], fixtures::NOW).await.unwrap();
        assert_eq!(found, Some(answer(&id)));
        let records = database.list_audit(&audit(Some(&id))).await.unwrap();
        assert!(records.len() == 1 && records[0].1.tenant == id, "{records:?}");
        let listed = readable(database.list_clients(&id, &clients).await.unwrap());
        assert!(listed.len() == 1 && listed[0].client.tenant == id, "{listed:?}");
        let related = RelatedClients { ids: &[], listed: &[fixtures::AUDIENCE] };
        let related = database.load_with_related_clients(&id, related).await.unwrap().unwrap();
        assert!(related.tenant.id == id && related.clients.len() == 1, "{related:?}");
        assert_eq!(database.verifier_fetches(&id).await.unwrap(), [seen(&id)]);
        let keys = database.load_keys(&id).await.unwrap().unwrap();
        assert_eq!((&keys.tenant.id, keys.due_at), (&id, Some(fixtures::NOW)));
        assert_eq!(keys.records.keys, [key_of(&id, 1)]);
    }

    let policy = "AS RESTRICTIVE TO latchkey_app USING (false)";
    for table in [
        "clients",
        "secret_uses",
        "applications",
        "idempotent_answers",
        "audit_records",
        "signing_keys",
        "key_schedules",
        "key_sightings",
    ] {
        execute(&mut connection, format!("CREATE POLICY nothing ON {table} {policy}")).await;
    }
    let (acme, svc) = (fixtures::tenant_id("acme"), fixtures::client_id("svc"));
    assert!(database.secret_usage(&acme, &svc).await.unwrap().is_empty());
    assert!(database.find_application(&acme, &application(&acme).id).await.unwrap().is_none());
    assert!(database.find_application_named(&acme, "app").await.unwrap().is_none());
    assert_eq!(database.list_applications(&acme, 0, 9).await.unwrap(), (0, Vec::new()));
    assert!(database.find_idempotent_answer(&acme, &[1; 32], fixtures::NOW).await.unwrap().is_none());
    assert!(database.list_audit(&audit(Some(&acme))).await.unwrap().is_empty());
    assert!(database.list_clients(&acme, &clients).await.unwrap().is_empty());
    let related = RelatedClients { ids: &["svc"], listed: &[fixtures::AUDIENCE] };
    assert!(database.load_with_related_clients(&acme, related).await.unwrap().unwrap().clients.is_empty());
    assert!(database.verifier_fetches(&acme).await.unwrap().is_empty());
    let keys = database.load_keys(&acme).await.unwrap().unwrap();
    assert!(keys.records.keys.is_empty() && keys.due_at.is_none(), "{keys:?}");
    // The platform's administrators see all tenants.
    assert_eq!(database.find_due_keys(fixtures::NOW, 9).await.unwrap().len(), 2);
    assert_eq!(database.list_audit(&audit(None)).await.unwrap().len(), 2);
}

// [found 20]: In PostgreSQL writes of one tenant ran as the role that sees all tenants | fixed | A commit
//   that concerns one tenant runs as `latchkey_writer`, under policies with `WITH CHECK` ([decision
//   21](decisions/0021-a-key-and-a-commit-of-one-tenant.md)). A login without that role commits as before,
//   with a warning at the start
// [V13 13.2.2]
/// These statements have no condition on the tenant. They run with the role for commits of one tenant.
#[tokio::test]
async fn writer_role_cannot_change_another_tenant() {
    let (_sandbox, mut connection) = two_tenants().await;
    for own in ["acme", "globex"] {
        for sql in [
            "UPDATE tenants SET name = 'stolen', revision = revision + 1",
            "UPDATE resource_servers SET scopes = 'stolen'",
            "UPDATE clients SET name = 'stolen'",
            "UPDATE client_secrets SET hash = 'stolen'",
            "UPDATE applications SET name = 'stolen'",
            "UPDATE signing_keys SET sealed_private_key = ''",
            "UPDATE key_schedules SET due_at = 1",
            "DELETE FROM tenant_issuers WHERE position = 0",
            "DELETE FROM tenant_former_typs",
            "DELETE FROM client_secrets",
            "DELETE FROM applications",
            "DELETE FROM signing_keys",
            "DELETE FROM key_schedules",
            "DELETE FROM key_sightings",
            "DELETE FROM idempotent_answers",
            "UPDATE mail_outbox SET account_id = 'stolen'",
            "DELETE FROM mail_outbox",
            "UPDATE revocations SET issued_until = 0 WHERE kind = 'token'",
            "DELETE FROM revocations WHERE kind = 'token'",
        ] {
            let mut writer = enter(&mut connection, "latchkey_writer", Some(own)).await;
            let done = sqlx::query(sql).execute(&mut *writer).await.unwrap();
            assert_eq!(done.rows_affected(), 1, "{own}: {sql}");
        }
        let refused = [
            "DELETE FROM tenants",
            "DELETE FROM clients",
            "DELETE FROM key_thumbprints",
            "UPDATE key_thumbprints SET thumbprint = 'freed'",
            "SELECT actor FROM audit_records",
            "UPDATE audit_records SET actor = 'other'",
            "DELETE FROM audit_records",
            "SELECT * FROM secret_uses",
            "SELECT * FROM audit_salts",
        ];
        for sql in refused {
            let mut writer = enter(&mut connection, "latchkey_writer", Some(own)).await;
            let error = sqlx::query(sql).execute(&mut *writer).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}: {error}");
        }
    }
}

// [found 20]
/// A trigger simulates a statement that writes into another tenant by mistake.
#[tokio::test]
async fn commit_that_writes_into_another_tenant_is_refused() {
    let (sandbox, mut connection) = two_tenants().await;
    let database = sandbox.open().await;
    for sql in [
        "CREATE FUNCTION misdirect() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.tenant_id := 'globex'; RETURN NEW; END $$",
        "CREATE TRIGGER misdirect BEFORE INSERT ON client_names FOR EACH ROW EXECUTE FUNCTION misdirect()",
    ] {
        execute(&mut connection, sql.to_owned()).await;
    }
    let adding = |ids: &[&str]| {
        let added = ids.iter().map(|id| {
            let client = fixtures::client(&fixtures::tenant(id), "second");
            Change::Client(requests::row(ChangeKind::Added, None, &client))
        });
        let mut request = requests::declared(added.collect());
        request.expected_revisions = ids.iter().map(|id| (fixtures::tenant_id(id), 1)).collect();
        request
    };
    let refused = requests::commit(&database, &adding(&["acme"])).await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(
        cause.contains("violates row-level security policy for table \"client_names\""),
        "{refused}: {cause}"
    );
    assert_eq!(database.load_state(&fixtures::tenant_id("acme")).await.unwrap().unwrap().clients.len(), 1);
    // The other tenant can write its own rows.
    let committed = CommitOutcome::Committed { generation: None, resumed_until: None };
    assert_eq!(requests::commit(&database, &adding(&["globex"])).await.unwrap(), committed);
    // A commit of two tenants runs as the operator. So does each commit of a login that cannot act as the
    // writer.
    execute(&mut connection, "DROP TRIGGER misdirect ON client_names".to_owned()).await;
    let policy = "AS RESTRICTIVE TO latchkey_writer USING (false)";
    execute(&mut connection, format!("CREATE POLICY nothing ON clients {policy}")).await;
    assert!(requests::commit(&database, &adding(&["acme"])).await.is_err());
    let mut both = adding(&["acme", "globex"]);
    both.expected_revisions[1].1 = 2;
    both.edit.changes.remove(1);
    assert_eq!(requests::commit(&database, &both).await.unwrap(), committed);
}

/// A commit of one tenant cannot delete unused rows of other tenants.
#[tokio::test]
async fn hourly_pass_deletes_expired_rows_of_all_tenants() {
    let (sandbox, mut connection) = two_tenants().await;
    let database = sandbox.open().await;
    let later = fixtures::NOW + values::Lifetime::from_seconds(2 * 86_400);
    let mut request = requests::declared(Vec::new());
    request.expected_revisions = vec![(fixtures::tenant_id("acme"), 1)];
    request.idempotent = Some(IdempotentAnswer {
        key: [3; 32],
        expires_at: later + values::Lifetime::from_seconds(60),
        ..answer(&fixtures::tenant_id("acme"))
    });
    request.now = later;
    requests::commit(&database, &request).await.unwrap();
    let mut all = enter(&mut connection, "latchkey_operator", None).await;
    assert_eq!(owners(&mut all, "idempotent_answers").await, ["acme", "globex"]);
    drop(all);
    database.prune_ended_secrets(later, 9).await.unwrap();
    let mut all = enter(&mut connection, "latchkey_operator", None).await;
    assert!(owners(&mut all, "change_log").await.is_empty());
    assert_eq!(owners(&mut all, "idempotent_answers").await, ["acme"]);
}
