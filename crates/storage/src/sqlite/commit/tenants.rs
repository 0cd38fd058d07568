//! Tenants with their issuers, former `typ` values and words.

use std::sync::LazyLock;

use super::{CommitError, CommitWriter, upsert};
use crate::tables;

/// Every row that the commit decided.
static UPSERT: LazyLock<String> = LazyLock::new(|| upsert(&tables::TENANTS));

const DELETE_ISSUERS: &str = "
    DELETE FROM tenant_issuers WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))";

const INSERT_ISSUERS: &str = "
    INSERT INTO tenant_issuers (tenant_id, position, issuer)
    SELECT value ->> 'tenant_id', value ->> 'position', value ->> 'issuer' FROM json_each(?1)";

const DELETE_PREVIOUS_TYPS: &str = "
    DELETE FROM tenant_former_typs WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))";

const INSERT_PREVIOUS_TYPS: &str = "
    INSERT INTO tenant_former_typs (tenant_id, typ, accepted_until)
    SELECT value ->> 'tenant_id', value ->> 'typ', value ->> 'accepted_until' FROM json_each(?1)";

const DELETE_SEARCH_TERMS: &str = "
    DELETE FROM tenant_words WHERE tenant_id IN (SELECT value ->> 'tenant_id' FROM json_each(?1))";

pub(crate) const INSERT_SEARCH_TERMS: &str = "
    INSERT INTO tenant_words (word, tenant_id)
    SELECT value ->> 'word', value ->> 'tenant_id' FROM json_each(?1)";

impl CommitWriter<'_> {
    pub(super) async fn tenants(&mut self) -> Result<(), CommitError> {
        let tenants = &self.rows.tenants;
        self.all(UPSERT.as_str(), &tenants.rows).await?;
        // All issuers that are given up are free before any is taken, so that two tenants can change places.
        self.each(DELETE_ISSUERS, &tenants.rewritten).await?;
        self.each(DELETE_PREVIOUS_TYPS, &tenants.rewritten).await?;
        self.all(INSERT_ISSUERS, &tenants.issuers).await?;
        self.all(INSERT_PREVIOUS_TYPS, &tenants.former_typs).await?;
        self.each(DELETE_SEARCH_TERMS, &tenants.outdated_terms).await?;
        self.all(INSERT_SEARCH_TERMS, &tenants.search_terms).await
    }
}
