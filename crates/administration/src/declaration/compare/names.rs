//! Checks for ambiguous names: issuers and their paths across tenants, and client ids and audiences within
//! one tenant.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use registry::Client;
use tenancy::{Issuer, Tenant, TenantId};

use super::Comparison;
use crate::declaration::Declaration;
use crate::declaration::plan::{Conflict, ConflictKind, Subject};
use crate::rules;

/// A stored issuer belongs to its tenant, unless this declaration removes it from that tenant. A tenant with
/// a conflict keeps its issuers, which can cause conflicts for other tenants.
pub(super) fn check_stored_issuers(
    conflicts: &mut Vec<Conflict>,
    declaration: &Declaration,
    stored: &[(Issuer, TenantId)],
) {
    let declared = declaration.tenants.iter();
    let declared = declared.flat_map(|(id, tenant)| names_of(&tenant.tenant).map(move |issuer| (issuer, id)));
    let declared: HashMap<&Issuer, &TenantId> = declared.collect();
    let mut kept: BTreeMap<&TenantId, Vec<&Issuer>> = BTreeMap::new();
    for (issuer, owner) in stored {
        kept.entry(owner).or_default().push(issuer);
    }
    let mut left_out: BTreeSet<TenantId> =
        conflicts.iter().map(|conflict| conflict.tenant().clone()).collect();
    let keeps = |owner: &&TenantId| !declaration.tenants.contains_key(*owner) || left_out.contains(*owner);
    let mut owners: Vec<&TenantId> = kept.keys().copied().filter(keeps).collect();
    while let Some(owner) = owners.pop() {
        for issuer in kept.get(owner).into_iter().flatten() {
            let Some(tenant) = declared.get(issuer).copied().filter(|tenant| *tenant != owner) else {
                continue;
            };
            let (issuer, owner) = ((*issuer).clone(), owner.clone());
            conflicts.push(Conflict::of_tenant(tenant, ConflictKind::IssuerTaken { issuer, owner }));
            if left_out.insert(tenant.clone()) {
                owners.push(tenant);
            }
        }
    }
}

/// A new issuer must not be at a route of the server, nor at, below or above the issuer of another tenant. If
/// two new issuers conflict, only the lower one is refused.
pub(super) fn check_new_issuers(
    conflicts: &mut Vec<Conflict>,
    declaration: &Declaration,
    new: &[&Tenant],
    stored: &[(Issuer, TenantId)],
) {
    let left_out: BTreeSet<&TenantId> = conflicts.iter().map(Conflict::tenant).collect();
    let keeps = |(issuer, owner): &&(Issuer, TenantId)| {
        let declared = declaration.tenants.get(owner).filter(|_| !left_out.contains(owner));
        declared.is_none_or(|declared| declared.tenant.is_issuer(issuer.as_str()))
    };
    let old: rules::IssuerOwners<'_> =
        stored.iter().filter(keeps).map(|(issuer, owner)| (issuer.as_str(), owner)).collect();
    let mut owners = old.clone();
    for (id, declared) in &declaration.tenants {
        owners.extend(names_of(&declared.tenant).map(|issuer| (issuer.as_str(), id)));
    }
    let url = &declaration.public_url;
    let refused = new.iter().filter_map(|tenant| {
        let why = rules::undiscoverable(url, tenant, &owners)
            .or_else(|| rules::above_another(url, tenant, &old))?;
        Some(Conflict::of_tenant(&tenant.id, ConflictKind::NewName(why)))
    });
    let refused: Vec<_> = refused.collect();
    conflicts.extend(refused);
}

impl Comparison<'_> {
    /// No client may have the name of an audience, even if different interfaces manage the two.
    pub(super) fn client_ids(&mut self) {
        let Self { declared, state, .. } = *self;
        let tenant = &declared.tenant;
        let others = || state.into_iter().flat_map(|state| &state.clients);
        let of_api = || others().filter(|row| row.lifecycle.is_live() && !row.lifecycle.is_config_managed());
        let clients = || {
            declared.clients.iter().map(|declared| &declared.client).chain(of_api().map(|row| &row.client))
        };
        let rows = state.into_iter().flat_map(|state| &state.resource_servers);
        let servers_of_api = rows.filter(|row| row.lifecycle.is_live() && !row.lifecycle.is_config_managed());
        let servers = tenant.resource_servers.iter().chain(servers_of_api.map(|row| &row.resource_server));
        let taken = rules::TakenNames::new(tenant, servers, clients());
        for client in clients().filter(|client| taken.role_of(client).is_some()) {
            let kind = ConflictKind::ClientIdTaken(client.id.to_string());
            self.plan.add_conflict(Subject::Tenant(tenant.id.clone()), kind);
        }
        // Two spellings of one name are accepted if the store already has both.
        let before = LazyCell::new(|| {
            state.map(|state| {
                let servers = state.resource_servers.iter().map(|row| &row.resource_server);
                rules::TakenNames::new(&state.tenant, servers, state.clients.iter().map(|row| &row.client))
            })
        });
        let is_old = |client: &Client, name: &str| {
            others().any(|row| row.client.id == client.id)
                && before.as_ref().is_some_and(|before| before.has(name))
        };
        let alike = clients().filter(|client| taken.role_of(client).is_none());
        let alike = alike.filter_map(|client| Some((client, taken.other_spelling(client)?)));
        let alike = || alike.filter(|(client, name)| !is_old(client, name)).collect();
        for (client, name) in self.new_spellings(alike) {
            let kind = ConflictKind::ClientIdSpelled(client.id.to_string(), name.to_owned());
            self.plan.add_conflict(Subject::Tenant(tenant.id.clone()), kind);
        }
        let scopes = tenant.resource_servers.iter().map(|server| &server.scopes);
        for scope in scopes.chain(declared.clients.iter().map(|declared| &declared.client.scope)) {
            for token in scope.iter().filter(|token| token.is_reserved()) {
                let subject = Subject::Scope(tenant.id.clone(), token.as_str().to_owned());
                self.plan.add_conflict(subject, ConflictKind::Reserved);
            }
        }
    }
}

fn names_of(tenant: &Tenant) -> impl Iterator<Item = &Issuer> {
    std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases)
}
