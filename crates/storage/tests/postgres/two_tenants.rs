//! Two tenants with a row in every table of tenants, and the roles that enter one of them.

use administration::audit::AuditRecord;
use administration::audit::audit_stream::AuditChain;
use administration::audit::refusals::Refusal;
use administration::audit::usage::{Counter, DayCounts, UsageBatch, UsageDay};
use administration::documents::UsedFrom;
use administration::kinds;
use administration::kinds::change::ChangeKind;
use administration::kinds::{ApiKeyRows as _, Change};
use administration::store::{
    AuditStream as _, ConsoleSessions as _, RefusalLog as _, UsageDays as _, UsageLog as _,
};
use keys::SigningKeyStore as _;
use registry::{Client, ReplayStore as _, RevocationStore as _, TrustRule, TrustRules, UseOutcome};
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};
use tenancy::{Logo, Tenant, TenantId};
use testkit::fixtures::{self, key_of};
use testkit::requests;
use testkit::store_contract::console_sessions::console_link;
use testkit::store_contract::mail::message;
use testkit::store_contract::sign_ins::sign_in;
use values::LetterKind;

use crate::belongings::{answer, application, identifier, revoked, seen, used};
use crate::sandbox::{Sandbox, execute};

/// Every table of tenants, found by its columns in the catalog.
pub(crate) const TABLES: &str = "
    SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attname = 'tenant_id'
     ORDER BY 1";

/// Creates two tenants with a row in every table.
pub(crate) async fn two_tenants() -> (Sandbox, PgConnection) {
    let (sandbox, database) = Sandbox::opened().await;
    for id in ["acme", "globex"] {
        let mut tenant = Tenant { issuer_aliases: vec![fixtures::issuer(id)], ..fixtures::tenant(id) };
        tenant.branding.logo = Some(Logo::new("digest".to_owned(), id.as_bytes()));
        tenant
            .access_token
            .previous_typs
            .push(tenancy::PreviousTyp { typ: "JWT".to_owned(), accepted_until: fixtures::NOW });
        let federated = TrustRules(vec![TrustRule::new("ci", "repo:a")]);
        let secrets = vec![fixtures::secret("s1")];
        let client = Client { federated, secrets, ..fixtures::client(&tenant, "svc") };
        let mut request = requests::added(&tenant, &[&client]);
        request.edit.changes.push(Change::Application(requests::row(
            ChangeKind::Added,
            None,
            &application(&tenant.id),
        )));
        let account = requests::account(&tenant.id, 1, &["ada@example.com"]);
        request.edit.changes.push(Change::Account(requests::row(ChangeKind::Added, None, &account)));
        let key = fixtures::api_key(&client, "key000000001");
        request.edit.changes.push(Change::ApiKey(requests::row(ChangeKind::Added, None, &key)));
        request.edit.mail.push(message(&tenant.id, 1, LetterKind::Test, fixtures::NOW));
        request.idempotent = Some(answer(&tenant.id));
        let record = AuditRecord {
            tenant: tenant.id.clone(),
            at: fixtures::NOW.into(),
            actor: "test".to_owned(),
            source: None,
            credential: None,
            sender_constraint: None,
            action: "added".to_owned(),
            subject: id.to_owned(),
            detail: serde_json::json!({}),
        };
        request.audit.push(record.clone());
        requests::commit(&database, &request).await.unwrap();
        assert!(database.add_key(&tenant.id, &key_of(&tenant.id, 1)).await.unwrap());
        database.record_secret_usage(&[used(&tenant.id)]).await.unwrap();
        let counts = DayCounts { counter: Counter::Issued, name: String::new(), day: 1, hours: [1; 24] };
        let rows = vec![UsageDay { tenant: tenant.id.clone(), client: None, counts }];
        let (replica, now) = (id.to_owned(), fixtures::NOW);
        database.add_usage(&UsageBatch { replica, number: 1, rows, now }).await.unwrap();
        database.record_refusals(&[refusal(&tenant.id)]).await.unwrap();
        let use_of_key = kinds::api_key::Used {
            tenant: tenant.id.clone(),
            key: key.id.clone(),
            from: UsedFrom::presented("192.0.2.1".to_owned(), UseOutcome::Accepted, fixtures::NOW),
        };
        database.record_api_key_usage(&[use_of_key]).await.unwrap();
        database.record_verifier_fetches(&[seen(&tenant.id)]).await.unwrap();
        assert!(database.record_use(&tenant.id, &identifier()).await.unwrap());
        database.revoke_token(&tenant.id, &revoked(), fixtures::NOW).await.unwrap();
        let link = console_link(id, 1, fixtures::NOW.seconds());
        database.add_console_session(&tenant.id, &link, fixtures::NOW).await.unwrap();
        sign_in(&sandbox.stores().await, &account).await;
        let (mut chain, salt) = (AuditChain::new(id.to_owned()), [1; 32]);
        chain.add(1, &record, &salt);
        assert!(database.add_audit_lines(&tenant.id, &chain, (id, 0), &[(1, salt)]).await.unwrap());
    }
    let connection = sandbox.connect().await;
    (sandbox, connection)
}

pub(crate) async fn enter<'c>(
    connection: &'c mut PgConnection,
    role: &str,
    tenant: Option<&str>,
) -> Transaction<'c, Postgres> {
    let mut transaction = connection.begin().await.unwrap();
    execute(&mut transaction, format!("SET LOCAL ROLE {role}")).await;
    if let Some(tenant) = tenant {
        execute(&mut transaction, format!("SELECT set_config('latchkey.tenant', '{tenant}', true)")).await;
    }
    transaction
}

fn refusal(tenant: &TenantId) -> Refusal {
    Refusal {
        tenant: tenant.clone(),
        at: fixtures::NOW,
        request_id: "1".to_owned(),
        route: "/".to_owned(),
        status: 401,
        error: String::new(),
        reason: "wrong_secret".to_owned(),
        client: None,
        is_proven: false,
        auth_method: String::new(),
        scope: String::new(),
        source: "192.0.2.1".to_owned(),
    }
}
