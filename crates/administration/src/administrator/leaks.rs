//! What becomes of a reported credential: its tenant's policy decides.

use protocol::{Secret, Timestamp};
use registry::{ApiKey, ApiKeyId, ClientId, SecretId};
use secrets::{hash_api_key, hash_token};
use serde_json::json;
use tenancy::{LeakAction, LeakPolicy, TenantId};

use super::load::TenantAlone;
use super::{Administrator, Caller};
use crate::edit::Edited;
use crate::{
    Actor, ApiKeyStep, AuditQuery, AuditRecord, Authority, CommitRequest, EditError, Instant, LeakReport,
    ManagedBy, SecretStep,
};

/// A credential of a client.
enum Found {
    Secret(TenantId, ClientId, SecretId),
    ApiKey(TenantId, ClientId, ApiKeyId),
}

impl Administrator {
    /// Looks for a reported credential, and does what the policy of its tenant says. Who reports it has it, so a report needs no proof. Says how
    /// many clients have it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn take_leak(&self, report: &LeakReport, now: Timestamp) -> Edited<usize> {
        let found = self.find_leaked(&report.text).await?;
        for credential in &found {
            self.end_leaked(credential, report, now).await?;
        }
        Ok(found.len())
    }

    async fn find_leaked(&self, text: &Secret) -> Edited<Vec<Found>> {
        let exposed = text.expose();
        if let Some(id) = ApiKeyId::of_key(exposed) {
            let keys = self.store.find_api_keys_named(&id).await?;
            let is_it = |key: &ApiKey| {
                key.hash.matches(&hash_api_key(&self.pepper, &key.tenant, key.client.as_str(), exposed))
            };
            return Ok(keys
                .into_iter()
                .filter(is_it)
                .map(|key| Found::ApiKey(key.tenant, key.client, key.id))
                .collect());
        }
        let hint = exposed.get(exposed.len().saturating_sub(4)..).unwrap_or_default();
        let secrets = self.store.find_secrets_by_hint(hint).await?;
        let is_it = |(tenant, client, secret): &(TenantId, ClientId, registry::ClientSecret)| {
            secret.hash.matches(&hash_token(&self.pepper, tenant, client, text))
        };
        let secrets = secrets.into_iter().filter(is_it);
        Ok(secrets.map(|(tenant, client, secret)| Found::Secret(tenant, client, secret.id)).collect())
    }

    async fn end_leaked(&self, found: &Found, report: &LeakReport, now: Timestamp) -> Edited<()> {
        let (Found::Secret(tenant, ..) | Found::ApiKey(tenant, ..)) = found;
        let LeakPolicy { action, grace } = self.load(tenant, &TenantAlone).await?.tenant()?.tenant.leaks;
        let actor = Actor::named("leak report", Some(report.source.clone()));
        let caller = &Caller::new(Authority::operator(actor.clone()), now);
        let ended = match (found, action) {
            (Found::Secret(_, client, secret), LeakAction::Notify) => {
                self.note_leak(actor, tenant, "secret.leaked", format!("{client}/{secret}"), now).await
            }
            (Found::ApiKey(_, client, key), LeakAction::Notify) => {
                self.note_leak(actor, tenant, "api_key.leaked", format!("{client}/{key}"), now).await
            }
            (Found::Secret(_, client, secret), LeakAction::Revoke) => {
                self.step_secret(caller, tenant, client, secret, SecretStep::Revoke).await.map(drop)
            }
            (Found::ApiKey(_, client, key), LeakAction::Revoke) => {
                let name = &(client.clone(), key.clone());
                self.step::<ApiKey>(caller, tenant, name, ApiKeyStep::Revoke).await.map(drop)
            }
            (Found::Secret(_, client, secret), LeakAction::End) => {
                let views = self.secrets(caller, tenant, client).await?;
                let view = views.into_iter().find(|view| view.id == secret.as_str());
                let ends = view.and_then(|view| view.expires_at).map(Timestamp::from);
                if ends.is_some_and(|ends| ends <= now + grace) {
                    return Ok(());
                }
                let step = SecretStep::Expire(Some(now + grace));
                self.step_secret(caller, tenant, client, secret, step).await.map(drop)
            }
            (Found::ApiKey(_, client, key), LeakAction::End) => {
                let name = &(client.clone(), key.clone());
                let ends = self.look::<ApiKey>(caller, tenant, name).await?.settings.expires_at;
                if ends.is_some_and(|ends| ends.0 <= now + grace) {
                    return Ok(());
                }
                let patch = json!({ "expires_at": Instant(now + grace) });
                self.patch::<ApiKey>(caller, tenant, name, patch).await.map(drop)
            }
        };
        match ended {
            // It has ended already, or its client has gone.
            Err(EditError::Conflict(_) | EditError::NotFound(_) | EditError::Invalid(_)) => Ok(()),
            other => other,
        }
    }

    /// Once, however often it is reported.
    async fn note_leak(
        &self,
        actor: Actor,
        tenant: &TenantId,
        action: &str,
        subject: String,
        now: Timestamp,
    ) -> Edited<()> {
        let noted = AuditQuery {
            tenant: Some(tenant.clone()),
            action: Some(action.to_owned()),
            subject: Some(subject.clone()),
            limit: 1,
            ..AuditQuery::default()
        };
        if self.store.list_audit(&noted).await?.is_empty() {
            let record = AuditRecord::new(actor, now, tenant.clone(), (action, subject, json!({})));
            let request = CommitRequest { audit: vec![record], ..CommitRequest::empty(ManagedBy::Api, now) };
            self.store.commit(&request).await?;
        }
        Ok(())
    }
}
