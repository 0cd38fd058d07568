//! Tests the comparison by the lines that an operator reads.

use accounts::{Account, AccountId, AccountIdentifier, Identifier};
use protocol::{Scope, SigningAlgorithm};
use registry::{Client, ClientId, ClientSecret, DeclaredPassword, SecretId};
use secrets::{GeneratedSecret, Pepper, SecretHash};
use tenancy::{Issuer, ResourceServer, Tenant, TenantStatus, TokenFormat};
use values::{Lifetime, Secret, Timestamp};
use zeroize::Zeroizing;

use super::{Classification, CompareContext, CurrentRows, compare, first_keys};
use crate::audit::AuditRecord;
use crate::declaration::fingerprint::Fingerprint;
use crate::declaration::plan::{Conflicts, Plan, Retirements};
use crate::declaration::{Declaration, DeclaredClient, DeclaredSecret, StoredSource, UnreadValue};
use crate::edit::test_states::{self, NOW, scope, set_token_lifetime, tenant_id as id, with};
use crate::kinds;
use crate::kinds::authority::Actor;
use crate::kinds::change::SecretChangeKind;
use crate::kinds::state::{ManagedBy, RowLifecycle, SecretState, TenantSummary};
use crate::kinds::{Change, DeclaredTenant, ResourceServerState, TenantState};

const EARLIER: Option<Timestamp> = Some(Timestamp::from_seconds(5));
/// After a change, caches may use the earlier row for this many seconds.
const CACHED: u64 = 10;
/// The most clients that a tenant may have.
const CLIENTS: u64 = 10;
const PHC: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const OTHER_SALT: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$b3RoZXJzYWx0b3RoZXJzYQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn pepper() -> Pepper {
    Pepper::from_bytes(Zeroizing::new([1; 32]))
}

fn secret(password: DeclaredPassword) -> DeclaredSecret {
    DeclaredSecret { password, expires_at: None, previous_for: None, stored: None }
}

fn value(text: &str) -> DeclaredSecret {
    secret(DeclaredPassword::Value(Secret::new(text.to_owned())))
}

fn hash(phc: &str) -> DeclaredSecret {
    secret(DeclaredPassword::Hash(phc.to_owned()))
}

fn client(tenant: &str, name: &str) -> DeclaredClient {
    let client = Client {
        audiences: vec!["api".to_owned()],
        scope: scope("a b"),
        ..Client::new(id(tenant), ClientId::parse(name).unwrap())
    };
    DeclaredClient { client, secrets: vec![value("chosen")] }
}

/// A tenant with one audience, and one client with one secret.
fn tenant(name: &str) -> DeclaredTenant {
    let api =
        ResourceServer { audience: "api".to_owned(), scopes: scope("a b"), ..ResourceServer::default() };
    let tenant = Tenant {
        issuer: Issuer::parse(&format!("https://{name}.example.com")).unwrap(),
        issuer_aliases: Vec::new(),
        resource_servers: vec![api],
        ..test_states::state(name).tenant
    };
    DeclaredTenant { tenant, clients: vec![client(name, "svc")], accounts: Vec::new(), first_key: None }
}

/// The tenant as the store has it after the declaration was applied.
fn stored(declared: &DeclaredTenant) -> TenantState {
    let lifecycle = RowLifecycle::fresh(ManagedBy::Config, NOW);
    let secret = |client: &Client, index: usize, secret: &DeclaredSecret| SecretState {
        secret: ClientSecret {
            id: registry::SecretId::new(&format!("s{}", index + 1)),
            hash: match &secret.password {
                DeclaredPassword::Value(_) => SecretHash::Password(PHC.to_owned()),
                DeclaredPassword::Hash(phc) => phc.parse().unwrap(),
            },
            hint: String::new(),
            created_at: NOW,
            expires_at: secret.expires_at,
            revoked_at: None,
        },
        managed_by: ManagedBy::Config,
        revoked_by: None,
        declared_digest: match &secret.password {
            DeclaredPassword::Value(value) => {
                Some(secrets::declared_digest(&pepper(), &client.tenant, &client.id, value))
            }
            DeclaredPassword::Hash(_) => None,
        },
        declared_expires_at: secret.expires_at,
        name: None,
        fingerprint: None,
    };
    let client = |declared: &DeclaredClient| {
        let secrets = declared.secrets.iter().enumerate();
        let secrets = secrets.map(|(index, row)| secret(&declared.client, index, row)).collect();
        kinds::client::State::new(declared.client.clone(), lifecycle, secrets)
    };
    let server = |server: &ResourceServer| ResourceServerState { resource_server: server.clone(), lifecycle };
    TenantState {
        resource_servers: declared.tenant.resource_servers.iter().map(server).collect(),
        client_count: declared.clients.len() as u64,
        clients: declared.clients.iter().map(client).collect(),
        first_key_thumbprint: declared.first_key.as_ref().map(|key| key.thumbprint.clone()),
        has_had_keys: declared.first_key.is_some(),
        ..TenantState::added(declared.tenant.clone(), lifecycle)
    }
}

fn declaration(declared: Vec<DeclaredTenant>) -> Declaration {
    let tenants = declared.into_iter().map(|declared| (declared.tenant.id.clone(), declared)).collect();
    Declaration { tenants, ..Declaration::default() }
}

fn plan(declared: Vec<DeclaredTenant>, states: Vec<TenantState>) -> Result<Plan, Conflicts> {
    plan_of(&declaration(declared), states, false)
}

fn plan_of(declaration: &Declaration, states: Vec<TenantState>, ends: bool) -> Result<Plan, Conflicts> {
    let summary = |state: &TenantState| TenantSummary {
        tenant: state.tenant.id.clone(),
        lifecycle: state.lifecycle,
        fingerprint: None,
    };
    let issuers = |state: &TenantState| {
        let id = state.tenant.id.clone();
        let names = std::iter::once(&state.tenant.issuer).chain(&state.tenant.issuer_aliases);
        names.map(|issuer| (issuer.clone(), id.clone())).collect::<Vec<_>>()
    };
    let pepper = pepper();
    let classification =
        Classification::new(&pepper, declaration, states.iter().map(summary).collect(), false);
    let key = |state: &TenantState| Some((state.first_key_thumbprint.clone()?, state.tenant.id.clone()));
    let current = CurrentRows {
        issuer_owners: states.iter().flat_map(issuers).collect(),
        key_owners: states.iter().filter_map(key).collect(),
        states: states.into_iter().map(|state| (state.tenant.id.clone(), state)).collect(),
    };
    let (l1_lifetime, clients) = (Lifetime::from_seconds(CACHED), CLIENTS);
    let context = CompareContext { pepper: &pepper, now: NOW, l1_lifetime, clients, ends_previous: ends };
    compare(context, declaration, classification, current)
}

#[track_caller]
fn check(declared: Vec<DeclaredTenant>, states: Vec<TenantState>, expected: &[&str]) {
    let text = match plan(declared, states) {
        Ok(plan) => plan.to_string(),
        Err(conflicts) => conflicts.to_string(),
    };
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// The tenant `t`, stored as declared, after both sides were changed.
#[track_caller]
fn check_one(change: impl Fn(&mut DeclaredTenant), happened: impl Fn(&mut TenantState), expected: &[&str]) {
    check(vec![with(tenant("t"), change)], vec![with(stored(&tenant("t")), happened)], expected);
}

fn nothing<T>(_: &mut T) {}

/// The line of a conflict that leaves the tenant out.
fn left_out(tenant: &str, conflict: &str) -> String {
    format!("! {conflict}; tenant {tenant} stays unchanged")
}

#[test]
fn unchanged_tenant_has_an_empty_plan() {
    check_one(nothing, nothing, &[]);
    check(Vec::new(), Vec::new(), &[]);
}

#[test]
fn new_tenant_is_added_with_all_rows() {
    let lines =
        ["+ tenant t", "+ resource server t/api", "+ client t/svc; gains a b", "+ secret t/svc/s1 (chosen)"];
    check(vec![tenant("t")], Vec::new(), &lines);
    let initial = super::initial_plan(&pepper(), &declaration(vec![tenant("t")]), CLIENTS, NOW).unwrap();
    assert_eq!(initial.to_string().lines().collect::<Vec<_>>(), lines);
}

#[test]
fn changed_fields_list_both_values_and_affected_clients() {
    let described = |t: &mut DeclaredTenant| t.clients[0].client.description = Some("Bills".to_owned());
    check_one(described, nothing, &["~ client t/svc: description none -> Bills"]);
    check_one(|t| t.tenant.name = "T".to_owned(), nothing, &["~ tenant t: name t -> T"]);
    check_one(
        |t| t.tenant.access_token.lifetime = Lifetime::from_seconds(60),
        nothing,
        &["~ tenant t: access_token.lifetime 1h -> 1m"],
    );
    let note = "; APIs that verify tokens offline will refuse new ones, which are opaque";
    check_one(
        |t| t.tenant.access_token.format = TokenFormat::Opaque,
        nothing,
        &[&format!("~ tenant t: access_token.format jwt -> opaque{note}")],
    );
    check_one(
        |t| t.clients[0].client.access_token.format = Some(TokenFormat::Opaque),
        nothing,
        &[&format!("~ client t/svc: access_token.format none -> opaque{note}")],
    );
    check_one(
        |t| t.tenant.resource_servers[0].token_format = Some(TokenFormat::Jwt),
        nothing,
        &["~ resource server t/api: access_token.format none -> jwt"],
    );
    check_one(
        |t| t.clients[0].client.scope = scope("b c"),
        nothing,
        &["~ client t/svc: scopes [a b] -> [b c]; gains c, loses a"],
    );
    check_one(
        |t| t.tenant.resource_servers[0].introspection_clients = vec!["svc".to_owned(), "x y".to_owned()],
        nothing,
        &["~ resource server t/api: clients [] -> [svc \"x y\"]"],
    );
}

#[test]
fn undeclared_rows_are_retired_and_can_be_restored() {
    check(Vec::new(), vec![stored(&tenant("t"))], &["- tenant t", "  client t/svc loses a b"]);
    check_one(|t| t.clients.clear(), nothing, &["- client t/svc; loses a b"]);
    check_one(
        |t| {
            t.tenant.resource_servers.clear();
            t.clients[0].client.audiences.clear();
        },
        nothing,
        &["- resource server t/api", "~ client t/svc: audiences [api] -> []"],
    );
    check_one(
        nothing,
        |t| t.lifecycle.retired_at = EARLIER,
        &["+ tenant t (again)", "  client t/svc gains a b"],
    );
    check_one(
        |t| t.clients[0].client.name = "S".to_owned(),
        |t| t.clients[0].lifecycle.retired_at = EARLIER,
        &["+ client t/svc (again): name svc -> S; gains a b"],
    );
    // A retired tenant is not retired again.
    check(Vec::new(), vec![with(stored(&tenant("t")), |t| t.lifecycle.retired_at = EARLIER)], &[]);
    check_one(|t| t.clients.clear(), |t| t.clients[0].lifecycle.retired_at = EARLIER, &[]);
}

/// In the first three cases the client could use no scope before the change, and can use none afterwards.
#[test]
fn inactive_client_gains_and_loses_no_scopes() {
    let scopes = |t: &mut DeclaredTenant| t.clients[0].client.scope = scope("b c");
    let line = "~ client t/svc: scopes [a b] -> [b c]";
    check_one(scopes, |t| t.lifecycle.suspended_at = EARLIER, &[line]);
    check_one(scopes, |t| t.clients[0].lifecycle.suspended_at = EARLIER, &[line]);
    check_one(scopes, |t| t.lifecycle.deletion_due_at = EARLIER, &[line]);
    check_one(
        |t| t.tenant.strategies.oauth2 = false,
        nothing,
        &["~ tenant t: strategies.oauth2 true -> false", "  client t/svc loses a b"],
    );
}

#[test]
fn changes_by_api_to_declared_rows_are_drift() {
    let drift = |happened: &dyn Fn(&mut TenantState)| {
        let state = with(stored(&tenant("t")), happened);
        let found = super::left_alone(&declaration(vec![tenant("t")]), &[state], NOW);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let end = Some(Timestamp::from_seconds(NOW.seconds() + 60));
    assert_eq!(drift(&nothing), [""; 0]);
    let described = drift(&|t| {
        t.lifecycle.suspended_at = EARLIER;
        t.clients[0].lifecycle.suspended_at = EARLIER;
        t.clients[0].secrets[0].secret.expires_at = end;
    });
    let since = "suspended outside the declaration since 1970-01-01T00:00:05Z";
    let expires = "secret t/svc/s1: declared to expire never, but expires 1970-01-12T13:47:40Z";
    assert_eq!(
        described,
        [&format!("tenant t: {since}"), &format!("client t/svc: {since}"), expires].map(String::from)
    );
    assert_eq!(
        drift(&|t| t.lifecycle.deletion_due_at = EARLIER),
        ["tenant t: scheduled outside the declaration for deletion at 1970-01-01T00:00:05Z"]
    );
    let described = drift(&|t| {
        let secret = &mut t.clients[0].secrets[0];
        (secret.secret.revoked_at, secret.revoked_by) = (EARLIER, Some(ManagedBy::Api));
    });
    assert_eq!(
        described,
        ["secret t/svc/s1: declared, but revoked outside the declaration at 1970-01-01T00:00:05Z"]
    );
    assert_eq!(
        drift(&|t| t.clients[0].secrets[0].managed_by = ManagedBy::Api),
        ["secret t/svc/s1: created outside the declaration"]
    );
    // A file may declare a row that the API manages. That is a conflict and not drift.
    assert_eq!(drift(&|t| t.clients[0].lifecycle = RowLifecycle::fresh(ManagedBy::Api, NOW)), [""; 0]);
}

#[test]
fn retirements_are_counted_by_kind() {
    let shrunk = with(tenant("u"), |u| u.clients.clear());
    let states = vec![stored(&tenant("t")), stored(&tenant("u"))];
    let plan = plan(vec![shrunk], states).unwrap();
    assert_eq!(plan.retirements(), Retirements { tenants: 1, clients: 1 });
    for (tenants, clients, exceeds) in [(1, 1, false), (0, 1, true), (1, 0, true), (2, 10, false)] {
        assert_eq!(plan.exceeds(&Retirements { tenants, clients }), exceeds, "{tenants} {clients}");
    }
}

// [revocation ours b]
#[test]
fn removed_secret_revokes_tokens_unless_expired() {
    let at = |seconds: u64| Some(Timestamp::from_seconds(seconds));
    let (now, dropped) = (NOW.seconds(), |t: &mut DeclaredTenant| t.clients[0].secrets.clear());
    for (end, line, revokes) in [
        (None, "- secret t/svc/s1", true),
        (at(now + 1), "- secret t/svc/s1", true),
        (at(now), "- secret t/svc/s1 (expired)", false),
    ] {
        check_one(dropped, |t| t.clients[0].secrets[0].secret.expires_at = end, &[line]);
        let kind = if revokes { SecretChangeKind::Revoked } else { SecretChangeKind::Removed };
        assert_eq!(kind.effect().is_some(), revokes, "{line}");
    }
}

#[test]
fn changes_by_api_are_left_alone() {
    let api = RowLifecycle::fresh(ManagedBy::Api, NOW);
    check_one(nothing, |t| t.lifecycle.suspended_at = EARLIER, &[]);
    check_one(nothing, |t| t.clients[0].lifecycle.suspended_at = EARLIER, &[]);
    check_one(nothing, |t| t.has_had_keys = true, &[]);
    // A client, a resource server and a secret that no file has ever declared.
    check_one(|t| t.clients.clear(), |t| t.clients[0].lifecycle = api, &[]);
    check_one(
        |t| {
            t.tenant.resource_servers.clear();
            t.clients.clear();
        },
        |t| {
            t.clients.clear();
            t.resource_servers[0].lifecycle = api;
        },
        &[],
    );
    check_one(|t| t.clients[0].secrets.clear(), |t| t.clients[0].secrets[0].managed_by = ManagedBy::Api, &[]);
    // Another interface revoked a declared secret, or set its expiry.
    check_one(
        nothing,
        |t| {
            t.clients[0].secrets[0].secret.revoked_at = EARLIER;
            t.clients[0].secrets[0].revoked_by = Some(ManagedBy::Api);
        },
        &[],
    );
    check_one(nothing, |t| t.clients[0].secrets[0].secret.expires_at = EARLIER, &[]);
}

// [V10 10.3.3]
#[test]
fn api_ids_and_deleted_ids_cannot_be_declared() {
    let api = "was created through the administration API, so you cannot declare it";
    let deleted = "was deleted and its id stays reserved, so you cannot declare it again";
    let is_api = |lifecycle: &mut RowLifecycle| lifecycle.managed_by = ManagedBy::Api;
    let is_deleted = |lifecycle: &mut RowLifecycle| lifecycle.deleted_at = EARLIER;
    let line = |what: &str, why: &str| left_out("t", &format!("{what} {why}"));
    check_one(nothing, |t| is_api(&mut t.lifecycle), &[&line("tenant t", api)]);
    check_one(nothing, |t| is_deleted(&mut t.lifecycle), &[&line("tenant t", deleted)]);
    check_one(nothing, |t| is_api(&mut t.clients[0].lifecycle), &[&line("client t/svc", api)]);
    check_one(nothing, |t| is_deleted(&mut t.clients[0].lifecycle), &[&line("client t/svc", deleted)]);
    check_one(
        nothing,
        |t| is_api(&mut t.resource_servers[0].lifecycle),
        &[&line("resource server t/api", api)],
    );
}

// [found 6]
/// No change of the tenant is applied; the changes of all other tenants are.
#[test]
fn only_the_tenant_with_a_conflict_is_left_out() {
    let with_clients = |names: [&str; 3]| {
        let clients = names.map(|name| client("t", name)).into();
        DeclaredTenant { clients, ..tenant("t") }
    };
    let states = || {
        // No file declares the last client any longer, so it would be retired.
        let declared = with_clients(["svc", "billing", "old"]);
        let state = with(stored(&declared), |t| t.clients[1].lifecycle.managed_by = ManagedBy::Api);
        vec![state, stored(&tenant("u")), stored(&tenant("w"))]
    };
    let declared = || {
        let named =
            |tenant, name: &str| with(tenant, |t: &mut DeclaredTenant| t.tenant.name = name.to_owned());
        let conflicting = named(with_clients(["svc", "billing", "new"]), "T");
        vec![conflicting, named(tenant("u"), "U"), tenant("v")]
    };
    let billing = "client t/billing was created through the administration API, so you cannot declare it";
    let lines = [
        "~ tenant u: name u -> U",
        "+ tenant v",
        "+ resource server v/api",
        "+ client v/svc; gains a b",
        "+ secret v/svc/s1 (chosen)",
        "- tenant w",
        "  client w/svc loses a b",
        &left_out("t", billing),
    ];
    check(declared(), states(), &lines);
    let plan = plan(declared(), states()).unwrap();
    assert_eq!(plan.left_out(), [id("t")]);
    assert_eq!(plan.retirements(), Retirements { tenants: 1, clients: 0 });
    // A commit increments the expected revisions. The row of the tenant stays unchanged.
    let compared: Vec<&str> = plan.before.iter().map(|state| state.tenant.id.as_str()).collect();
    assert_eq!(compared, ["u", "w"]);
    let metadata = &plan.tenant_metadata;
    assert!(metadata.iter().all(|metadata| metadata.tenant != id("t")), "{metadata:?}");
    assert!(plan.secrets.iter().all(|secret| secret.tenant != id("t")), "{:?}", plan.secrets);
}

/// A tenant with a conflict keeps its issuer. Another tenant that needs the issuer then has a conflict, too.
#[test]
fn tenant_waiting_for_an_issuer_is_left_out_too() {
    let issuer = |name: &str| Issuer::parse(&format!("https://{name}.example.com")).unwrap();
    let named = |id, issuer_of| with(tenant(id), |t| t.tenant.issuer = issuer(issuer_of));
    let declared =
        vec![named("t", "new"), named("u", "t"), named("v", "u"), named("x", "w"), named("w", "x")];
    let conflicting = with(stored(&tenant("t")), |t| t.clients[0].lifecycle.managed_by = ManagedBy::Api);
    let others = ["u", "v", "w", "x"].map(|id| stored(&tenant(id)));
    let lines = [
        "~ tenant w: issuer https://w.example.com -> https://x.example.com",
        "~ tenant x: issuer https://x.example.com -> https://w.example.com",
        &left_out("t", "client t/svc was created through the administration API, so you cannot declare it"),
        &left_out("u", "tenant u: issuer https://t.example.com belongs to tenant t"),
        &left_out("v", "tenant v: issuer https://u.example.com belongs to tenant u"),
    ];
    check(declared, std::iter::once(conflicting).chain(others).collect(), &lines);
}

#[test]
fn reserved_names_cannot_be_declared() {
    let line = |tenant, what: &str| left_out(tenant, &format!("{what} is reserved for Latchkey itself"));
    check(vec![tenant("platform")], Vec::new(), &[&line("platform", "tenant platform")]);
    let named_like_us = |t: &mut DeclaredTenant| t.clients[0] = client("t", "urn:latchkey:x");
    check_one(named_like_us, nothing, &[&line("t", "client t/urn:latchkey:x")]);
    check_one(
        |t| t.clients[0].client.scope = scope("latchkey:tenants"),
        nothing,
        &[&line("t", "tenant t: scope latchkey:tenants")],
    );
    for id in ["usr_x", "pw_x"] {
        let why = "the client id begins with `usr_` or `pw_`, like the subjects of people (RFC 9700 §4.15)";
        let line = left_out("t", &format!("client t/{id}: {why}"));
        check_one(|t| t.clients[0] = client("t", id), nothing, &[&line]);
    }
}

#[test]
fn issuer_belongs_to_only_one_tenant() {
    let issuer = |name: &str| Issuer::parse(&format!("https://{name}.example.com")).unwrap();
    let aliased = || with(tenant("u"), |t| t.tenant.issuer_aliases = vec![issuer("t")]);
    let taken = left_out("u", "tenant u: issuer https://t.example.com belongs to tenant t");
    let of_the_api = with(stored(&tenant("t")), |t| t.lifecycle.managed_by = ManagedBy::Api);
    check(vec![aliased()], vec![of_the_api], &[&taken]);
    let retired = with(stored(&tenant("t")), |t| t.lifecycle.retired_at = EARLIER);
    check(vec![aliased()], vec![retired], &[&taken]);
    // Two tenants may exchange their issuers.
    let (mut left, mut right) = (tenant("t"), tenant("u"));
    std::mem::swap(&mut left.tenant.issuer, &mut right.tenant.issuer);
    let lines = [
        "~ tenant t: issuer https://t.example.com -> https://u.example.com",
        "~ tenant u: issuer https://u.example.com -> https://t.example.com",
    ];
    check(vec![left, right], vec![stored(&tenant("t")), stored(&tenant("u"))], &lines);
}

// [access-tokens RFC 9068 §3 c]
#[test]
fn client_id_cannot_be_audience_resource_or_issuer() {
    let clash = "is both a client id and an audience, resource or issuer";
    let both = |name: &str| left_out("t", &format!("tenant t: {name} {clash}"));
    check_one(|t| t.clients.push(client("t", "api")), nothing, &[&both("api")]);
    check_one(
        |t| t.clients[0].client.resources = vec!["of-api".to_owned()],
        |t| {
            let mut state = t.clients[0].clone();
            state.client.id = ClientId::parse("of-api").unwrap();
            state.lifecycle.managed_by = ManagedBy::Api;
            t.clients.push(state);
        },
        &[&both("of-api")],
    );
}

// For example `https://mcp.example.com` is a client id and `https://mcp.example.com/` an audience.
#[test]
fn two_spellings_conflict_only_if_one_is_new() {
    let (short, long) = ("https://mcp.example.com", "https://mcp.example.com/");
    let clash = |id: &str, name: &str| {
        let detail = "is a client id and another spelling of";
        left_out("t", &format!("tenant t: {id} {detail} {name}, an audience, resource or issuer"))
    };
    let both = || {
        with(tenant("t"), |t| {
            t.clients[0].client.resources = vec![long.to_owned()];
            t.clients.push(client("t", short));
        })
    };
    check(vec![both()], vec![stored(&tenant("t"))], &[&clash(short, long)]);
    check(vec![both()], vec![stored(&both())], &[]);
    let first =
        |declared: DeclaredTenant| assert_eq!(plan(vec![declared], Vec::new()).unwrap().conflicts, []);
    first(both());

    let spelled = || {
        with(tenant("t"), |t| {
            t.clients[0].client.resources = vec![short.to_owned(), long.to_owned()];
        })
    };
    let twice = left_out(
        "t",
        "client t/svc: `https://mcp.example.com/` is another spelling of `https://mcp.example.com` (RFC 3986 §6.2)",
    );
    check(vec![spelled()], vec![stored(&tenant("t"))], &[&twice]);
    check(vec![spelled()], vec![stored(&spelled())], &[]);
    // Into an empty store the file may bring both spellings, because the file may be older than the store. A
    // new tenant may not, if other tenants exist.
    first(spelled());
    let plan = plan(vec![spelled(), tenant("u")], vec![stored(&tenant("u"))]).unwrap();
    assert_eq!(plan.left_out(), [id("t")]);
}

// For example `P/console`, or `P/login` next to `P/login/blue` of another tenant, where P is the public URL.
#[test]
fn new_issuer_overlapping_route_or_issuer_is_a_conflict() {
    const URL: &str = "https://id.example.com";
    let of = |name: &str, path: &str| {
        with(tenant(name), |t| t.tenant.issuer = Issuer::parse(&format!("{URL}{path}")).unwrap())
    };
    let left_out = |declared: &[(&str, &str)], before: &[(&str, &str)]| {
        let declared = declared.iter().map(|(name, path)| of(name, path)).collect();
        let declaration = Declaration { public_url: URL.to_owned(), ..declaration(declared) };
        let states = before.iter().map(|(name, path)| stored(&of(name, path))).collect();
        let plan = plan_of(&declaration, states, false).unwrap();
        plan.conflicts.iter().map(|conflict| conflict.tenant().to_string()).collect::<Vec<_>>()
    };
    for (declared, before, expected) in [
        (&[("t", "/console"), ("u", "/blue")][..], &[][..], &["t"][..]),
        (&[("t", "/console"), ("u", "/blue")], &[("t", "/console")], &[]),
        (&[("t", "/console"), ("u", "/blue")], &[("t", "/blue")], &["t", "u"]),
        // Both issuers are new: the tenant with the shorter path gets its issuer.
        (&[("t", "/login"), ("u", "/login/blue")], &[], &["u"]),
        (&[("t", "/login"), ("u", "/login/blue")], &[("t", "/login")], &["u"]),
        (&[("t", "/login"), ("u", "/login/blue")], &[("u", "/login/blue")], &["t"]),
        (&[("t", "/login"), ("u", "/login/blue")], &[("t", "/login"), ("u", "/login/blue")], &[]),
        // The same declaration moves the tenant `u` to another issuer.
        (&[("t", "/login"), ("u", "/blue")], &[("u", "/login/blue")], &[]),
        (&[("t", "/login/blue"), ("u", "/red")], &[("u", "/login")], &[]),
        // The other tenant is no longer declared, but its tokens may still be in use.
        (&[("t", "/login")], &[("u", "/login/blue")], &["t"]),
        (&[("t", ""), ("u", "/blue")], &[], &[]),
        (&[("t", "/api/v1/tenant/t"), ("u", "/api/v1/tenant/u")], &[], &[]),
    ] {
        assert_eq!(left_out(declared, before), expected, "{declared:?} after {before:?}");
    }
}

#[test]
fn previous_typ_is_accepted_until_last_token_expires() {
    let declared = with(tenant("t"), |t| t.tenant.access_token.typ = "JWT".to_owned());
    let state = with(stored(&tenant("t")), |t| set_token_lifetime(&mut t.clients[0].client, 7200));
    let plan = plan(vec![declared], vec![state]).unwrap();
    let Change::Tenant(row) = &plan.changes[0] else { panic!("{plan}") };
    let previous = &row.after.access_token.previous_typs;
    assert_eq!(previous.len(), 1);
    assert_eq!(previous[0].typ, "at+jwt");
    assert_eq!(previous[0].accepted_until, NOW + Lifetime::from_seconds(7200 + CACHED));
    // The declaration removes the client's longer token lifetime. Tokens of that lifetime may still be in
    // use.
    assert_eq!(plan.tenant_metadata[0].previous_tokens_until, Some(previous[0].accepted_until));
}

#[test]
fn longer_lived_key_sets_are_remembered() {
    let metadata = |max_age| {
        let max_age = Lifetime::from_seconds(max_age);
        let declared = with(tenant("t"), |t| t.tenant.signing.jwks_max_age = max_age);
        let plan = plan(vec![declared], vec![stored(&tenant("t"))]).unwrap();
        plan.tenant_metadata[0].previous_jwks
    };
    let until = NOW + Lifetime::from_seconds(360 + CACHED + 60);
    assert_eq!(metadata(200), Some((Lifetime::from_seconds(360), until)));
    assert_eq!(metadata(400), None);
}

#[test]
fn retired_tenant_keeps_keys_until_last_token_expires() {
    let published_until = |state: TenantState| {
        let plan = plan(Vec::new(), vec![state]).unwrap();
        let Change::Tenant(row) = &plan.changes[0] else { panic!("{plan}") };
        match row.after.status {
            TenantStatus::Suspended { keys_published_until } => keys_published_until,
            TenantStatus::Active => panic!("{plan}"),
        }
    };
    let state = stored(&tenant("t"));
    assert_eq!(published_until(state.clone()), NOW + Lifetime::from_seconds(3600 + CACHED));
    let later = NOW + Lifetime::from_seconds(90_000);
    assert_eq!(published_until(TenantState { previous_tokens_until: Some(later), ..state.clone() }), later);
    // A client that was already suspended has issued nothing since.
    let suspended = TenantStatus::Suspended { keys_published_until: NOW };
    assert_eq!(published_until(with(state, |t| t.tenant.status = suspended)), NOW);
}

#[test]
fn secrets_are_recognised_added_moved_revoked_and_restored() {
    let secrets =
        |secrets: fn() -> Vec<DeclaredSecret>| move |t: &mut DeclaredTenant| t.clients[0].secrets = secrets();
    let revoked = |t: &mut TenantState| {
        t.clients[0].secrets[0].secret.revoked_at = EARLIER;
        t.clients[0].secrets[0].revoked_by = Some(ManagedBy::Config);
    };
    check_one(secrets(|| vec![value("chosen"), value("chosen")]), nothing, &[]);
    check_one(secrets(|| vec![value("chosen"), value("next")]), nothing, &["+ secret t/svc/s2 (chosen)"]);
    check_one(secrets(|| vec![value("next")]), nothing, &["+ secret t/svc/s2 (chosen)", "- secret t/svc/s1"]);
    check_one(secrets(Vec::new), nothing, &["- secret t/svc/s1"]);
    check_one(secrets(Vec::new), revoked, &[]);
    check_one(nothing, revoked, &["+ secret t/svc/s1 (again)"]);
    let ending = || vec![DeclaredSecret { expires_at: EARLIER, ..value("chosen") }];
    check_one(secrets(ending), nothing, &["~ secret t/svc/s1: expires never -> 1970-01-01T00:00:05Z"]);
    check_one(
        secrets(|| vec![hash(OTHER_SALT)]),
        nothing,
        &["+ secret t/svc/s2 (imported hash)", "- secret t/svc/s1"],
    );
    // The declared hash is the hash of the stored secret.
    check_one(secrets(|| vec![hash(PHC)]), nothing, &[]);
    let generated = || vec![value(GeneratedSecret::from_bytes(&[7; 32]).secret.expose())];
    check_one(secrets(generated), nothing, &["+ secret t/svc/s2 (generated)", "- secret t/svc/s1"]);
}

#[test]
fn previous_secret_stays_valid_for_declared_time() {
    let after = |seconds| NOW + Lifetime::from_seconds(seconds);
    let kept = |text: &'static str| {
        let secret = move || DeclaredSecret { previous_for: Some(Lifetime::from_seconds(10)), ..value(text) };
        move |t: &mut DeclaredTenant| t.clients[0].secrets = vec![secret()]
    };
    let replaced = |end: Option<Timestamp>| {
        move |t: &mut TenantState| {
            *t = stored(&with(tenant("t"), |t| t.clients[0].secrets = vec![value("chosen"), value("next")]));
            let before = &mut t.clients[0].secrets[0];
            (before.secret.expires_at, before.declared_expires_at) = (end, end);
        }
    };
    let [five, ten] = [5, 10].map(|seconds| after(seconds).to_rfc3339());
    let moved = |id, from: &str, to: &str| format!("~ secret t/svc/{id}: expires {from} -> {to}");
    let until_ten = moved("s1", "never", &ten);
    check_one(kept("next"), nothing, &["+ secret t/svc/s2 (chosen)", &until_ten]);
    check_one(kept("next"), replaced(Some(after(5))), &[]);
    check_one(kept("next"), replaced(Some(NOW)), &["- secret t/svc/s1 (expired)"]);
    // Two cases: the file drops a secret without a replacement, and a secret expires later than any previous
    // value.
    check_one(kept("next"), replaced(None), &["- secret t/svc/s1"]);
    check_one(kept("next"), replaced(Some(after(11))), &["- secret t/svc/s1"]);
    // The value is changed back, and the value in between becomes the previous one.
    let back = [moved("s1", &five, "never"), moved("s2", "never", &ten)];
    check_one(kept("chosen"), replaced(Some(after(5))), &back.each_ref().map(String::as_str));
    let without = |t: &mut DeclaredTenant| t.clients[0].secrets = vec![value("next")];
    check_one(without, replaced(Some(after(5))), &["- secret t/svc/s1"]);

    let state = with(stored(&tenant("t")), replaced(Some(after(5))));
    let plan = plan_of(&declaration(vec![with(tenant("t"), kept("next"))]), vec![state], true).unwrap();
    assert_eq!(plan.to_string().trim_end(), "- secret t/svc/s1");
}

/// A secret in a secret store that replaced another one five seconds ago.
fn in_store(text: &str, before: Option<&str>) -> DeclaredSecret {
    let stored = StoredSource {
        version: "vault version 4".to_owned(),
        created_at: Timestamp::from_seconds(NOW.seconds() - 5),
        previous: before.map(|text| Secret::new(text.to_owned())),
    };
    DeclaredSecret { previous_for: Some(Lifetime::from_seconds(10)), stored: Some(stored), ..value(text) }
}

#[test]
fn secret_store_supplies_unknown_previous_value() {
    let declares = |text: &'static str, before: Option<&'static str>| {
        move |t: &mut DeclaredTenant| t.clients[0].secrets = vec![in_store(text, before)]
    };
    let [five, ten] = [5, 10].map(|seconds| (NOW + Lifetime::from_seconds(seconds)).to_rfc3339());
    let changed = "+ secret t/svc/s2 (chosen), changed in the store: vault version 4";
    let kept = format!("~ secret t/svc/s1: expires never -> {ten}");
    check_one(declares("next", None), nothing, &[changed, &kept]);
    check_one(declares("next", Some("chosen")), nothing, &[changed, &kept]);
    let missed = format!("+ secret t/svc/s3 (chosen), expires {five}");
    check_one(declares("next", Some("missed")), nothing, &[changed, &missed, "- secret t/svc/s1"]);
    // Nothing changes if the value is already current.
    check_one(declares("chosen", Some("missed")), nothing, &[]);
    let late = |t: &mut DeclaredTenant| {
        declares("next", Some("missed"))(t);
        t.clients[0].secrets[0].previous_for = Some(Lifetime::from_seconds(5));
    };
    let kept = format!("~ secret t/svc/s1: expires never -> {five}");
    check_one(late, nothing, &[changed, &kept]);
}

#[test]
fn rotated_secret_is_recognised_in_the_secret_store() {
    let made = GeneratedSecret::from_bytes(&[7; 32]).secret;
    let text = made.expose().to_owned();
    let declared = |t: &mut DeclaredTenant| {
        t.clients[0].secrets = vec![DeclaredSecret { previous_for: None, ..in_store(&text, None) }];
    };
    let rotated = |revoked_at: Option<Timestamp>| {
        let hash = secrets::hash_token(&pepper(), &id("t"), "svc", &made);
        move |t: &mut TenantState| {
            let [before] = &mut t.clients[0].secrets[..] else { unreachable!() };
            let mut new = before.clone();
            before.secret.expires_at = Some(NOW + Lifetime::from_seconds(60));
            (new.secret.id, new.secret.hash) = (SecretId::new("s2"), hash.clone());
            (new.managed_by, new.declared_digest) = (ManagedBy::Api, None);
            new.secret.revoked_at = revoked_at;
            t.clients[0].secrets.push(new);
        }
    };
    check_one(declared, rotated(None), &[]);
    let changed = "+ secret t/svc/s3 (generated), changed in the store: vault version 4";
    check_one(declared, rotated(EARLIER), &[changed, "- secret t/svc/s1"]);
    // The rotation did not set the expiry, because the store did not answer.
    let lost = |t: &mut TenantState| {
        rotated(None)(t);
        t.clients[0].secrets[0].secret.expires_at = None;
    };
    let keeping = |t: &mut DeclaredTenant| t.clients[0].secrets = vec![in_store(&text, None)];
    let ten = (NOW + Lifetime::from_seconds(10)).to_rfc3339();
    check_one(keeping, lost, &[&format!("~ secret t/svc/s1: expires never -> {ten}")]);
    check_one(declared, lost, &["- secret t/svc/s1"]);
    // The value in the store has changed since.
    let changed = "+ secret t/svc/s3 (chosen), changed in the store: vault version 4";
    let moved = |t: &mut DeclaredTenant| t.clients[0].secrets = vec![in_store("next", Some(&text))];
    check_one(moved, rotated(None), &[changed, &format!("~ secret t/svc/s2: expires never -> {ten}")]);
    let ended = |t: &mut DeclaredTenant| {
        t.clients[0].secrets = vec![DeclaredSecret { previous_for: None, ..in_store("next", Some(&text)) }];
    };
    check_one(ended, rotated(None), &[changed, "- secret t/svc/s2"]);
    // A value in the file does not count as the value in the store.
    let in_file = |t: &mut DeclaredTenant| t.clients[0].secrets = vec![value(&text)];
    check_one(in_file, rotated(None), &["+ secret t/svc/s3 (generated)", "- secret t/svc/s1"]);
}

#[test]
fn tenant_with_unread_secret_stays_unchanged() {
    let changed = with(tenant("t"), |t| {
        (t.tenant.name, t.clients[0].secrets) = ("Other".to_owned(), Vec::new());
    });
    let unread = UnreadValue { client: ClientId::parse("svc").unwrap(), why: "vault is sealed".to_owned() };
    let unread = [(id("t"), vec![unread])].into();
    let declaration = Declaration { unread, ..declaration(vec![changed, tenant("u")]) };
    let plan = plan_of(&declaration, vec![stored(&tenant("t"))], false).unwrap();
    assert_eq!(plan.left_out(), [id("t")]);
    let lines = plan.to_string();
    assert!(lines.contains(&left_out("t", "tenant t, client svc: vault is sealed")), "{lines}");
    assert!(lines.contains("+ tenant u") && !lines.contains("Other"), "{lines}");
}

#[test]
fn hash_with_other_parameters_or_salt_is_refused() {
    let having = |secrets| vec![with(tenant("t"), |t| t.clients[0].secrets = secrets)];
    let refused = |why: &str| left_out("t", &format!("tenant t, client svc: {why}"));
    let foreign = refused("a hash is neither argon2id with m=19456,t=2,p=1 nor Latchkey's own");
    let differ = refused("two argon2id hashes with different salts cannot be valid at the same time");
    for bad in ["$2b$10$x", &PHC.replace("t=2", "t=3"), ""] {
        check(having(vec![hash(bad)]), Vec::new(), &[&foreign]);
    }
    check(having(vec![hash(PHC), hash(OTHER_SALT)]), Vec::new(), &[&differ]);
    check(having(vec![value("chosen"), hash(OTHER_SALT)]), vec![stored(&tenant("t"))], &[&differ]);
    // A dropped secret makes room for another.
    let plan = plan(having(vec![hash(OTHER_SALT), value("next")]), vec![stored(&tenant("t"))]).unwrap();
    let salts: Vec<_> = plan.secrets.iter().map(|planned| planned.salt.clone()).collect();
    assert_eq!(salts, [secrets::salt_of(OTHER_SALT), secrets::salt_of(OTHER_SALT)]);
}

fn with_key(id: &str, thumbprint: &str) -> DeclaredTenant {
    let first_key = keys::ImportedKey {
        algorithm: SigningAlgorithm::RS256,
        pkcs8: Zeroizing::new(vec![1]).into(),
        thumbprint: thumbprint.to_owned(),
        public_jwk: String::new(),
    };
    DeclaredTenant { first_key: Some(first_key), ..tenant(id) }
}

/// Two existing tenants with the same key keep it, because they are older than the rule.
#[test]
fn new_first_key_cannot_belong_to_two_tenants() {
    let (one, two, three) = (|| with_key("one", "k"), || with_key("two", "k"), || with_key("three", "other"));
    let declared = ["tenant two: first_key is, or was, a key of tenant one"];
    check(vec![one(), two(), three()], Vec::new(), &declared);
    check(vec![one(), two()], vec![stored(&tenant("one")), stored(&tenant("two"))], &declared);
    let taken = left_out("two", declared[0]);
    check(vec![one(), two()], vec![stored(&one())], &[&taken]);
    check(
        vec![two()],
        vec![stored(&tenant("two")), stored(&one())],
        &["- tenant one", "  client one/svc loses a b", &taken],
    );
    check(vec![one(), two()], vec![stored(&one()), stored(&two())], &[]);
    assert_eq!(first_keys::check_declared(&declaration(vec![one(), three()])), Ok(()));
    let refused = first_keys::check_declared(&declaration(vec![one(), two()])).unwrap_err();
    assert_eq!(refused.to_string(), declared[0]);
}

#[test]
fn first_key_is_imported_once_and_cannot_change() {
    let keyed = |thumbprint: &str| with_key("t", thumbprint);
    let import = ["+ key t/oauth2-key-1 (RS256, thumbprint one)"];
    check(vec![keyed("one")], vec![stored(&tenant("t"))], &import);
    check(vec![keyed("one")], vec![stored(&keyed("one"))], &[]);
    check(vec![tenant("t")], vec![stored(&keyed("one"))], &[]);
    let differs = left_out("t", "tenant t: first_key differs from the key that was imported");
    check(vec![keyed("two")], vec![stored(&keyed("one"))], &[&differs]);
    let used = with(stored(&tenant("t")), |t| t.has_had_keys = true);
    let too_late = left_out("t", "tenant t: first_key has no effect now: the tenant already has a key");
    check(vec![keyed("one")], vec![used], &[&too_late]);
}

// [found 26]
#[test]
fn new_names_cannot_contain_invisible_characters() {
    let odd = || {
        let mut declared = tenant("t");
        declared.tenant.name = "T\u{202e}".to_owned();
        let server = &mut declared.tenant.resource_servers[0];
        server.audience = "a\u{2028}pi".to_owned();
        server.scope_descriptions.insert("a".to_owned(), "Read\u{202e}".to_owned());
        let client = &mut declared.clients[0].client;
        client.id = ClientId::parse("sv\u{200b}c").unwrap();
        client.name = "\u{2066}svc".to_owned();
        client.audiences = vec!["a\u{2028}pi".to_owned()];
        declared
    };
    let unseen = [
        "tenant t: the name contains U+202E, an invisible character",
        "tenant t: the audience contains U+2028, an invisible character",
        "tenant t: the description contains U+202E, an invisible character",
        "client t/sv\u{200b}c: the client id contains U+200B, an invisible character",
        "client t/sv\u{200b}c: the name contains U+2066, an invisible character",
        "client t/sv\u{200b}c: the audience contains U+2028, an invisible character",
    ]
    .map(|conflict| left_out("t", conflict));
    let unseen = unseen.each_ref().map(String::as_str);
    check(vec![odd()], Vec::new(), &unseen);
    check(vec![odd()], vec![stored(&tenant("t"))], &unseen);
    check(vec![odd()], vec![stored(&odd())], &[]);
    let changed = with(odd(), |t| set_token_lifetime(&mut t.clients[0].client, 7));
    let plan = plan(vec![changed], vec![stored(&odd())]).unwrap();
    assert_eq!(plan.changes.len(), 1, "what else changes is not in their way");
}

#[test]
fn unchanged_tenant_is_not_loaded() {
    let changed = |change: fn(&mut DeclaredTenant)| declaration(vec![with(tenant("t"), change)]);
    let before = changed(nothing);
    let fingerprint = Some(Fingerprint::of_tenant(&pepper(), &before.tenants[&id("t")]));
    let loads = |change, retired_at| {
        let lifecycle = RowLifecycle { retired_at, ..RowLifecycle::fresh(ManagedBy::Config, NOW) };
        let summary = TenantSummary { tenant: id("t"), lifecycle, fingerprint };
        Classification::new(&pepper(), &changed(change), vec![summary], false).load.len()
    };
    assert_eq!(loads(nothing, None), 0);
    assert_eq!(loads(nothing, EARLIER), 1);
    let changes: [fn(&mut DeclaredTenant); 5] = [
        |t| t.tenant.name = "T".to_owned(),
        |t| t.tenant.resource_servers[0].scopes = Scope::default(),
        |t| set_token_lifetime(&mut t.clients[0].client, 1),
        |t| t.clients[0].secrets[0] = value("other"),
        |t| t.clients.clear(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(loads(change, None), 1, "{index}");
    }
}

// [found 26]
#[test]
fn audit_records_contain_values_but_no_secrets() {
    let declared = with(tenant("t"), |t| t.clients[0].secrets = vec![value("hunter2")]);
    let plan = plan(vec![declared], Vec::new()).unwrap();
    let actor = Actor { name: "config".to_owned(), ..Actor::default() };
    let record = |change| AuditRecord::from_change(change, &actor, NOW);
    let records: Vec<_> = plan.changes.iter().map(record).collect();
    let described = records.iter().map(|record| format!("{} {}", record.action, record.subject));
    let expected = ["tenant.added t", "resource_server.added api", "client.added svc", "secret.added svc/s1"];
    assert_eq!(described.collect::<Vec<_>>(), expected);
    assert_eq!(records[2].detail["scopes"]["after"], "[a b]");
    let of_secret = &records[3].detail;
    assert_eq!((&of_secret["client"], &of_secret["secret"]), (&"svc".into(), &"s1".into()));
    assert!(!format!("{records:?}").contains("hunter2"));
}

/// Checks the conflicts of a tenant after a change from `before`, or of a new tenant.
#[track_caller]
fn check_limits(declared: DeclaredTenant, before: Option<DeclaredTenant>, expected: &[&str]) {
    let states = before.iter().map(stored).collect();
    let conflicts = plan(vec![declared], states).unwrap().conflicts;
    let found: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

// [found 7]
#[test]
fn growing_beyond_a_limit_is_a_conflict() {
    let listing = |audiences: usize, scopes: usize| {
        let names = |count| (0..count).map(|nth| format!("x{nth}")).collect::<Vec<_>>();
        with(tenant("t"), |t| {
            t.clients[0].client.audiences = names(audiences);
            t.tenant.resource_servers[0].scopes = scope(&names(scopes).join(" "));
        })
    };
    let client = "client t/svc/audiences: the list has";
    let server = "tenant t/resource_servers/api/scopes: the list has";
    check_limits(listing(100, 100), None, &[]);
    check_limits(listing(101, 101), None, &[server, client]);
    check_limits(listing(101, 1), Some(listing(100, 1)), &[client]);
    check_limits(listing(120, 120), Some(listing(120, 120)), &[]);
    check_limits(listing(119, 120), Some(listing(120, 120)), &[]);
    check_limits(listing(120, 121), Some(listing(120, 120)), &[server]);
    let crowd = |count: u64| {
        let clients = (0..count).map(|nth| self::client("t", &format!("svc-{nth}"))).collect();
        DeclaredTenant { clients, ..tenant("t") }
    };
    let many = "tenant t would have 11 clients, but limits.clients allows 10";
    check_limits(crowd(CLIENTS), None, &[]);
    check_limits(crowd(CLIENTS + 1), None, &[many]);
    check_limits(crowd(CLIENTS + 1), Some(crowd(CLIENTS)), &[many]);
    check_limits(crowd(CLIENTS + 1), Some(crowd(CLIENTS + 1)), &[]);
    check_limits(crowd(CLIENTS + 1), Some(crowd(CLIENTS + 2)), &[]);
}

fn declared_account(name: &str, email: &str, password: Option<DeclaredPassword>) -> kinds::account::Declared {
    let identifier = Identifier::parse(email).unwrap();
    let account = Account {
        identifiers: vec![AccountIdentifier { identifier, verified_at: None }],
        ..Account::new(id("t"), AccountId::declared(&id("t"), name), Timestamp::from_seconds(0))
    };
    kinds::account::Declared { name: name.to_owned(), account, password }
}

fn password(text: &str) -> Option<DeclaredPassword> {
    Some(DeclaredPassword::Value(Secret::new(text.to_owned())))
}

/// The account as the store has it after the declaration was applied.
fn stored_account(declared: &kinds::account::Declared) -> kinds::account::State {
    let kinds::account::Declared { account, password, .. } = declared;
    let digest = password.as_ref().map(|password| {
        let (DeclaredPassword::Value(text), _) = (password, ()) else { panic!("no value") };
        secrets::declared_digest(&pepper(), &id("t"), account.id.as_str(), text)
    });
    let account = Account { password_changed_at: digest.map(|_| NOW), ..account.clone() };
    let lifecycle = RowLifecycle::fresh(ManagedBy::Config, Timestamp::from_seconds(0));
    kinds::account::State { account, lifecycle, has_own_password: false, declared_digest: digest }
}

// [third 1]
#[test]
fn plan_of_accounts_shows_no_personal_values() {
    let ada = || declared_account("ada", "ada@example.com", password("correct horse battery"));
    let id = ada().account.id;
    let declaring = |accounts: Vec<kinds::account::Declared>| {
        move |declared: &mut DeclaredTenant| declared.accounts = accounts.iter().map(copy).collect()
    };
    let has = |row: kinds::account::State| move |state: &mut TenantState| state.accounts = vec![row.clone()];
    let (account, its_password) = (format!("account t/{id}"), format!("password of account t/{id}"));
    check_one(
        declaring(vec![ada()]),
        nothing,
        &[&format!("+ {account}"), &format!("~ {its_password} (chosen)")],
    );
    check_one(declaring(vec![ada()]), has(stored_account(&ada())), &[]);
    check_one(declaring(vec![]), has(stored_account(&ada())), &[&format!("- {account}")]);
    let imported = Some(DeclaredPassword::Hash(PHC.to_owned()));
    for (email, password, line) in [
        ("countess@example.com", password("correct horse battery"), format!("~ {account}: email")),
        ("ada@example.com", password("another long passphrase"), format!("~ {its_password} (chosen)")),
        ("ada@example.com", None, format!("- {its_password}")),
        ("ada@example.com", imported, format!("~ {its_password} (imported hash)")),
    ] {
        let changed = declared_account("ada", email, password);
        check_one(declaring(vec![changed]), has(stored_account(&ada())), &[&line]);
    }
    let granted = |password| {
        let granted = declared_account("ada", "ada@example.com", password);
        let permissions = protocol::Scope::parse("latchkey:keys").unwrap();
        kinds::account::Declared { account: Account { permissions, ..granted.account }, ..granted }
    };
    let line = format!("~ {account}: permissions");
    // A new password ends the sessions, too.
    for (password, ends) in [
        (password("correct horse battery"), format!("- sessions of account t/{id}")),
        (password("another long passphrase"), format!("~ {its_password} (chosen)")),
    ] {
        check_one(declaring(vec![granted(password)]), has(stored_account(&ada())), &[&line, &ends]);
    }
    let retired = with(stored_account(&ada()), |row| {
        row.lifecycle.retired_at = EARLIER;
        row.account.identifiers.clear();
    });
    check_one(declaring(vec![ada()]), has(retired), &[&format!("+ {account} (again): email")]);
}

fn copy(declared: &kinds::account::Declared) -> kinds::account::Declared {
    let password = declared.password.as_ref().map(|password| match password {
        DeclaredPassword::Value(text) => DeclaredPassword::Value(Secret::new(text.expose().to_owned())),
        DeclaredPassword::Hash(phc) => DeclaredPassword::Hash(phc.clone()),
    });
    kinds::account::Declared { name: declared.name.clone(), account: declared.account.clone(), password }
}

#[test]
fn taken_account_ids_and_identifiers_cannot_be_declared() {
    let ada = || declared_account("ada", "ada@example.com", None);
    let of_api = |row| with(row, |row: &mut kinds::account::State| row.lifecycle.managed_by = ManagedBy::Api);
    let other = of_api(stored_account(&declared_account("other", "ada@example.com", None)));
    let deleted = with(stored_account(&ada()), |row| row.lifecycle.deleted_at = EARLIER);
    let taken = format!(": account {} has the same email", other.account.id);
    for (row, conflict) in [
        (other, taken.as_str()),
        (
            of_api(stored_account(&ada())),
            " was created through the administration API, so you cannot declare it",
        ),
        (deleted, " was deleted and its id stays reserved, so you cannot declare it again"),
    ] {
        check_one(
            |declared| declared.accounts = vec![ada()],
            |state| state.accounts = vec![row.clone()],
            &[&left_out("t", &format!("account t/ada{conflict}"))],
        );
    }
}
