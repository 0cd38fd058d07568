-- Access tokens that are bound to a key of their sender (RFC 9449, RFC 8705).

-- The members of a client's registration: RFC 9449 section 5.2 and RFC 8705 section 3.4.
ALTER TABLE clients ADD COLUMN dpop_bound_access_tokens boolean NOT NULL DEFAULT FALSE,
                    ADD COLUMN tls_client_certificate_bound_access_tokens boolean NOT NULL DEFAULT FALSE;

-- Whether each token of the tenant is bound to a key, and whether each DPoP proof has a nonce of the server.
ALTER TABLE tenants ADD COLUMN require_sender_constraint boolean NOT NULL DEFAULT FALSE,
                    ADD COLUMN require_dpop_nonce boolean NOT NULL DEFAULT FALSE;
