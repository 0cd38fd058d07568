//! Creates an API key, rotates, changes and revokes it. A key that has ended stays ended, a change never adds
//! a permission, and no key outlives the policy of its tenant.

use protocol::{Credential, GrantType, find_resource};
use registry::{ApiKey, ApiKeyId, ClientId};
use secrets::SecretHash;
use serde_json::Value;
use tenancy::ApiKeyPolicy;
use values::{Lifetime, Timestamp};

use super::secret::GRACE;
use super::{Edit, EditContext, Edited, invalid, ok_unless_errors, patched, privilege};
use crate::limits::TenantLimit;
use crate::{
    ApiKeySettings, ApiKeyState, ApiKeyView, ChangeKind, ClientState, EditError, FieldErrors, RowChange,
    TenantState, check_api_key,
};

/// A key after it was generated: what is stored of it.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyMaterial {
    pub(crate) id: ApiKeyId,
    pub(crate) hash: SecretHash,
    pub(crate) hint: String,
}

/// Creates one more key of a client.
pub(crate) fn create(
    context: EditContext<'_>,
    client: &ClientId,
    material: &ApiKeyMaterial,
    settings: &ApiKeySettings,
) -> Edited {
    let (state, owner, policy) = may_create(context, client)?;
    let TenantLimit { most, name } = TenantLimit::of_api_keys(&state.tenant, context.policy.api_keys);
    let count = context.facts.live_api_keys;
    if count >= most {
        let message = format!("client {client} has {count} live API keys, and {name} is {most}");
        return Err(EditError::LimitReached(message));
    }
    let key = checked(policy, owner, new(owner, material, context.now), settings)?;
    Ok(Edit::from_change(RowChange::new(ChangeKind::Added, None, key)))
}

/// Creates a key that replaces another one, with the same permissions and the same lifetime. The other one
/// ends after the grace period, or at its own end if that is earlier. A rotation may exceed the limit on keys
/// by one, because the other one ends by itself; the next one is refused until then, unless its grace is 0.
pub(crate) fn rotate(
    context: EditContext<'_>,
    client: &ClientId,
    id: &ApiKeyId,
    material: &ApiKeyMaterial,
    grace: Option<Lifetime>,
) -> Edited {
    let (state, owner, policy) = may_create(context, client)?;
    let old = live(context, state, client, id)?;
    if let Some(replaced_by) = &old.key.replaced_by {
        return Err(EditError::Conflict(format!("API key {id} was replaced by {replaced_by} already")));
    }
    let grace = grace.unwrap_or(GRACE);
    let TenantLimit { most, name } = TenantLimit::of_api_keys(&state.tenant, context.policy.api_keys);
    let count = context.facts.live_api_keys;
    if grace.seconds() > 0 && count > most {
        return Err(EditError::LimitReached(format!(
            "client {client} has {count} live API keys, more than {most} ({name}); wait until one ends, revoke one, or rotate with grace 0"
        )));
    }
    let length = length(&old.key).min(policy.max_lifetime);
    let ApiKey { name, labels, owner: of, scope, audiences, .. } = old.key.clone();
    let new = new(owner, material, context.now);
    let expires_at = context.now + length;
    let new = ApiKey { name, labels, owner: of, scope, audiences, expires_at, ..new };
    let replaced_by = Some(material.id.clone());
    let end = context.now + grace;
    let mut edit = Edit::from_change(RowChange::new(ChangeKind::Added, None, new));
    let after = ApiKey { replaced_by, ..old.key.clone() };
    edit.extend(if end <= context.now {
        revoked(context, old, after)
    } else {
        let after = ApiKey { expires_at: end.min(old.key.expires_at), ..after };
        restricted(context, state, old, after)
    });
    Ok(edit)
}

/// Changes the members that the merge patch names. An end can become earlier, and scopes and audiences can
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
    // Judged by what the key has, which may be more than its client has today.
    let had = ClientState {
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
            "this is later than the end of the key, which can only come earlier",
        ));
    }
    if end <= context.now {
        return Err(invalid("/expires_at", "this is past; revoke the key to end it at once"));
    }
    // The end was within the policy before, so an earlier one is, too.
    let policy = ApiKeyPolicy { max_lifetime: length(&old.key), ..ApiKeyPolicy::default() };
    let after = checked(&policy, &had, old.key.clone(), &settings)?;
    Ok(restricted(context, state, old, after))
}

/// A step of a key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyStep {
    /// The key ends at once, with its tokens.
    Revoke,
}

/// A step that was taken before changes nothing.
pub(crate) fn step(
    context: EditContext<'_>,
    (client, id): &(ClientId, ApiKeyId),
    ApiKeyStep::Revoke: ApiKeyStep,
) -> Edited {
    let (state, _) = privilege::client(context, client)?;
    let row = state.api_key(client, id)?;
    context.require_match(|| ApiKeyView::new(row, context.now))?;
    let is_revoked = row.key.revoked_at.is_some();
    Ok(if is_revoked { Edit::default() } else { revoked(context, row, row.key.clone()) })
}

/// Client and policy, for a caller that may make keys of the client.
fn may_create<'a>(
    context: EditContext<'a>,
    client: &ClientId,
) -> Edited<(&'a TenantState, &'a ClientState, &'a ApiKeyPolicy)> {
    let (state, owner) = privilege::client_to_change(context, client)?;
    privilege::require_secret(context, &state.tenant, &owner.client)?;
    let conflict = |why: String| Err(EditError::Conflict(why));
    let (tenant, registered) = (&state.tenant, &owner.client);
    let method = registered.authentication_method;
    let Some(policy) = &tenant.api_keys else {
        return conflict(format!("tenant {} offers no API keys; set its api_keys", tenant.id));
    };
    if !method.allows(Some(Credential::Secret)) {
        return conflict(format!("client {client} authenticates by {method}, and not by an API key"));
    }
    if !registered.grant_types.contains(&GrantType::ClientCredentials) {
        return conflict(format!(
            "client {client} is not registered for client_credentials, which API keys need"
        ));
    }
    let is_bound = tenant.access_token.require_sender_constraint
        || registered.dpop_bound_access_tokens
        || registered.tls_client_certificate_bound_access_tokens;
    if is_bound {
        return conflict(format!("the tokens of client {client} are bound to keys, and an API key is not"));
    }
    Ok((state, owner, policy))
}

/// The key of these settings.
fn checked(
    policy: &ApiKeyPolicy,
    owner: &ClientState,
    mut key: ApiKey,
    settings: &ApiKeySettings,
) -> Edited<ApiKey> {
    let mut errors = FieldErrors::default();
    check_api_key(&mut errors, policy, &owner.client, settings, &mut key);
    ok_unless_errors(key, errors.into_vec())
}

fn new(owner: &ClientState, material: &ApiKeyMaterial, now: Timestamp) -> ApiKey {
    let ApiKeyMaterial { id, hash, hint } = material.clone();
    ApiKey::new(&owner.client, id, hash, hint, now)
}

/// The key, unless it has ended: a thief may have found it since.
fn live<'a>(
    context: EditContext<'_>,
    state: &'a TenantState,
    client: &ClientId,
    id: &ApiKeyId,
) -> Edited<&'a ApiKeyState> {
    let row = state.api_key(client, id)?;
    if row.key.is_live(context.now) {
        return Ok(row);
    }
    Err(EditError::Conflict(format!("API key {id} has ended already; make a new one")))
}

/// The lifetime of the key from its creation to its end.
fn length(key: &ApiKey) -> Lifetime {
    Lifetime::from_seconds(key.expires_at.seconds().saturating_sub(key.created_at.seconds()))
}

/// Returns the change. The tokens of the key end if the change removes a permission, or if a token would
/// outlive the key.
fn restricted(context: EditContext<'_>, state: &TenantState, row: &ApiKeyState, after: ApiKey) -> Edit {
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

fn revoked(context: EditContext<'_>, row: &ApiKeyState, after: ApiKey) -> Edit {
    let after = ApiKey { revoked_at: Some(context.now), ..after };
    Edit::from_change(RowChange::new(ChangeKind::Revoked, Some(&row.key), after))
}
