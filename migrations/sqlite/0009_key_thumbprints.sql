-- Which tenant a private key belongs to, by the RFC 7638 thumbprint of its public key. A key of two tenants would let a verifier that
-- checks only the signature take the tokens of one for those of the other.
--
-- A row is never deleted: verifiers may trust the key of a deleted tenant for as long as they like. It names the tenant and the public
-- key, and nothing else.
CREATE TABLE key_thumbprints (
    thumbprint TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id)
) STRICT, WITHOUT ROWID;

-- Keys that exist already stay where they are, also where two tenants have the same one: the tenant that had it first owns it. The
-- keys of a deleted tenant are gone; its first key is still known.
INSERT INTO key_thumbprints (thumbprint, tenant_id)
SELECT thumbprint, tenant_id
  FROM (SELECT thumbprint, tenant_id, announced_at AS since FROM signing_keys
         UNION ALL
        SELECT first_key_thumbprint, tenant_id, created_at FROM tenants WHERE first_key_thumbprint IS NOT NULL)
 WHERE TRUE
 ORDER BY since, tenant_id
    ON CONFLICT (thumbprint) DO NOTHING;

-- A trigger, so that a program of the version before, beside this one, claims the thumbprints of its new keys too. A tenant may have
-- the same key again; another tenant violates the primary key.
CREATE TRIGGER signing_keys_claim_thumbprint AFTER INSERT ON signing_keys
BEGIN
    INSERT INTO key_thumbprints (thumbprint, tenant_id)
    SELECT NEW.thumbprint, NEW.tenant_id
     WHERE NOT EXISTS (SELECT 1 FROM key_thumbprints
                        WHERE thumbprint = NEW.thumbprint AND tenant_id = NEW.tenant_id);
END;
