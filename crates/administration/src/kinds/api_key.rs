//! API keys: their rows, the rules for their settings, and how a store finds them. A client may have too many
//! keys to load them all.

use async_trait::async_trait;
use protocol::{LONGEST_BRAND, Scope, ScopeToken, is_api_key_brand};
use registry::{ApiKey, ApiKeyId, Client, ClientId, CredentialTag, RevokedSubject};
use tenancy::{ApiKeyPolicy, Stored, TenantId};
use values::Timestamp;

use super::{Kind, TenantState};
use crate::documents::API_KEY;
use crate::documents::{ApiKeySettings, ApiKeysSettings, UsedFrom};
use crate::edit::{EditError, FieldError};
use crate::kinds::Invalidation;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::{ABSENT, members};
use crate::kinds::state::RowLifecycle;
use crate::rows::Decided;
use crate::rules::limits::API_KEY_BYTES;
use crate::rules::{FieldErrors, LONGEST_ID};
use crate::store::Listed;

/// Names a key within its tenant.
pub type Name = (ClientId, ApiKeyId);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub key: ApiKey,
    pub lifecycle: RowLifecycle,
    /// Each change of the key increments the revision. A change is written only if the revision is still the
    /// one on which the change was decided. The revision of the tenant does not cover its keys.
    pub revision: u64,
    /// The addresses that used the key, the most recent first.
    pub used_from: Vec<UsedFrom>,
}

impl Kind for ApiKey {
    const NOUN: &'static str = "api key";
    const COLLECTION: &'static str = "api-keys";

    /// The client and the id, as for a secret, because an id alone does not say whose key it is.
    fn name(&self) -> String {
        format!("{}/{}", self.client, self.id)
    }

    fn fields(&self) -> Vec<(String, String)> {
        let instant = |at: Option<Timestamp>| at.map_or_else(|| ABSENT.to_owned(), Timestamp::to_rfc3339);
        let replaced_by = self.replaced_by.as_ref().map_or_else(|| ABSENT.to_owned(), ToString::to_string);
        let mut fields = members(&API_KEY, &ApiKeySettings::from(self));
        fields.push(("revoked_at".to_owned(), instant(self.revoked_at)));
        fields.push(("replaced_by".to_owned(), replaced_by));
        fields
    }

    fn knows(kind: ChangeKind) -> bool {
        matches!(kind, ChangeKind::Added | ChangeKind::Changed | ChangeKind::Restricted | ChangeKind::Revoked)
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let key = (tenant.clone(), change.after.id.clone());
        let stored = || decided.tenants.get(&key.0)?.api_keys.iter().find(|row| row.key.id == key.1);
        let before = decided.rows.api_keys.get(&key).or_else(stored).cloned();
        let known = before.as_ref().map(|row| (&row.key, row.lifecycle));
        let (fields, lifecycle) = decided.row_after(change, known)?;
        let (revision, used_from) = before.map_or((0, Vec::new()), |row| (row.revision, row.used_from));
        let row = State { key: fields, lifecycle, revision: revision + 1, used_from };
        decided.rows.api_keys.insert(key, row);
        let ApiKey { id, client, .. } = &*change.after;
        // No cache can contain a new key. So it is left out of the log of changes, whose lock all tenants
        // share.
        if change.kind != ChangeKind::Added {
            decided.changed.push(Invalidation::ApiKey(tenant.clone(), id.clone()));
        }
        let tag = || CredentialTag::of_api_key(tenant, client, id);
        let subject = || RevokedSubject::Credential(client.clone(), tag());
        decided.revoke(tenant, change.effect().map(|effect| (effect, subject())));
        Some(())
    }
}

impl TenantState {
    /// One of the loaded keys of this client.
    pub(crate) fn api_key(&self, client: &ClientId, id: &ApiKeyId) -> Result<&State, EditError> {
        let found = self.api_keys.iter().find(|row| row.key.id == *id && row.key.client == *client);
        found.ok_or(EditError::NotFound("api key"))
    }
}

const MOST_LABELS: usize = 16;
const LONGEST_LABEL: usize = 64;

/// Checks the settings of a key of this client, and applies them to the key. By default a key has the scope
/// and the audiences of its client, except those of administration.
pub fn check_api_key(
    errors: &mut FieldErrors,
    policy: &ApiKeyPolicy,
    client: &Client,
    settings: &ApiKeySettings,
    key: &mut ApiKey,
) {
    let name = settings.name.clone().unwrap_or_default();
    errors.check_title("/name", &name);
    errors.check_distinct("/labels", &settings.labels);
    if settings.labels.len() > MOST_LABELS {
        errors.add("/labels", format!("a key can have at most {MOST_LABELS} labels"));
    }
    for (index, label) in settings.labels.iter().enumerate() {
        errors.check_text(&format!("/labels/{index}"), "the label", label, LONGEST_LABEL);
    }
    if let Some(owner) = &settings.owner {
        errors.check_text("/owner", "the owner", owner, LONGEST_ID);
    }
    for (at, text) in [("/name", settings.name.as_deref()), ("/owner", settings.owner.as_deref())] {
        if text.is_some_and(|text| !text.is_empty() && text.trim().is_empty()) {
            errors.refuse(at, "this text contains only blanks", "use readable text");
        }
    }
    key.scope = check_scopes(errors, client, settings.scopes.as_deref());
    key.audiences = check_audiences(errors, client, settings.audiences.as_deref());
    let longest = key.created_at + policy.max_lifetime;
    let end = settings.expires_at.map_or(key.created_at + policy.default_lifetime, Timestamp::from);
    if end <= key.created_at {
        errors.add("/expires_at", "this time is in the past; a key must be valid for some time".to_owned());
    } else if end > longest {
        let detail = format!("a key of this tenant can be valid for at most {}", policy.max_lifetime);
        errors.refuse("/expires_at", detail, format!("use {} or earlier", longest.to_rfc3339()));
    }
    key.expires_at = end;
    (key.name, key.labels, key.owner) = (name, settings.labels.clone(), settings.owner.clone());
    let bytes = serde_json::to_vec(settings).map_or(0, |text| text.len());
    if bytes > API_KEY_BYTES {
        errors.add("", format!("the key takes {bytes} bytes as JSON; the maximum is {API_KEY_BYTES}"));
    }
}

fn check_scopes(errors: &mut FieldErrors, client: &Client, requested: Option<&[String]>) -> Scope {
    let Some(requested) = requested else {
        return client.scope.iter().filter(|token| !token.is_reserved()).cloned().collect();
    };
    let scopes = errors.check_scopes("/scopes", requested);
    for (index, scope) in requested.iter().enumerate() {
        let at = format!("/scopes/{index}");
        errors.refuse_reserved_scope(&at, scope);
        if ScopeToken::parse(scope).is_ok_and(|token| !client.scope.contains(&token)) {
            errors.refuse(&at, format!("client {} does not have this scope", client.id), "remove it");
        }
    }
    scopes.into_iter().collect()
}

fn check_audiences(errors: &mut FieldErrors, client: &Client, requested: Option<&[String]>) -> Vec<String> {
    let is_admin = |audience: &str| audience.starts_with(ClientId::RESERVED_PREFIX);
    let Some(requested) = requested else {
        return client.audiences.iter().filter(|audience| !is_admin(audience)).cloned().collect();
    };
    if requested.is_empty() && client.audiences.iter().any(|audience| !is_admin(audience)) {
        let detail = format!(
            "client {} has audiences, and a key without audiences is valid only for the client",
            client.id
        );
        errors.refuse("/audiences", detail, "list some of the client's audiences, or omit the member");
    }
    // A different spelling of a resource is replaced by the client's spelling.
    let registered = |audience: &String| client.resource_named(audience).unwrap_or(audience).clone();
    let audiences: Vec<_> = requested.iter().map(registered).collect();
    errors.check_distinct("/audiences", &audiences);
    for (index, audience) in audiences.iter().enumerate() {
        if is_admin(audience) || client.resource_named(audience).is_none() {
            let detail = format!("client {} has no such audience that its keys can use", client.id);
            errors.refuse(&format!("/audiences/{index}"), detail, "remove it");
        }
    }
    audiences
}

/// Checks a stored key again as if it were new, except against the client and the policy of the tenant, which
/// may have changed since.
pub(crate) fn judge(state: &TenantState, key: &ApiKey) -> FieldErrors {
    let Ok(client) = state.client(&key.client) else { return FieldErrors::default() };
    let policy = ApiKeyPolicy { max_lifetime: ApiKeyPolicy::LONGEST, ..ApiKeyPolicy::default() };
    let mut errors = FieldErrors::default();
    check_api_key(&mut errors, &policy, &client.client, &ApiKeySettings::from(key), &mut key.clone());
    let depends = |error: &FieldError| {
        !error.is_of_value
            && (error.pointer.starts_with("/scopes") || error.pointer.starts_with("/audiences"))
    };
    let mut kept = FieldErrors::default();
    kept.extend(errors.into_vec().into_iter().filter(|error| !depends(error)).collect());
    kept
}

/// Checks the policy of a tenant for the API keys of its clients.
pub(crate) fn check_policy(errors: &mut FieldErrors, settings: &ApiKeysSettings) -> ApiKeyPolicy {
    let ApiKeysSettings { max_lifetime, default_lifetime, prefix } = settings.clone();
    for (at, lifetime, longest) in [
        ("/api_keys/max_lifetime", max_lifetime, ApiKeyPolicy::LONGEST),
        ("/api_keys/default_lifetime", default_lifetime, max_lifetime),
    ] {
        if lifetime.seconds() == 0 || lifetime > longest {
            let detail = format!("an API key can be valid for 1 s to {longest} here");
            errors.refuse(at, detail, "use a duration in this range, such as 90d");
        }
    }
    if prefix.as_deref().is_some_and(|prefix| !is_api_key_brand(prefix)) {
        let hint = format!("use 1 to {LONGEST_BRAND} characters from a-z, 0-9 and _, such as acme_live");
        errors.refuse("/api_keys/prefix", "this is not a valid prefix for an API key", hint);
    }
    ApiKeyPolicy { max_lifetime, default_lifetime, prefix }
}

/// Reads API keys. [`TenantRows::commit`](crate::store::TenantRows::commit) writes them.
#[async_trait]
pub trait ApiKeyRows: Send + Sync {
    async fn find_api_keys(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        keys: &[ApiKeyId],
    ) -> Stored<Vec<State>>;

    /// The API keys with this id, of all tenants, because a report of a leak does not name the tenant.
    async fn find_api_keys_named(&self, key: &ApiKeyId) -> Stored<Vec<ApiKey>>;

    /// The number of live keys of a client at this time.
    async fn count_live_api_keys(&self, tenant: &TenantId, client: &ClientId, now: Timestamp) -> Stored<u64>;

    /// A page of a tenant's keys, in the order of their creation.
    async fn list_api_keys(&self, tenant: &TenantId, query: &Query) -> Stored<Vec<Listed<State>>>;

    /// Records uses of keys. Uses of keys that do not exist are ignored.
    async fn record_api_key_usage(&self, usage: &[Used]) -> Stored<()>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub tenant: TenantId,
    pub key: ApiKeyId,
    pub from: UsedFrom,
}

impl Used {
    /// The most addresses that are stored for each key and outcome.
    pub const KEPT_ADDRESSES: usize = 8;
}

/// Keys of one tenant, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub client: Option<ClientId>,
    pub id: Option<String>,
    /// Only keys with this text in their name. ASCII upper and lower case are equal.
    pub name: Option<String>,
    pub label: Option<String>,
    pub owner: Option<String>,
    /// Only keys that expire before this time or have ended.
    pub ends_before: Option<Timestamp>,
    /// Only keys that were not used since this instant.
    pub unused_since: Option<Timestamp>,
    /// Only keys after this one, in the order of creation. The instant is its creation.
    pub after: Option<(Timestamp, ApiKeyId)>,
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use secrets::SecretHash;
    use serde_json::{Value, json};
    use values::Lifetime;

    use super::*;
    use crate::edit::test_states::pointers;
    use crate::rules::Interface;

    fn check(document: Value, expected: &[&str]) -> ApiKey {
        let mut errors = FieldErrors::from_interface(Interface::Api);
        let client = Client {
            scope: Scope::parse("read write latchkey:clients").unwrap(),
            audiences: vec!["api".to_owned(), "urn:latchkey:tenant:acme".to_owned()],
            resources: vec!["https://orders.example".to_owned()],
            ..Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap())
        };
        let [max_lifetime, default_lifetime] = [100, 10].map(Lifetime::from_seconds);
        let policy = ApiKeyPolicy { max_lifetime, default_lifetime, prefix: None };
        let settings: ApiKeySettings = serde_json::from_value(document.clone()).unwrap();
        let made = Timestamp::from_seconds(1_000_000_000);
        let (id, hash) = ("4fT9xQ2bV7mK".parse().unwrap(), SecretHash::token([1; 32]));
        let mut key = ApiKey::new(&client, id, hash, String::new(), made);
        check_api_key(&mut errors, &policy, &client, &settings, &mut key);
        assert_eq!(pointers(errors.into_vec()), expected, "{document}");
        key
    }

    #[test]
    fn every_field_is_validated() {
        let all = check(json!({ "name": "n" }), &[]);
        assert_eq!((all.scope.to_string(), all.audiences), ("read write".to_owned(), vec!["api".to_owned()]));
        assert_eq!(all.expires_at.seconds(), 1_000_000_010);
        let some = json!({ "name": "n", "labels": ["a", "b c"], "owner": "cus_1", "scopes": ["write"],
            "audiences": ["https://orders.example"], "expires_at": "2001-09-09T01:48:20Z" });
        let some = check(some, &[]);
        assert_eq!((some.scope.to_string().as_str(), some.expires_at.seconds()), ("write", 1_000_000_100));
        // The key names the audience in the client's spelling.
        let spelled = json!({ "name": "n", "audiences": ["https://Orders.example:443/"] });
        assert_eq!(check(spelled, &[]).audiences, ["https://orders.example"]);
        let twice =
            json!({ "name": "n", "audiences": ["https://orders.example/", "https://orders.example"] });
        check(twice, &["/audiences/1"]);
        let labels: Vec<_> = (0..17).map(|number| number.to_string()).collect();
        for (document, expected) in [
            (json!({}), &["/name"][..]),
            (json!({ "name": "a\nb" }), &["/name"]),
            (json!({ "name": "n", "labels": labels }), &["/labels"]),
            (json!({ "name": "n", "labels": ["a", "a"] }), &["/labels/1"]),
            (json!({ "name": "n", "labels": [""] }), &["/labels/0"]),
            (json!({ "name": "n", "labels": ["a".repeat(65)] }), &["/labels/0"]),
            (json!({ "name": "n", "owner": "a\u{200b}" }), &["/owner"]),
            (json!({ "name": "n", "owner": "a".repeat(256) }), &["/owner"]),
            (json!({ "name": "n", "scopes": ["admin"] }), &["/scopes/0"]),
            (json!({ "name": "n", "scopes": ["latchkey:clients"] }), &["/scopes/0"]),
            (json!({ "name": "n", "audiences": ["other"] }), &["/audiences/0"]),
            (json!({ "name": "n", "audiences": ["urn:latchkey:tenant:acme"] }), &["/audiences/0"]),
            (json!({ "name": "n", "expires_at": "2001-09-09T01:46:40Z" }), &["/expires_at"]),
            (json!({ "name": "n", "expires_at": "2001-09-09T01:48:21Z" }), &["/expires_at"]),
        ] {
            check(document, expected);
        }
    }
}
