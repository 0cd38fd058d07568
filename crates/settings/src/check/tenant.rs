//! The rules for tenants: the rules for their documents, the rules for members that only files have, and that
//! no two tenants have the same issuer.

use std::collections::{BTreeMap, HashMap};

use accounts::{AccountId, Identifier, SHORTEST_PASSWORD, UnfitPassword, normalised_password};
use administration::declaration::{Declaration, DeclaredClient};
use administration::documents::AccountSettings;
use administration::rules::{FieldErrors, Interface, LONGEST_ID};
use administration::{kinds, rules};
use keys::ImportedKey;
use registry::{ClientId, DeclaredPassword};
use tenancy::{Issuer, Tenant, TenantId};
use values::{Secret, Timestamp};

use super::{
    super::{
        findings::{Findings, Location},
        resolved::ResolvedTenant,
    },
    secret::check_imported,
};

/// Adds the errors of an id, whichever file names it.
pub(crate) fn check_id(findings: &mut Findings, at: Location, id: &str) {
    if id == TenantId::PLATFORM {
        let problem = "`platform` is the tenant of the platform administrators";
        findings.key_error(at, problem, "choose another id; `latchkey admin init` creates this tenant");
    } else if TenantId::parse(id).is_err() {
        let hint = "use 1 to 63 characters from a-z, 0-9 and -, and begin with a letter or digit";
        findings.key_error(at, "this is not a valid tenant id", hint);
    }
}

/// Checks the files and returns their declarations. If there are errors, these must not be used.
pub(crate) fn check(
    tenants: BTreeMap<TenantId, ResolvedTenant>,
    context: rules::TenantContext<'_>,
    findings: &mut Findings,
) -> Declaration {
    let public_url = context.public_url.to_owned();
    let mut declaration = Declaration { public_url, ..Declaration::default() };
    let mut locations = Vec::with_capacity(tenants.len());
    for (id, resolved) in tenants {
        locations.push(resolved.at.clone());
        if !resolved.unread.is_empty() {
            declaration.unread.insert(id.clone(), resolved.unread.clone());
        }
        declaration.tenants.insert(id.clone(), check_one(id, resolved, context, findings));
    }
    let tenants = || declaration.tenants.values().map(|declared| &declared.tenant);
    check_issuers(tenants().zip(&locations), findings);
    let owners = tenants().map(|tenant| (tenant.issuer.as_str(), &tenant.id)).collect();
    for (tenant, at) in tenants().zip(&locations) {
        // A warning: if the store already has this issuer, the tenant is served. Otherwise applying refuses
        // the issuer.
        let found = rules::undiscoverable(context.public_url, tenant, &owners);
        findings.warn(at, Vec::from_iter(found));
    }
    declaration
}

fn check_one(
    id: TenantId,
    resolved: ResolvedTenant,
    context: rules::TenantContext<'_>,
    findings: &mut Findings,
) -> kinds::DeclaredTenant {
    let ResolvedTenant { at, settings, secrets, unread: _, passwords, first_key } = resolved;
    let mut errors = FieldErrors::from_interface(Interface::File);
    let tenant = rules::check_tenant(&mut errors, context, &id, &settings);
    let is_declared = |client: &str| settings.clients.contains_key(client);
    rules::check_introspection_clients(&mut errors, None, &tenant, is_declared);
    findings.extend(&at, errors);
    let first_key = first_key.and_then(|pem| first_key_of(&tenant, &pem, &at, findings));
    let mut clients = Vec::with_capacity(settings.clients.len());
    let mut found = Vec::with_capacity(settings.clients.len());
    for ((name, settings), secrets) in settings.clients.iter().zip(secrets) {
        let at = at.key("clients").key(name);
        let mut errors = FieldErrors::from_interface(Interface::File);
        errors.check_name("/client_id", "the client id", name, LONGEST_ID);
        check_imported(&secrets, &at, findings);
        if let Ok(id) = ClientId::parse(name) {
            let client = rules::check_client(&mut errors, &tenant, &id, settings);
            clients.push(DeclaredClient { client, secrets });
            found.push((at, errors));
        } else {
            findings.extend(&at, errors);
        }
    }
    let taken = rules::TakenNames::new(
        &tenant,
        tenant.resource_servers.iter(),
        clients.iter().map(|declared| &declared.client),
    );
    for (declared, (at, mut errors)) in clients.iter().zip(found) {
        taken.check(&mut errors, &declared.client);
        taken.warn_of_spelling(&mut errors, &declared.client);
        findings.extend(&at, errors);
    }
    let accounts = check_accounts(&tenant, &settings.accounts, passwords, &at, findings);
    kinds::DeclaredTenant { tenant, clients, accounts, first_key }
}

/// Checks each account, and that no two accounts have the same identifier.
fn check_accounts(
    tenant: &Tenant,
    accounts: &BTreeMap<String, AccountSettings>,
    passwords: Vec<Option<DeclaredPassword>>,
    at: &Location,
    findings: &mut Findings,
) -> Vec<kinds::account::Declared> {
    let mut owners: HashMap<Identifier, &str> = HashMap::new();
    let mut external_ids: HashMap<&str, &str> = HashMap::new();
    let mut declared = Vec::with_capacity(accounts.len());
    for ((name, settings), password) in accounts.iter().zip(passwords) {
        let at = at.key("accounts").key(name);
        let mut errors = FieldErrors::from_interface(Interface::File);
        if let Some(why) = rules::unfit(name, LONGEST_ID) {
            findings.key_error(at.clone(), format!("the name of the account {why}"), "choose another name");
        }
        let id = AccountId::declared(&tenant.id, name);
        // Only the store knows when an identifier was verified.
        let account =
            kinds::check_account(&mut errors, &tenant.id, &id, settings, Timestamp::from_seconds(0));
        errors.extend(rules::check_new_groups(tenant.groups.as_deref(), &[], &account.groups));
        findings.extend(&at, errors);
        for held in &account.identifiers {
            if let Some(owner) = owners.insert(held.identifier.clone(), name) {
                let problem = format!("account {owner} of this tenant already has this identifier");
                let hint = "an identifier belongs to one account; choose another or remove it";
                findings.error(at.key(held.identifier.kind()), problem, hint);
            }
        }
        if let Some(owner) = settings.external_id.as_deref().and_then(|id| external_ids.insert(id, name)) {
            let problem = format!("account {owner} of this tenant already has this external id");
            let hint = "an external id belongs to one account; choose another or remove it";
            findings.error(at.key("external_id"), problem, hint);
        }
        if let Some(DeclaredPassword::Value(value)) = &password {
            check_length(value, at.key("password"), findings);
        }
        declared.push(kinds::account::Declared { name: name.clone(), account, password });
    }
    declared
}

/// Checks only the length. Computing how easy a password is to guess takes too long for every reading, and
/// passwords in files are for development and tests.
fn check_length(value: &Secret, at: Location, findings: &mut Findings) {
    let password = normalised_password(Secret::new(value.expose().to_owned()));
    if password.is_none_or(|password| password.expose().chars().count() < SHORTEST_PASSWORD) {
        let hint = "use several random words: they are long and easy to type";
        findings.error(at, UnfitPassword::Short.to_string(), hint);
    }
}

fn first_key_of(
    tenant: &Tenant,
    pem: &values::Secret,
    at: &Location,
    findings: &mut Findings,
) -> Option<ImportedKey> {
    let imported = keys::import(pem, tenant.signing.algorithm).map_err(|error| {
        let hint =
            "give a private key that matches `algorithm`: PEM (PKCS#8; PKCS#1 for RSA, SEC1 for EC) or a JWK";
        findings.error(at.key("signing").key("first_key"), error.to_string(), hint);
    });
    imported.ok()
}

/// Checks that no two tenants have the same issuer. The order of ids makes the result stable.
fn check_issuers<'a>(tenants: impl Iterator<Item = (&'a Tenant, &'a Location)>, findings: &mut Findings) {
    let mut owners: HashMap<&Issuer, &TenantId> = HashMap::new();
    for (tenant, at) in tenants {
        let mut errors = FieldErrors::from_interface(Interface::File);
        rules::check_issuer_owners(&mut errors, tenant, |issuer| owners.get(issuer).copied());
        findings.extend(at, errors);
        for issuer in std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases) {
            owners.entry(issuer).or_insert(&tenant.id);
        }
    }
}
