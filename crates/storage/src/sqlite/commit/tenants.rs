//! Tenants with their issuers, former `typ` values and words.

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, oauth2_enabled, oidc_enabled,
                         stale_if_error, signing_algorithm, rotate_every, publish_before, jwks_max_age,
                         jwks_stale, skew, rsa_bits, hold_activation, access_token_lifetime, access_token_format,
                         access_token_typ)
    SELECT value ->> 'tenant_id', value ->> 'name', ?3, ?2, ?2, value ->> 'oauth2_enabled',
           value ->> 'oidc_enabled', value ->> 'stale_if_error', value ->> 'signing_algorithm',
           value ->> 'rotate_every', value ->> 'publish_before', value ->> 'jwks_max_age',
           value ->> 'jwks_stale', value ->> 'skew', value ->> 'rsa_bits', value ->> 'hold_activation',
           value ->> 'access_token_lifetime',
           value ->> 'access_token_format', value ->> 'access_token_typ'
      FROM json_each(?1)";

/// The plus keeps SQLite from finding the rows by their door, that is nearly all tenants for each row of the batch.
const TRANSITION: &str = "
    UPDATE tenants
       SET updated_at = ?2,
           retired_at = CASE value ->> 'kind' WHEN 'retired' THEN ?2 WHEN 'restored' THEN NULL ELSE retired_at END,
           suspended_at =
               CASE value ->> 'kind' WHEN 'suspended' THEN ?2 WHEN 'resumed' THEN NULL ELSE suspended_at END,
           deletion_due_at = CASE WHEN value ->> 'kind' = 'deletion_scheduled' THEN value ->> 'deletion_due_at'
                                  WHEN value ->> 'kind' IN ('deletion_cancelled', 'deleted') THEN NULL
                                  ELSE deletion_due_at END,
           deleted_at = IIF(value ->> 'kind' = 'deleted', ?2, deleted_at)
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND deleted_at IS NULL
       AND CASE WHEN value ->> 'kind' IN ('retired', 'restored') THEN +managed_by = ?3
                WHEN value ->> 'kind' = 'deleted' THEN +managed_by = ?3 OR retired_at IS NOT NULL
                ELSE TRUE END";

/// After the steps: a tenant that stops serving, or still does not serve, keeps its keys published until the later time.
const PUBLISH_KEYS: &str = "
    UPDATE tenants
       SET keys_published_until =
               IIF(suspended_at IS NULL AND retired_at IS NULL AND deleted_at IS NULL AND deletion_due_at IS NULL,
                   NULL,
                   MAX(COALESCE(keys_published_until, 0), COALESCE(value ->> 'keys_published_until', 0)))
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id'";

const UPDATE: &str = "
    UPDATE tenants
       SET name = value ->> 'name', updated_at = ?2, oauth2_enabled = value ->> 'oauth2_enabled',
           oidc_enabled = value ->> 'oidc_enabled', stale_if_error = value ->> 'stale_if_error',
           signing_algorithm = value ->> 'signing_algorithm', rotate_every = value ->> 'rotate_every',
           publish_before = value ->> 'publish_before', jwks_max_age = value ->> 'jwks_max_age',
           jwks_stale = value ->> 'jwks_stale', skew = value ->> 'skew', rsa_bits = value ->> 'rsa_bits',
           hold_activation = value ->> 'hold_activation',
           access_token_lifetime = value ->> 'access_token_lifetime',
           access_token_format = value ->> 'access_token_format',
           access_token_typ = value ->> 'access_token_typ'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND +managed_by = ?3 AND retired_at IS NULL AND deleted_at IS NULL";

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
        self.all(INSERT, &tenants.rows.added).await?;
        self.all(TRANSITION, &tenants.rows.transitions).await?;
        self.all(PUBLISH_KEYS, &tenants.rows.transitions).await?;
        self.all(UPDATE, &tenants.rows.changed).await?;
        // All issuers that are given up are free before any is taken, so that two tenants can change places.
        self.each(DELETE_ISSUERS, &tenants.rewritten).await?;
        self.each(DELETE_PREVIOUS_TYPS, &tenants.rewritten).await?;
        self.all(INSERT_ISSUERS, &tenants.issuers).await?;
        self.all(INSERT_PREVIOUS_TYPS, &tenants.former_typs).await?;
        self.each(DELETE_SEARCH_TERMS, &tenants.outdated_terms).await?;
        self.all(INSERT_SEARCH_TERMS, &tenants.search_terms).await
    }
}
