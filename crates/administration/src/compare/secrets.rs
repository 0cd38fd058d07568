//! Compares the secrets of one client with their declarations, without a slow hash: the keyed digest in a row
//! recognises a declared value.

use std::collections::HashSet;

use registry::{Client, DeclaredPassword, SecretId};
use secrets::{GeneratedSecret, PasswordSalt, SecretHash, declared_digest, salt_of};
use values::{Lifetime, Secret, Timestamp};

use super::{CompareContext, Comparison};
use crate::plan::PlannedSecret;
use crate::{
    Change, ClientState, ConflictKind, DeclaredClient, DeclaredSecret, ManagedBy, Plan, SecretChange,
    SecretChangeKind, SecretForm, SecretState, Subject,
};

/// A secret that comes to be.
pub(super) struct New {
    /// The index of the secret in the client's declaration.
    pub(super) index: usize,
    /// Whether it is the value before of that declaration.
    pub(super) is_previous: bool,
    pub(super) digest: Option<[u8; 32]>,
    pub(super) form: SecretForm,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) in_store: Option<String>,
}

/// The declared and stored secrets of one client, and the plan that gets the differences.
pub(super) struct CredentialComparer<'a, 'p> {
    pub(super) context: CompareContext<'a>,
    pub(super) declared: &'a DeclaredClient,
    /// The place of the client in the tenant.
    client: usize,
    pub(super) rows: &'a [SecretState],
    plan: &'p mut Plan,
    /// The number of the secret that was created last.
    last: u64,
    pub(super) kept: HashSet<&'a SecretId>,
    /// How long those secrets stay whose places others take.
    pub(super) replacing: Vec<Lifetime>,
    /// A rotation into a secret store has set the ends of the other secrets.
    pub(super) keeps_ends: bool,
}

impl Comparison<'_> {
    pub(super) fn secrets(&mut self, client: usize, state: Option<&ClientState>) {
        let rows = state.map(|state| state.secrets.as_slice()).unwrap_or_default();
        let declared = &self.declared.clients[client];
        let mut secrets = CredentialComparer {
            context: self.context,
            declared,
            client,
            rows,
            plan: &mut *self.plan,
            last: rows.iter().filter_map(|row| number(&row.secret.id)).max().unwrap_or(0),
            kept: HashSet::new(),
            replacing: Vec::new(),
            keeps_ends: false,
        };
        let mut seen = HashSet::new();
        for (index, secret) in declared.secrets.iter().enumerate() {
            let identity = secrets.identity(&secret.password);
            // A secret that is declared twice is one secret.
            if seen.insert(identity) {
                secrets.declare(index, secret, identity);
            }
        }
        let kept = secrets.end_others();
        share_salt(self.plan, declared, rows, &kept);
    }
}

impl<'a> CredentialComparer<'a, '_> {
    /// The digest of a value, or the hash, by which the secret is recognised.
    fn identity(&self, password: &'a DeclaredPassword) -> (Option<[u8; 32]>, Option<&'a String>) {
        match password {
            DeclaredPassword::Value(value) => (Some(self.digest(value)), None),
            DeclaredPassword::Hash(phc) => (None, Some(phc)),
        }
    }

    pub(super) fn digest(&self, value: &Secret) -> [u8; 32] {
        let Client { tenant, id, .. } = &self.declared.client;
        declared_digest(self.context.pepper, tenant, id, value)
    }

    /// How long the secret that this one replaces stays valid.
    pub(super) fn previous_for(&self, secret: &DeclaredSecret) -> Option<Lifetime> {
        secret.previous_for.filter(|_| !self.context.ends_previous)
    }

    fn declare(
        &mut self,
        index: usize,
        secret: &'a DeclaredSecret,
        (digest, phc): (Option<[u8; 32]>, Option<&String>),
    ) {
        let is_declared = |row: &&SecretState| {
            let is_same = match phc {
                Some(phc) => row.secret.hash.to_string() == *phc,
                None => row.declared_digest == digest,
            };
            row.managed_by == ManagedBy::Config && is_same
        };
        let expires_at = secret.expires_at;
        if let Some(row) = self.rows.iter().find(is_declared) {
            self.kept.insert(&row.secret.id);
            if let Some(kind) = change_of(row, expires_at) {
                self.replacing.extend(self.previous_for(secret));
                self.add(row.secret.id.clone(), kind, None);
            }
            return;
        }
        if self.keeps_rotated(secret) {
            return;
        }
        let Some(form) = form_of(&secret.password) else {
            let Client { tenant, id, .. } = &self.declared.client;
            let conflict = ConflictKind::ForeignHash(id.clone());
            return self.plan.add_conflict(Subject::Tenant(tenant.clone()), conflict);
        };
        let in_store = secret.stored.as_ref().map(|stored| stored.version.clone());
        self.add_new(New { index, is_previous: false, digest, form, expires_at, in_store });
        self.replace_previous(index, secret);
    }

    pub(super) fn add_new(&mut self, new: New) {
        let New { index, is_previous, digest, form, expires_at, in_store } = new;
        self.last += 1;
        let id = SecretId::new(&format!("s{}", self.last));
        let Client { tenant, id: client, .. } = &self.declared.client;
        self.plan.secrets.push(PlannedSecret {
            tenant: tenant.clone(),
            client: client.clone(),
            id: id.clone(),
            place: (self.client, index),
            is_previous,
            digest,
            salt: None,
            expires_at,
        });
        self.add(id, SecretChangeKind::Added { form, expires_at }, in_store);
    }

    pub(super) fn add(&mut self, id: SecretId, kind: SecretChangeKind, in_store: Option<String>) {
        let Client { tenant, id: client, .. } = &self.declared.client;
        let change = SecretChange { id, kind, in_store };
        self.plan.changes.push(Change::Secret(tenant.clone(), client.clone(), change));
    }

    /// Ends the secrets that are no longer declared. Returns those that stay.
    fn end_others(mut self) -> HashSet<&'a SecretId> {
        let now = self.context.now;
        let spans = self.declared.secrets.iter().filter_map(|secret| self.previous_for(secret));
        let longest = spans.max().map(|span| now + span);
        let is_left = |row: &&SecretState| {
            row.managed_by == ManagedBy::Config
                && row.secret.revoked_at.is_none()
                && !self.kept.contains(&row.secret.id)
        };
        let left: Vec<_> = self.rows.iter().filter(is_left).collect();
        // The newest comes first: a new value replaces the last one.
        for row in left.into_iter().rev() {
            let end = row.secret.expires_at;
            let kind = if end.is_some_and(|end| end <= now) {
                SecretChangeKind::Removed
            } else if row.declared_expires_at.is_some_and(|end| Some(end) <= longest)
                || self.keeps_ends && !self.context.ends_previous && end.is_some()
            {
                self.kept.insert(&row.secret.id);
                continue;
            } else {
                let until = self.replacing.pop().map(|span| now + span);
                if until.is_some() {
                    self.kept.insert(&row.secret.id);
                }
                ending(row, until)
            };
            self.add(row.secret.id.clone(), kind, None);
        }
        self.kept
    }
}

/// The end of a replaced secret: this instant, or its own earlier end. Without an instant it ends at once.
pub(super) fn ending(row: &SecretState, until: Option<Timestamp>) -> SecretChangeKind {
    let before = row.secret.expires_at;
    match until {
        Some(until) => {
            let after = Some(before.map_or(until, |end| end.min(until)));
            SecretChangeKind::Rescheduled { before, after }
        }
        None => SecretChangeKind::Revoked,
    }
}

/// If another interface moved the end of a declared secret or revoked it, that stays so until the declaration
/// changes.
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

pub(super) fn form_of_value(value: &Secret) -> SecretForm {
    if GeneratedSecret::is_well_formed(value.expose()) { SecretForm::Generated } else { SecretForm::Chosen }
}

/// One computation must compare all chosen secrets of a client. So a new secret takes the salt of those that
/// stay, and hashes from elsewhere must have the same salt.
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
    // The secrets of this client were planned last.
    for planned in plan.secrets.iter_mut().rev().take_while(of_client) {
        planned.salt.clone_from(&salt);
    }
}

fn number(id: &SecretId) -> Option<u64> {
    id.as_str().strip_prefix('s')?.parse().ok()
}
