//! The secrets of one client against their declarations, without computing a slow hash: a declared value is recognised by the
//! keyed digest in its row.

use std::collections::HashSet;

use protocol::{Secret, Timestamp};
use registry::{DeclaredPassword, SecretId};
use secrets::{GeneratedSecret, PasswordSalt, Pepper, SecretHash, declared_digest, hash_token, salt_of};

use super::Comparison;
use crate::plan::PlannedSecret;
use crate::{
    Change, ClientState, ConflictKind, DeclaredClient, DeclaredSecret, ManagedBy, Plan, SecretChange,
    SecretChangeKind, SecretForm, SecretState, Subject,
};

/// A secret that comes to be.
struct New {
    /// Its client in the tenant, and its declaration in the client.
    place: (usize, usize),
    /// Whether it is the value before of that declaration.
    is_previous: bool,
    digest: Option<[u8; 32]>,
    form: SecretForm,
    expires_at: Option<Timestamp>,
    in_store: Option<String>,
}

impl Comparison<'_> {
    pub(super) fn secrets(&mut self, client_index: usize, state: Option<&ClientState>) {
        let (context, declared) = (self.context, &self.declared.clients[client_index]);
        let plan = &mut *self.plan;
        let (tenant, client) = (&declared.client.tenant, &declared.client.id);
        let rows = state.map(|state| state.secrets.as_slice()).unwrap_or_default();
        let mut next = rows.iter().filter_map(|row| number(&row.secret.id)).max().unwrap_or(0);
        let mut kept: HashSet<&SecretId> = HashSet::new();
        let mut seen = HashSet::new();
        let mut replacing = Vec::new();
        // A rotation into a secret store gave the others their ends.
        let mut keeps_ends = false;
        let previous_for = |secret: &DeclaredSecret| secret.previous_for.filter(|_| !context.ends_previous);
        let add = |plan: &mut Plan, id: SecretId, kind, in_store| {
            let change = SecretChange { id, kind, in_store };
            plan.changes.push(Change::Secret(tenant.clone(), client.clone(), change));
        };
        let mut add_new = |plan: &mut Plan, new: New| {
            let New { place, is_previous, digest, form, expires_at, in_store } = new;
            next += 1;
            let id = SecretId::new(&format!("s{next}"));
            plan.secrets.push(PlannedSecret {
                tenant: tenant.clone(),
                client: client.clone(),
                id: id.clone(),
                place,
                is_previous,
                digest,
                salt: None,
                expires_at,
            });
            add(plan, id, SecretChangeKind::Added { form, expires_at }, in_store);
        };
        let digest_of = |value: &Secret| declared_digest(context.pepper, tenant, client, value);
        for (index, secret) in declared.secrets.iter().enumerate() {
            let (digest, phc) = match &secret.password {
                DeclaredPassword::Value(value) => (Some(digest_of(value)), None),
                DeclaredPassword::Hash(phc) => (None, Some(phc)),
            };
            // The same secret twice is one secret.
            if !seen.insert((digest, phc)) {
                continue;
            }
            let is_declared = |row: &&SecretState| {
                let is_same = match phc {
                    Some(phc) => row.secret.hash.to_string() == *phc,
                    None => row.declared_digest == digest,
                };
                row.managed_by == ManagedBy::Config && is_same
            };
            let expires_at = secret.expires_at;
            if let Some(row) = rows.iter().find(is_declared) {
                kept.insert(&row.secret.id);
                if let Some(kind) = change_of(row, expires_at) {
                    replacing.extend(previous_for(secret));
                    add(plan, row.secret.id.clone(), kind, None);
                }
                continue;
            }
            let made_by_rotation = |value: &Secret| {
                rows.iter().find(|row| is_made_by_rotation(context.pepper, declared, value, row))
            };
            let current = match &secret.password {
                DeclaredPassword::Value(value) if secret.stored.is_some() => made_by_rotation(value),
                DeclaredPassword::Value(_) | DeclaredPassword::Hash(_) => None,
            };
            if let Some(row) = current {
                kept.insert(&row.secret.id);
                keeps_ends = true;
                let span = previous_for(secret);
                replacing.extend(span.filter(|span| row.secret.created_at + *span > context.now));
                continue;
            }
            let Some(form) = form_of(&secret.password) else {
                plan.add_conflict(Subject::Tenant(tenant.clone()), ConflictKind::ForeignHash(client.clone()));
                continue;
            };
            let version = secret.stored.as_ref().map(|stored| stored.version.clone());
            let place = (client_index, index);
            add_new(plan, New { place, is_previous: false, digest, form, expires_at, in_store: version });
            let previous = secret.stored.as_ref().and_then(|stored| stored.previous.as_ref());
            if let Some(row) = previous.and_then(made_by_rotation) {
                keeps_ends = true;
                let until = previous_for(secret).map(|span| context.now + span);
                add(plan, row.secret.id.clone(), ending(row, until), None);
                continue;
            }
            let previous = secret.kept_previous(context.now).filter(|_| !context.ends_previous);
            let previous = previous.map(|(value, end)| (value, digest_of(value), end));
            let is_known = |digest| rows.iter().any(|row| row.declared_digest == Some(digest));
            let Some((value, digest, end)) = previous.filter(|(_, digest, _)| !is_known(*digest)) else {
                replacing.extend(previous_for(secret));
                continue;
            };
            let (digest, form, expires_at) = (Some(digest), form_of_value(value), Some(end));
            add_new(plan, New { place, is_previous: true, digest, form, expires_at, in_store: None });
        }
        let longest = declared.secrets.iter().filter_map(previous_for).max().map(|span| context.now + span);
        let left = |row: &&SecretState| {
            row.managed_by == ManagedBy::Config
                && row.secret.revoked_at.is_none()
                && !kept.contains(&row.secret.id)
        };
        let left: Vec<_> = rows.iter().filter(left).collect();
        // The newest first: a new value takes the place of the last one.
        for row in left.into_iter().rev() {
            let end = row.secret.expires_at;
            let kind = if end.is_some_and(|end| end <= context.now) {
                SecretChangeKind::Removed
            } else if row.declared_expires_at.is_some_and(|end| Some(end) <= longest)
                || keeps_ends && !context.ends_previous && end.is_some()
            {
                kept.insert(&row.secret.id);
                continue;
            } else {
                let until = replacing.pop().map(|span| context.now + span);
                if until.is_some() {
                    kept.insert(&row.secret.id);
                }
                ending(row, until)
            };
            add(plan, row.secret.id.clone(), kind, None);
        }
        share_salt(plan, declared, rows, &kept);
    }
}

/// Another secret has taken the place: this one ends then, or at its own earlier end. Without a time it ends at once.
fn ending(row: &SecretState, until: Option<Timestamp>) -> SecretChangeKind {
    let before = row.secret.expires_at;
    match until {
        Some(until) => {
            let after = Some(before.map_or(until, |end| end.min(until)));
            SecretChangeKind::Rescheduled { before, after }
        }
        None => SecretChangeKind::Revoked,
    }
}

/// Whether a value of a secret store is that of a row which a rotation made and wrote there.
fn is_made_by_rotation(
    pepper: &Pepper,
    DeclaredClient { client, .. }: &DeclaredClient,
    value: &Secret,
    row: &SecretState,
) -> bool {
    row.managed_by == ManagedBy::Api
        && row.secret.revoked_at.is_none()
        && GeneratedSecret::is_well_formed(value.expose())
        && row.secret.hash.matches(&hash_token(pepper, &client.tenant, &client.id, value))
}

/// A change of a declared secret by another interface, an end or a revocation, stays as long as the declaration is the same.
fn change_of(row: &SecretState, expires_at: Option<Timestamp>) -> Option<SecretChangeKind> {
    match row.revoked_by {
        Some(ManagedBy::Api) => None,
        Some(ManagedBy::Config) => Some(SecretChangeKind::Restored { expires_at }),
        None if row.declared_expires_at == expires_at => None,
        None => Some(SecretChangeKind::Rescheduled { before: row.secret.expires_at, after: expires_at }),
    }
}

fn form_of(password: &DeclaredPassword) -> Option<SecretForm> {
    match password {
        DeclaredPassword::Value(value) => Some(form_of_value(value)),
        DeclaredPassword::Hash(phc) => match phc.parse() {
            Ok(SecretHash::Token(_)) => Some(SecretForm::Imported),
            Ok(SecretHash::Password(phc)) => salt_of(&phc).map(|_| SecretForm::Imported),
            Err(_) => None,
        },
    }
}

fn form_of_value(value: &Secret) -> SecretForm {
    if GeneratedSecret::is_well_formed(value.expose()) { SecretForm::Generated } else { SecretForm::Chosen }
}

/// One computation must compare all chosen secrets of a client, so a new one takes the salt of those that stay, and hashes from
/// elsewhere must agree with them.
fn share_salt(plan: &mut Plan, declared: &DeclaredClient, rows: &[SecretState], kept: &HashSet<&SecretId>) {
    let (tenant, client) = (&declared.client.tenant, &declared.client.id);
    let stays = |row: &&SecretState| {
        kept.contains(&row.secret.id) || (row.managed_by == ManagedBy::Api && row.secret.revoked_at.is_none())
    };
    let of_rows = rows.iter().filter(stays).filter_map(|row| match &row.secret.hash {
        SecretHash::Password(phc) => salt_of(phc),
        SecretHash::Token(_) => None,
    });
    let of_hashes = declared.secrets.iter().filter_map(|secret| match &secret.password {
        DeclaredPassword::Hash(phc) => salt_of(phc),
        DeclaredPassword::Value(_) => None,
    });
    let mut salts: Vec<PasswordSalt> = of_rows.chain(of_hashes).collect();
    if salts.iter().any(|salt| *salt != salts[0]) {
        let subject = Subject::Tenant(tenant.clone());
        return plan.add_conflict(subject, ConflictKind::SaltsDiffer(client.clone()));
    }
    let salt = salts.pop();
    let of_client = |planned: &&mut PlannedSecret| planned.client == *client && planned.tenant == *tenant;
    // The client's own planned secrets are the last ones.
    for planned in plan.secrets.iter_mut().rev().take_while(of_client) {
        planned.salt.clone_from(&salt);
    }
}

fn number(id: &SecretId) -> Option<u64> {
    id.as_str().strip_prefix('s')?.parse().ok()
}
