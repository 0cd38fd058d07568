//! Some of a tenant's fields change.

use serde_json::Value;
use tenancy::{Issuer, Tenant, TenantId};

use super::{Edit, EditContext, declared, ok_unless_errors, patched, resource_servers};
use crate::rules::{
    FieldErrors, check_introspection_clients, check_issuer_owners, check_sectors, check_tenant,
    check_tenant_names,
};
use crate::state::longest_lifetime;
use crate::{
    Change, EditError, ManagedBy, Permission, RowChange, TenantMetadata, TenantSettings, TenantState,
    TenantView, limits, new_names, previous_jwks, previous_typs,
};

/// The issuers that a patch may add. Their owners have to be loaded.
pub(crate) fn patched_issuers(tenant: &TenantId, public_url: &str, patch: &Value) -> Vec<Issuer> {
    let aliases = patch.get("issuer_aliases").and_then(Value::as_array).into_iter().flatten();
    let named = patch.get("issuer").into_iter().chain(aliases).filter_map(Value::as_str);
    let named = named.filter_map(|text| Issuer::parse(text).ok());
    std::iter::once(Issuer::derived(public_url, tenant)).chain(named).collect()
}

/// What a merge patch of its settings changes.
pub(crate) fn patch(context: EditContext<'_>, patch: &Value) -> Result<Edit, EditError> {
    context.by.require_everywhere(Permission::Tenants)?;
    let state = context.facts.tenant()?;
    context.require_match(|| TenantView::of(state, &context.policy.public_url))?;
    if state.lifecycle.managed_by == ManagedBy::Config {
        return Err(declared("tenant", &state.tenant.id, "change it there"));
    }
    let settings = patched(&TenantSettings::from(&state.tenant), patch, TenantSettings::read)?;
    let after = read(context, state, &settings)?;
    let mut edit = Edit::default();
    let change = RowChange::between(Some((&state.tenant, &state.lifecycle)), after.clone());
    edit.changes.extend(change.map(Change::Tenant));
    edit.changes.extend(resource_servers::changes(Some(state), &after));
    edit.tenant_metadata.extend(shortened(context, state, &after));
    Ok(edit)
}

fn read(
    context: EditContext<'_>,
    state: &TenantState,
    settings: &TenantSettings,
) -> Result<Tenant, EditError> {
    let mut errors = FieldErrors::default();
    let mut after = check_tenant(&mut errors, context.tenant_context(), &state.tenant.id, settings);
    after.status = state.tenant.status;
    errors.extend(limits::of_tenant(Some(&state.tenant), &after));
    let (now, l1_lifetime) = (context.now, context.policy.l1_lifetime);
    after.access_token.previous_typs =
        previous_typs::after_change(state, &after.access_token.typ, now, l1_lifetime);
    errors.extend(new_names::of_tenant(Some(&state.tenant), &after));
    check_tenant_names(&mut errors, &after, state);
    check_issuer_owners(&mut errors, &after, |issuer| context.facts.owner_of(issuer));
    let clients = || state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
    check_introspection_clients(&mut errors, Some(&state.tenant), &after, |client| {
        clients().any(|row| row.client.id.as_str() == client)
    });
    check_sectors(&mut errors, &state.tenant, &after, clients().map(|row| &row.client));
    for row in clients() {
        let Some(issuer) = &row.client.issuer else { continue };
        if !after.is_issuer(issuer.as_str()) {
            errors.add("/issuer_aliases", format!("client {} has the issuer {issuer}", row.client.id));
        }
    }
    ok_unless_errors(after, errors.into_vec())
}

/// What of before is to be remembered: tokens that live for longer than new ones, copies of the key set that are kept for longer.
fn shortened(context: EditContext<'_>, state: &TenantState, after: &Tenant) -> Option<TenantMetadata> {
    let live = state.clients.iter().filter(|row| row.lifecycle.is_live());
    let longest = longest_lifetime(after, live.map(|row| &row.client));
    let (now, l1_lifetime) = (context.now, context.policy.l1_lifetime);
    let shorter_tokens = longest < state.longest_lifetime();
    let previous_tokens_until = shorter_tokens.then(|| state.tokens_until(now, l1_lifetime));
    let previous_jwks = previous_jwks::after_change(&state.tenant.signing, &after.signing, now, l1_lifetime);
    (previous_tokens_until.is_some() || previous_jwks.is_some()).then(|| TenantMetadata {
        tenant: after.id.clone(),
        fingerprint: None,
        previous_tokens_until,
        previous_jwks,
    })
}

#[cfg(test)]
mod tests {
    use protocol::{GrantType, Lifetime, SubjectType};
    use serde_json::json;

    use super::super::test_states::{NOW, ask, at, described, facts, operator, set_token_lifetime, state};
    use super::*;
    use crate::EntityTag;

    fn check(change: impl Fn(&mut TenantState), patch_: Value, expected: &str) -> Option<Edit> {
        let mut state = state("t");
        change(&mut state);
        let edit = ask(&operator(), |context| patch(context.on(&facts(state)), &patch_));
        let edit_again = edit.as_ref().ok().cloned();
        assert_eq!(described(edit), expected, "{patch_}");
        edit_again
    }

    fn nothing(_: &mut TenantState) {}

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_changes_nothing() {
        check(nothing, json!({}), "");
        check(nothing, json!({ "name": "T" }), "tenant changed");
        check(nothing, json!({ "name": null }), "");
        check(nothing, json!([]), "all of it");
        check(nothing, json!({ "nam": "T" }), "/nam");
        check(nothing, json!({ "signing": { "skew": "x" }, "strategies": null }), "/signing/skew");
    }

    #[test]
    fn resource_servers_come_go_and_come_back() {
        check(nothing, json!({ "resource_servers": { "b": {} } }), "b added");
        check(nothing, json!({ "resource_servers": { "api": { "scopes": ["x"] } } }), "api changed");
        check(nothing, json!({ "resource_servers": { "api": null } }), "api retired");
        let gone = |state: &mut TenantState| {
            state.resource_servers[0].lifecycle.retired_at = Some(NOW);
            state.tenant.resource_servers.clear();
        };
        check(gone, json!({ "resource_servers": { "api": {} } }), "api restored");
        check(gone, json!({ "name": "T" }), "tenant changed");
    }

    #[test]
    fn a_resource_server_names_clients_that_are_there() {
        let name = |client: &str| json!({ "resource_servers": { "api": { "clients": [client] } } });
        check(nothing, name("svc"), "api changed");
        check(nothing, name("absent"), "/resource_servers/api/clients/0");
        let deleted = |state: &mut TenantState| state.clients[0].lifecycle.deleted_at = Some(NOW);
        check(deleted, name("svc"), "/resource_servers/api/clients/0");
        // One that has gone since does not stand in the way of other changes.
        let dangling = |state: &mut TenantState| {
            state.tenant.resource_servers[0].introspection_clients = vec!["gone".to_owned()];
            state.resource_servers[0].resource_server = state.tenant.resource_servers[0].clone();
        };
        check(dangling, json!({ "name": "T" }), "tenant changed");
    }

    #[test]
    fn an_issuer_that_a_client_uses_is_not_removed() {
        let speaks = |state: &mut TenantState| state.clients[0].client.issuer = Issuer::parse("thunder").ok();
        check(speaks, json!({ "issuer_aliases": [] }), "/issuer_aliases");
        check(nothing, json!({ "issuer_aliases": [] }), "tenant changed");
        check(nothing, json!({ "issuer_aliases": ["svc"] }), "/issuer_aliases/0");
    }

    #[test]
    fn subjects_become_pairwise_when_each_client_has_a_sector() {
        let signing_in = |uris: &'static [&'static str], own: Option<SubjectType>| {
            move |state: &mut TenantState| {
                let client = &mut state.clients[0].client;
                client.grant_types = vec![GrantType::AuthorizationCode];
                client.code_flow.redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
                client.code_flow.subject_type = own;
            }
        };
        let pairwise = || json!({ "subject": "pairwise" });
        let two = &["https://a.example/", "https://b.example/"];
        check(nothing, pairwise(), "tenant changed");
        check(signing_in(&["https://a.example/"], None), pairwise(), "tenant changed");
        check(signing_in(two, None), pairwise(), "/subject");
        check(signing_in(two, None), json!({ "name": "T" }), "tenant changed");
        check(signing_in(two, Some(SubjectType::Public)), pairwise(), "tenant changed");
        check(nothing, json!({ "subject": "private" }), "/subject");
    }

    #[test]
    fn the_files_own_what_they_declare() {
        let declared = |state: &mut TenantState| state.lifecycle.managed_by = ManagedBy::Config;
        check(declared, json!({ "name": "T" }), "conflict");
        let deleted = |state: &mut TenantState| state.lifecycle.deleted_at = Some(NOW);
        check(deleted, json!({ "name": "T" }), "there is no tenant of this id");
    }

    #[test]
    fn a_tenant_is_changed_only_with_its_current_etag() {
        let tag = ask(&operator(), |context| {
            EntityTag::of(&TenantView::of(&state("t"), &context.policy.public_url)).to_string()
        });
        for (if_match, expected) in [(Some(tag.as_str()), true), (Some("\"x\""), false), (None, true)] {
            let edit = ask(&operator(), |context| {
                let context = EditContext { if_match, ..context };
                patch(context.on(&facts(state("t"))), &json!({ "name": "T" }))
            });
            assert_eq!(edit.is_ok(), expected, "{if_match:?}");
            assert!(expected || matches!(edit, Err(EditError::Stale)));
        }
    }

    #[test]
    fn tokens_with_a_longer_lifetime_or_a_previous_typ_are_remembered() {
        let patch = json!({ "access_token": { "lifetime": 60 } });
        let edit = check(nothing, patch.clone(), "tenant changed").unwrap();
        assert_eq!(edit.tenant_metadata[0].previous_tokens_until, Some(at(3610)));
        // A client's own lifetime is as long as ever.
        let long = |state: &mut TenantState| set_token_lifetime(&mut state.clients[0].client, 9000);
        assert_eq!(check(long, patch, "tenant changed").unwrap().tenant_metadata, []);
        let edit = check(nothing, json!({ "access_token": { "typ": "JWT" } }), "tenant changed").unwrap();
        let Change::Tenant(row) = &edit.changes[0] else { panic!("{edit:?}") };
        let previous = &row.after.access_token.previous_typs;
        assert_eq!((previous[0].typ.as_str(), previous[0].accepted_until), ("at+jwt", at(3610)));
    }

    #[test]
    fn key_sets_that_are_kept_for_longer_than_new_ones_are_remembered() {
        let metadata = |signing: Value| {
            let edit = check(nothing, json!({ "signing": signing }), "tenant changed").unwrap();
            edit.tenant_metadata
                .first()
                .map(|metadata| (metadata.previous_tokens_until, metadata.previous_jwks))
        };
        let previous = Some((Lifetime::from_seconds(360), at(430)));
        assert_eq!(metadata(json!({ "jwks_max_age": 299 })), Some((None, previous)));
        assert_eq!(metadata(json!({ "jwks_stale": 59, "skew": 1 })), Some((None, previous)));
        assert_eq!(metadata(json!({ "jwks_max_age": 301 })), None);
        let both = json!({ "signing": { "jwks_max_age": 0 }, "access_token": { "lifetime": 60 } });
        let tenant_metadata = check(nothing, both, "tenant changed").unwrap().tenant_metadata;
        assert_eq!(tenant_metadata.len(), 1);
        assert_eq!(
            (tenant_metadata[0].previous_tokens_until, tenant_metadata[0].previous_jwks),
            (Some(at(3610)), previous)
        );
    }

    #[test]
    fn the_issuers_that_may_come_are_known_beforehand() {
        let id = TenantId::parse("t").unwrap();
        let patch = json!({ "issuer": "https://a", "issuer_aliases": ["b", 1, "c d"] });
        let found = patched_issuers(&id, "https://id", &patch);
        let found: Vec<_> = found.iter().map(Issuer::as_str).collect();
        assert_eq!(found, ["https://id/api/v1/tenant/t", "https://a", "b"]);
    }
}
