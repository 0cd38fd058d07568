//! Creates, rotates, changes and revokes API keys. A key that has ended stays ended, a change never adds a
//! permission, and no key lives longer than the policy of its tenant allows.

use protocol::{Credential, GrantType, find_resource};
use registry::{ApiKey, ApiKeyId, ClientId};
use secrets::SecretHash;
use serde_json::Value;
use tenancy::ApiKeyPolicy;
use values::{Lifetime, Timestamp};

use super::secret::GRACE;
use super::{Edit, EditContext, Edited, invalid, ok_unless_errors, patched, privilege};
use crate::documents::{ApiKeySettings, ApiKeyView};
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::{TenantState, check_api_key};
use crate::rules::FieldErrors;
use crate::rules::limits::TenantLimit;

/// What is stored of a generated key.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    pub(crate) id: ApiKeyId,
    pub(crate) hash: SecretHash,
    pub(crate) hint: String,
}

pub(crate) fn create(
    context: EditContext<'_>,
    client: &ClientId,
    material: &Material,
    settings: &ApiKeySettings,
) -> Edited {
    let (state, owner, policy) = may_create(context, client)?;
    let TenantLimit { most, name } = TenantLimit::of_api_keys(&state.tenant, context.policy.api_keys);
    let count = context.facts.live_api_keys;
    if count >= most {
        let message = format!("client {client} has {count} live API keys, and {name} allows {most}");
        return Err(EditError::LimitReached(message));
    }
    let key = checked(policy, owner, new(owner, material, context.now), settings)?;
    let live_api_keys = Some(most.saturating_sub(1));
    Ok(Edit { live_api_keys, ..Edit::from_change(RowChange::new(ChangeKind::Added, None, key)) })
}

/// Creates a key that replaces another one, with the same permissions and lifetime. The other key expires
/// after the grace period, or earlier if its own expiry is earlier. A rotation may exceed the limit on keys
/// by one, because the other key will expire. Until then the next rotation is refused, unless its grace
/// period is 0.
pub(crate) fn rotate(
    context: EditContext<'_>,
    client: &ClientId,
    id: &ApiKeyId,
    material: &Material,
    grace: Option<Lifetime>,
) -> Edited {
    let (state, owner, policy) = may_create(context, client)?;
    let old = live(context, state, client, id)?;
    if let Some(replaced_by) = &old.key.replaced_by {
        return Err(EditError::Conflict(format!("API key {id} was already replaced by {replaced_by}")));
    }
    let grace = grace.unwrap_or(GRACE);
    let TenantLimit { most, name } = TenantLimit::of_api_keys(&state.tenant, context.policy.api_keys);
    let count = context.facts.live_api_keys;
    if grace.seconds() > 0 && count > most {
        return Err(EditError::LimitReached(format!(
            "client {client} has {count} live API keys, more than {most} ({name}); wait until one expires, \
                revoke one, or rotate with grace 0"
        )));
    }
    let length = length(&old.key).min(policy.max_lifetime);
    let ApiKey { name, labels, owner: of, scope, audiences, .. } = old.key.clone();
    let new = new(owner, material, context.now);
    let expires_at = context.now + length;
    let new = ApiKey { name, labels, owner: of, scope, audiences, expires_at, ..new };
    let replaced_by = Some(material.id.clone());
    let end = context.now + grace;
    let live_api_keys = Some(most).filter(|_| grace.seconds() > 0);
    let mut edit = Edit { live_api_keys, ..Edit::from_change(RowChange::new(ChangeKind::Added, None, new)) };
    let after = ApiKey { replaced_by, ..old.key.clone() };
    edit.extend(if end <= context.now {
        revoked(context, old, after)
    } else {
        let after = ApiKey { expires_at: end.min(old.key.expires_at), ..after };
        restricted(context, state, old, after)
    });
    Ok(edit)
}

/// Applies a merge patch to the key. The expiry can only become earlier, and scopes and audiences can only
/// become fewer.
pub(crate) fn patch(context: EditContext<'_>, (client, id): &(ClientId, ApiKeyId), patch: &Value) -> Edited {
    let (state, owner) = privilege::client_to_change(context, client)?;
    let old = live(context, state, client, id)?;
    context.require_match(|| ApiKeyView::new(old, context.now))?;
    let before = ApiKeySettings::from(&old.key);
    let settings = patched(&before, patch, ApiKeySettings::read)?;
    let settings = ApiKeySettings {
        scopes: settings.scopes.or(before.scopes),
        audiences: settings.audiences.or(before.audiences),
        expires_at: settings.expires_at.or(before.expires_at),
        ..settings
    };
    // Checked against the permissions that the key has. Its client may have fewer today.
    let had = kinds::client::State {
        client: registry::Client {
            scope: old.key.scope.clone(),
            audiences: old.key.audiences.clone(),
            resources: Vec::new(),
            ..owner.client.clone()
        },
        ..owner.clone()
    };
    let end = settings.expires_at.map_or(old.key.expires_at, Timestamp::from);
    if end > old.key.expires_at {
        return Err(invalid(
            "/expires_at",
            "this is later than the key's expiry, which you can only move earlier",
        ));
    }
    if end <= context.now {
        return Err(invalid(
            "/expires_at",
            "this time is in the past; to end the key immediately, revoke it",
        ));
    }
    // The expiry was within the policy, so an earlier expiry is, too.
    let policy = ApiKeyPolicy { max_lifetime: length(&old.key), ..ApiKeyPolicy::default() };
    let after = checked(&policy, &had, old.key.clone(), &settings)?;
    Ok(restricted(context, state, old, after))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The key and its tokens are revoked immediately.
    Revoke,
}

/// Repeating a step changes nothing.
pub(crate) fn step(
    context: EditContext<'_>,
    (client, id): &(ClientId, ApiKeyId),
    Step::Revoke: Step,
) -> Edited {
    let (state, _) = privilege::client(context, client)?;
    let row = state.api_key(client, id)?;
    context.require_match(|| ApiKeyView::new(row, context.now))?;
    let is_revoked = row.key.revoked_at.is_some();
    Ok(if is_revoked { Edit::default() } else { revoked(context, row, row.key.clone()) })
}

/// Returns the client and the policy if the caller may create keys of the client.
fn may_create<'a>(
    context: EditContext<'a>,
    client: &ClientId,
) -> Edited<(&'a TenantState, &'a kinds::client::State, &'a ApiKeyPolicy)> {
    let (state, owner) = privilege::client_to_change(context, client)?;
    privilege::require_secret(context, &state.tenant, &owner.client)?;
    let conflict = |why: String| Err(EditError::Conflict(why));
    let (tenant, registered) = (&state.tenant, &owner.client);
    let method = registered.authentication_method;
    let Some(policy) = &tenant.api_keys else {
        return conflict(format!("tenant {} does not offer API keys; set its api_keys", tenant.id));
    };
    if !method.allows(Some(Credential::Secret)) {
        return conflict(format!("client {client} authenticates with {method}, not with an API key"));
    }
    if !registered.grant_types.contains(&GrantType::ClientCredentials) {
        return conflict(format!(
            "client {client} is not registered for client_credentials, which API keys require"
        ));
    }
    let is_bound = tenant.access_token.require_sender_constraint
        || registered.dpop_bound_access_tokens
        || registered.tls_client_certificate_bound_access_tokens;
    if is_bound {
        return conflict(format!(
            "the tokens of client {client} are bound to keys, and API keys cannot be \
            bound to a key"
        ));
    }
    Ok((state, owner, policy))
}

fn checked(
    policy: &ApiKeyPolicy,
    owner: &kinds::client::State,
    mut key: ApiKey,
    settings: &ApiKeySettings,
) -> Edited<ApiKey> {
    let mut errors = FieldErrors::default();
    check_api_key(&mut errors, policy, &owner.client, settings, &mut key);
    ok_unless_errors(key, errors.into_vec())
}

fn new(owner: &kinds::client::State, material: &Material, now: Timestamp) -> ApiKey {
    let Material { id, hash, hint } = material.clone();
    ApiKey::new(&owner.client, id, hash, hint, now)
}

/// Returns the key, unless it has ended. An ended key cannot be restored, because a thief may have found it
/// since.
fn live<'a>(
    context: EditContext<'_>,
    state: &'a TenantState,
    client: &ClientId,
    id: &ApiKeyId,
) -> Edited<&'a kinds::api_key::State> {
    let row = state.api_key(client, id)?;
    if row.key.is_live(context.now) {
        return Ok(row);
    }
    Err(EditError::Conflict(format!("API key {id} has already expired; create a new key")))
}

/// How long the key lives, from its creation to its expiry.
fn length(key: &ApiKey) -> Lifetime {
    Lifetime::from_seconds(key.expires_at.seconds().saturating_sub(key.created_at.seconds()))
}

/// Returns the change. Revokes the tokens of the key if the change removes a permission, or if a token could
/// be valid for longer than the key.
fn restricted(
    context: EditContext<'_>,
    state: &TenantState,
    row: &kinds::api_key::State,
    after: ApiKey,
) -> Edit {
    let before = &row.key;
    if *before == after {
        return Edit::default();
    }
    let has_less = before.scope.iter().any(|token| !after.scope.contains(token))
        || before.audiences.iter().any(|name| find_resource(after.audiences.iter(), name).is_none());
    let last_token = state.tokens_until(context.now, context.policy.l1_lifetime);
    let ends_before_tokens = after.expires_at < before.expires_at && after.expires_at < last_token;
    let kind = if has_less || ends_before_tokens { ChangeKind::Restricted } else { ChangeKind::Changed };
    Edit::from_change(RowChange::new(kind, Some(before), after))
}

fn revoked(context: EditContext<'_>, row: &kinds::api_key::State, after: ApiKey) -> Edit {
    let after = ApiKey { revoked_at: Some(context.now), ..after };
    Edit::from_change(RowChange::new(ChangeKind::Revoked, Some(&row.key), after))
}
