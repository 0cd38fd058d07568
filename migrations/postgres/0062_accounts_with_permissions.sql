-- Few accounts have permissions. A change by the last administrator of a tenant looks for the others.
CREATE INDEX accounts_with_permissions ON accounts (tenant_id, account_id) WHERE permissions <> '';
