//! Examples of paths, queries, requests and responses outside administration. Together with the
//! examples of the admin API they tell one story: `northwind` joins the platform with its client
//! `billing`. A test sends the requests in this order and compares the responses with the schemas.
//! The client of the sample configuration fetches the tokens.

use serde_json::{Value, json};

use super::operation::{ErrorForm, JSON, NAMES_IN_PATHS, NDJSON, Operation};

impl Operation {
    /// Adds examples of path, query, request and main response.
    pub(super) fn with_examples(mut self) -> Self {
        let is_public = self.form == ErrorForm::OAuth;
        let name = self.object["operationId"].as_str().unwrap_or_default().to_owned();
        for parameter in self.object["parameters"].as_array_mut().into_iter().flatten() {
            if parameter.get("example").is_some() {
                continue;
            }
            let named = parameter["name"].as_str().unwrap_or_default();
            let example = match parameter["in"].as_str() {
                Some("path") => of_path(named, is_public).map(Value::from),
                Some("query") => of_query(&name, named),
                _ => None,
            };
            if let Some(example) = example {
                parameter["example"] = example;
            }
        }
        let [request, answer] = std::mem::take(&mut self.examples);
        if let Some(example) = request.or_else(|| of_request(&name)) {
            for content in members(&mut self.object["requestBody"]["content"]) {
                content["example"] = example.clone();
            }
        }
        if let Some(example) = answer.or_else(|| of_answer(&name)) {
            let answers = ["200", "201"].map(|status| self.object["responses"].get(status).is_some());
            let status = if answers[0] { "200" } else { "201" };
            let content = &mut self.object["responses"][status]["content"];
            let media_type = if content.get(NDJSON).is_some() { NDJSON } else { JSON };
            content[media_type]["example"] = example;
        }
        self
    }
}

fn members(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().into_iter().flat_map(|members| members.values_mut())
}

/// Outside administration, the tenant is the one of the sample configuration.
fn of_path(name: &str, is_public: bool) -> Option<&'static str> {
    if is_public && name == "id" {
        return Some("test-tenant");
    }
    NAMES_IN_PATHS.iter().find(|(known, ..)| *known == name).map(|(.., example)| *example)
}

fn of_query(operation: &str, name: &str) -> Option<Value> {
    Some(match (operation, name) {
        ("forward_auth", "audience") => json!("your-api"),
        ("forward_auth", "scope") => json!("api:read"),
        ("list_tenants", "search") => json!("north"),
        ("list_clients", "search") => json!("bill"),
        (_, "identifier") => json!("ada@example.com"),
        (_, "external_id") => json!("hr-1815"),
        (_, "limit") => json!(20),
        (_, "offset") => json!(0),
        (_, "format") => json!("jwk"),
        // Without `confirm` the example changes nothing.
        (_, "final" | "confirm") => json!(false),
        (_, "tenant") => json!("northwind"),
        (_, "actor") => json!("client:platform/ops"),
        (_, "action") => json!("client."),
        (_, "subject") => json!("billing"),
        (_, "since") => json!("2030-01-31T00:00:00Z"),
        (_, "until") => json!("2030-02-28T00:00:00Z"),
        _ => return None,
    })
}

fn of_request(operation: &str) -> Option<Value> {
    Some(match operation {
        "token" | "default_token" | "default_token_oauth2" => json!({
            "grant_type": "client_credentials",
            "client_id": "your-client-id",
            "client_secret": "your-client-secret",
            "scope": "api:read",
        }),
        "introspect" | "default_introspect" | "revoke" | "default_revoke" | "default_revoke_oauth2" => {
            json!({
                "token": "the access token",
                "client_id": "your-client-id",
                "client_secret": "your-client-secret",
            })
        }
        "execute" => json!({
            "applicationId": "550e8400-e29b-41d4-a716-446655440000",
            "flowType": "AUTHENTICATION",
            "inputs": { "username": "admin", "password": "admin", "requested_permissions": "system" },
        }),
        "create" | "replace" => json!({
            "name": if operation == "create" { "Backend Service" } else { "Backend Service 2" },
            "description": "Calls the orders API",
            "inbound_auth_config": [{
                "type": "oauth2",
                "config": {
                    "grant_types": ["client_credentials"],
                    "token_endpoint_auth_method": "client_secret_basic",
                },
            }],
        }),
        _ => return None,
    })
}

/// Only for JSON responses.
fn of_answer(operation: &str) -> Option<Value> {
    Some(match operation {
        "token" | "default_token" | "default_token_oauth2" => json!({
            "access_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9hdXRoMi1rZXktMSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ5b3VyLWNsaWVudC1pZCJ9.c2lnbmF0dXJl",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "api:read",
        }),
        "introspect" | "default_introspect" => json!({ "active": false }),
        "protected_resource" => json!({
            "data": "Protected resource data",
            "tenant": "test-tenant",
            "caller": { "type": "machine", "client_id": "your-client-id" },
            "scopes": ["api:read"],
        }),
        _ => return None,
    })
}
