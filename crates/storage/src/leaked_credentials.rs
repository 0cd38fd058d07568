//! Finds client secrets by their hints. Searches across tenants on purpose: a leak report does not name
//! the client.

use administration::store::LeakedCredentials;
use async_trait::async_trait;
use registry::{ClientId, ClientSecret, SecretPath};
use tenancy::{Stored, TenantId};

use crate::columns::columns;
use crate::database::Database;
use crate::statement::Statement;

const BY_HINT: &str = "
    SELECT {columns(s)} FROM client_secrets s
     WHERE s.hint = $1 AND s.hint <> '' AND (s.tenant_id, s.client_id, s.secret_id) > ($2, $3, $4)
     ORDER BY s.tenant_id, s.client_id, s.secret_id
     LIMIT $5";

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
}
