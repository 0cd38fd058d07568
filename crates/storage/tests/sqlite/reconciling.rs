//! Tests declarations that are applied to a real file.

use std::sync::Arc;

use administration::declaration::DeclaredSecret;
use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome::{Along, Outcome, ReconcileOptions};
use administration::declaration::plan::Retirements;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::store::{ChangeLog as _, CommitOutcome, Generations as _, TenantRows as _};
use keys::{KeyId, KeySealer as _, PrivateKeyDocument, SealingContext, SealingKey, SigningKeyStore as _};
use protocol::SigningAlgorithm;
use registry::{ClientStore as _, DeclaredPassword};
use secrets::{GeneratedSecret, SecretHash, hash_token, salt_of};
use tenancy::{TenantStatus, TenantStore as _};
use testkit::fixtures::{NOW, client_id, tenant_id};
use testkit::requests;
use values::Secret;

use crate::declared::{apply, declaration, later, lines, options, pepper, reconciler, tenant, value};
use crate::sandbox::Sandbox;

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let (_sandbox, database) = Sandbox::opened().await;
    let declared = || declaration(vec![tenant("acme", vec![value("chosen")]), tenant("other", Vec::new())]);
    assert_eq!(
        lines(apply(&database, &declared(), "one").await),
        [
            "+ tenant acme",
            "+ resource server acme/api",
            "+ client acme/svc; gains api:read api:write",
            "+ secret acme/svc/s1 (chosen)",
            "+ tenant other",
            "+ resource server other/api",
            "+ client other/svc; gains api:read api:write",
        ]
    );
    assert_eq!(apply(&database, &declared(), "one").await.unwrap(), Outcome::Unchanged);
    // Only the bytes differ, as after adding a comment. This creates a generation, but no change and no slow
    // hash.
    assert!(lines(apply(&database, &declared(), "two").await).is_empty());
    assert_eq!(database.latest_generation().await.unwrap().unwrap().number, 2);
    assert!(reconciler(&database).plan(&declared(), NOW).await.unwrap().is_empty());
}

#[tokio::test]
async fn chosen_secrets_share_a_salt() {
    let (_sandbox, database) = Sandbox::opened().await;
    let generated = GeneratedSecret::from_bytes(&[7; 32]).secret;
    let first = || vec![value("one"), value("two"), value(generated.expose())];
    apply(&database, &declaration(vec![tenant("acme", first())]), "1").await.unwrap();
    let mut more = first();
    more.push(value("three"));
    apply(&database, &declaration(vec![tenant("acme", more)]), "2").await.unwrap();
    let (tenant_id, client_id) = (tenant_id("acme"), client_id("svc"));
    let client = database.find_client(&tenant_id, &client_id).await.unwrap().unwrap();
    let mut salts = Vec::new();
    for secret in &client.secrets {
        match &secret.hash {
            SecretHash::Password(phc) => salts.push(salt_of(phc).unwrap()),
            hash @ SecretHash::Token(_) => {
                let expected = hash_token(&pepper(), &tenant_id, &client_id, &generated);
                assert!(*hash == expected);
                assert!(generated.expose().ends_with(&secret.hint) && secret.hint.len() == 4);
            }
        }
    }
    assert_eq!(salts.len(), 3);
    assert!(salts.iter().all(|salt| *salt == salts[0]));
}

#[tokio::test]
async fn removed_secret_is_revoked_until_declared_again() {
    let (_sandbox, database) = Sandbox::opened().await;
    let live = async || {
        let found = database.find_client(&tenant_id("acme"), &client_id("svc")).await.unwrap().unwrap();
        found
            .secrets
            .iter()
            .filter(|secret| secret.is_live(NOW))
            .map(|secret| secret.id.to_string())
            .collect::<Vec<_>>()
    };
    let both = || vec![value("one"), value("two")];
    apply(&database, &declaration(vec![tenant("acme", both())]), "1").await.unwrap();
    apply(&database, &declaration(vec![tenant("acme", vec![value("two")])]), "2").await.unwrap();
    assert_eq!(live().await, ["s2"]);
    let lines = lines(apply(&database, &declaration(vec![tenant("acme", both())]), "3").await);
    assert_eq!(lines, ["+ secret acme/svc/s1 (again)"]);
    assert_eq!(live().await, ["s1", "s2"]);
    let ending = DeclaredSecret {
        password: DeclaredPassword::Value(Secret::new("one".to_owned())),
        expires_at: Some(later(0)),
        previous_for: None,
        stored: None,
    };
    let ending = declaration(vec![tenant("acme", vec![ending, value("two")])]);
    apply(&database, &ending, "4").await.unwrap();
    assert_eq!(live().await, ["s2"]);
}

#[tokio::test]
async fn retired_tenant_returns_with_secrets_and_keys() {
    let (_sandbox, database) = Sandbox::opened().await;
    let declared = || declaration(vec![tenant("acme", vec![value("chosen")])]);
    apply(&database, &declared(), "1").await.unwrap();
    database.add_key(&tenant_id("acme"), &testkit::fixtures::key(1)).await.unwrap();
    let before = database.find_client(&tenant_id("acme"), &client_id("svc")).await.unwrap();
    let retired = lines(apply(&database, &declaration(Vec::new()), "2").await);
    assert_eq!(retired, ["- tenant acme", "  client acme/svc loses api:read api:write"]);
    let retired = database.find_tenant(&tenant_id("acme")).await.unwrap().unwrap();
    assert_eq!(retired.status, TenantStatus::Suspended { keys_published_until: later(3610) });
    let again = lines(apply(&database, &declared(), "3").await);
    assert_eq!(again, ["+ tenant acme (again)", "  client acme/svc gains api:read api:write"]);
    assert!(database.find_tenant(&tenant_id("acme")).await.unwrap().unwrap().is_active());
    assert_eq!(database.find_client(&tenant_id("acme"), &client_id("svc")).await.unwrap(), before);
    assert_eq!(database.find_keys(&tenant_id("acme")).await.unwrap().keys.len(), 1);
}

#[tokio::test]
async fn retiring_many_tenants_needs_prune() {
    let (_sandbox, database) = Sandbox::opened().await;
    let three = declaration(["a", "b", "c"].map(|id| tenant(id, Vec::new())).into());
    apply(&database, &three, "three").await.unwrap();
    // As if a folder had been unmounted: one of the tenants is left, and a new tenant appears.
    let two = declaration(vec![tenant("a", Vec::new()), tenant("new", Vec::new())]);
    let Outcome::TooManyRetired { plan } = apply(&database, &two, "two").await.unwrap() else { panic!() };
    assert_eq!(plan.retirements(), Retirements { tenants: 2, clients: 0 });
    assert!(database.find_tenant(&tenant_id("new")).await.unwrap().is_none());
    assert_eq!(database.latest_generation().await.unwrap().unwrap().number, 1);
    let prune = ReconcileOptions { prune: true, ..options() };
    let pruned = reconciler(&database)
        .apply(&two, &ContentHash::from_parts([b"two".as_slice()]), &prune, Along::NONE)
        .await;
    assert_eq!(lines(pruned).iter().filter(|line| line.starts_with("- ")).count(), 2);
}

#[tokio::test]
async fn older_generation_is_applied_only_by_force() {
    let (_sandbox, database) = Sandbox::opened().await;
    let declared = |name: &str| {
        let mut tenant = tenant("acme", Vec::new());
        tenant.tenant.name = name.to_owned();
        declaration(vec![tenant])
    };
    apply(&database, &declared("old"), "old").await.unwrap();
    apply(&database, &declared("new"), "new").await.unwrap();
    assert_eq!(apply(&database, &declared("old"), "old").await.unwrap(), Outcome::OlderGeneration);
    assert_eq!(database.find_tenant(&tenant_id("acme")).await.unwrap().unwrap().name, "new");
    let force = ReconcileOptions { force_generation: true, ..options() };
    let content = ContentHash::from_parts([b"old".as_slice()]);
    let forced = reconciler(&database).apply(&declared("old"), &content, &force, Along::NONE).await.unwrap();
    assert!(matches!(forced, Outcome::Applied { generation: 3, .. }), "{forced:?}");
    assert_eq!(apply(&database, &declared("old"), "old").await.unwrap(), Outcome::Unchanged);
    assert_eq!(apply(&database, &declared("new"), "new").await.unwrap(), Outcome::OlderGeneration);
}

#[tokio::test]
async fn first_key_is_sealed_and_imported_once() {
    let (_sandbox, database) = Sandbox::opened().await;
    let with_key = || {
        let mut declared = tenant("acme", Vec::new());
        let pkcs8 = PrivateKeyDocument::from(zeroize::Zeroizing::new(b"a private key".to_vec()));
        let (algorithm, thumbprint) = (SigningAlgorithm::RS256, "thumbprint".to_owned());
        let public_jwk = "{}".to_owned();
        declared.first_key = Some(keys::ImportedKey { algorithm, pkcs8, thumbprint, public_jwk });
        declaration(vec![declared])
    };
    let sealing_key = SealingKey::generate().unwrap();
    let again = SealingKey::from_base64(&sealing_key.to_base64()).unwrap();
    let sealer = Arc::new(sealing_key);
    let reconciler = administration::declaration::reconcile::Reconciler::new(
        Arc::clone(&database) as _,
        sealer,
        Arc::new(pepper()),
    );
    let applied = reconciler
        .apply(&with_key(), &ContentHash::from_parts([b"1".as_slice()]), &options(), Along::NONE)
        .await;
    assert_eq!(lines(applied)[1], "+ key acme/oauth2-key-1 (RS256, thumbprint thumbprint)");
    let records = database.find_keys(&tenant_id("acme")).await.unwrap();
    assert_eq!(records.next, KeyId::numbered(2));
    let (tenant, id, algorithm) = (&tenant_id("acme"), KeyId::numbered(1), SigningAlgorithm::RS256);
    let context = SealingContext::SigningKey { tenant, id, algorithm: algorithm.into() };
    let unsealed = again.unseal(&context, &records.keys[0].sealed_private_key).await.unwrap();
    assert_eq!(unsealed.as_slice(), b"a private key");
    let public_jwk = database.find_key(tenant, id.kid()).await.unwrap().unwrap().public_jwk;
    assert_eq!(public_jwk.as_deref(), Some("{}"));
    assert!(lines(apply(&database, &with_key(), "2").await).is_empty());
}

#[tokio::test]
async fn issuer_of_two_tenants_is_refused() {
    let (_sandbox, database) = Sandbox::opened().await;
    let mut thief = tenant("thief", Vec::new());
    thief.tenant.issuer = testkit::fixtures::tenant("acme").issuer;
    let declared = declaration(vec![tenant("acme", Vec::new()), thief, tenant("globex", Vec::new())]);
    // Files with this fault are refused earlier; the store enforces the rule too.
    assert!(apply(&database, &declared, "1").await.is_err());
    assert!(database.find_tenant(&tenant_id("acme")).await.unwrap().is_none());
    assert_eq!(database.position().await.unwrap(), 0);
}

// [found 6]
/// The reconciler tries the content again as long as a tenant is left out. It writes nothing until it
/// succeeds.
#[tokio::test]
async fn incomplete_generation_is_tried_again() {
    let (_sandbox, database) = Sandbox::opened().await;
    let names = |name: &str| {
        ["acme", "globex"].map(|id| {
            let mut tenant = tenant(id, vec![value("chosen")]);
            tenant.tenant.name = name.to_owned();
            tenant
        })
    };
    apply(&database, &declaration(names("old").into()), "1").await.unwrap();
    let acme = async || database.load_state(&tenant_id("acme")).await.unwrap().unwrap();
    let before = acme().await;

    // A client that was created through the API and has an audience with the name of another client in the
    // file.
    let mut through_api = testkit::fixtures::client(&before.tenant, "other");
    through_api.audiences = vec!["reports".to_owned()];
    let row = |client: &registry::Client, kind, before: Option<&registry::Client>| {
        Change::Client(requests::row(
            kind,
            before,
            &registry::Client { secrets: Vec::new(), ..client.clone() },
        ))
    };
    let edit = async |change: Change| {
        let mut request = requests::declared(vec![change]);
        request.managed_by = ManagedBy::Api;
        let state = acme().await;
        request.expected_revisions = vec![(tenant_id("acme"), state.revision)];
        request.before = vec![state];
        let outcome = requests::commit(&*database, &request).await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
    };
    edit(row(&through_api, ChangeKind::Added, None)).await;
    let declared = || {
        let [mut acme, globex] = names("new");
        let client = testkit::fixtures::client(&acme.tenant, "reports");
        acme.clients
            .push(administration::declaration::DeclaredClient { client, secrets: vec![value("reports")] });
        declaration(vec![acme, globex])
    };
    let revision = acme().await.revision;
    let lines_of = |outcome: &Outcome| {
        let plan = outcome.plan().unwrap().to_string();
        plan.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let conflict = "! tenant acme: reports is both a client id and an audience, resource or issuer; tenant acme stays unchanged";
    let applied = apply(&database, &declared(), "2").await.unwrap();
    assert!(matches!(applied, Outcome::Applied { generation: 2, .. }), "{applied:?}");
    assert_eq!(lines_of(&applied), ["~ tenant globex: name old -> new", conflict]);
    let after = acme().await;
    assert_eq!((after.revision, after.tenant), (revision, before.tenant));
    assert_eq!(database.latest_generation().await.unwrap().unwrap().left_out, [tenant_id("acme")]);
    for _ in 0..2 {
        let again = apply(&database, &declared(), "2").await.unwrap();
        assert!(matches!(again, Outcome::StillLeftOut { .. }), "{again:?}");
        assert_eq!(lines_of(&again), [conflict]);
    }
    assert_eq!(database.latest_generation().await.unwrap().unwrap().number, 2);

    let renamed = registry::Client { audiences: vec!["papers".to_owned()], ..through_api.clone() };
    edit(row(&renamed, ChangeKind::Changed, Some(&through_api))).await;
    let whole = apply(&database, &declared(), "2").await.unwrap();
    assert!(matches!(whole, Outcome::Applied { generation: 3, .. }), "{whole:?}");
    assert_eq!(lines_of(&whole)[0], "~ tenant acme: name old -> new");
    assert_eq!(database.latest_generation().await.unwrap().unwrap().left_out, []);
    assert_eq!(apply(&database, &declared(), "2").await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn two_tenants_can_swap_issuers() {
    let (_sandbox, database) = Sandbox::opened().await;
    let [mut left, mut right] = ["a", "b"].map(|id| tenant(id, Vec::new()));
    let swapped = [left.tenant.issuer.clone(), right.tenant.issuer.clone()];
    apply(&database, &declaration(["a", "b"].map(|id| tenant(id, Vec::new())).into()), "1").await.unwrap();
    [right.tenant.issuer, left.tenant.issuer] = swapped.clone();
    apply(&database, &declaration(vec![left, right]), "2").await.unwrap();
    let now = database.find_tenant(&tenant_id("a")).await.unwrap().unwrap();
    assert_eq!(now.issuer, swapped[1]);
}

#[tokio::test]
async fn two_thousand_tenants_take_few_statements() {
    let (_sandbox, database) = Sandbox::opened().await;
    let declared = || {
        let of = |index: u32| {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&index.to_be_bytes());
            let secret = GeneratedSecret::from_bytes(&seed).secret;
            tenant(&format!("tenant-{index}"), vec![value(secret.expose())])
        };
        declaration((0..2_000).map(of).collect())
    };
    let statements = async |content| {
        let before = database.statements();
        let changed = lines(apply(&database, &declared(), content).await).len();
        (changed, database.statements() - before)
    };
    let (changed, first) = statements("1").await;
    assert_eq!(changed, 8_000);
    assert!(first < 100, "{first}");
    let (changed, second) = statements("2").await;
    assert_eq!(changed, 0);
    assert!(second < 15, "{second}");
}
