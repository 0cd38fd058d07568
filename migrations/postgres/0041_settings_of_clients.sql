-- The settings of a client as one document. What a statement searches or compares has a copy in a column beside it, so a new setting needs none.
ALTER TABLE clients ADD COLUMN settings text NOT NULL DEFAULT '{}';

-- Under row level security the rows are seen by latchkey_operator only, and a login that cannot act as that role is refused a moment later, which
-- takes all of this back.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE clients SET settings = jsonb_build_object(
        'name', name,
        'authentication_method', authentication_method,
        'grant_types', to_jsonb(grant_types),
        'audiences', to_jsonb(audiences),
        'resources', to_jsonb(resources),
        'scope', scopes,
        'access_token_lifetime', access_token_lifetime,
        'issuer', issuer,
        'introspection', introspection,
        'dpop_bound_access_tokens', dpop_bound_access_tokens,
        'tls_client_certificate_bound_access_tokens', tls_client_certificate_bound_access_tokens,
        'keys', jwks,
        'jwks_uri', jwks_uri,
        'certificate_subject', tls_client_auth_subject,
        'code_flow', code_flow::jsonb)::text;
    SET LOCAL ROLE NONE;
END
$rows$;

ALTER TABLE clients
    DROP COLUMN authentication_method,
    DROP COLUMN grant_types,
    DROP COLUMN audiences,
    DROP COLUMN resources,
    DROP COLUMN scopes,
    DROP COLUMN issuer,
    DROP COLUMN introspection,
    DROP COLUMN dpop_bound_access_tokens,
    DROP COLUMN tls_client_certificate_bound_access_tokens,
    DROP COLUMN jwks,
    DROP COLUMN jwks_uri,
    DROP COLUMN tls_client_auth_subject,
    DROP COLUMN code_flow;
