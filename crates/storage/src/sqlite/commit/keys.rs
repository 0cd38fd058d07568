//! Signing keys, and when those of a tenant are looked at again.

use super::{CommitError, CommitWriter};

const TAKE_NUMBERS: &str = "
    UPDATE tenants SET next_key = value ->> 'to'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND next_key = value ->> 'from' AND deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at,
                              active_from, retiring_from, removed_at)
    SELECT value ->> 'tenant_id', value ->> 'number', value ->> 'algorithm', unhex(value ->> 'sealed_private_key'),
           value ->> 'thumbprint', value ->> 'announced_at', value ->> 'active_from', value ->> 'retiring_from',
           value ->> 'removed_at'
      FROM json_each(?1)";

const RESCHEDULE: &str = "
    UPDATE signing_keys
       SET active_from = value ->> 'active_from', retiring_from = value ->> 'retiring_from',
           removed_at = value ->> 'removed_at'
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND number = value ->> 'number'";

const DESTROY: &str = "
    UPDATE signing_keys SET sealed_private_key = x''
      FROM json_each(?1)
     WHERE tenant_id = value ->> 'tenant_id' AND number = value ->> 'number'";

/// A tenant without keys has nothing to be looked at.
const MAKE_DUE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT t.tenant_id, ?2
      FROM json_each(?1) CROSS JOIN tenants t ON t.tenant_id = value ->> 'tenant_id'
     WHERE t.next_key > 1
        ON CONFLICT DO UPDATE SET due_at = excluded.due_at";

/// As `keys::life_cycle::extend_retention`, and after everything that it depends on: tokens of a longer lifetime are issued from now on,
/// whenever the next step is taken. Keys that a command took away stay away.
const PROLONG: &str = "
    UPDATE signing_keys AS k
       SET removed_at = k.retiring_from + p.longest + p.skew + p.jwks_max_age
      FROM (SELECT t.tenant_id, t.skew, t.jwks_max_age,
                   MAX(t.access_token_lifetime,
                       COALESCE((SELECT MAX(c.access_token_lifetime) FROM clients c
                                  WHERE c.tenant_id = t.tenant_id AND c.access_token_lifetime IS NOT NULL
                                    AND c.retired_at IS NULL AND c.deleted_at IS NULL), 0)) AS longest
              FROM json_each(?1) CROSS JOIN tenants t ON t.tenant_id = value ->> 'tenant_id'
             WHERE t.next_key > 1) AS p
     WHERE k.tenant_id = p.tenant_id AND k.removed_at > ?2 AND k.retiring_from < k.removed_at
       AND k.removed_at < k.retiring_from + p.longest + p.skew + p.jwks_max_age";

/// `TRUE` tells the source from a conflict clause.
const DUE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT value ->> 'tenant_id', value ->> 'due_at' FROM json_each(?1) WHERE TRUE
        ON CONFLICT DO UPDATE SET due_at = excluded.due_at";

/// What is noted already counts as long as copies of then may be about.
const PREVIOUS_JWKS: &str = "
    INSERT INTO key_schedules (tenant_id, earlier_jwks_age, earlier_jwks_until)
    SELECT t.tenant_id, value ->> 'earlier_jwks_age', value ->> 'earlier_jwks_until'
      FROM json_each(?1) CROSS JOIN tenants t ON t.tenant_id = value ->> 'tenant_id'
     WHERE t.deleted_at IS NULL
        ON CONFLICT DO UPDATE
       SET earlier_jwks_age = IIF(earlier_jwks_until > ?2, MAX(earlier_jwks_age, excluded.earlier_jwks_age),
                                  excluded.earlier_jwks_age),
           earlier_jwks_until = MAX(COALESCE(earlier_jwks_until, 0), excluded.earlier_jwks_until)";

#[cfg(test)]
pub(crate) const STATEMENTS: [&str; 8] =
    [TAKE_NUMBERS, INSERT, RESCHEDULE, DESTROY, MAKE_DUE, PROLONG, DUE, PREVIOUS_JWKS];

impl CommitWriter<'_> {
    pub(super) async fn keys(&mut self) -> Result<(), CommitError> {
        let keys = &self.rows.keys;
        self.all(TAKE_NUMBERS, &keys.taken).await?;
        self.all(INSERT, &keys.added).await?;
        self.all(RESCHEDULE, &keys.times).await?;
        self.all(DESTROY, &keys.destroyed).await?;
        self.each(MAKE_DUE, &keys.due_now).await?;
        self.each(PROLONG, &keys.prolonged).await?;
        self.all(DUE, &keys.due).await
    }

    pub(super) async fn previous_jwks(&mut self) -> Result<(), CommitError> {
        self.each(PREVIOUS_JWKS, &self.rows.previous_jwks).await?;
        Ok(())
    }
}
