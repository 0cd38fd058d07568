//! Tenants with their issuers, former `typ` values and words.

use administration::rows::TenantRows;

use super::{CommitError, CommitWriter};

const INSERT: &str = "
    INSERT INTO tenants (tenant_id, name, managed_by, created_at, updated_at, oauth2_enabled, oidc_enabled,
                         stale_if_error, signing_algorithm, rotate_every, publish_before, jwks_max_age,
                         jwks_stale, skew, rsa_bits, hold_activation, access_token_lifetime, access_token_format,
                         access_token_typ)
    SELECT tenant_id, name, $3, $2, $2, oauth2_enabled, oidc_enabled, stale_if_error, signing_algorithm,
           rotate_every, publish_before, jwks_max_age, jwks_stale, skew, rsa_bits, hold_activation,
           access_token_lifetime, access_token_format, access_token_typ
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, name text, oauth2_enabled boolean, oidc_enabled boolean, stale_if_error bigint,
               signing_algorithm text, rotate_every bigint, publish_before bigint, jwks_max_age bigint,
               jwks_stale bigint, skew bigint, rsa_bits bigint, hold_activation bigint,
               access_token_lifetime bigint, access_token_format text, access_token_typ text)";

/// Its keys stay published until the latest time that was ever said, and that is forgotten when it serves again.
const TRANSITION: &str = "
    UPDATE tenants t
       SET updated_at = $2,
           suspended_at = CASE given.kind
               WHEN 'suspended' THEN $2 WHEN 'resumed' THEN NULL ELSE t.suspended_at END,
           retired_at = CASE given.kind
               WHEN 'retired' THEN $2 WHEN 'restored' THEN NULL ELSE t.retired_at END,
           deletion_due_at = CASE given.kind
               WHEN 'deletion_scheduled' THEN given.deletion_due_at
               WHEN 'deletion_cancelled' THEN NULL WHEN 'deleted' THEN NULL ELSE t.deletion_due_at END,
           deleted_at = CASE given.kind WHEN 'deleted' THEN $2 END,
           keys_published_until = CASE
               WHEN given.kind IN ('resumed', 'restored', 'deletion_cancelled')
                    AND (t.suspended_at IS NULL OR given.kind = 'resumed')
                    AND (t.retired_at IS NULL OR given.kind = 'restored')
                    AND (t.deletion_due_at IS NULL OR given.kind = 'deletion_cancelled') THEN NULL
               ELSE GREATEST(t.keys_published_until, given.keys_published_until) END
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, kind text, deletion_due_at bigint, keys_published_until bigint)
     WHERE t.tenant_id = given.tenant_id AND t.deleted_at IS NULL
       AND (t.managed_by = $3 OR given.kind NOT IN ('restored', 'retired', 'deleted')
            OR (given.kind = 'deleted' AND t.retired_at IS NOT NULL))";

const UPDATE: &str = "
    UPDATE tenants t
       SET name = given.name, updated_at = $2, oauth2_enabled = given.oauth2_enabled,
           oidc_enabled = given.oidc_enabled, stale_if_error = given.stale_if_error,
           signing_algorithm = given.signing_algorithm, rotate_every = given.rotate_every,
           publish_before = given.publish_before, jwks_max_age = given.jwks_max_age,
           jwks_stale = given.jwks_stale, skew = given.skew, rsa_bits = given.rsa_bits,
           hold_activation = given.hold_activation,
           access_token_lifetime = given.access_token_lifetime, access_token_format = given.access_token_format,
           access_token_typ = given.access_token_typ
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, name text, oauth2_enabled boolean, oidc_enabled boolean, stale_if_error bigint,
               signing_algorithm text, rotate_every bigint, publish_before bigint, jwks_max_age bigint,
               jwks_stale bigint, skew bigint, rsa_bits bigint, hold_activation bigint,
               access_token_lifetime bigint, access_token_format text, access_token_typ text)
     WHERE t.tenant_id = given.tenant_id AND t.managed_by = $3 AND t.retired_at IS NULL AND t.deleted_at IS NULL";

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
        self.all(INSERT, &tenants.rows.added).await?;
        self.all(TRANSITION, &tenants.rows.transitions).await?;
        self.all(UPDATE, &tenants.rows.changed).await?;
        self.each(DELETE_ISSUERS, &tenants.rewritten).await?;
        self.each(DELETE_PREVIOUS_TYPS, &tenants.rewritten).await?;
        self.all(INSERT_ISSUERS, &tenants.issuers).await?;
        self.all(INSERT_PREVIOUS_TYPS, &tenants.former_typs).await?;
        self.each(DELETE_SEARCH_TERMS, &tenants.outdated_terms).await?;
        self.all(INSERT_SEARCH_TERMS, &tenants.search_terms).await
    }
}
