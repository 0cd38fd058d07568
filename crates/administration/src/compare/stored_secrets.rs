//! Secrets of a client in a secret store. A secret that a rotation created and wrote there is not new. The
//! previous value may be known to the store alone.

use registry::{Client, DeclaredPassword};
use secrets::{GeneratedSecret, presented_token};
use values::Secret;

use super::secrets::{CredentialComparer, New, ending, form_of_value};
use crate::{DeclaredSecret, ManagedBy, SecretState};

impl<'a> CredentialComparer<'a, '_> {
    /// Whether a rotation created the row of this value and wrote the value to the store. The row then stays,
    /// and so do the ends that the rotation gave the others.
    pub(super) fn keeps_rotated(&mut self, secret: &DeclaredSecret) -> bool {
        let (Some(_), DeclaredPassword::Value(value)) = (&secret.stored, &secret.password) else {
            return false;
        };
        let Some(row) = self.made_by_rotation(value) else { return false };
        self.kept.insert(&row.secret.id);
        self.keeps_ends = true;
        let span = self.previous_for(secret);
        self.replacing.extend(span.filter(|span| row.secret.created_at + *span > self.context.now));
        true
    }

    /// Finds the value before a new secret: in a row that a rotation created, in the declaration, or in the
    /// secret store alone.
    pub(super) fn replace_previous(&mut self, index: usize, secret: &DeclaredSecret) {
        let now = self.context.now;
        let span = self.previous_for(secret);
        let previous = secret.stored.as_ref().and_then(|stored| stored.previous.as_ref());
        if let Some(row) = previous.and_then(|value| self.made_by_rotation(value)) {
            self.keeps_ends = true;
            self.add(row.secret.id.clone(), ending(row, span.map(|span| now + span)), None);
            return;
        }
        let previous = secret.kept_previous(now).filter(|_| !self.context.ends_previous);
        let previous = previous.map(|(value, end)| (value, Some(self.digest(value)), end));
        let is_known = |digest| self.rows.iter().any(|row| row.declared_digest == digest);
        let Some((value, digest, end)) = previous.filter(|(_, digest, _)| !is_known(*digest)) else {
            return self.replacing.extend(span);
        };
        let (form, expires_at) = (form_of_value(value), Some(end));
        self.add_new(New { index, is_previous: true, digest, form, expires_at, in_store: None });
    }

    fn made_by_rotation(&self, value: &Secret) -> Option<&'a SecretState> {
        let Client { tenant, id, .. } = &self.declared.client;
        let is_made = |row: &&SecretState| {
            row.managed_by == ManagedBy::Api
                && row.secret.revoked_at.is_none()
                && GeneratedSecret::is_well_formed(value.expose())
                && row.secret.hash.is_of(&presented_token(self.context.pepper, tenant, id.as_str(), value))
        };
        self.rows.iter().find(is_made)
    }
}
