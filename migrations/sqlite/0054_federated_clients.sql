-- By which rules the assertions of other issuers authenticate a client: a copy of its settings, for requests that name no client.
ALTER TABLE clients ADD COLUMN federated TEXT;

CREATE INDEX clients_by_rules ON clients (tenant_id, federated) WHERE federated IS NOT NULL;
