-- Access tokens that are bound to a key of their sender (RFC 9449, RFC 8705).

-- The members of a client's registration: RFC 9449 section 5.2 and RFC 8705 section 3.4.
ALTER TABLE clients ADD COLUMN dpop_bound_access_tokens INTEGER NOT NULL DEFAULT 0 CHECK (dpop_bound_access_tokens IN (0, 1));
ALTER TABLE clients ADD COLUMN tls_client_certificate_bound_access_tokens INTEGER NOT NULL DEFAULT 0
                               CHECK (tls_client_certificate_bound_access_tokens IN (0, 1));

-- Whether each token of the tenant is bound to a key, and whether each DPoP proof has a nonce of the server.
ALTER TABLE tenants ADD COLUMN require_sender_constraint INTEGER NOT NULL DEFAULT 0 CHECK (require_sender_constraint IN (0, 1));
ALTER TABLE tenants ADD COLUMN require_dpop_nonce INTEGER NOT NULL DEFAULT 0 CHECK (require_dpop_nonce IN (0, 1));
