//! Finds credentials by their public parts, across tenants on purpose: a report of a leak does not name the
//! client.

use administration::LeakedCredentials;
use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, ClientId, ClientSecret, SecretPath};
use tenancy::{Stored, TenantId};

use crate::columns::columns;
use crate::database::Database;
use crate::statement::Statement;

const BY_HINT: &str = "
    SELECT {columns(s)} FROM client_secrets s
     WHERE s.hint = $1 AND s.hint <> '' AND (s.tenant_id, s.client_id, s.secret_id) > ($2, $3, $4)
     ORDER BY s.tenant_id, s.client_id, s.secret_id
     LIMIT $5";
const BY_NAME: &str = "SELECT {columns(k)} FROM api_keys k WHERE k.api_key_id = $1 LIMIT 1000";

/// A secret with its names.
struct FoundCredential {
    tenant: TenantId,
    client: ClientId,
    secret: ClientSecret,
}

columns! {
    FoundCredential { tenant: "tenant_id", client: "client_id" } with { secret: ClientSecret }
}

#[async_trait]
impl LeakedCredentials for Database {
    async fn find_secrets_by_hint(
        &self,
        hint: &str,
        after: Option<&SecretPath>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, ClientId, ClientSecret)>> {
        let names = |after: &SecretPath| {
            [after.tenant.as_str(), after.client.as_str(), after.secret.as_str()].map(str::to_owned)
        };
        let [tenant, client, secret] = after.map(names).unwrap_or_default();
        let statement = Statement::from_text(BY_HINT).bind(hint).bind(tenant).bind(client).bind(secret);
        let found: Vec<FoundCredential> = self.read(statement.bind(limit)).await?;
        Ok(found
            .into_iter()
            .map(|FoundCredential { tenant, client, secret }| (tenant, client, secret))
            .collect())
    }

    async fn find_api_keys_named(&self, key: &ApiKeyId) -> Stored<Vec<ApiKey>> {
        Ok(self.read(Statement::from_text(BY_NAME).bind(key.as_str())).await?)
    }
}
