//! Tests that after applying any declaration to any state, comparing every row finds nothing to change.

use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome::{Along, ReconcileOptions};
use administration::declaration::{Declaration, DeclaredClient};
use administration::kinds::DeclaredTenant;
use secrets::GeneratedSecret;
use tenancy::{Issuer, TenantStore as _};
use testkit::fixtures::{self, scope};
use values::Lifetime;

use crate::declared::{declaration, lines, options, reconciler, value};
use crate::sandbox::Sandbox;

/// Pseudo-random choices that are the same in every run.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn some_of<T>(&mut self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().filter(|_| self.flip()).collect()
    }
}

fn any_tenant(choices: &mut Choices, id: &str) -> DeclaredTenant {
    let mut tenant = fixtures::tenant(id);
    tenant.name = format!("name {}", choices.below(3));
    tenant.access_token.lifetime = Lifetime::from_seconds(60 * (1 + choices.below(3)));
    tenant.access_token.typ = ["JWT", "at+jwt"][usize::from(choices.flip())].to_owned();
    tenant.issuer_aliases = choices
        .some_of(["x", "y"])
        .iter()
        .map(|name| Issuer::parse(&format!("{id}-{name}")).unwrap())
        .collect();
    let servers = ["api", "files"].map(|audience| {
        let mut server = tenant.resource_servers[0].clone();
        server.audience = audience.to_owned();
        server.scopes = scope(["a b", "b"][usize::from(choices.flip())]);
        server
    });
    tenant.resource_servers = choices.some_of(servers);
    let clients = choices.some_of(["one", "two", "three"]);
    let clients = clients.into_iter().map(|name| any_client(choices, &tenant, name)).collect();
    DeclaredTenant { tenant, clients, accounts: Vec::new(), first_key: None }
}

fn any_client(choices: &mut Choices, tenant: &tenancy::Tenant, name: &str) -> DeclaredClient {
    let mut client = fixtures::client(tenant, name);
    client.name = format!("name {}", choices.below(3));
    client.scope = scope(["a", "b a", ""][usize::try_from(choices.below(3)).unwrap()]);
    client.resources = choices.some_of(["https://a.example.com".to_owned(), "urn:x".to_owned()]);
    if choices.flip() {
        client = fixtures::with_token_lifetime(client, 5);
    }
    let seeds = choices.some_of([[1; 32], [2; 32], [3; 32]]);
    let secrets = seeds.iter().map(|seed| value(GeneratedSecret::from_bytes(seed).secret.expose())).collect();
    DeclaredClient { client, secrets }
}

fn any_declaration(choices: &mut Choices) -> Declaration {
    let ids = choices.some_of(["acme", "other", "third"]);
    declaration(ids.into_iter().map(|id| any_tenant(choices, id)).collect())
}

#[tokio::test]
async fn any_declaration_converges_from_any_state() {
    let (sandbox, database) = Sandbox::opened().await;
    let reconciler = reconciler(&database);
    let mut connection = sandbox.connect().await;
    let mut choices = Choices(2);
    for round in 0..60_u32 {
        let declared = any_declaration(&mut choices);
        let content = ContentHash::from_parts([round.to_be_bytes().as_slice()]);
        let options = ReconcileOptions { prune: true, ..options() };
        let changed = lines(reconciler.apply(&declared, &content, &options, Along::NONE).await);
        // Without fingerprints, tenants are compared row by row.
        sqlx::query("UPDATE tenants SET fingerprint = NULL").execute(&mut connection).await.unwrap();
        let left = reconciler.plan(&declared, options.now).await.unwrap();
        assert!(left.is_empty(), "round {round}: after {changed:#?}\nthere is still {left}");
        for (id, declared) in &declared.tenants {
            let mut found = (*database.find_tenant(id).await.unwrap().unwrap()).clone();
            found.access_token.previous_typs.clear();
            assert_eq!(found, declared.tenant, "round {round}");
        }
    }
}
