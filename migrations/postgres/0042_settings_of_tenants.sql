-- The settings of a tenant as one document, as those of clients: what a statement searches or compares has a copy in a column beside it. Members of
-- `strategies`, `signing`, `access_token` and `assertions` have their own names in it, so that an earlier program keeps those that it does not know.
ALTER TABLE tenants ADD COLUMN settings text NOT NULL DEFAULT '{}';

-- Under row level security the rows are seen by latchkey_operator only, as in the migration before.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE tenants SET settings = jsonb_build_object(
        'strategies.oauth2', oauth2_enabled,
        'strategies.oidc', oidc_enabled,
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
        'access_token.require_sender_constraint', require_sender_constraint,
        'access_token.require_dpop_nonce', require_dpop_nonce,
        'assertions.issuer_only', assertions_for_issuer_only,
        'assertions.max_lifetime', assertion_max_lifetime,
        'name', name,
        'stale_if_error', stale_if_error,
        'subject', subject,
        'refresh_token', refresh_token::jsonb,
        'sign_in', sign_in::jsonb,
        'branding', branding::jsonb,
        'limits', limits::jsonb)::text;
    SET LOCAL ROLE NONE;
END
$rows$;

ALTER TABLE tenants
    DROP COLUMN oauth2_enabled,
    DROP COLUMN oidc_enabled,
    DROP COLUMN signing_algorithm,
    DROP COLUMN rotate_every,
    DROP COLUMN publish_before,
    DROP COLUMN jwks_stale,
    DROP COLUMN rsa_bits,
    DROP COLUMN hold_activation,
    DROP COLUMN access_token_format,
    DROP COLUMN access_token_typ,
    DROP COLUMN require_sender_constraint,
    DROP COLUMN require_dpop_nonce,
    DROP COLUMN assertions_for_issuer_only,
    DROP COLUMN assertion_max_lifetime,
    DROP COLUMN subject,
    DROP COLUMN refresh_token,
    DROP COLUMN sign_in,
    DROP COLUMN branding,
    DROP COLUMN limits;
