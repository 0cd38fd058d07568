-- When a credential was last presented from an address after its end, and refused; 0 for never. last_used_at is
-- then 0 where it was never accepted from there.
ALTER TABLE secret_uses ADD COLUMN last_refused_at bigint NOT NULL DEFAULT 0;
ALTER TABLE api_key_uses ADD COLUMN last_refused_at bigint NOT NULL DEFAULT 0;

-- Versions before this one wrote refused attempts into last_used_at. Under row level security only
-- latchkey_operator sees the rows.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE secret_uses u SET last_refused_at = u.last_used_at, last_used_at = 0
      FROM client_secrets s
     WHERE s.tenant_id = u.tenant_id AND s.client_id = u.client_id AND s.secret_id = u.secret_id
       AND u.last_used_at > LEAST(s.expires_at, s.revoked_at);
    UPDATE api_key_uses u SET last_refused_at = u.last_used_at, last_used_at = 0
      FROM api_keys k
     WHERE k.tenant_id = u.tenant_id AND k.api_key_id = u.api_key_id
       AND u.last_used_at > LEAST(k.expires_at, k.revoked_at);
    SET LOCAL ROLE NONE;
END
$rows$;
