//! Rotates a client's secret into a secret store. The new secret is valid before it is written, and the
//! others end after the write.

use registry::{Client, ClientId, SecretId};
use serde_json::Value;
use tenancy::StoreError;

use super::{Created, InTenant};
use crate::edit::{
    self, EditContext, Edited, SecretStep, invalid,
    secret::{GRACE, SecretEnds},
};
use crate::{EditError, RotatedSecret, SecretPlace, SecretView, TenantState, WriteFailure};

/// Why a rotation failed.
#[derive(Debug)]
pub(super) enum RotationError {
    /// Nothing was written to the store, or its answer does not concern this rotation.
    Edit(EditError),
    /// The store has not, or may not have, the new secret.
    NotWritten(UncertainWrite),
}

/// A new secret, with its hint, that may not have been written.
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
    /// The text for the caller. What a store answers is shown to the platform's administrators only.
    pub(super) fn told(&self, to_platform: bool) -> String {
        let Self { new, hint, place, failure } = self;
        let said = match to_platform {
            true => failure.to_string(),
            false => format!("the secret store {} does not take it; ask the operator", place.store),
        };
        match failure {
            WriteFailure::Refused(_) => format!(
                "the new secret {new} was not written to {place} and is revoked; all others are as before: {said}"
            ),
            WriteFailure::Unknown(_) => format!(
                "it is not known whether the new secret {new} is in {place}, so it and all others are valid: {said}. Where the secret there ends in {hint}, \
                 end the others, otherwise revoke {new}"
            ),
        }
    }
}

impl InTenant<'_> {
    /// A refused write leaves the secrets as they were, and the new one is revoked. If it is unknown whether
    /// the write happened, all secrets stay valid.
    pub(super) async fn rotate_into(
        &self,
        client: &ClientId,
        name: Option<String>,
        ends: SecretEnds,
        place: SecretPlace,
    ) -> Result<Created<RotatedSecret>, RotationError> {
        let Self { caller, tenant, .. } = *self;
        let idempotency = self.idempotency(&format!("rotate secret of {client} into"));
        if let Some(value) = self.answered(idempotency.as_ref(), caller.now).await? {
            return Ok(Created { value, replayed: true });
        }
        let secret = self.generate_secret(tenant, client).named(name)?;
        let decide = |context: EditContext<'_>| {
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
                    self.step_secret(client, &new, SecretStep::Revoke).await?;
                }
                let hint = secret.hint;
                return Err(RotationError::NotWritten(UncertainWrite { new, hint, place, failure }));
            }
        };

        let grace = ends.grace.unwrap_or(GRACE);
        let decide = |context: EditContext<'_>| edit::secret::end_others(context, client, &new, grace);
        let answer = |after: &TenantState| {
            let is_new = |row: &&crate::SecretState| row.secret.id == new;
            let row =
                after.client(client)?.secrets.iter().find(is_new).ok_or(EditError::NotFound("secret"))?;
            let secret = SecretView::new(row, std::slice::from_ref(row), &[], caller.now);
            let (into, version) = (Some(place.to_string()), Some(version.clone()));
            Ok(RotatedSecret { client_secret: None, into, version, secret })
        };
        Ok(self.edit::<Client, _>(client, &Value::Null, idempotency, decide, answer).await?)
    }

    /// A place that the caller may have secrets written to.
    pub(super) fn place(&self, into: &str) -> Edited<SecretPlace> {
        let Self { caller, tenant, .. } = *self;
        let place: SecretPlace = into.parse().map_err(|error| invalid("/into", format!("{error}")))?;
        if !caller.authority.is_of_platform() && !self.secret_writer.allows(tenant, &place) {
            return Err(EditError::InsufficientPrivilege(place.is_not_allowed(tenant)));
        }
        self.secret_writer.check(&place).map_err(|why| invalid("/into", why))?;
        Ok(place)
    }
}
