-- The format of an API's access tokens. NULL: that of the client or the tenant.
ALTER TABLE resource_servers ADD COLUMN token_format TEXT;
