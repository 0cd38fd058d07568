//! The plan of an import. It depends only on the file, and is shown before anything is created.

use std::fmt::Write as _;

use anyhow::{anyhow, bail};
use serde_json::{Value, json};
use tenancy::TenantId;
use values::Lifetime;

use super::clients::{PlannedRegistration, planned};
use super::left_out::Omissions;
use super::people::People;
use super::realm::{Realm, readable};
use super::scopes::Scopes;
use crate::output::table;

const REASONS: [(&str, &str); 17] = [
    (
        "identityProviders",
        "identity providers are not supported: people sign in with a password of the tenant",
    ),
    (
        "identityProviderMappers",
        "identity providers are not supported: people sign in with a password of the tenant",
    ),
    ("userFederationProviders", "external user directories are not supported"),
    ("federatedUsers", "external user directories are not supported"),
    ("roles", "roles are not supported: clients have scopes instead"),
    ("defaultRole", "roles are not supported: clients have scopes instead"),
    ("defaultRoles", "roles are not supported: clients have scopes instead"),
    ("scopeMappings", "roles are not supported: clients have scopes instead"),
    ("clientScopeMappings", "roles are not supported: clients have scopes instead"),
    ("groups", "groups are not imported; set `groups` of an account to their names"),
    ("defaultGroups", "groups are not imported; set `groups` of an account to their names"),
    ("organizations", "organizations within a tenant are not supported"),
    ("authenticationFlows", "sign-in flows cannot be configured"),
    ("authenticatorConfig", "sign-in flows cannot be configured"),
    ("requiredActions", "sign-in flows cannot be configured"),
    ("components", "components (keys, directories and policies): the tenant has its own signing keys"),
    ("privateKey", "the tenant has its own signing keys; import a key with `latchkey key import`"),
];
/// Members that have no meaning outside Keycloak.
const MEANINGLESS: [&str; 4] = ["id", "keycloakVersion", "notBefore", "requiredCredentials"];

/// What the import creates, and what it leaves out.
pub(super) struct ImportPlan {
    pub(super) tenant: TenantId,
    /// The tenant as a document of the API.
    pub(super) settings: Value,
    pub(super) clients: Vec<PlannedRegistration>,
    pub(super) people: People,
    left_out: Omissions,
}

impl ImportPlan {
    /// Plans a tenant with the realm's name, or with another name.
    pub(super) fn new(
        realm: Realm,
        tenant: Option<TenantId>,
        audience: Option<String>,
    ) -> anyhow::Result<Self> {
        let tenant = match tenant {
            Some(tenant) => tenant,
            None => derived(&realm.realm)?,
        };
        let mut left_out = Omissions::default();
        for path in &realm.unread {
            left_out.add("entries in an unexpected format", path.as_str());
        }
        let mut scopes = Scopes::new(&realm, audience.unwrap_or_else(|| format!("{tenant}-api")));
        let clients: Vec<_> =
            realm.clients.iter().filter_map(|client| planned(client, &mut scopes, &mut left_out)).collect();
        if let Some(client) = clients.iter().find(|client| scopes.servers.contains_key(&client.id)) {
            let id = client.id.escape_debug();
            bail!(
                "the realm has a client `{id}`, so the audience of the scopes needs another name. Choose one with --audience"
            );
        }
        scopes.name_left_out(&mut left_out);
        let people = People::new(&realm.users, &mut left_out);
        if realm.enabled == Some(false) {
            left_out.add(
                "the realm is disabled but the tenant will be active: suspend it with `latchkey tenant suspend`",
                realm.realm.as_str(),
            );
        }
        left_out.add_members("", &realm.others, &REASONS, &MEANINGLESS, "other settings of the realm");
        let lifetime = realm.access_token_lifespan.filter(|seconds| *seconds > 0);
        let settings = json!({
            "id": tenant.as_str(),
            "name": readable(realm.display_name.as_deref(), 255),
            "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
            "access_token": { "lifetime": lifetime },
            "resource_servers": scopes.document(),
        });
        Ok(Self { tenant, settings, clients, people, left_out })
    }

    /// The question before the tenant is created or completed.
    pub(super) fn question(&self, exists: bool) -> String {
        let (tenant, clients, people) = (&self.tenant, self.clients.len(), self.people.names.len());
        let what = if exists { "Create the missing rows of" } else { "Create" };
        format!("{what} tenant {tenant} with {clients} clients and {people} people?")
    }

    /// The plan as JSON. It contains no secret of the realm.
    pub(super) fn document(&self) -> Value {
        let client = |client: &PlannedRegistration| {
            let mut shown = json!({ "client_id": client.id, "proof": client.proof.name() });
            for member in ["grant_types", "redirect_uris", "scopes", "audiences", "access_token_lifetime"] {
                shown[member] = client.document[member].clone();
            }
            shown
        };
        json!({
            "tenant": self.settings,
            "clients": self.clients.iter().map(client).collect::<Vec<_>>(),
            "people": { "count": self.people.names.len(), "with_hash": self.people.with_hash },
            "left_out": self.left_out,
        })
    }

    pub(super) fn lines(&self) -> String {
        let mut text = format!("Tenant {}", self.tenant);
        if let Some(name) = self.settings["name"].as_str() {
            let _ = write!(text, " ({name})");
        }
        if let Some(seconds) = self.settings["access_token"]["lifetime"].as_u64() {
            let _ = write!(text, ", access token lifetime {}", Lifetime::from_seconds(seconds));
        }
        text.push('\n');
        let servers = self.settings["resource_servers"].as_object().into_iter().flatten();
        let servers = servers.map(|(audience, server)| vec![audience.clone(), words(&server["scopes"])]);
        let _ = write!(
            text,
            "\n{}",
            table("No resource servers.", &["RESOURCE SERVER", "SCOPES"], servers.collect())
        );
        let clients = self.clients.iter().map(|client| {
            let cells =
                ["grant_types", "redirect_uris", "scopes"].map(|member| words(&client.document[member]));
            let proof = client.proof.name().to_owned();
            std::iter::once(client.id.clone()).chain(cells).chain([proof]).collect()
        });
        let head = ["CLIENT", "GRANTS", "REDIRECT URIS", "SCOPES", "PROOF"];
        let _ = write!(text, "\n{}", table("No clients.", &head, clients.collect()));
        let (people, with_hash) = (self.people.names.len(), self.people.with_hash);
        let _ = writeln!(text, "\nPeople: {people}. Latchkey can verify the password hashes of {with_hash}.");
        let _ = write!(text, "\nLeft out:\n{}", self.left_out.lines());
        text
    }
}

/// The names in a list or an object, or a dash.
fn words(value: &Value) -> String {
    let names: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(members) => members.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() { "-".to_owned() } else { names.join(" ") }
}

/// A tenant id that is derived from the realm's name.
fn derived(realm: &str) -> anyhow::Result<TenantId> {
    let name = realm.to_lowercase().replace(['_', '.', ' '], "-");
    TenantId::parse(&name).map_err(|why| {
        anyhow!(
            "cannot derive a tenant ID from the realm name `{}`: {why}. Choose an ID with --tenant",
            realm.escape_debug()
        )
    })
}
