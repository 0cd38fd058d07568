//! Handles reported credentials, as the policy of their tenant demands.

use registry::{ApiKey, ApiKeyId, ClientId, SecretId, SecretPath};
use secrets::{presented_api_key, presented_token};
use serde_json::{Value, json};
use tenancy::{LeakAction, LeakPolicy, TenantId};
use values::{Secret, Timestamp};

use super::load::Needs;
use super::{Administrator, Caller};
use crate::audit::AuditRecord;
use crate::audit::leaks::LeakPlace;
use crate::documents::Instant;
use crate::edit;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::kinds::authority::{Actor, Authority};
use crate::store::query::AuditQuery;

/// How many candidates are read at a time.
const PAGE: u32 = 1_000;
/// The most earlier reports of one credential that are read.
const REPORTS: u32 = 10;

/// A credential of a client that was reported.
#[derive(Debug)]
pub struct LeakedCredential {
    tenant: TenantId,
    client: ClientId,
    id: LeakedId,
    ends_at: Option<Timestamp>,
}

#[derive(Debug)]
enum LeakedId {
    Secret(SecretId),
    ApiKey(ApiKeyId),
}

impl Administrator {
    /// Finds the credentials whose value is this text. Several clients may have the same declared secret.
    pub async fn find_leaked(&self, text: &Secret) -> Edited<Vec<LeakedCredential>> {
        let mut found = Vec::new();
        if let Some(id) = ApiKeyId::of_key(text.expose()) {
            for key in self.store.find_api_keys_named(&id).await? {
                let (tenant, client) = (&key.tenant, key.client.as_str());
                if key.hash.is_of(&presented_api_key(&self.pepper, tenant, client, text.expose())) {
                    let ends_at = Some(key.ends_at());
                    let ApiKey { tenant, client, id, .. } = key;
                    found.push(LeakedCredential { tenant, client, id: LeakedId::ApiKey(id), ends_at });
                }
            }
            return Ok(found);
        }
        let exposed = text.expose();
        let hint = exposed.get(exposed.len().saturating_sub(4)..).unwrap_or_default();
        let mut after = None;
        loop {
            let page = self.store.find_secrets_by_hint(hint, after.as_ref(), PAGE).await?;
            let Some((tenant, client, last)) = page.last() else { return Ok(found) };
            let (tenant, client) = (tenant.clone(), client.clone());
            after = Some(SecretPath { tenant, client, secret: last.id.clone() });
            for (tenant, client, secret) in page {
                if secret.hash.is_of(&presented_token(&self.pepper, &tenant, client.as_str(), text)) {
                    let ends_at = secret.ends_at();
                    found.push(LeakedCredential { tenant, client, id: LeakedId::Secret(secret.id), ends_at });
                }
            }
        }
    }

    /// Revokes a reported credential, or only records the report, as the policy of its tenant says. The
    /// report needs no proof, because the reporter has the credential.
    pub async fn end_leaked(&self, leaked: &LeakedCredential, source: &str, now: Timestamp) -> Edited<()> {
        let LeakedCredential { tenant, client, id, ends_at } = leaked;
        let LeakPolicy { action, grace } = self.load(tenant, &Needs::default()).await?.tenant()?.tenant.leaks;
        let caller = &Caller::new(Authority::operator(reporter(source)), now);
        let within = self.of(caller, tenant);
        let end = match action {
            LeakAction::Notify => return Ok(()),
            LeakAction::End => Some(now + grace),
            LeakAction::Revoke => None,
        };
        if end.zip(*ends_at).is_some_and(|(end, earlier)| earlier <= end) {
            return Ok(());
        }
        let ended = match (id, end) {
            (LeakedId::Secret(secret), end) => {
                let step =
                    end.map_or(edit::secret::Step::Revoke, |end| edit::secret::Step::Expire(Some(end)));
                within.step_secret(client, secret, step).await.map(drop)
            }
            (LeakedId::ApiKey(key), Some(end)) => {
                let patch = json!({ "expires_at": Instant(end) });
                within.patch::<ApiKey>(&(client.clone(), key.clone()), patch).await.map(drop)
            }
            (LeakedId::ApiKey(key), None) => {
                let name = &(client.clone(), key.clone());
                within.step::<ApiKey>(name, edit::api_key::Step::Revoke).await.map(drop)
            }
        };
        match ended {
            // The credential has ended already, or its client was deleted.
            Err(EditError::Conflict(_) | EditError::NotFound(_) | EditError::Invalid(_)) => Ok(()),
            other => other,
        }
    }

    /// Records in the audit that the credential was reported, once for each place. The caller must have
    /// verified the place.
    pub async fn note_leaked(
        &self,
        leaked: &LeakedCredential,
        source: &str,
        place: Option<&LeakPlace>,
        now: Timestamp,
    ) -> Edited<()> {
        let LeakedCredential { tenant, client, id, .. } = leaked;
        let (action, name, member) = match id {
            LeakedId::Secret(secret) => ("secret.leaked", secret.as_str(), "secret"),
            LeakedId::ApiKey(key) => ("api_key.leaked", key.as_str(), "api_key"),
        };
        let mut detail = json!({ "client": client.as_str(), member: name });
        if let Some(LeakPlace { url, kind, .. }) = place {
            (detail["url"], detail["source"]) = (Value::from(url.as_str()), Value::from(kind.as_str()));
        }
        let subject = format!("{client}/{name}");
        let noted = AuditQuery {
            tenant: Some(tenant.clone()),
            action: Some(action.to_owned()),
            subject: Some(subject.clone()),
            limit: REPORTS,
            ..AuditQuery::default()
        };
        let noted = self.store.list_audit(&noted).await?;
        if noted.len() == REPORTS as usize || noted.iter().any(|(_, record)| record.detail == detail) {
            return Ok(());
        }
        let record = AuditRecord::new(reporter(source), now, tenant.clone(), (action, subject, detail));
        self.record(vec![record], now).await
    }
}

fn reporter(source: &str) -> Actor {
    Actor::named("leak report", Some(source.to_owned()))
}
