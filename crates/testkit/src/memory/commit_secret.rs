//! What a commit does to one secret. Any door gives and takes secrets; the files touch only those that they declared.

use administration::{CommitRequest, ManagedBy, NewSecret, SecretChange, SecretChangeKind};
use protocol::Timestamp;
use registry::ClientId;
use tenancy::TenantId;

use super::commit::{Refusal, require};
use super::rows::{Rows, added_secret};

impl Rows {
    pub(super) fn write_secret(
        &mut self,
        request: &CommitRequest,
        tenant: &TenantId,
        client: &ClientId,
        change: &SecretChange,
    ) -> Result<(), Refusal> {
        let clients = &mut self.tenant_row(tenant)?.state.clients;
        let client = clients.iter_mut().find(|row| row.client.id == *client).ok_or(Refusal::Superseded)?;
        let id = &client.client.id;
        let row = client.secrets.iter_mut().find(|row| row.secret.id == change.id);
        if let SecretChangeKind::Added { .. } = change.kind {
            require(row.is_none())?;
            let of =
                |new: &&NewSecret| new.tenant == *tenant && new.client == *id && new.secret.id == change.id;
            let new = request.secrets.iter().find(of).ok_or(Refusal::Superseded)?;
            client.secrets.push(added_secret(new.secret.clone(), request.managed_by, new.declared_digest));
            return Ok(());
        }
        let row = row.ok_or(Refusal::Superseded)?;
        let declares = request.managed_by == ManagedBy::Config;
        require(row.managed_by == ManagedBy::Config || !declares)?;
        let mut reschedule = |expires_at: Option<Timestamp>| {
            row.secret.expires_at = expires_at;
            if declares {
                row.declared_expires_at = expires_at;
            }
        };
        match change.kind {
            SecretChangeKind::Added { .. } => {}
            SecretChangeKind::Rescheduled { after, .. } => reschedule(after),
            SecretChangeKind::Restored { expires_at } => {
                reschedule(expires_at);
                require(row.revoked_by == Some(request.managed_by))?;
                row.secret.revoked_at = None;
                row.revoked_by = None;
            }
            SecretChangeKind::Revoked => {
                require(row.revoked_by.is_none())?;
                row.secret.revoked_at = Some(request.now);
                row.revoked_by = Some(request.managed_by);
            }
        }
        Ok(())
    }
}
