//! The door behind all doors: the API, the command line and seed 000's surface ask here. It loads what the rules need, lets the pure
//! rules in `edit` decide, hashes and seals outside any transaction, commits once, and lets caches forget.

use std::sync::Arc;

use keys::KeySealer;
use protocol::{Lifetime, Timestamp};
use registry::{ClientId, Pepper, SecretId};
use serde_json::Value;
use tenancy::TenantId;

use crate::{
    AdministrationStore, AuditQuery, AuditView, Authority, ClientView, CreatedClient, CreatedSecret,
    CreatedTenant, EditError, Invalidation, NewClient, NewSecretSettings, NewTenant, Page, RotateSettings,
    SecretView, TenantView,
};

/// What an operator sets for all doors.
#[derive(Clone, Debug)]
pub struct EditPolicy {
    /// What issuers and endpoints are derived from.
    pub public_url: String,
    /// How many secrets of a client may count at once.
    pub live_secrets: usize,
    /// For how long a tenant's deletion can be taken back.
    pub deletion_grace: Lifetime,
}

/// What makes a repeated request the same request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// What the caller sent in `Idempotency-Key`.
    pub key: String,
    /// Digest of method, path and body.
    pub request: [u8; 32],
}

/// Something that was made, or was made before by the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    /// What it is.
    pub value: T,
    /// Whether this answer is a repetition.
    pub replayed: bool,
}

/// Changes tenants, clients and secrets for whoever may.
pub struct Administrator {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    policy: EditPolicy,
    /// Told of everything that was committed.
    announce: Arc<dyn Fn(&[Invalidation]) + Send + Sync>,
}

#[expect(clippy::unimplemented, reason = "written by the next commit")]
#[expect(unused_variables, reason = "written by the next commit")]
impl Administrator {
    /// Over a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn AdministrationStore>,
        sealer: Arc<dyn KeySealer>,
        pepper: Arc<Pepper>,
        policy: EditPolicy,
        announce: Arc<dyn Fn(&[Invalidation]) + Send + Sync>,
    ) -> Self {
        Self { store, sealer, pepper, policy, announce }
    }

    // Tenants: `latchkey:tenants` at the platform.

    /// Makes a tenant, and its first client if one is asked for.
    pub async fn create_tenant(
        &self,
        by: &Authority,
        new: NewTenant,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedTenant>, EditError> {
        unimplemented!()
    }

    /// A page of tenants. `cursor` is a page's `next_cursor`.
    pub async fn tenants(
        &self,
        by: &Authority,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Page<TenantView>, EditError> {
        unimplemented!()
    }

    /// One tenant.
    pub async fn tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// Changes what the merge patch names.
    pub async fn patch_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        patch: Value,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// Stops it from serving.
    pub async fn suspend_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// Lets it serve again.
    pub async fn resume_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// The first step of a deletion: it stops serving, and is deleted when its time of grace is over.
    pub async fn schedule_tenant_deletion(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// Takes the first step back.
    pub async fn cancel_tenant_deletion(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<TenantView, EditError> {
        unimplemented!()
    }

    /// The second step, of a tenant that has taken the first one: secrets and keys are destroyed, the id stays reserved.
    pub async fn delete_tenant(
        &self,
        by: &Authority,
        tenant: &TenantId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        unimplemented!()
    }

    /// The second step for all tenants whose time of grace is over; says how many.
    pub async fn delete_due_tenants(&self, now: Timestamp) -> Result<usize, EditError> {
        unimplemented!()
    }

    // Clients and secrets: `latchkey:clients`, at the platform or in the tenant.

    /// Registers a client.
    pub async fn create_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        new: NewClient,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedClient>, EditError> {
        unimplemented!()
    }

    /// A page of a tenant's clients.
    pub async fn clients(
        &self,
        by: &Authority,
        tenant: &TenantId,
        search: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Page<ClientView>, EditError> {
        unimplemented!()
    }

    /// One client.
    pub async fn client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        unimplemented!()
    }

    /// Changes what the merge patch names.
    pub async fn patch_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        unimplemented!()
    }

    /// Stops it from authenticating.
    pub async fn suspend_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        unimplemented!()
    }

    /// Lets it authenticate again.
    pub async fn resume_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<ClientView, EditError> {
        unimplemented!()
    }

    /// Deletes it, with its secrets; the id stays reserved.
    pub async fn delete_client(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        unimplemented!()
    }

    /// All secrets of a client, revoked and expired ones too.
    pub async fn secrets(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<SecretView>, EditError> {
        unimplemented!()
    }

    /// Makes one more secret.
    pub async fn create_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedSecret>, EditError> {
        unimplemented!()
    }

    /// Makes one more secret and lets all others end after a time of grace.
    pub async fn rotate_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedSecret>, EditError> {
        unimplemented!()
    }

    /// Moves a secret's end; `None`: it never ends.
    pub async fn expire_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SecretView, EditError> {
        unimplemented!()
    }

    /// Ends a secret at once.
    pub async fn revoke_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        now: Timestamp,
    ) -> Result<SecretView, EditError> {
        unimplemented!()
    }

    // The audit: `latchkey:audit`, at the platform or in the tenant.

    /// A page of audit records, the newest first. Without a tenant in the query it takes the platform's permission.
    pub async fn audit(
        &self,
        by: &Authority,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, EditError> {
        unimplemented!()
    }

    // The first administrator.

    /// Makes the tenant `platform` if it is missing and in it the first client with all permissions. Refused while a live
    /// administrator is there.
    pub async fn init_admin(
        &self,
        by: &Authority,
        name: &str,
        now: Timestamp,
    ) -> Result<CreatedClient, EditError> {
        unimplemented!()
    }
}
