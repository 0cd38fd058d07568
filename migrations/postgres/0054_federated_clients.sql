-- By which rules the assertions of other issuers authenticate a client: a copy of its settings, for requests that name no client.
ALTER TABLE clients ADD COLUMN federated text;

CREATE INDEX clients_by_rules ON clients (tenant_id, client_id) WHERE federated IS NOT NULL;
