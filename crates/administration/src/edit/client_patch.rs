//! A client's fields change: some of them, or all at once.

use registry::{Client, ClientId};
use serde_json::Value;
use tenancy::TenantId;

use super::{Edit, EditContext, declared, ok_unless_errors, patched, privilege};
use crate::rules::{FieldErrors, check_client, check_client_names};
use crate::{
    Change, ClientSettings, ClientState, ClientView, EditError, ManagedBy, Permission, RowChange,
    TenantMetadata, TenantState, limits, new_names,
};

/// The names that a client's settings bring in, against which other clients must be known.
pub(crate) fn client_names(settings: &Value) -> Vec<String> {
    let lists = ["audiences", "resources"].into_iter().filter_map(|list| settings.get(list)?.as_array());
    lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a merge patch of its settings changes.
pub(crate) fn patch(
    context: EditContext<'_>,
    (tenant, client): (&TenantId, &ClientId),
    patch: &Value,
) -> Result<Edit, EditError> {
    let (state, row) = find_to_change(context, (tenant, client))?;
    context.require_match(|| ClientView::of(row, context.now))?;
    if row.lifecycle.managed_by == ManagedBy::Config {
        return Err(declared("client", client, "change it there"));
    }
    let settings = patched(&ClientSettings::from(&row.client), patch, ClientSettings::read)?;
    let mut errors = FieldErrors::default();
    let after = check_client(&mut errors, &state.tenant, client, &settings);
    replace(context, state, row, errors, after)
}

/// The client, for a caller that may change it.
pub(super) fn find_to_change<'a>(
    context: EditContext<'a>,
    names: (&TenantId, &ClientId),
) -> Result<(&'a TenantState, &'a ClientState), EditError> {
    let found = find(context, names)?;
    privilege::require_touch(context, &found.1.client)?;
    Ok(found)
}

/// The client, for a caller that manages the tenant's clients. Each of them may end what a client may do.
pub(super) fn find<'a>(
    context: EditContext<'a>,
    (tenant, client): (&TenantId, &ClientId),
) -> Result<(&'a TenantState, &'a ClientState), EditError> {
    context.by.require_in(tenant, Permission::Clients)?;
    context.facts.client(client)
}

/// Tokens that the client got under a longer lifetime live on, and so must the keys that check them. Only this client is known here, so
/// a lifetime that another client has, too, is noted needlessly.
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

/// The client gets the fields that were read, and keeps its status.
pub(super) fn replace(
    context: EditContext<'_>,
    state: &TenantState,
    row: &ClientState,
    mut errors: FieldErrors,
    after: Client,
) -> Result<Edit, EditError> {
    let before = &row.client;
    let after = Client { status: before.status, ..after };
    errors.extend(new_names::of_client(Some(before), &after));
    check_client_names(&mut errors, &after, &state.tenant, state);
    errors.extend(limits::of_client(Some(before), &after));
    let after = ok_unless_errors(after, errors.into_vec())?;
    privilege::require_grant(context, Some(before), &after)?;
    let has_new_keys = after.keys.is_some() && after.keys != before.keys;
    if has_new_keys || (after.jwks_uri.is_some() && after.jwks_uri != before.jwks_uri) {
        // The holder of a key can act as the client, like that of a secret.
        privilege::require_secret(context, &state.tenant, before)?;
    }
    let tenant_metadata = shortened(context, state, before, Some(&after));
    let Some(change) = RowChange::between(Some((before, &row.lifecycle)), after) else {
        return Ok(Edit::default());
    };
    let tenant_metadata = tenant_metadata.into_iter().collect();
    Ok(Edit { changes: vec![Change::Client(change)], tenant_metadata, ..Edit::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_states::{
        NOW, ask, at, client_id, described, facts, operator, set_token_lifetime, state, tenant_id,
        token_lifetime_patch,
    };
    use super::*;
    use crate::EntityTag;

    fn check(change: impl Fn(&mut TenantState), merge: Value, expected: &str) -> Option<Edit> {
        let mut state = state("t");
        change(&mut state);
        let names = (&tenant_id("t"), &client_id("svc"));
        let edit = ask(&operator(), |context| patch(context.on(&facts(state)), names, &merge));
        let again = edit.as_ref().ok().cloned();
        assert_eq!(described(edit), expected, "{merge}");
        again
    }

    fn nothing(_: &mut TenantState) {}

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_changes_nothing() {
        check(nothing, json!({}), "");
        check(nothing, json!({ "name": null }), "");
        check(nothing, json!({ "name": "S" }), "svc changed");
        check(nothing, json!({ "token": { "issuer": "thunder" } }), "svc changed");
        check(nothing, json!({ "client_secret": "x" }), "/client_secret");
        check(nothing, json!({ "audiences": ["ops"] }), "/audiences/0");
        check(nothing, json!(1), "all of it");
    }

    #[test]
    fn new_names_hold_nothing_that_is_not_seen_and_old_ones_go_on() {
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
    fn the_files_own_what_they_declare_and_what_is_gone_is_gone() {
        let declared = |t: &mut TenantState| t.clients[0].lifecycle.managed_by = ManagedBy::Config;
        check(declared, json!({ "name": "S" }), "conflict");
        let deleted = |t: &mut TenantState| t.clients[0].lifecycle.deleted_at = Some(NOW);
        check(deleted, json!({ "name": "S" }), "there is no client of this id");
        let tenant_deleted = |t: &mut TenantState| t.lifecycle.deleted_at = Some(NOW);
        check(tenant_deleted, json!({ "name": "S" }), "there is no tenant of this id");
    }

    #[test]
    fn tokens_with_a_longer_lifetime_are_remembered() {
        let lifetime =
            |seconds: u64| move |t: &mut TenantState| set_token_lifetime(&mut t.clients[0].client, seconds);
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
    fn a_client_is_changed_only_with_its_current_etag() {
        let names = (&tenant_id("t"), &client_id("svc"));
        let tag = EntityTag::of(&ClientView::of(&state("t").clients[0], NOW)).to_string();
        for (if_match, fresh) in [(Some(tag.as_str()), true), (Some("*"), true), (Some("\"x\""), false)] {
            let edit = ask(&operator(), |context| {
                let context = EditContext { if_match, ..context };
                patch(context.on(&facts(state("t"))), names, &json!({ "name": "S" }))
            });
            assert!(if fresh { edit.is_ok() } else { matches!(edit, Err(EditError::Stale)) }, "{if_match:?}");
        }
    }

    #[test]
    fn the_names_that_may_come_are_known_beforehand() {
        let settings = json!({ "audiences": ["a", 1], "resources": ["b"], "scopes": ["c"] });
        assert_eq!(client_names(&settings), ["a", "b"]);
        assert_eq!(client_names(&json!(null)), Vec::<&str>::new());
    }
}
