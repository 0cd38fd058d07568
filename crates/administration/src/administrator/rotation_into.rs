//! Rotates a client's secret into a secret store. The new secret is valid before it is written to the store.
//! The other secrets expire after the write.

use registry::{Client, ClientId, SecretId};
use serde_json::Value;
use tenancy::StoreError;

use super::{Created, InTenant};
use crate::administrator::secret_writer::{SecretPlace, WriteFailure};
use crate::documents::{RotatedSecret, SecretView};
use crate::edit;
use crate::edit::EditError;
use crate::edit::secret::{Ends, GRACE};
use crate::kinds::TenantState;

#[derive(Debug)]
pub(super) enum RotationError {
    /// Nothing was written to the secret store, or the error has nothing to do with this rotation.
    Edit(EditError),
    /// The new secret is not in the secret store, or perhaps not.
    NotWritten(UncertainWrite),
}

/// A new secret that may be missing in the secret store, with its hint.
#[derive(Debug)]
pub(super) struct UncertainWrite {
    new: SecretId,
    hint: String,
    place: SecretPlace,
    failure: WriteFailure,
}

impl From<EditError> for RotationError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<StoreError> for RotationError {
    fn from(error: StoreError) -> Self {
        Self::Edit(error.into())
    }
}

impl UncertainWrite {
    /// The message for the caller. Only administrators of the platform see what the secret store answered.
    pub(super) fn told(&self, to_platform: bool) -> String {
        let Self { new, hint, place, failure } = self;
        let said = match to_platform {
            true => failure.to_string(),
            false => format!("secret store {} refuses the secret; ask the operator", place.store),
        };
        match failure {
            WriteFailure::Refused(_) => format!(
                "Latchkey could not write the new secret {new} to {place} and revoked it; the other secrets \
                    are unchanged: {said}"
            ),
            WriteFailure::Unknown(_) => format!(
                "Latchkey cannot tell whether the new secret {new} is in {place}, so the new secret and all \
                    other secrets remain valid: {said}. If the secret there ends in {hint}, revoke the \
                    others; if not, revoke {new}"
            ),
        }
    }
}

impl InTenant<'_> {
    /// If the store refuses the write, the new secret is revoked and the other secrets stay valid. If it is
    /// unknown whether the write happened, all secrets stay valid.
    pub(super) async fn rotate_into(
        &self,
        client: &ClientId,
        name: Option<String>,
        ends: Ends,
        place: SecretPlace,
    ) -> Result<Created<RotatedSecret>, RotationError> {
        let Self { caller, tenant, .. } = *self;
        let idempotency = self.idempotency(&format!("rotate secret of {client} into"));
        if let Some(value) = self.answered(idempotency.as_ref(), caller.now).await? {
            return Ok(Created { value, replayed: true });
        }
        let secret = self.generate_secret(tenant, client).named(name)?;
        let decide = |context: edit::EditContext<'_>| {
            edit::secret::create_into(context, client, &secret, ends, Some(&place))
        };
        let id_of_new = |after: &TenantState| {
            let new = after.client(client)?.secrets.last().ok_or(EditError::NotFound("secret"))?;
            Ok(new.secret.id.clone())
        };
        let new = self.edit::<Client, _>(client, &Value::Null, None, decide, id_of_new).await?.value;

        let version = match self.secret_writer.write(&place, &secret.value).await {
            Ok(version) => version,
            Err(failure) => {
                if matches!(failure, WriteFailure::Refused(_)) {
                    self.step_secret(client, &new, edit::secret::Step::Revoke).await?;
                }
                let hint = secret.hint;
                return Err(RotationError::NotWritten(UncertainWrite { new, hint, place, failure }));
            }
        };

        let grace = ends.grace.unwrap_or(GRACE);
        let decide = |context: edit::EditContext<'_>| edit::secret::end_others(context, client, &new, grace);
        let answer = |after: &TenantState| {
            let is_new = |row: &&crate::kinds::state::SecretState| row.secret.id == new;
            let row =
                after.client(client)?.secrets.iter().find(is_new).ok_or(EditError::NotFound("secret"))?;
            let secret = SecretView::new(row, std::slice::from_ref(row), &[], caller.now);
            let (into, version) = (Some(place.to_string()), Some(version.clone()));
            Ok(RotatedSecret { client_secret: None, into, version, secret })
        };
        Ok(self.edit::<Client, _>(client, &Value::Null, idempotency, decide, answer).await?)
    }

    /// The place that `into` names, if the caller may write secrets there.
    pub(super) fn place(&self, into: &str) -> edit::Edited<SecretPlace> {
        let Self { caller, tenant, .. } = *self;
        let place: SecretPlace = into.parse().map_err(|error| edit::invalid("/into", format!("{error}")))?;
        if !caller.authority.is_of_platform() && !self.secret_writer.allows(tenant, &place) {
            return Err(EditError::InsufficientPrivilege(place.is_not_allowed(tenant)));
        }
        self.secret_writer.check(&place).map_err(|why| edit::invalid("/into", why))?;
        Ok(place)
    }
}
