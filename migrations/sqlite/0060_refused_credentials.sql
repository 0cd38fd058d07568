-- When a credential was last presented from an address after its end, and refused; 0 for never. last_used_at is
-- then 0 where it was never accepted from there.
ALTER TABLE secret_uses ADD COLUMN last_refused_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_key_uses ADD COLUMN last_refused_at INTEGER NOT NULL DEFAULT 0;

-- Versions before this one wrote refused attempts into last_used_at.
UPDATE secret_uses SET last_refused_at = last_used_at, last_used_at = 0
 WHERE EXISTS (SELECT 1 FROM client_secrets s
                WHERE s.tenant_id = secret_uses.tenant_id AND s.client_id = secret_uses.client_id
                  AND s.secret_id = secret_uses.secret_id
                  AND (secret_uses.last_used_at > s.expires_at OR secret_uses.last_used_at > s.revoked_at));
UPDATE api_key_uses SET last_refused_at = last_used_at, last_used_at = 0
 WHERE EXISTS (SELECT 1 FROM api_keys k
                WHERE k.tenant_id = api_key_uses.tenant_id AND k.api_key_id = api_key_uses.api_key_id
                  AND (api_key_uses.last_used_at > k.expires_at OR api_key_uses.last_used_at > k.revoked_at));
