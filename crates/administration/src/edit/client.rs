//! Creates a client with its first secret, changes some or all of its fields, and changes its status.

use protocol::Credential;
use registry::{Client, ClientId, ClientStatus};
use serde_json::Value;

use super::{
    Edit, EditContext, Edited, SecretMaterial, declared, invalid, live_credentials, ok_unless_errors,
    patched, privilege, secret, taken,
};
use crate::administrator::secret_writer::{NotAPlace, SecretPlace};
use crate::documents::{ClientSettings, ClientView};
use crate::edit::{EditError, new_names};
use crate::kinds;
use crate::kinds::authority::Authority;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::state::ManagedBy;
use crate::kinds::{Change, Permission, TenantState};
use crate::rules::limits;
use crate::rules::{FieldErrors, LONGEST_ID, check_client, check_client_names};
use crate::store::TenantMetadata;

/// The client to create. `at` is its pointer in the request, for errors.
#[derive(Debug)]
pub(crate) struct NewRegistration<'a> {
    pub(crate) id: ClientId,
    pub(crate) settings: &'a ClientSettings,
    /// `None` for a client that authenticates with assertions of other issuers, unless a secret was chosen.
    pub(crate) secret: Option<SecretMaterial>,
    pub(crate) at: &'static str,
}

pub(crate) fn create(context: EditContext<'_>, new: &NewRegistration<'_>) -> Edited {
    context.by.require_in(context.tenant, Permission::Clients)?;
    make(context, context.facts.tenant()?, new)
}

/// Like [`create`], for a tenant that may be new. The caller must have checked the permission.
pub(super) fn make(context: EditContext<'_>, state: &TenantState, new: &NewRegistration<'_>) -> Edited {
    let NewRegistration { id, settings, secret, at } = new;
    let mut errors = FieldErrors::below(at);
    let client = check_client(&mut errors, &state.tenant, id, settings);
    let secret = secret.as_ref().filter(|_| client.authentication_method.allows(Some(Credential::Secret)));
    register(context, state, errors, client, secret)
}

/// Adds a client whose fields were already read.
pub(super) fn register(
    context: EditContext<'_>,
    state: &TenantState,
    mut errors: FieldErrors,
    client: Client,
    secret: Option<&SecretMaterial>,
) -> Edited {
    let id = &client.id;
    if let Some(row) = state.clients.iter().find(|row| row.client.id == *id) {
        return Err(taken("client", id, &row.lifecycle));
    }
    let count = state.client_count;
    if let Some(message) = limits::of_clients(&state.tenant, count, count + 1, context.policy.clients) {
        return Err(EditError::LimitReached(format!("tenant {} {message}", state.tenant.id)));
    }
    errors.extend(limits::of_client(None, &client));
    errors.check_name("/client_id", "the client id", id.as_str(), LONGEST_ID);
    errors.extend(new_names::of_client(&state.tenant, None, &client));
    errors.extend(new_names::spellings_of_client(None, &client));
    check_client_names(&mut errors, None, &client, &state.tenant, state);
    let client = ok_unless_errors(client, errors.into_vec())?;
    privilege::require_grant(context, None, &client)?;
    check_rotation(context, None, &client)?;
    let secret = secret.map(|secret| secret::add(&client, &[], secret, None, context.now));
    let mut edit = Edit::from_change(RowChange::new(ChangeKind::Added, None, client));
    edit.extend(secret.unwrap_or_default());
    Ok(edit)
}

/// The names in a client's settings that must not clash with other clients, which must be loaded for the
/// check.
pub(crate) fn client_names(settings: &Value) -> Vec<String> {
    let lists = ["audiences", "resources"].into_iter().filter_map(|list| settings.get(list)?.as_array());
    lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn patch(context: EditContext<'_>, client: &ClientId, patch: &Value) -> Edited {
    let (state, row) = privilege::client_to_change(context, client)?;
    context.require_match(|| ClientView::judged(&context.view().offer(&state.tenant), row, context.now))?;
    if row.lifecycle.managed_by == ManagedBy::Config {
        return Err(declared("client", client, "change it there"));
    }
    let mut patch = patch.clone();
    let keep = patch.as_object_mut().and_then(|members| members.remove("keep_credentials"));
    let keep: Option<Vec<String>> = serde_json::from_value(keep.unwrap_or_default())
        .map_err(|_| invalid("/keep_credentials", "must be a list of credential ids"))?;
    let settings = patched(&ClientSettings::from(&row.client), &patch, ClientSettings::read)?;
    let mut errors = FieldErrors::default();
    let after = check_client(&mut errors, &state.tenant, client, &settings);
    replace(context, state, row, (errors, after), keep.as_deref())
}

/// A schedule that no file declares may only write to the paths of its own tenant.
fn check_rotation(context: EditContext<'_>, before: Option<&Client>, after: &Client) -> Edited<()> {
    let before = before.and_then(|before| before.rotation.as_ref());
    let Some(rotation) = after.rotation.as_ref().filter(|after| Some(*after) != before) else {
        return Ok(());
    };
    let at = "/rotate/into";
    let place: SecretPlace =
        rotation.into.parse().map_err(|error: NotAPlace| invalid(at, error.to_string()))?;
    if !context.secret_writer.allows(&after.tenant, &place) {
        return Err(invalid(at, place.is_not_allowed(&after.tenant)));
    }
    context.secret_writer.check(&place).map_err(|why| invalid(at, why))
}

/// If the lifetime becomes shorter, earlier tokens stay valid for longer, and the keys that verify them must
/// stay published. Only this client is loaded. So the time is noted even if another client still has the
/// longer lifetime.
pub(super) fn shortened(
    context: EditContext<'_>,
    state: &TenantState,
    before: &Client,
    after: Option<&Client>,
) -> Option<TenantMetadata> {
    let lifetime = |client: &Client| client.token_lifetime(&state.tenant);
    let (before, after) = (lifetime(before), after.map_or(state.tenant.access_token.lifetime, lifetime));
    (after < before).then(|| TenantMetadata {
        tenant: state.tenant.id.clone(),
        fingerprint: None,
        previous_tokens_until: state
            .previous_tokens_until
            .max(Some(context.now + before + context.policy.l1_lifetime)),
        previous_jwks: None,
    })
}

/// Replaces the client's fields but not its status. `keep` names the credentials that stay if the client
/// gains a permission.
pub(super) fn replace(
    context: EditContext<'_>,
    state: &TenantState,
    row: &kinds::client::State,
    (mut errors, after): (FieldErrors, Client),
    keep_credentials: Option<&[String]>,
) -> Edited {
    let before = &row.client;
    let after = Client { status: before.status, ..after };
    errors.extend(new_names::of_client(&state.tenant, Some(before), &after));
    errors.extend(new_names::spellings_of_client(Some(before), &after));
    check_client_names(&mut errors, Some(before), &after, &state.tenant, state);
    errors.extend(limits::of_client(Some(before), &after));
    let mut after = ok_unless_errors(after, errors.into_vec())?;
    privilege::require_grant(context, Some(before), &after)?;
    let own = Authority::client_name(&before.tenant, &before.id);
    privilege::require_successor(context, &own, &before.scope, Some(&after.scope))?;
    check_rotation(context, Some(before), &after)?;
    let has_new_keys = after.keys.is_some() && after.keys != before.keys;
    if has_new_keys || (after.jwks_uri.is_some() && after.jwks_uri != before.jwks_uri) {
        // Whoever has a key of the client can act as the client, as with a secret.
        privilege::require_secret(context, &state.tenant, before)?;
    }
    let revoking = live_credentials::decide(context, state, row, &mut after, keep_credentials)?;
    let tenant_metadata = shortened(context, state, before, Some(&after));
    let Some(change) = RowChange::between(Some((before, &row.lifecycle)), after) else {
        return Ok(Edit::default());
    };
    let tenant_metadata = tenant_metadata.into_iter().collect();
    let mut edit = Edit { tenant_metadata, ..Edit::from_change(change) };
    edit.extend(revoking);
    Ok(edit)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client can no longer authenticate. It gets the same error as an unknown client.
    Suspend,
    /// The client can authenticate again.
    Resume,
    /// Revokes all earlier tokens of the client. Nothing else changes, and the client can get new tokens.
    RevokeTokens,
    /// Deletes the client with its secrets. The row stays, so that the id is not used again.
    Delete,
}

/// Repeating a step changes nothing, but a deleted client is not found. Every manager of clients may reduce
/// what a client can do, so suspending and revoking do not need the client's own permissions.
pub(crate) fn step(context: EditContext<'_>, client: &ClientId, step: Step) -> Edited {
    let takes_privilege = matches!(step, Step::Resume | Step::Delete);
    let (state, row) = if takes_privilege {
        privilege::client_to_change(context, client)
    } else {
        privilege::client(context, client)
    }?;
    if step != Step::RevokeTokens {
        context
            .require_match(|| ClientView::judged(&context.view().offer(&state.tenant), row, context.now))?;
    }
    if matches!(step, Step::Suspend | Step::Delete) {
        let own = Authority::client_name(context.tenant, client);
        privilege::require_successor(context, &own, &row.client.scope, None)?;
    }
    let (kind, status) = match step {
        Step::RevokeTokens => {
            return Ok(Edit::from_change(Change::Tokens(context.tenant.clone(), Some(client.clone()))));
        }
        Step::Suspend => (ChangeKind::Suspended, ClientStatus::Suspended),
        Step::Resume => (ChangeKind::Resumed, ClientStatus::Active),
        Step::Delete if row.lifecycle.is_config_managed() => {
            return Err(declared("client", &row.client.id, "remove it there first"));
        }
        Step::Delete => (ChangeKind::Deleted, ClientStatus::Suspended),
    };
    let after = Client { status, ..row.client.clone() };
    let mut edit = Edit::of_step(kind, (&row.client, &row.lifecycle), after);
    if step == Step::Delete {
        edit.tenant_metadata.extend(shortened(context, state, &row.client, None));
    }
    Ok(edit)
}

#[cfg(test)]
mod tests {
    mod creation {
        use super::super::*;
        use crate::edit::test_states::*;
        use crate::kinds::state::ManagedBy;

        fn check(id: &str, change: impl Fn(&mut TenantState), expected: &str) {
            let facts = facts(with(state("t"), change));
            let (id, settings) = (client_id(id), ClientSettings::default());
            let new = NewRegistration { id, settings: &settings, secret: Some(material()), at: "" };
            let made = ask(&operator(), |context| create(context.on(&facts), &new));
            assert_eq!(described(made), expected);
        }

        // [found 26]
        #[test]
        fn taken_and_invalid_client_ids_are_refused() {
            check("new", |_| {}, "new added, new/s1 added until never");
            check("svc", |_| {}, "conflict");
            check("svc", |t| t.clients[0].lifecycle.deleted_at = Some(NOW), "conflict");
            check("svc", |t| t.clients[0].lifecycle.managed_by = ManagedBy::Config, "conflict");
            check("api", |_| {}, "/client_id");
            check("urn:latchkey:x", |_| {}, "/client_id");
            for unseen in ["new\u{200b}", "n\u{202e}ew", "\u{feff}new", "new\u{2028}"] {
                check(unseen, |_| {}, "/client_id");
            }
            check("new", |t| t.lifecycle.deleted_at = Some(NOW), "no tenant has this id");
            // The tenant is declared, but the API may still create clients in it.
            let declared = |t: &mut TenantState| t.lifecycle.managed_by = ManagedBy::Config;
            check("new", declared, "new added, new/s1 added until never");
        }
    }

    mod patching {
        use serde_json::json;

        use super::super::*;
        use crate::edit::test_states::*;

        fn check(change: impl Fn(&mut TenantState), merge: Value, expected: &str) -> Option<Edit> {
            let (facts, svc) = (facts(with(state("t"), change)), &client_id("svc"));
            let edit = ask(&operator(), |context| patch(context.on(&facts), svc, &merge));
            let again = edit.as_ref().ok().cloned();
            assert_eq!(described(edit), expected, "{merge}");
            again
        }

        fn nothing(_: &mut TenantState) {}

        #[test]
        fn patch_changes_only_named_members() {
            check(nothing, json!({}), "");
            check(nothing, json!({ "name": null }), "");
            check(nothing, json!({ "name": "S" }), "svc changed");
            check(nothing, json!({ "token": { "issuer": "thunder" } }), "svc changed");
            check(nothing, json!({ "client_secret": "x" }), "/client_secret");
            check(nothing, json!({ "audiences": ["ops"] }), "/audiences/0");
            check(nothing, json!(1), "all of it");
        }

        // [found 26]
        #[test]
        fn new_names_cannot_contain_invisible_characters() {
            let odd = |t: &mut TenantState| {
                t.clients[0].client.audiences = vec!["a\u{200b}".to_owned()];
                t.clients[0].client.name = "\u{202e}S".to_owned();
            };
            check(odd, json!({ "description": "S" }), "svc changed");
            check(odd, json!({ "audiences": ["a\u{200b}", "b"] }), "svc changed");
            check(odd, json!({ "audiences": ["b", "a\u{200c}"] }), "/audiences/1");
            check(odd, json!({ "name": "\u{202e}T" }), "/name");
            check(odd, json!({ "name": "T" }), "svc changed");
        }

        #[test]
        fn declared_and_deleted_clients_cannot_be_changed() {
            let declared = |t: &mut TenantState| t.clients[0].lifecycle.managed_by = ManagedBy::Config;
            check(declared, json!({ "name": "S" }), "conflict");
            let deleted = |t: &mut TenantState| t.clients[0].lifecycle.deleted_at = Some(NOW);
            check(deleted, json!({ "name": "S" }), "no client has this id");
            let tenant_deleted = |t: &mut TenantState| t.lifecycle.deleted_at = Some(NOW);
            check(tenant_deleted, json!({ "name": "S" }), "no tenant has this id");
        }

        #[test]
        fn longer_token_lifetimes_are_remembered() {
            let lifetime =
                |seconds| move |t: &mut TenantState| set_token_lifetime(&mut t.clients[0].client, seconds);
            let to = token_lifetime_patch;
            let until = |edit: Option<Edit>| {
                edit.unwrap().tenant_metadata.first().map(|metadata| metadata.previous_tokens_until)
            };
            assert_eq!(until(check(lifetime(9000), to(Some(60)), "svc changed")), Some(Some(at(9010))));
            assert_eq!(until(check(lifetime(9000), to(None), "svc changed")), Some(Some(at(9010))));
            assert_eq!(until(check(lifetime(60), to(None), "svc changed")), None);
            assert_eq!(until(check(nothing, to(Some(60)), "svc changed")), Some(Some(at(3610))));
            let known = |t: &mut TenantState| t.previous_tokens_until = Some(at(99_999));
            assert_eq!(until(check(known, to(Some(60)), "svc changed")), Some(Some(at(99_999))));
        }

        #[test]
        fn client_names_lists_audiences_and_resources() {
            let settings = json!({ "audiences": ["a", 1], "resources": ["b"], "scopes": ["c"] });
            assert_eq!(client_names(&settings), ["a", "b"]);
            assert_eq!(client_names(&json!(null)), Vec::<&str>::new());
        }
    }

    mod steps {
        use super::super::*;
        use crate::edit::test_states::*;
        use crate::kinds::state::ManagedBy;

        /// Checks suspending, resuming and deleting.
        fn check(change: impl Fn(&mut kinds::client::State), expected: [&str; 3]) {
            let facts = facts(with(state("t"), |t| change(&mut t.clients[0])));
            let svc = &client_id("svc");
            let found = ask(&operator(), |context| {
                [Step::Suspend, Step::Resume, Step::Delete]
                    .map(|of| described(step(context.on(&facts), svc, of)))
            });
            assert_eq!(found, expected);
        }

        #[test]
        fn steps_are_idempotent_and_declared_clients_stay() {
            check(|_| {}, ["svc suspended", "", "svc deleted"]);
            check(|c| c.lifecycle.suspended_at = Some(NOW), ["", "svc resumed", "svc deleted"]);
            check(|c| c.lifecycle.deleted_at = Some(NOW), ["no client has this id"; 3]);
            let declared = |c: &mut kinds::client::State| c.lifecycle.managed_by = ManagedBy::Config;
            check(declared, ["svc suspended", "", "conflict"]);
            let retired = |c: &mut kinds::client::State| {
                declared(c);
                c.lifecycle.retired_at = Some(NOW);
            };
            check(retired, ["svc suspended", "", "svc deleted"]);
        }

        #[test]
        fn token_lifetime_of_deleted_client_is_remembered() {
            let long = with(state("t"), |t| set_token_lifetime(&mut t.clients[0].client, 9000));
            let (facts, svc) = (facts(long), &client_id("svc"));
            let edit = ask(&operator(), |context| step(context.on(&facts), svc, Step::Delete));
            assert_eq!(edit.unwrap().tenant_metadata[0].previous_tokens_until, Some(at(9010)));
        }
    }
}
