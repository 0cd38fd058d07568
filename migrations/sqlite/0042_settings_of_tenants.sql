-- The settings of a tenant as one document, as those of clients: what a statement searches or compares has a copy in a column beside it. Members of
-- `strategies`, `signing`, `access_token` and `assertions` have their own names in it, so that an earlier program keeps those that it does not know.
ALTER TABLE tenants ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

UPDATE tenants SET settings = json_object(
    'strategies.oauth2', json(iif(oauth2_enabled, 'true', 'false')),
    'strategies.oidc', json(iif(oidc_enabled, 'true', 'false')),
    'signing.algorithm', signing_algorithm,
    'signing.rotate_every', rotate_every,
    'signing.publish_before', publish_before,
    'signing.jwks_max_age', jwks_max_age,
    'signing.jwks_stale', jwks_stale,
    'signing.skew', skew,
    'signing.rsa_bits', rsa_bits,
    'signing.hold_activation', hold_activation,
    'access_token.lifetime', access_token_lifetime,
    'access_token.format', access_token_format,
    'access_token.typ', access_token_typ,
    'access_token.require_sender_constraint', json(iif(require_sender_constraint, 'true', 'false')),
    'access_token.require_dpop_nonce', json(iif(require_dpop_nonce, 'true', 'false')),
    'assertions.issuer_only', json(iif(assertions_for_issuer_only, 'true', 'false')),
    'assertions.max_lifetime', assertion_max_lifetime,
    'name', name,
    'stale_if_error', stale_if_error,
    'subject', subject,
    'refresh_token', json(refresh_token),
    'sign_in', json(sign_in),
    'branding', json(branding),
    'limits', json(limits));

ALTER TABLE tenants DROP COLUMN oauth2_enabled;
ALTER TABLE tenants DROP COLUMN oidc_enabled;
ALTER TABLE tenants DROP COLUMN signing_algorithm;
ALTER TABLE tenants DROP COLUMN rotate_every;
ALTER TABLE tenants DROP COLUMN publish_before;
ALTER TABLE tenants DROP COLUMN jwks_stale;
ALTER TABLE tenants DROP COLUMN rsa_bits;
ALTER TABLE tenants DROP COLUMN hold_activation;
ALTER TABLE tenants DROP COLUMN access_token_format;
ALTER TABLE tenants DROP COLUMN access_token_typ;
ALTER TABLE tenants DROP COLUMN require_sender_constraint;
ALTER TABLE tenants DROP COLUMN require_dpop_nonce;
ALTER TABLE tenants DROP COLUMN assertions_for_issuer_only;
ALTER TABLE tenants DROP COLUMN assertion_max_lifetime;
ALTER TABLE tenants DROP COLUMN subject;
ALTER TABLE tenants DROP COLUMN refresh_token;
ALTER TABLE tenants DROP COLUMN sign_in;
ALTER TABLE tenants DROP COLUMN branding;
ALTER TABLE tenants DROP COLUMN limits;
