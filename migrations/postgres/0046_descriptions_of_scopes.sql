-- What people read of the scopes of a resource server: a JSON object of texts by scope.
ALTER TABLE resource_servers ADD COLUMN scope_descriptions text NOT NULL DEFAULT '{}';
