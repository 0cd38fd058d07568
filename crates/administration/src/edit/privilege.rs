//! What a manager may do with a single client or account. No caller can grant a permission that it does not
//! have. No caller can change a client or account that has a permission of the platform that the caller does
//! not have.

use std::fmt::Display;

use accounts::Account;
use protocol::{Scope, ScopeToken};
use registry::{Client, ClientId, IntrospectionRight};
use tenancy::{Tenant, TenantId};

use super::{EditContext, Edited};
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::Permission;
use crate::kinds::authority::Authority;

/// Refuses a caller that may not change this client. Suspending the client or shortening a secret's life
/// needs less.
pub(super) fn require_touch(context: EditContext<'_>, client: &Client) -> Edited<()> {
    require_held(context, &client.tenant, &client.scope, format_args!("client {}", client.id))
}

/// Refuses a caller that may not change this account or how its person signs in. Suspending the account or
/// ending its sessions needs less.
pub(super) fn require_account(context: EditContext<'_>, account: &Account) -> Edited<()> {
    require_held(context, &account.tenant, &account.permissions, format_args!("account {}", account.id))
}

fn require_held(
    context: EditContext<'_>,
    tenant: &TenantId,
    held: &Scope,
    holder: impl Display,
) -> Edited<()> {
    // An administrator of all tenants could grant itself any permission.
    if context.by.holds_everywhere(kinds::Permission::Tenants) {
        return Ok(());
    }
    let mut reserved = held.iter().filter(|token| token.is_reserved());
    match reserved.find(|token| !context.by.may_grant(tenant, token)) {
        Some(token) => lacks(format!("{holder} has {}, which you don't have", token.as_str())),
        None => Ok(()),
    }
}

/// Refuses to let a caller remove its own permissions, if it is the last one with all permissions in its
/// tenant. `own` is the name of the changed account or client as an actor; `kept` is `None` if it can no
/// longer act. The change must have loaded the administrators.
pub(super) fn require_successor(
    context: EditContext<'_>,
    own: &str,
    held: &Scope,
    kept: Option<&Scope>,
) -> Edited<()> {
    let is_full = |scope: &Scope| Permission::are_all_in(scope, context.tenant);
    if context.by.actor().name != own || !is_full(held) || kept.is_some_and(is_full) {
        return Ok(());
    }
    let state = context.facts.tenant()?;
    let accounts = state.accounts.iter().filter(|row| row.lifecycle.serves());
    let accounts = accounts.map(|row| (Authority::account_name(&row.account.id), &row.account.permissions));
    let clients = state.clients.iter().filter(|row| row.lifecycle.serves());
    let clients =
        clients.map(|row| (Authority::client_name(context.tenant, &row.client.id), &row.client.scope));
    if accounts.chain(clients).any(|(name, scope)| name != own && is_full(scope)) {
        return Ok(());
    }
    let message = "you are the last one with all permissions in this tenant; give another account or client \
        all permissions first";
    Err(EditError::Conflict(message.to_owned()))
}

/// Refuses a caller that may not create a secret of this client or extend the life of one. Whoever knows a
/// secret can act as the client.
pub(super) fn require_secret(context: EditContext<'_>, tenant: &Tenant, client: &Client) -> Edited<()> {
    require_touch(context, client)?;
    let id = &client.id;
    if is_tenant_wide(client) && !context.by.is_of_platform() {
        return lacks(format!(
            "client {id} can introspect every token of the tenant: only the platform can create its secrets"
        ));
    }
    let has_alias = client.issuer.as_ref().is_some_and(|issuer| *issuer != tenant.issuer);
    if has_alias && !context.by.may_set_beyond_client() {
        return lacks(format!(
            "the tokens of client {id} have an issuer alias: only the platform can create its secrets"
        ));
    }
    Ok(())
}

/// Refuses a caller that may not change the client from `before` to `after`. `before` is `None` for a new
/// client.
pub(super) fn require_grant(context: EditContext<'_>, before: Option<&Client>, after: &Client) -> Edited<()> {
    require_gained(context, &after.tenant, before.map(|before| &before.scope), &after.scope)?;
    if context.by.may_set_beyond_client() {
        return Ok(());
    }
    if before.and_then(|before| before.issuer.as_ref()) != after.issuer.as_ref() {
        return lacks("only the platform can set a client's token.issuer");
    }
    if is_tenant_wide(after) && !before.is_some_and(is_tenant_wide) {
        return lacks("only the platform can allow a client to introspect every token of the tenant");
    }
    Ok(())
}

/// Refuses a caller that may not grant the permissions that the client or account gains.
pub(super) fn require_gained(
    context: EditContext<'_>,
    tenant: &TenantId,
    before: Option<&Scope>,
    after: &Scope,
) -> Edited<()> {
    match gained(before, after).find(|token| !context.by.may_grant(tenant, token)) {
        Some(token) => lacks(format!("you cannot grant {}: you don't have it", token.as_str())),
        None => Ok(()),
    }
}

/// The scopes in `after` that are not in `before`.
pub(crate) fn gained<'a>(
    before: Option<&'a Scope>,
    after: &'a Scope,
) -> impl Iterator<Item = &'a ScopeToken> {
    after.iter().filter(move |token| !before.is_some_and(|before| before.contains(token)))
}

fn is_tenant_wide(client: &Client) -> bool {
    client.introspection == IntrospectionRight::Tenant
}

fn lacks(message: impl Into<String>) -> Edited<()> {
    Err(EditError::InsufficientPrivilege(message.into()))
}

/// Returns the client if the caller may change it.
pub(super) fn client_to_change<'a>(
    context: EditContext<'a>,
    id: &ClientId,
) -> Edited<(&'a kinds::TenantState, &'a kinds::client::State)> {
    let found = client(context, id)?;
    require_touch(context, &found.1.client)?;
    Ok(found)
}

/// Finds the client if the caller manages the tenant's clients. Every manager may reduce what a client can
/// do.
pub(super) fn client<'a>(
    context: EditContext<'a>,
    id: &ClientId,
) -> Edited<(&'a kinds::TenantState, &'a kinds::client::State)> {
    context.by.require_in(context.tenant, kinds::Permission::Clients)?;
    context.facts.client(id)
}

#[cfg(test)]
mod tests {
    use registry::{Client, IntrospectionRight};
    use serde_json::{Value, json};

    use super::super::client::{self, NewRegistration};
    use super::super::secret::{self, Ends, GRACE};
    use super::super::test_states::*;
    use super::super::{Facts, TenantStep, tenant};
    use crate::documents::{ClientSettings, TenantSettings};
    use crate::kinds::authority::Authority;

    const T: &str = "acme";

    const ROTATION: Ends = Ends { expires_at: None, grace: Some(GRACE) };

    /// `boss` has every permission that a client of a tenant can have, and more scopes than an administrator
    /// of the tenant.
    fn rows(change: impl Fn(&mut Client)) -> Facts {
        let boss = client(T, "boss", "latchkey:clients latchkey:keys latchkey:audit billing");
        let boss = with(boss, |boss| change(&mut boss.client));
        facts(with(state(T), |state| state.clients.push(boss)))
    }

    fn create(by: &Authority, tenant: &str, settings: Value) -> String {
        let settings = ClientSettings::read(settings).unwrap();
        let (id, facts) = (client_id("new"), facts(state(tenant)));
        let new = NewRegistration { id, settings: &settings, secret: Some(material()), at: "" };
        described(ask(by, |context| client::create(context.on(&facts), &new)))
    }

    fn patch(by: &Authority, client: &str, patch: Value) -> String {
        patch_of(by, client, |_| {}, patch)
    }

    fn patch_of(by: &Authority, client: &str, change: impl Fn(&mut Client), patch: Value) -> String {
        let facts = rows(change);
        described(ask(by, |context| client::patch(context.on(&facts), &client_id(client), &patch)))
    }

    const MADE: &str = "new added, new/s1 added until never";

    #[test]
    fn only_platform_tenant_managers_change_tenants() {
        let facts = facts(state(T));
        let askers = [
            of_platform("latchkey:clients latchkey:keys latchkey:audit"),
            of_tenant(T, "latchkey:tenants latchkey:clients latchkey:keys latchkey:audit"),
            of_tenant("platform", "latchkey:tenants"),
            of_user(T),
        ];
        let settings = TenantSettings::default();
        for by in &askers {
            let edits = ask(by, |context| {
                [
                    tenant::create(context.on(&facts), &settings, None),
                    tenant::patch(context.on(&facts), &json!({ "issuer": "https://evil.example.com" })),
                    tenant::patch(context.on(&facts), &json!({ "issuer_aliases": ["evil"] })),
                    tenant::patch(context.on(&facts), &json!({ "limits": { "clients": 9 } })),
                    tenant::step(context.on(&facts), TenantStep::Suspend),
                    tenant::step(context.on(&facts), TenantStep::Resume),
                    tenant::step(context.on(&facts), TenantStep::ScheduleDeletion),
                    tenant::step(context.on(&facts), TenantStep::CancelDeletion),
                    tenant::step(context.on(&facts), TenantStep::Delete),
                ]
            });
            for edit in edits {
                assert_eq!(described(edit), "forbidden: latchkey:tenants", "{by:?}");
            }
        }
    }

    #[test]
    fn tenant_administrator_learns_nothing_about_other_tenants() {
        let forbidden = "forbidden: latchkey:clients";
        for by in [of_tenant("globex", "latchkey:clients"), of_user("globex"), of_tenant(T, "latchkey:audit")]
        {
            assert_eq!(create(&by, T, json!({})), forbidden);
            let (tenant, svc, absent) = (tenant_id(T), client_id("svc"), client_id("absent"));
            // The answer for a missing row is the same as the answer without permission.
            for (facts, client) in [(rows(|_| {}), &svc), (rows(|_| {}), &absent), (Facts::default(), &svc)] {
                let s1 = registry::SecretId::new("s1");
                let edits = ask(&by, |context| {
                    let context = context.on(&facts).at(&tenant);
                    [
                        client::patch(context, client, &json!({})),
                        client::step(context, client, client::Step::Suspend),
                        client::step(context, client, client::Step::Resume),
                        client::step(context, client, client::Step::Delete),
                        secret::create(context, client, &material(), Ends::default()),
                        secret::create(context, client, &material(), ROTATION),
                        secret::step(context, client, &s1, secret::Step::Expire(None)),
                        secret::step(context, client, &s1, secret::Step::Revoke),
                    ]
                });
                for edit in edits {
                    assert_eq!(described(edit), forbidden, "{by:?}");
                }
            }
        }
    }

    #[test]
    fn only_platform_administrators_change_the_platform_tenant() {
        let all = "latchkey:tenants latchkey:clients latchkey:keys latchkey:audit";
        for by in [of_tenant("platform", all), of_tenant(T, all), of_user("platform")] {
            assert_eq!(create(&by, "platform", json!({})), "forbidden: latchkey:clients", "{by:?}");
        }
        assert_eq!(create(&of_platform("latchkey:clients"), "platform", json!({ "scopes": [] })), MADE);
    }

    #[test]
    fn a_tenant_administrator_grants_only_permissions_it_holds() {
        let ops = of_tenant(T, "latchkey:clients read");
        let clients = json!(["latchkey:clients"]);
        assert_eq!(create(&ops, T, json!({ "scopes": clients })), MADE);
        // An administrator can grant the tenant's own scopes, even if its own client does not have them.
        for scope in ["read", "write", "anything"] {
            assert_eq!(create(&ops, T, json!({ "scopes": [scope] })), MADE, "{scope}");
            assert_eq!(patch(&ops, "svc", json!({ "scopes": ["new", scope] })), "svc changed");
        }
        for scope in ["latchkey:keys", "latchkey:audit"] {
            let scopes = json!({ "scopes": ["read", scope] });
            assert_eq!(create(&ops, T, scopes.clone()), "insufficient privilege", "{scope}");
            assert_eq!(patch(&ops, "svc", scopes), "insufficient privilege", "{scope}");
        }
        // A permission that the client already has is not granted again, and may be removed.
        let narrow = of_tenant(T, "latchkey:clients");
        assert_eq!(patch(&narrow, "svc", json!({ "name": "S" })), "svc changed");
        assert_eq!(patch(&narrow, "svc", json!({ "scopes": [] })), "svc changed");
        // A token with a narrower scope does not grant everything that its client could have requested.
        assert_eq!(create(&narrow, T, json!({ "scopes": ["latchkey:audit"] })), "insufficient privilege");
    }

    #[test]
    fn reserved_scopes_are_granted_by_holders_and_tenant_managers() {
        let audit = json!({ "scopes": ["latchkey:audit"] });
        assert_eq!(create(&of_platform("latchkey:clients"), T, audit.clone()), "insufficient privilege");
        assert_eq!(create(&of_user(T), T, audit.clone()), "insufficient privilege");
        assert_eq!(create(&of_user(T), T, json!({ "scopes": ["write"] })), MADE);
        assert_eq!(create(&of_platform("latchkey:clients latchkey:audit"), T, audit.clone()), MADE);
        assert_eq!(create(&of_platform("latchkey:tenants latchkey:clients"), T, audit.clone()), MADE);
        assert_eq!(create(&operator(), T, audit), MADE);
        let tenants = json!({ "scopes": ["latchkey:tenants"] });
        // No caller can grant this scope to a client of an ordinary tenant. In the platform only a caller
        // with the scope can.
        for by in
            [operator(), of_platform("latchkey:tenants latchkey:clients"), of_tenant(T, "latchkey:clients")]
        {
            assert_eq!(create(&by, T, tenants.clone()), "/scopes/0");
        }
        let (clerk, ops) =
            (of_platform("latchkey:clients"), of_platform("latchkey:tenants latchkey:clients"));
        assert_eq!(create(&clerk, "platform", tenants.clone()), "insufficient privilege");
        assert_eq!(create(&ops, "platform", tenants), MADE);
        assert_eq!(create(&operator(), T, json!({ "scopes": ["latchkey:everything"] })), "/scopes/0");
    }

    #[test]
    fn only_the_platform_grants_tenant_wide_introspection() {
        let ops = of_tenant(T, "latchkey:clients read");
        let issuer = json!({ "token": { "issuer": "thunder" } });
        let wide = json!({ "introspection": "tenant" });
        for settings in [&issuer, &wide] {
            assert_eq!(create(&ops, T, settings.clone()), "insufficient privilege");
            assert_eq!(patch(&ops, "svc", settings.clone()), "insufficient privilege");
            assert_eq!(create(&of_platform("latchkey:clients"), T, settings.clone()), MADE);
            assert_eq!(patch(&of_platform("latchkey:clients"), "svc", settings.clone()), "svc changed");
        }
        assert_eq!(create(&ops, T, json!({ "introspection": "audience" })), MADE);
        // Removing the issuer changes what verifiers see, as setting one does.
        let has_issuer = |client: &mut Client| {
            client.scope = protocol::Scope::default();
            client.issuer = tenancy::Issuer::parse("thunder").ok();
        };
        assert_eq!(patch_of(&ops, "boss", has_issuer, json!({ "token": null })), "insufficient privilege");
        assert_eq!(patch_of(&ops, "boss", has_issuer, json!({ "name": "B" })), "boss changed");
    }

    // [found 8]
    #[test]
    fn more_privileged_client_may_only_be_stopped() {
        let boss = &client_id("boss");
        let lower = [of_tenant(T, "latchkey:clients billing"), of_platform("latchkey:clients"), of_user(T)];
        let peers = [
            operator(),
            of_platform("latchkey:tenants latchkey:clients"),
            of_tenant(T, "latchkey:clients latchkey:keys latchkey:audit"),
        ];
        let facts = rows(|_| {});
        let mut ending = rows(|_| {});
        for row in &mut ending.state.as_mut().unwrap().clients {
            row.secrets[0].secret.expires_at = Some(at(100));
        }
        let s1 = registry::SecretId::new("s1");
        let edits = |by: &Authority| {
            ask(by, |context| {
                [
                    client::patch(context.on(&facts), boss, &json!({ "name": "B" })),
                    client::patch(context.on(&facts), boss, &json!({ "scopes": [] })),
                    client::step(context.on(&facts), boss, client::Step::Resume),
                    client::step(context.on(&facts), boss, client::Step::Delete),
                    secret::create(context.on(&facts), boss, &material(), Ends::default()),
                    secret::create(context.on(&facts), boss, &material(), ROTATION),
                    secret::step(context.on(&ending), boss, &s1, secret::Step::Expire(Some(at(200)))),
                    secret::step(context.on(&ending), boss, &s1, secret::Step::Expire(None)),
                ]
            })
        };
        let ends = |by: &Authority| {
            ask(by, |context| {
                [
                    client::step(context.on(&facts), boss, client::Step::Suspend),
                    secret::step(context.on(&facts), boss, &s1, secret::Step::Expire(Some(at(100)))),
                    secret::step(context.on(&ending), boss, &s1, secret::Step::Expire(Some(at(99)))),
                    secret::step(context.on(&facts), boss, &s1, secret::Step::Revoke),
                ]
            })
        };
        for by in &lower {
            for edit in edits(by) {
                assert_eq!(described(edit), "insufficient privilege", "{by:?}");
            }
        }
        for by in &peers {
            for edit in edits(by) {
                assert!(edit.is_ok(), "{by:?}: {edit:?}");
            }
        }
        for by in lower.iter().chain(&peers) {
            let described = ends(by).map(described);
            let expected =
                ["boss suspended", "boss/s1 from never to 100", "boss/s1 from 100 to 99", "boss/s1 revoked"];
            assert_eq!(described, expected, "{by:?}");
        }
    }

    // [found 8]
    #[test]
    fn only_the_platform_creates_secrets_of_privileged_clients() {
        let svc = &client_id("svc");
        let boss = || of_tenant(T, "latchkey:clients read");
        let thunder = tenancy::Issuer::parse("thunder").ok();
        for (introspection, issuer, refused) in [
            (IntrospectionRight::Tenant, None, vec![boss(), of_user(T)]),
            (IntrospectionRight::Own, thunder, vec![boss()]),
        ] {
            let facts = facts(with(state(T), |state| {
                let client = &mut state.clients[0].client;
                (client.introspection, client.issuer) = (introspection, issuer);
            }));
            let edits = |by: &Authority| {
                ask(by, |context| {
                    [
                        secret::create(context.on(&facts), svc, &material(), Ends::default()),
                        secret::create(context.on(&facts), svc, &material(), ROTATION),
                    ]
                })
            };
            for by in &refused {
                for edit in edits(by) {
                    assert_eq!(described(edit), "insufficient privilege", "{by:?}");
                }
                let s1 = registry::SecretId::new("s1");
                let ended =
                    ask(by, |context| secret::step(context.on(&facts), svc, &s1, secret::Step::Revoke));
                assert_eq!(described(ended), "svc/s1 revoked");
            }
            for edit in edits(&of_platform("latchkey:clients")) {
                assert!(edit.is_ok(), "{edit:?}");
            }
        }
    }
}
