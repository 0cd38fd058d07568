//! Handles reported credentials, as the policy of their tenant demands.

use registry::{ClientId, SecretId, SecretPath};
use secrets::presented_token;
use serde_json::{Value, json};
use tenancy::{LeakAction, LeakPolicy, TenantId};
use values::{Secret, Timestamp};

use super::load::Needs;
use super::{Administrator, Caller};
use crate::audit::AuditRecord;
use crate::audit::leaks::LeakPlace;
use crate::edit;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::kinds;
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
    name: LeakedName,
    ends_at: Option<Timestamp>,
}

#[derive(Debug)]
enum LeakedName {
    Secret(ClientId, SecretId),
    Key(kinds::api_key::Name),
}

impl Administrator {
    /// Finds the credentials whose value is this text. Several clients may have the same declared secret.
    pub async fn find_leaked(&self, text: &Secret) -> Edited<Vec<LeakedCredential>> {
        if let Some(keys) = self.find_api_keys_by_value(text).await? {
            let leaked = keys.into_iter().map(|key| LeakedCredential {
                ends_at: Some(key.ends_at()),
                tenant: key.tenant,
                name: LeakedName::Key((key.client, key.id)),
            });
            return Ok(leaked.collect());
        }
        let mut found = Vec::new();
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
                    found.push(LeakedCredential {
                        tenant,
                        name: LeakedName::Secret(client, secret.id),
                        ends_at,
                    });
                }
            }
        }
    }

    /// Revokes a reported credential, or only records the report, as the policy of its tenant says. The
    /// report needs no proof, because the reporter has the credential.
    pub async fn end_leaked(&self, leaked: &LeakedCredential, source: &str, now: Timestamp) -> Edited<()> {
        let LeakedCredential { tenant, name, ends_at } = leaked;
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
        let ended = match name {
            LeakedName::Secret(client, secret) => {
                let step =
                    end.map_or(edit::secret::Step::Revoke, |end| edit::secret::Step::Expire(Some(end)));
                within.step_secret(client, secret, step).await.map(drop)
            }
            LeakedName::Key(name) => within.end_api_key(name, end).await,
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
        let LeakedCredential { tenant, name, .. } = leaked;
        let (action, client, name, member) = match name {
            LeakedName::Secret(client, secret) => ("secret.leaked", client, secret.as_str(), "secret"),
            LeakedName::Key((client, key)) => ("api_key.leaked", client, key.as_str(), "api_key"),
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
