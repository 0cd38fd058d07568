//! Creates a tenant, with its first client if the request has one, changes its fields, and suspends, resumes
//! and deletes it. Deleting takes two steps; the first can be cancelled.

use serde_json::Value;
use tenancy::{Issuer, Tenant, TenantId, TenantStatus};
use values::Timestamp;

use super::client::{NewRegistration, make};
use super::{
    Edit, EditContext, Edited, declared, invalid, ok_unless_errors, patched, resource_servers, taken,
};
use crate::declaration::{previous_jwks, previous_typs};
use crate::documents::{TenantSettings, TenantView};
use crate::edit::{EditError, new_names};
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::longest_lifetime;
use crate::kinds::state::{ManagedBy, RowLifecycle};
use crate::kinds::{Change, Permission, TenantState};
use crate::rules;
use crate::rules::{
    check_introspection_clients, check_issuer_owners, check_new_issuer, check_sectors, check_tenant_names,
};
use crate::store::TenantMetadata;

/// Parses the id of a tenant that an interface may create.
pub(crate) fn new_tenant_id(text: &str) -> Edited<TenantId> {
    let id = TenantId::parse(text).map_err(|error| invalid("/id", error.to_string()))?;
    if id.as_str() == TenantId::PLATFORM {
        return Err(invalid("/id", "`platform` is reserved for Latchkey; `latchkey admin init` creates it"));
    }
    Ok(id)
}

/// A tenant with its resource servers and its first client.
pub(crate) fn create(
    context: EditContext<'_>,
    settings: &TenantSettings,
    first: Option<&NewRegistration<'_>>,
) -> Edited {
    let id = context.tenant;
    context.by.require_everywhere(Permission::Tenants)?;
    if let Some(state) = &context.facts.state {
        return Err(taken("tenant", id, &state.lifecycle));
    }
    let mut errors = rules::FieldErrors::default();
    let tenant = rules::check_tenant(&mut errors, context.tenant_context(), id, settings);
    errors.extend(new_names::of_tenant(None, &tenant));
    errors.extend(new_names::spellings_of_tenant(None, &tenant));
    errors.extend(rules::limits::of_tenant(None, &tenant));
    check_issuer_owners(&mut errors, &tenant, |issuer| context.facts.owner_of(issuer));
    let public_url = context.tenant_context().public_url;
    check_new_issuer(&mut errors, public_url, None, &tenant, &context.facts.owners());
    check_introspection_clients(&mut errors, None, &tenant, |client| {
        first.is_some_and(|first| first.id.as_str() == client)
    });
    let tenant = ok_unless_errors(tenant, errors.into_vec())?;
    let mut edit = Edit::from_change(RowChange::new(ChangeKind::Added, None, tenant.clone()));
    edit.changes.extend(resource_servers::changes(None, &tenant));
    if let Some(first) = first {
        let state = TenantState::added(tenant, RowLifecycle::fresh(ManagedBy::Api, context.now));
        edit.extend(make(context, &state, first)?);
    }
    Ok(edit)
}

/// The issuers that a patch may add. The caller loads the tenants that already have them.
pub(crate) fn patched_issuers(tenant: &TenantId, public_url: &str, patch: &Value) -> Vec<Issuer> {
    let aliases = patch.get("issuer_aliases").and_then(Value::as_array).into_iter().flatten();
    let named = patch.get("issuer").into_iter().chain(aliases).filter_map(Value::as_str);
    let named = named.filter_map(|text| Issuer::parse(text).ok());
    let named: Vec<Issuer> = std::iter::once(Issuer::derived(public_url, tenant)).chain(named).collect();
    let above =
        patched_issuer(patch).into_iter().flat_map(|issuer| rules::issuers_above(public_url, &issuer));
    above.chain(named.iter().cloned()).collect()
}

/// The issuer in a patch, if it has a path, so that other issuers can be below it.
pub(crate) fn patched_path(tenant: &TenantId, public_url: &str, patch: &Value) -> Option<Issuer> {
    patched_issuer(patch).filter(|issuer| rules::has_path(public_url, tenant, issuer))
}

fn patched_issuer(patch: &Value) -> Option<Issuer> {
    Issuer::parse(patch.get("issuer")?.as_str()?).ok()
}

pub(crate) fn patch(context: EditContext<'_>, patch: &Value) -> Edited {
    context.by.require_everywhere(Permission::Tenants)?;
    let state = context.facts.tenant()?;
    context.require_match(|| TenantView::new(state, context.policy))?;
    if state.lifecycle.managed_by == ManagedBy::Config {
        return Err(declared("tenant", &state.tenant.id, "change it there"));
    }
    let settings = patched(&before_patch(&state.tenant, patch), patch, TenantSettings::read)?;
    let after = read(context, state, &settings)?;
    let mut edit = Edit::default();
    let change = RowChange::between(Some((&state.tenant, &state.lifecycle)), after.clone());
    edit.changes.extend(change.map(Change::from));
    edit.changes.extend(resource_servers::changes(Some(state), &after));
    edit.tenant_metadata.extend(shortened(context, state, &after));
    Ok(edit)
}

/// The settings that a patch changes. If the patch names scopes with descriptions, the scopes are written as
/// an object. Otherwise the patch would remove the scopes that it does not name, or not, depending on earlier
/// descriptions.
fn before_patch(tenant: &Tenant, patch: &Value) -> TenantSettings {
    let mut settings = TenantSettings::from(tenant);
    for (audience, server) in &mut settings.resource_servers {
        if patch["resource_servers"][audience]["scopes"].is_object() {
            server.scopes = std::mem::take(&mut server.scopes).into_described();
        }
    }
    settings
}

fn read(context: EditContext<'_>, state: &TenantState, settings: &TenantSettings) -> Edited<Tenant> {
    let mut errors = rules::FieldErrors::default();
    let mut after = rules::check_tenant(&mut errors, context.tenant_context(), &state.tenant.id, settings);
    after.status = state.tenant.status;
    errors.extend(rules::limits::of_tenant(Some(&state.tenant), &after));
    let (now, l1_lifetime) = (context.now, context.policy.l1_lifetime);
    after.access_token.previous_typs =
        previous_typs::after_change(state, &after.access_token.typ, now, l1_lifetime);
    errors.extend(new_names::of_tenant(Some(&state.tenant), &after));
    errors.extend(new_names::spellings_of_tenant(Some(&state.tenant), &after));
    check_tenant_names(&mut errors, Some(&state.tenant), &after, state);
    check_issuer_owners(&mut errors, &after, |issuer| context.facts.owner_of(issuer));
    let public_url = context.tenant_context().public_url;
    check_new_issuer(&mut errors, public_url, Some(&state.tenant), &after, &context.facts.owners());
    let clients = || state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
    check_introspection_clients(&mut errors, Some(&state.tenant), &after, |client| {
        clients().any(|row| row.client.id.as_str() == client)
    });
    check_sectors(&mut errors, &state.tenant, &after, clients().map(|row| &row.client));
    for row in clients() {
        let Some(issuer) = &row.client.issuer else { continue };
        if !after.is_issuer(issuer.as_str()) {
            errors.add("/issuer_aliases", format!("client {} uses the issuer {issuer}", row.client.id));
        }
    }
    ok_unless_errors(after, errors.into_vec())
}

/// What must be noted about the previous settings: tokens with a longer lifetime than new ones, and key sets
/// that verifiers cache for longer.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStep {
    /// The tenant becomes inactive. Its keys stay published until its last token has expired.
    Suspend,
    /// The tenant becomes active, unless it is also inactive for another reason.
    Resume,
    /// Revokes all earlier tokens of the tenant, including those of its administrators. The tenant can issue
    /// new tokens.
    RevokeTokens,
    /// The first step of a deletion: the tenant becomes inactive. It is deleted at the end of its grace
    /// period.
    ScheduleDeletion,
    CancelDeletion,
    /// The second step: secrets and keys are destroyed, and the id stays reserved. An administrator may
    /// delete the tenant before the end of the grace period.
    Delete,
}

/// Repeating a step changes nothing, and does not postpone a deletion. A deleted tenant is not found.
pub(crate) fn step(context: EditContext<'_>, step: TenantStep) -> Edited {
    context.by.require_everywhere(Permission::Tenants)?;
    let state = context.facts.any_tenant()?;
    let (id, lifecycle) = (&state.tenant.id, state.lifecycle);
    if step != TenantStep::RevokeTokens {
        context.require_match(|| TenantView::new(state, context.policy))?;
    }
    let kind = match step {
        TenantStep::RevokeTokens => return Ok(Edit::from_change(Change::Tokens(id.clone(), None))),
        TenantStep::Suspend => {
            require_not_platform(state)?;
            ChangeKind::Suspended
        }
        TenantStep::Resume => {
            context.facts.tenant()?;
            ChangeKind::Resumed
        }
        TenantStep::ScheduleDeletion => {
            require_deletable(state)?;
            ChangeKind::DeletionScheduled { due_at: context.now + context.policy.deletion_grace }
        }
        TenantStep::CancelDeletion => ChangeKind::DeletionCancelled,
        TenantStep::Delete => {
            require_deletable(state)?;
            if lifecycle.deletion_due_at.is_none() {
                let message =
                    format!("deleting tenant {id} takes two steps; do the first step before this one");
                return Err(EditError::Conflict(message));
            }
            ChangeKind::Deleted
        }
    };
    let serves = lifecycle.after(kind, ManagedBy::Api, context.now).is_some_and(|after| after.serves());
    let status = if serves { TenantStatus::Active } else { stopped(context, state) };
    let after = Tenant { status, ..state.tenant.clone() };
    Ok(Edit::of_step(kind, (&state.tenant, &lifecycle), after))
}

/// Whether the grace period is over. A tenant that was declared again is not deleted.
pub(crate) fn is_due(state: &TenantState, now: Timestamp) -> bool {
    let lifecycle = &state.lifecycle;
    lifecycle.deleted_at.is_none()
        && lifecycle.deletion_due_at.is_some_and(|due_at| due_at <= now)
        && require_deletable(state).is_ok()
}

/// Without the tenant `platform` no administrator could authenticate, not even to resume it.
fn require_not_platform(state: &TenantState) -> Edited<()> {
    if state.tenant.id.as_str() == TenantId::PLATFORM {
        return Err(EditError::Conflict(
            "tenant platform is reserved for Latchkey; you cannot suspend or delete it".to_owned(),
        ));
    }
    Ok(())
}

fn require_deletable(state: &TenantState) -> Edited<()> {
    require_not_platform(state)?;
    if state.lifecycle.is_config_managed() {
        return Err(declared("tenant", &state.tenant.id, "remove it there first"));
    }
    Ok(())
}

/// A tenant that is already inactive issues no tokens for which its keys would have to stay published for
/// longer.
fn stopped(context: EditContext<'_>, state: &TenantState) -> TenantStatus {
    let until = || state.tokens_until(context.now, context.policy.l1_lifetime);
    match state.tenant.status {
        TenantStatus::Active => TenantStatus::Suspended { keys_published_until: until() },
        stopped @ TenantStatus::Suspended { .. } => stopped,
    }
}

#[cfg(test)]
mod tests {
    mod creation {
        use serde_json::{Value, json};

        use super::super::*;
        use crate::documents::ClientSettings;
        use crate::edit::Facts;
        use crate::edit::test_states::*;
        use crate::kinds::Change;

        fn check(facts: &Facts, settings: Value, first: Option<(&str, Value)>, expected: &str) {
            let settings = TenantSettings::read(settings).unwrap();
            let first = first.map(|(id, settings)| (id, ClientSettings::read(settings).unwrap()));
            let row =
                |(id, settings)| NewRegistration { id, settings, secret: Some(material()), at: "/client" };
            let row = first.as_ref().map(|(id, settings)| row((client_id(id), settings)));
            let made = ask(&operator(), |context| {
                create(context.on(facts).at(&tenant_id("acme")), &settings, row.as_ref())
            });
            assert_eq!(described(made), expected);
        }

        #[test]
        fn new_tenant_includes_resource_servers_and_first_client() {
            let none = Facts::default();
            check(&none, json!({}), None, "tenant added");
            let servers = json!({ "resource_servers": { "api": { "clients": ["svc"] } } });
            let all = "tenant added, api added, svc added, svc/s1 added until never";
            check(&none, servers.clone(), Some(("svc", json!({ "scopes": ["latchkey:clients"] }))), all);
            check(&none, servers.clone(), Some(("other", json!({}))), "/resource_servers/api/clients/0");
            check(&none, servers, Some(("api", json!({}))), "/resource_servers/api/clients/0");
            let api = json!({ "resource_servers": { "api": {} } });
            check(&none, api, Some(("api", json!({}))), "/client/client_id");
            check(&none, json!({}), Some(("urn:latchkey:x", json!({}))), "/client/client_id");
            check(&none, json!({}), Some(("svc", json!({ "scopes": [""] }))), "/client/scopes/0");
        }

        #[test]
        fn taken_ids_and_issuers_are_refused() {
            check(&facts(state("acme")), json!({}), None, "conflict");
            let deleted = facts(with(state("acme"), |t| t.lifecycle.deleted_at = Some(NOW)));
            check(&deleted, json!({}), None, "conflict");
            let thunder = tenancy::Issuer::parse("thunder").unwrap();
            let taken = Facts { issuer_owners: vec![(thunder, tenant_id("other"))], ..Facts::default() };
            check(&taken, json!({ "issuer_aliases": ["thunder"] }), None, "/issuer_aliases/0");
            check(&taken, json!({}), None, "tenant added");
        }

        #[test]
        fn malformed_and_reserved_ids_are_refused() {
            for (id, fits) in
                [("acme", true), ("platform", false), ("Acme", false), ("", false), ("a_b", false)]
            {
                assert_eq!(new_tenant_id(id).is_ok(), fits, "{id}");
            }
        }

        #[test]
        fn created_tenants_are_shown_as_stored() {
            let (settings, client) = (TenantSettings::default(), ClientSettings::default());
            let first =
                NewRegistration { id: client_id("svc"), settings: &client, secret: Some(material()), at: "" };
            let request = ask(&operator(), |context| {
                let edit = create(context.at(&tenant_id("acme")), &settings, Some(&first))?;
                let Change::Tenant(row) = edit.changes[0].clone() else { panic!("{edit:?}") };
                Ok::<_, EditError>((row, edit.into_commit(context.by.actor(), context.now, Facts::default())))
            });
            let (row, decided) = request.unwrap();
            let made = decided.unwrap().1.unwrap();
            assert_eq!((*row.after, made.lifecycle.created_at), (made.tenant.clone(), NOW));
            let client = made.client(&client_id("svc")).unwrap();
            assert_eq!((client.lifecycle.created_at, client.secrets[0].secret.hint.as_str()), (NOW, "9xQ2"));
        }
    }

    mod patching {
        use protocol::{GrantType, SubjectType};
        use serde_json::json;
        use values::Lifetime;

        use super::super::*;
        use crate::edit::test_states::*;

        fn check(change: impl Fn(&mut TenantState), patch_: Value, expected: &str) -> Option<Edit> {
            let facts = facts(with(state("t"), change));
            let edit = ask(&operator(), |context| patch(context.on(&facts), &patch_));
            let edit_again = edit.as_ref().ok().cloned();
            assert_eq!(described(edit), expected, "{patch_}");
            edit_again
        }

        fn nothing(_: &mut TenantState) {}

        #[test]
        fn patch_changes_only_named_members() {
            check(nothing, json!({}), "");
            check(nothing, json!({ "name": "T" }), "tenant changed");
            check(nothing, json!({ "name": null }), "");
            check(nothing, json!([]), "all of it");
            check(nothing, json!({ "nam": "T" }), "/nam");
            check(nothing, json!({ "signing": { "skew": "x" }, "strategies": null }), "/signing/skew");
        }

        #[test]
        fn resource_servers_can_be_added_retired_and_restored() {
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
        fn patch_may_describe_a_single_scope() {
            let read = "Read bills";
            let scopes = |described: bool, scopes: Value| {
                let before = |state: &mut TenantState| {
                    let server = &mut state.tenant.resource_servers[0];
                    if described {
                        server.scope_descriptions.insert("read".to_owned(), read.to_owned());
                    }
                    state.resource_servers[0].resource_server = server.clone();
                };
                let patch = json!({ "resource_servers": { "api": { "scopes": scopes } } });
                let edit = check(before, patch, "api changed").unwrap();
                let Change::ResourceServer(_, row) = &edit.changes[0] else { panic!("{edit:?}") };
                json!(crate::documents::ResourceServerSettings::from(&*row.after))["scopes"].clone()
            };
            let write = || json!({ "write": "Write" });
            assert_eq!(scopes(false, write()), json!({ "read": "", "write": "Write" }));
            assert_eq!(scopes(true, write()), json!({ "read": read, "write": "Write" }));
            assert_eq!(scopes(false, json!({ "read": null })), json!(["write"]));
            assert_eq!(scopes(true, json!({ "read": "" })), json!(["read", "write"]));
            assert_eq!(scopes(true, json!(["write"])), json!(["write"]));
        }

        #[test]
        fn resource_server_may_name_only_existing_clients() {
            let name = |client: &str| json!({ "resource_servers": { "api": { "clients": [client] } } });
            check(nothing, name("svc"), "api changed");
            check(nothing, name("absent"), "/resource_servers/api/clients/0");
            let deleted = |state: &mut TenantState| state.clients[0].lifecycle.deleted_at = Some(NOW);
            check(deleted, name("svc"), "/resource_servers/api/clients/0");
            // The tenant still names a client that another request has deleted. Other changes must succeed.
            let dangling = |state: &mut TenantState| {
                state.tenant.resource_servers[0].introspection_clients = vec!["gone".to_owned()];
                state.resource_servers[0].resource_server = state.tenant.resource_servers[0].clone();
            };
            check(dangling, json!({ "name": "T" }), "tenant changed");
        }

        #[test]
        fn issuer_used_by_a_client_cannot_be_removed() {
            let speaks =
                |state: &mut TenantState| state.clients[0].client.issuer = Issuer::parse("thunder").ok();
            check(speaks, json!({ "issuer_aliases": [] }), "/issuer_aliases");
            check(nothing, json!({ "issuer_aliases": [] }), "tenant changed");
            check(nothing, json!({ "issuer_aliases": ["svc"] }), "/issuer_aliases/0");
        }

        // [core Core §8.1 b]
        #[test]
        fn pairwise_subjects_require_a_sector_for_each_client() {
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
        fn declared_and_deleted_tenants_cannot_be_changed() {
            let declared = |state: &mut TenantState| state.lifecycle.managed_by = ManagedBy::Config;
            check(declared, json!({ "name": "T" }), "conflict");
            let deleted = |state: &mut TenantState| state.lifecycle.deleted_at = Some(NOW);
            check(deleted, json!({ "name": "T" }), "no tenant has this id");
        }

        #[test]
        fn longer_token_lifetimes_and_previous_typs_are_remembered() {
            let patch = json!({ "access_token": { "lifetime": 60 } });
            let edit = check(nothing, patch.clone(), "tenant changed").unwrap();
            assert_eq!(edit.tenant_metadata[0].previous_tokens_until, Some(at(3610)));
            // The client's own lifetime stays the same.
            let long = |state: &mut TenantState| set_token_lifetime(&mut state.clients[0].client, 9000);
            assert_eq!(check(long, patch, "tenant changed").unwrap().tenant_metadata, []);
            let edit = check(nothing, json!({ "access_token": { "typ": "JWT" } }), "tenant changed").unwrap();
            let Change::Tenant(row) = &edit.changes[0] else { panic!("{edit:?}") };
            let previous = &row.after.access_token.previous_typs;
            assert_eq!((previous[0].typ.as_str(), previous[0].accepted_until), ("at+jwt", at(3610)));
        }

        #[test]
        fn longer_lived_key_sets_are_remembered() {
            let metadata = |signing: Value| {
                let edit = check(nothing, json!({ "signing": signing }), "tenant changed").unwrap();
                let metadata = edit.tenant_metadata.first();
                metadata.map(|metadata| (metadata.previous_tokens_until, metadata.previous_jwks))
            };
            let previous = Some((Lifetime::from_seconds(360), at(430)));
            assert_eq!(metadata(json!({ "jwks_max_age": 299 })), Some((None, previous)));
            assert_eq!(metadata(json!({ "jwks_stale": 59, "skew": 1 })), Some((None, previous)));
            assert_eq!(metadata(json!({ "jwks_max_age": 301 })), None);
            let both = json!({ "signing": { "jwks_max_age": 0 }, "access_token": { "lifetime": 60 } });
            let edit = check(nothing, both, "tenant changed").unwrap();
            let [metadata] = &edit.tenant_metadata[..] else { panic!("{edit:?}") };
            assert_eq!((metadata.previous_tokens_until, metadata.previous_jwks), (Some(at(3610)), previous));
        }

        #[test]
        fn patched_issuers_lists_all_possible_issuers() {
            let id = TenantId::parse("t").unwrap();
            let patch = json!({ "issuer": "https://a", "issuer_aliases": ["b", 1, "c d"] });
            let found = patched_issuers(&id, "https://id", &patch);
            let found: Vec<_> = found.iter().map(Issuer::as_str).collect();
            assert_eq!(found, ["https://id/api/v1/tenant/t", "https://a", "b"]);
        }
    }

    mod steps {
        use super::super::*;
        use crate::edit::test_states::*;

        const STEPS: [TenantStep; 5] = [
            TenantStep::Suspend,
            TenantStep::Resume,
            TenantStep::ScheduleDeletion,
            TenantStep::CancelDeletion,
            TenantStep::Delete,
        ];

        /// Checks suspending, resuming, and the three steps of a deletion.
        fn check(id: &str, change: impl Fn(&mut TenantState), expected: [&str; 5]) {
            let facts = facts(with(state(id), change));
            let found = STEPS.map(|of| described(ask(&operator(), |context| step(context.on(&facts), of))));
            assert_eq!(found, expected);
        }

        const DUE: &str = "tenant due 1604800";

        #[test]
        fn each_transition_happens_once() {
            check("t", |_| {}, ["tenant suspended", "", DUE, "", "conflict"]);
            check("t", |t| t.lifecycle.suspended_at = Some(NOW), ["", "tenant resumed", DUE, "", "conflict"]);
            let due = |t: &mut TenantState| t.lifecycle.deletion_due_at = Some(at(9));
            check("t", due, ["tenant suspended", "", "", "tenant deletion_cancelled", "tenant deleted"]);
            let none = "no tenant has this id";
            check("t", |t| t.lifecycle.deleted_at = Some(NOW), [none; 5]);
        }

        #[test]
        fn declared_tenant_is_deleted_only_after_retirement() {
            let declared = |t: &mut TenantState| t.lifecycle.managed_by = ManagedBy::Config;
            check("t", declared, ["tenant suspended", "", "conflict", "", "conflict"]);
            let retired = |t: &mut TenantState| {
                declared(t);
                t.lifecycle.retired_at = Some(NOW);
            };
            check("t", retired, ["tenant suspended", "", DUE, "", "conflict"]);
        }

        #[test]
        fn platform_tenant_cannot_be_suspended_or_deleted() {
            check("platform", |_| {}, ["conflict", "", "conflict", "", "conflict"]);
        }

        fn status_after(of: TenantStep, change: impl Fn(&mut TenantState)) -> TenantStatus {
            let facts = facts(with(state("t"), change));
            let edit = ask(&operator(), |context| step(context.on(&facts), of)).unwrap();
            let Change::Tenant(row) = &edit.changes[0] else { panic!("{edit:?}") };
            row.after.status
        }

        #[test]
        fn keys_stay_published_until_last_token_expires() {
            let until = |keys_published_until| TenantStatus::Suspended { keys_published_until };
            assert_eq!(status_after(TenantStep::Suspend, |_| {}), until(at(3610)));
            let longer = |t: &mut TenantState| t.previous_tokens_until = Some(at(9999));
            assert_eq!(status_after(TenantStep::Suspend, longer), until(at(9999)));
            // The tenant was already inactive, and has issued nothing since.
            let stopped = |t: &mut TenantState| {
                t.tenant.status = until(at(5));
                t.lifecycle.suspended_at = Some(NOW);
            };
            assert_eq!(status_after(TenantStep::ScheduleDeletion, stopped), until(at(5)));
            // Resuming makes the tenant active only if it is not inactive for another reason.
            assert_eq!(status_after(TenantStep::Resume, stopped), TenantStatus::Active);
            let deleting = |t: &mut TenantState| {
                stopped(t);
                t.lifecycle.deletion_due_at = Some(at(9));
            };
            assert_eq!(status_after(TenantStep::Resume, deleting), until(at(5)));
            assert_eq!(status_after(TenantStep::CancelDeletion, deleting), until(at(5)));
        }

        #[test]
        fn deletion_is_due_unless_cancelled() {
            let check = |change: &dyn Fn(&mut TenantState), expected| {
                let due = with(state("t"), |t| t.lifecycle.deletion_due_at = Some(NOW));
                assert_eq!(is_due(&with(due, change), NOW), expected);
            };
            check(&|_| {}, true);
            check(&|t| t.lifecycle.deletion_due_at = Some(at(1)), false);
            check(&|t| t.lifecycle.deletion_due_at = None, false);
            check(&|t| t.lifecycle.deleted_at = Some(NOW), false);
            check(&|t| t.lifecycle.managed_by = ManagedBy::Config, false);
        }
    }
}
