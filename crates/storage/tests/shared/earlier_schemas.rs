//! Tests that a database of an earlier version keeps its rows, and that the columns that newer versions
//! search are filled. The previous version may still write at the same time.

use accounts::AccountId;
use administration::audit::AuditRecord;
use administration::documents::UsedFrom;
use administration::kinds;
use administration::kinds::{Accounts as _, ApiKeyRows as _};
use administration::store::query::{AuditQuery, RelatedClients, TenantQuery, search_terms};
use administration::store::{
    AuditLog as _, KeySchedule as _, TenantList as _, TenantRows as _, UsageLog as _, readable,
};
use keys::{KeyId, KeyRecord, ShownTimes, SigningKeyStore as _};
use registry::{Client, ClientStore as _};
use storage::Database;
use tenancy::{Tenant, TenantStore as _};
use testkit::fixtures::{client_id, client_with_settings, key, key_of, tenant_id, tenant_with_settings};
use testkit::{fixtures, requests};
use values::{Lifetime, Timestamp};

use crate::sandbox::{Sandbox, bytes, list};
use crate::settings_as_columns;
use testkit::requests::CommitRequest;

/// Rows as the fourth schema's version wrote them. A client's tokens have a lifetime of 77 s.
pub(crate) fn rows() -> Vec<String> {
    let [grants, api, names, none] =
        [&["client_credentials"][..], &["api"], &["https://api.example.com", "api"], &[]].map(list);
    vec![
        "INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, deleted_at, oauth2_enabled, oidc_enabled, stale_if_error,
                              signing_algorithm, rotate_every, publish_before, jwks_max_age, jwks_stale, skew, access_token_lifetime,
                              access_token_format, access_token_typ)
         WITH given (id, name, deleted_at) AS (VALUES ('acme-1', 'ACME (Tools), No. 1', NULL), ('globex', 'Globex über', NULL),
                                                      ('gone', 'Gone Tools', 3))
         SELECT id, name, 'api', 1, 2, deleted_at, TRUE, TRUE, 900, 'RS256', 1, 1, 1, 1, 1, 1, 'jwt', 'JWT' FROM given"
            .to_owned(),
        "INSERT INTO tenant_issuers SELECT tenant_id, 0, 'https://auth.example.com/' || tenant_id FROM tenants"
            .to_owned(),
        format!(
            "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, authentication_method, grant_types, audiences,
                                  resources, scopes, access_token_lifetime, introspection)
             WITH given (client_id, audiences, resources) AS (VALUES ('svc', {api}, {names}), ('other', {none}, {none}))
             SELECT tenant_id, client_id, client_id, 'api', 1, 2, 'any', {grants}, audiences, resources, '', 77, 'own' FROM tenants, given"
        ),
        "INSERT INTO audit_records (tenant_id, position, at, actor, action, subject, detail)
         VALUES ('acme-1', 1, 1, 'config', 'tenant.added', 'acme-1', '{}')"
            .to_owned(),
    ]
}

/// Rows as the fifth schema's version wrote them: keys of the first tenant, none of the second.
fn keys() -> [String; 3] {
    let sealed = bytes("009f9296ff");
    [
        "UPDATE tenants SET next_key = 3 WHERE tenant_id <> 'globex'".to_owned(),
        format!(
            "INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at, active_from)
             WITH given (number) AS (VALUES (1), (2))
             SELECT 'acme-1', number, 'RS256', {sealed}, 'thumbprint-' || number, 1767225600, 1767225600 FROM given"
        ),
        "UPDATE clients SET retired_at = CASE client_id WHEN 'svc' THEN 5 END".to_owned(),
    ]
}

async fn found(database: &Database, search: &str) -> Vec<String> {
    let query = TenantQuery { terms: search_terms(search), after: None, limit: 9 };
    let page = database.list_tenants(&query).await.unwrap();
    page.into_iter().map(|(cursor, _)| cursor.tenant.to_string()).collect()
}

/// Asserts what this version finds in a database with [`rows`].
pub(crate) async fn assert_rows_are_usable(database: &Database) {
    let acme = tenant_id("acme-1");
    assert!(database.find_tenant(&acme).await.unwrap().unwrap().is_active());
    let state = database.load_state(&acme).await.unwrap().unwrap();
    assert_eq!((state.revision, state.lifecycle.deletion_due_at, state.clients.len()), (1, None, 2));
    for (search, expected) in [
        ("", vec!["acme-1", "globex"]),
        ("acme", vec!["acme-1"]),
        ("Tools", vec!["acme-1"]),
        ("no. 1", vec!["acme-1"]),
        ("glob über", vec!["globex"]),
        ("gone", Vec::new()),
    ] {
        assert_eq!(found(database, search).await, expected, "{search:?}");
    }
    for name in ["api", "https://api.example.com", "svc"] {
        let related = RelatedClients { ids: &[name], listed: &[name] };
        let related = database.load_with_related_clients(&acme, related).await.unwrap().unwrap();
        let touched: Vec<_> = related.clients.iter().map(|state| state.client.id.as_str()).collect();
        assert_eq!((touched.as_slice(), related.client_count), (&["svc"][..], 2), "{name}");
    }
    let audit = database.list_audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
    assert!(audit.len() == 1 && audit[0].1.source.is_none(), "{audit:?}");
}

#[tokio::test]
async fn rows_of_schema_4_are_usable() {
    let sandbox = Sandbox::at_version(4, &rows()).await;
    let database = sandbox.open().await;
    assert_rows_are_usable(&database).await;
}

#[tokio::test]
async fn keys_of_schema_5_are_due_immediately() {
    let sandbox = Sandbox::at_version(5, &[&rows()[..], &keys()].concat()).await;
    let database = sandbox.open().await;
    let (acme, globex) = (tenant_id("acme-1"), tenant_id("globex"));
    let state = database.load_keys(&acme).await.unwrap().unwrap();
    // That version did not store public keys.
    assert_eq!(state.records.keys, [key(1), key(2)]);
    assert_eq!(state.records.next, KeyId::numbered(3));
    assert_eq!((state.due_at, state.previous_jwks), (Some(Timestamp::from_seconds(0)), None));
    assert_eq!(state.longest_token, Lifetime::from_seconds(77));
    assert_eq!((state.tenant.signing.rsa_bits, state.tenant.signing.hold_activation), (2048, None));
    let state = database.load_keys(&globex).await.unwrap().unwrap();
    assert!(state.records.keys.is_empty() && state.due_at.is_none(), "{state:?}");
    assert_eq!(database.find_due_keys(Timestamp::from_seconds(1), 9).await.unwrap(), [acme]);
    assert!(database.add_key(&globex, &key_of(&globex, 1)).await.unwrap());
}

/// The version of the eighth schema allowed the same key in two tenants. Both rows stay. The tenant that had
/// the key first owns it, and a destroyed key still belongs to its tenant.
#[tokio::test]
async fn key_of_two_tenants_belongs_to_the_first() {
    let sealed = bytes("00");
    let shared = [
        format!(
            "INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at, active_from)
             VALUES ('acme-1', 7, 'RS256', {sealed}, 'shared', 20, 20), ('globex', 7, 'RS256', {sealed}, 'shared', 10, 10)"
        ),
        "UPDATE tenants SET first_key_thumbprint = 'former' WHERE tenant_id = 'gone'".to_owned(),
    ];
    let sandbox = Sandbox::at_version(8, &[&rows()[..], &shared].concat()).await;
    let database = sandbox.open().await;
    let mut owners = database.find_key_owners(&["shared", "former", "unknown"]).await.unwrap();
    owners.sort();
    let expected = [("former", "gone"), ("shared", "globex")];
    assert_eq!(owners, expected.map(|(thumbprint, id)| (thumbprint.to_owned(), tenant_id(id))));
    for id in ["acme-1", "globex"] {
        let records = database.load_keys(&tenant_id(id)).await.unwrap().unwrap().records;
        assert_eq!(records.keys[0].thumbprint, "shared", "{id}");
    }
    let known = KeyRecord { thumbprint: "former".to_owned(), ..key(1) };
    assert!(!database.add_key(&tenant_id("acme-1"), &known).await.unwrap());
}

/// The previous version does not count clients itself.
#[tokio::test]
async fn clients_written_by_an_earlier_version_are_counted() {
    let sandbox = Sandbox::at_version(9, &rows()).await;
    let database = sandbox.open().await;
    let count = async |id| database.load_state(&tenant_id(id)).await.unwrap().unwrap().client_count;
    for (statement, counted) in [
        (
            "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at, settings)
             SELECT tenant_id, 'more-' || client_id, name, managed_by, 1, 2, settings
               FROM clients WHERE tenant_id = 'acme-1'",
            4,
        ),
        ("UPDATE clients SET name = 'other' WHERE tenant_id = 'acme-1'", 4),
        ("UPDATE clients SET retired_at = 5 WHERE tenant_id = 'acme-1' AND client_id = 'svc'", 3),
        ("UPDATE clients SET deleted_at = 6 WHERE tenant_id = 'acme-1' AND client_id IN ('svc', 'other')", 2),
        ("UPDATE clients SET retired_at = NULL, deleted_at = NULL WHERE tenant_id = 'acme-1'", 4),
        ("DELETE FROM clients WHERE tenant_id = 'acme-1' AND client_id = 'more-svc'", 3),
    ] {
        sandbox.execute(statement).await;
        assert_eq!((count("acme-1").await, count("globex").await), (counted, 2), "{statement}");
    }
}

/// The previous version adds keys and changes their times, but does not know the shown times.
#[tokio::test]
async fn earlier_version_keeps_the_shown_key_times() {
    let sandbox = Sandbox::at_version(12, &rows()).await;
    let database = sandbox.open().await;
    for statement in keys() {
        sandbox.execute(&statement).await;
    }
    let acme = tenant_id("acme-1");
    let shown = async || {
        let records = database.load_keys(&acme).await.unwrap().unwrap().records;
        records.keys.iter().map(|key| (key.removed_at, key.shown)).collect::<Vec<_>>()
    };
    let nothing = (None, ShownTimes::default());
    assert_eq!(shown().await, [nothing, nothing]);
    sandbox.execute("UPDATE signing_keys SET removed_at = 8, shown_removed_at = 9 WHERE number = 1").await;
    sandbox.execute("UPDATE signing_keys AS k SET active_from = 1, retiring_from = 2, removed_at = 3").await;
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    let revoked = ShownTimes { removed_at: at(9), ..ShownTimes::default() };
    assert_eq!(shown().await, [(at(3), revoked), (at(3), ShownTimes::default())]);
}

#[tokio::test]
async fn settings_of_schema_40_are_kept() {
    let written = [settings_as_columns::client(), settings_as_columns::TENANT.to_owned()];
    let sandbox = Sandbox::at_version(40, &[&rows()[..], &written].concat()).await;
    let database = sandbox.open().await;
    let acme = tenant_id("acme-1");
    let plain = Client::new(acme.clone(), client_id("other"));
    let before_federation = Client {
        federated: registry::TrustRules::default(),
        copied_claims: std::collections::BTreeMap::new(),
        access_token: tenancy::TokenOverrides::default(),
        ..client_with_settings()
    };
    for expected in
        [before_federation, Client { access_token_lifetime: Some(Lifetime::from_seconds(77)), ..plain }]
    {
        let found = database.find_client(&acme, &expected.id).await.unwrap();
        assert_eq!(found.as_deref(), Some(&expected));
    }
    let found = database.find_tenant(&acme).await.unwrap();
    // That schema had no API keys, static claims, other issuers, separate userinfo tokens, declared groups or
    // recovery, and it numbered keys.
    let mut expected =
        Tenant { api_keys: None, leaks: tenancy::LeakPolicy::default(), ..tenant_with_settings() };
    expected.signing.kid = tenancy::KidForm::Numbered;
    expected.access_token.claims = protocol::StaticClaims::default();
    expected.access_token.claims_allow = Vec::new();
    expected.access_token.reuse = tenancy::ReuseWindow::default();
    expected.trusted_issuers.clear();
    expected.client_ca = None;
    expected.userinfo = tenancy::UserinfoTokens::default();
    expected.groups = None;
    expected.sign_in.recovery = true;
    assert_eq!(found.as_deref(), Some(&expected));
}

/// In that schema, positions were counted over all tenants.
#[tokio::test]
async fn audit_records_of_schema_42_keep_their_positions() {
    let written = "INSERT INTO audit_records (tenant_id, position, at, actor, source, action, subject, detail)
                   VALUES ('acme', 1, 5, 'config', '::1', 'a', 's', '{}'), ('globex', 2, 5, 'config', NULL, 'a', 's', '{}'),
                          ('acme', 3, 5, 'config', NULL, 'b', 's', '{}')";
    let sandbox = Sandbox::at_version(42, &[written.to_owned()]).await;
    let database = sandbox.open().await;
    let all = AuditQuery { limit: 9, ..AuditQuery::default() };
    let listed = async || database.list_audit(&all).await.unwrap();
    let kept = listed().await;
    let places = |listed: &[(i64, AuditRecord)]| {
        let of = |(position, record): &(i64, AuditRecord)| format!("{}/{position}", record.tenant);
        listed.iter().map(of).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(places(&kept), "globex/2 acme/3 acme/1");
    assert_eq!(kept[2].1.source.as_deref(), Some("::1"));
    let audit = kept.into_iter().map(|(_, record)| record).collect();
    let store: &Database = &database;
    requests::commit(store, &CommitRequest { audit, ..requests::declared(Vec::new()) }).await.unwrap();
    assert_eq!(places(&listed().await), "globex/3 globex/2 acme/5 acme/4 acme/3 acme/1");
}

// [third 1]
/// Earlier versions did not record who set a password, also while they run at the same time as this version.
#[tokio::test]
async fn earlier_password_is_own_only_if_audited() {
    let ids = [1, 2, 3, 4].map(|number| AccountId::from_bytes([number; 16]));
    let [own, by_link, by_other, replaced] = &ids;
    let none = list(&[]);
    let account = |tenant: &str, id: &AccountId, at: u32| {
        format!(
            "INSERT INTO accounts (tenant_id, account_id, claims, group_names, password_hash, password_changed_at, valid_from, managed_by,
                                   created_at, updated_at)
             VALUES ('{tenant}', '{id}', '{{}}', {none}, 'x', {at}, 1, 'api', 1, 1)"
        )
    };
    let record = |position: u32, at: u32, actor: &str, (action, id): (&str, &AccountId)| {
        format!(
            "INSERT INTO audit_records (tenant_id, position, at, actor, action, subject, detail)
             VALUES ('acme-1', {position}, {at}, '{actor}', 'account.{action}', '{id}', '{{}}')"
        )
    };
    let set = |position, id| record(position, 90_000, &format!("account:{id}"), ("password_set", id));
    let written = [
        account("acme-1", own, 90_000),
        account("globex", own, 90_000),
        account("acme-1", by_link, 90_000),
        account("acme-1", by_other, 90_000),
        account("acme-1", replaced, 90_001),
        record(2, 3_599, "client:acme-1/ops", ("password_link_made", own)),
        set(3, own),
        record(4, 3_600, "client:acme-1/ops", ("password_link_made", by_link)),
        set(5, by_link),
        record(6, 90_000, "client:acme-1/ops", ("password_set", by_other)),
        set(7, replaced),
    ];
    let sandbox = Sandbox::at_version(40, &[&rows()[..], &written].concat()).await;
    let database = sandbox.open().await;
    let own_of = async |tenant: &str| {
        let found = database
            .find_accounts(&tenant_id(tenant), kinds::account::Related::from_ids(&ids))
            .await
            .unwrap();
        found.iter().filter(|row| row.has_own_password).map(|row| row.account.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!((own_of("acme-1").await, own_of("globex").await), (vec![own.clone()], vec![]));
    sandbox.execute("UPDATE accounts SET password_changed_at = password_changed_at + 5").await;
    assert!(own_of("acme-1").await.is_empty());
}

// [third 13]
/// Earlier versions recorded refused attempts as uses.
#[tokio::test]
async fn earlier_uses_of_ended_credentials_become_refusals() {
    let (none, svc) = (list(&[]), client_with_settings());
    let [secret, key] = [fixtures::secret("s").hash, fixtures::api_key(&svc, "aaaaaaaaaaaa").hash];
    let written = [
        "INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, stale_if_error, jwks_max_age, skew,
                              access_token_lifetime)
         VALUES ('acme-1', 'n', 'api', 1, 1, 1, 1, 1, 1), ('globex', 'n', 'api', 1, 1, 1, 1, 1, 1)"
            .to_owned(),
        "INSERT INTO clients (tenant_id, client_id, name, managed_by, created_at, updated_at)
         SELECT tenant_id, 'svc', 'n', 'api', 1, 1 FROM tenants"
            .to_owned(),
        format!(
            "INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at,
                                         expires_at, revoked_at, revoked_by)
             WITH given (id, expires_at, revoked_at, revoked_by)
                  AS (VALUES ('s1', NULL, 50, 'api'), ('s2', 50, 60, 'api'), ('s3', NULL, NULL, NULL))
             SELECT tenant_id, 'svc', id, '{secret}', '', 'api', 1, expires_at, revoked_at, revoked_by
               FROM tenants, given"
        ),
        format!(
            "INSERT INTO api_keys (tenant_id, api_key_id, client_id, hash, hint, name, labels, scopes, audiences,
                                   created_at, updated_at, expires_at, revision)
             SELECT tenant_id, 'aaaaaaaaaaaa', 'svc', '{key}', '', 'n', {none}, '', {none}, 1, 1, 50, 1
               FROM tenants"
        ),
        "INSERT INTO secret_uses (tenant_id, client_id, secret_id, address, last_used_at)
         WITH given (id, at) AS (VALUES ('s1', 50), ('s1', 51), ('s2', 55), ('s3', 99))
         SELECT 'acme-1', 'svc', id, 'at ' || at, at FROM given"
            .to_owned(),
        "INSERT INTO api_key_uses (tenant_id, api_key_id, address, last_used_at)
         WITH given (at) AS (VALUES (50), (51)) SELECT 'globex', 'aaaaaaaaaaaa', 'at ' || at, at FROM given"
            .to_owned(),
    ];
    let sandbox = Sandbox::at_version(44, &written).await;
    let database = sandbox.open().await;
    let shown = |from: &UsedFrom| {
        let times = [from.last_used_at, from.presented_after_end_at];
        let [used, refused] = times.map(|at| at.map_or(0, |at| at.0.seconds()));
        format!("{}: {used} {refused}", from.address)
    };
    let [acme, globex] = ["acme-1", "globex"].map(tenant_id);
    let of_secrets = database.secret_usage(&acme, &svc.id).await.unwrap();
    let of_secrets: Vec<_> =
        of_secrets.iter().map(|used| format!("{} {}", used.secret, shown(&used.from))).collect();
    let expected = ["s1 at 50: 50 0", "s1 at 51: 0 51", "s2 at 55: 0 55", "s3 at 99: 99 0"];
    assert_eq!(of_secrets, expected);
    let query = kinds::api_key::Query { limit: 9, ..kinds::api_key::Query::default() };
    let listed = async |tenant| readable(database.list_api_keys(tenant, &query).await.unwrap());
    let of_key = listed(&globex).await;
    let of_key: Vec<_> = of_key[0].used_from.iter().map(shown).collect();
    assert_eq!(of_key, ["at 51: 0 51", "at 50: 50 0"]);
    assert_eq!(listed(&acme).await[0].used_from, []);
}
