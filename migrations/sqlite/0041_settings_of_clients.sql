-- The settings of a client as one document. What a statement searches or compares has a copy in a column beside it, so a new setting needs none.
ALTER TABLE clients ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

UPDATE clients SET settings = json_object(
    'name', name,
    'authentication_method', authentication_method,
    'grant_types', json(grant_types),
    'audiences', json(audiences),
    'resources', json(resources),
    'scope', scopes,
    'access_token_lifetime', access_token_lifetime,
    'issuer', issuer,
    'introspection', introspection,
    'dpop_bound_access_tokens', json(iif(dpop_bound_access_tokens, 'true', 'false')),
    'tls_client_certificate_bound_access_tokens', json(iif(tls_client_certificate_bound_access_tokens, 'true', 'false')),
    'keys', jwks,
    'jwks_uri', jwks_uri,
    'certificate_subject', tls_client_auth_subject,
    'code_flow', json(code_flow));

ALTER TABLE clients DROP COLUMN authentication_method;
ALTER TABLE clients DROP COLUMN grant_types;
ALTER TABLE clients DROP COLUMN audiences;
ALTER TABLE clients DROP COLUMN resources;
ALTER TABLE clients DROP COLUMN scopes;
ALTER TABLE clients DROP COLUMN issuer;
ALTER TABLE clients DROP COLUMN introspection;
ALTER TABLE clients DROP COLUMN dpop_bound_access_tokens;
ALTER TABLE clients DROP COLUMN tls_client_certificate_bound_access_tokens;
ALTER TABLE clients DROP COLUMN jwks;
ALTER TABLE clients DROP COLUMN jwks_uri;
ALTER TABLE clients DROP COLUMN tls_client_auth_subject;
ALTER TABLE clients DROP COLUMN code_flow;
