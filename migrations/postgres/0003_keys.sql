-- Signing keys, and the platform's own secrets: all of it sealed before it comes here.

CREATE TABLE signing_keys (
    tenant_id          text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    number             bigint NOT NULL CHECK (number > 0),   -- N of the kid oauth2-key-N
    algorithm          text   NOT NULL,
    sealed_private_key bytea  NOT NULL,
    thumbprint         text   NOT NULL,
    announced_at       bigint NOT NULL,
    active_from        bigint NOT NULL,
    retiring_from      bigint,
    removed_at         bigint,
    PRIMARY KEY (tenant_id, number)
);

-- Of the platform, not of a tenant: the pepper is one of them.
CREATE TABLE sealed_values (
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    sealed     bytea  NOT NULL,
    created_at bigint NOT NULL
);
