//! Names that must not mean two things: issuers across tenants, client ids against audiences within one.

use std::collections::{BTreeSet, HashMap};

use protocol::Scope;
use tenancy::{Issuer, Tenant, TenantId};

use super::Draft;
use crate::{Conflict, Declaration, DeclaredTenant, Subject, TenantState};

/// An issuer belongs to one tenant, in the declaration and in the store; one that its owner gives up in this very declaration
/// is free.
pub(super) fn check_issuers(draft: &mut Draft, declaration: &Declaration, stored: &[(Issuer, TenantId)]) {
    let mut owners: HashMap<&Issuer, &TenantId> = HashMap::new();
    for (id, declared) in &declaration.tenants {
        for issuer in names_of(&declared.tenant) {
            let owner = *owners.entry(issuer).or_insert(id);
            if owner != id {
                draft.conflicts.push(taken(id, issuer, owner));
            }
        }
    }
    for (issuer, owner) in stored {
        let Some(tenant) = owners.get(issuer).filter(|tenant| **tenant != owner) else { continue };
        if !declaration.tenants.contains_key(owner) {
            draft.conflicts.push(taken(tenant, issuer, owner));
        }
    }
}

/// A token without an asked resource may have its client's id as `aud`, so no audience may be called like a client, whichever
/// door either came through.
pub(super) fn check_client_ids(draft: &mut Draft, declared: &DeclaredTenant, state: Option<&TenantState>) {
    let tenant = &declared.tenant;
    let others = || state.into_iter().flat_map(|state| &state.clients);
    let of_others = || others().filter(|row| row.standing.is_live() && !row.standing.is_declared());
    let clients =
        || declared.clients.iter().map(|declared| &declared.client).chain(of_others().map(|row| &row.client));
    let rows = state.into_iter().flat_map(|state| &state.resource_servers);
    let of_others_too = rows.filter(|row| row.standing.is_live() && !row.standing.is_declared());
    let servers = tenant.resource_servers.iter().chain(of_others_too.map(|row| &row.resource_server));
    let mut taken: BTreeSet<&str> = names_of(tenant).map(Issuer::as_str).collect();
    taken.extend(servers.map(|server| server.audience.as_str()));
    taken.extend(
        clients().flat_map(|client| client.audiences.iter().chain(&client.resources)).map(String::as_str),
    );
    for client in clients().filter(|client| taken.contains(client.id.as_str())) {
        let (tenant, name) = (tenant.id.clone(), client.id.to_string());
        draft.conflicts.push(Conflict::ClientIdTaken { tenant, name });
    }
    let scopes = tenant.resource_servers.iter().map(|server| &server.scopes);
    for scope in scopes.chain(declared.clients.iter().map(|declared| &declared.client.scope)) {
        draft.conflicts.extend(reserved_in(&tenant.id, scope));
    }
}

fn reserved_in(tenant: &TenantId, scope: &Scope) -> impl Iterator<Item = Conflict> {
    let reserved = scope.iter().filter(|token| token.is_reserved());
    reserved.map(move |token| Conflict::Reserved(Subject::Scope(tenant.clone(), token.as_str().to_owned())))
}

fn names_of(tenant: &Tenant) -> impl Iterator<Item = &Issuer> {
    std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases)
}

fn taken(tenant: &TenantId, issuer: &Issuer, owner: &TenantId) -> Conflict {
    Conflict::IssuerTaken { tenant: tenant.clone(), issuer: issuer.clone(), owner: owner.clone() }
}
