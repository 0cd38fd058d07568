//! Tenants with their issuers, former `typ` values and words.

use std::sync::LazyLock;

use administration::rows::TenantRows;

use super::{CommitError, CommitWriter, upsert};
use crate::tables;

/// Every row that the commit decided.
static UPSERT: LazyLock<String> = LazyLock::new(|| upsert(&tables::TENANTS));

const DELETE_ISSUERS: &str = "
    DELETE FROM tenant_issuers
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))";

const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT tenant_id, position, issuer
      FROM json_to_recordset($1::json) AS given (tenant_id text, position bigint, issuer text)";

const DELETE_PREVIOUS_TYPS: &str = "
    DELETE FROM tenant_former_typs
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))";

const INSERT_PREVIOUS_TYPS: &str = "
    INSERT INTO tenant_former_typs (tenant_id, typ, accepted_until)
    SELECT tenant_id, typ, accepted_until
      FROM json_to_recordset($1::json) AS given (tenant_id text, typ text, accepted_until bigint)";

const DELETE_SEARCH_TERMS: &str = "
    DELETE FROM tenant_words
     WHERE tenant_id IN (SELECT tenant_id FROM json_to_recordset($1::json) AS given (tenant_id text))";

const INSERT_SEARCH_TERMS: &str = "
    INSERT INTO tenant_words (tenant_id, word)
    SELECT tenant_id, word FROM json_to_recordset($1::json) AS given (tenant_id text, word text)";

impl CommitWriter<'_> {
    pub(super) async fn tenants(&mut self, tenants: &TenantRows<'_>) -> Result<(), CommitError> {
        self.all(UPSERT.as_str(), &tenants.rows).await?;
        self.each(DELETE_ISSUERS, &tenants.rewritten).await?;
        self.each(DELETE_PREVIOUS_TYPS, &tenants.rewritten).await?;
        self.all(INSERT_ISSUERS, &tenants.issuers).await?;
        self.all(INSERT_PREVIOUS_TYPS, &tenants.former_typs).await?;
        self.each(DELETE_SEARCH_TERMS, &tenants.outdated_terms).await?;
        self.all(INSERT_SEARCH_TERMS, &tenants.search_terms).await
    }
}
