//! Signing keys, and when a tenant's keys are looked at again. A new key takes its tenant's next number or the commit is superseded.

use administration::rows::{KeyRows, PreviousJwksRow};

use super::{CommitError, CommitWriter};

const TAKE_NUMBERS: &str = "
    UPDATE tenants t SET next_key = given.\"to\"
      FROM json_to_recordset($1::json) AS given (tenant_id text, \"from\" bigint, \"to\" bigint)
     WHERE t.tenant_id = given.tenant_id AND t.next_key = given.\"from\" AND t.deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint, announced_at,
                              active_from, retiring_from, removed_at)
    SELECT tenant_id, number, algorithm, decode(sealed_private_key, 'hex'), thumbprint, announced_at, active_from,
           retiring_from, removed_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, number bigint, algorithm text, sealed_private_key text, thumbprint text,
               announced_at bigint, active_from bigint, retiring_from bigint, removed_at bigint)";

const SET_TIMES: &str = "
    UPDATE signing_keys k
       SET active_from = given.active_from, retiring_from = given.retiring_from, removed_at = given.removed_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, number bigint, active_from bigint, retiring_from bigint, removed_at bigint)
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

const DESTROY: &str = "
    UPDATE signing_keys k SET sealed_private_key = ''
      FROM json_to_recordset($1::json) AS given (tenant_id text, number bigint)
     WHERE k.tenant_id = given.tenant_id AND k.number = given.number";

/// A tenant that never had a key has nothing to look at.
const MAKE_DUE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT t.tenant_id, $2
      FROM json_to_recordset($1::json) AS given (tenant_id text) JOIN tenants t USING (tenant_id)
     WHERE t.next_key > 1 AND t.deleted_at IS NULL
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at";

/// As `keys::life_cycle::extend_retention`, and after everything that it depends on: tokens of a longer lifetime are issued from now on,
/// whenever the next step is taken. Keys that a command took away stay away.
const PROLONG: &str = "
    UPDATE signing_keys k
       SET removed_at = k.retiring_from + policy.retention
      FROM (SELECT t.tenant_id,
                   GREATEST(t.access_token_lifetime,
                            (SELECT MAX(c.access_token_lifetime) FROM clients c
                              WHERE c.tenant_id = t.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL))
                       + t.skew + t.jwks_max_age AS retention
              FROM json_to_recordset($1::json) AS given (tenant_id text) JOIN tenants t USING (tenant_id)
             WHERE t.next_key > 1) AS policy
     WHERE k.tenant_id = policy.tenant_id AND k.removed_at > $2 AND k.retiring_from < k.removed_at
       AND k.removed_at < k.retiring_from + policy.retention";

const SCHEDULE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT tenant_id, due_at FROM json_to_recordset($1::json) AS given (tenant_id text, due_at bigint)
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at";

/// What is noted already counts as long as copies of then may be about.
const NOTE_PREVIOUS_JWKS: &str = "
    INSERT INTO key_schedules AS noted (tenant_id, earlier_jwks_age, earlier_jwks_until)
    SELECT tenant_id, earlier_jwks_age, earlier_jwks_until
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, earlier_jwks_age bigint, earlier_jwks_until bigint)
           JOIN tenants t USING (tenant_id)
     WHERE t.deleted_at IS NULL
    ON CONFLICT (tenant_id) DO UPDATE
       SET earlier_jwks_age = CASE
               WHEN noted.earlier_jwks_until > $2 THEN GREATEST(noted.earlier_jwks_age, excluded.earlier_jwks_age)
               ELSE excluded.earlier_jwks_age END,
           earlier_jwks_until = GREATEST(noted.earlier_jwks_until, excluded.earlier_jwks_until)";

impl CommitWriter<'_> {
    pub(super) async fn keys(&mut self, keys: &KeyRows<'_>) -> Result<(), CommitError> {
        self.all(TAKE_NUMBERS, &keys.taken).await?;
        self.all(INSERT, &keys.added).await?;
        self.all(SET_TIMES, &keys.times).await?;
        self.all(DESTROY, &keys.destroyed).await?;
        self.each(MAKE_DUE, &keys.due_now).await?;
        self.each(PROLONG, &keys.prolonged).await?;
        self.all(SCHEDULE, &keys.due).await
    }

    /// Copies of a deleted tenant's keys are nobody's.
    pub(super) async fn previous_jwks(&mut self, rows: &[PreviousJwksRow<'_>]) -> Result<(), CommitError> {
        self.each(NOTE_PREVIOUS_JWKS, rows).await.map(drop)
    }
}
