//! A shell command that sends the example of an operation.

use serde_json::Value;
use values::shell_word;

use super::{SAMPLE, items, members, string};
use crate::request::{FORM, NDJSON};

/// `None` if the operation returns a page, or needs a body that has no example.
pub(super) fn of(method: &str, path: &str, operation: &Value) -> Option<String> {
    let answered = members(&operation["responses"]["200"]["content"]);
    if answered.map(|(media_type, _)| media_type).eq(["text/html"]) {
        return None;
    }
    let mut lines = vec![format!("curl {}", shell_word(&url(path, operation)))];
    let content = members(&operation["requestBody"]["content"]).next();
    let body = content.map(|(media_type, content)| (media_type.as_str(), &content["example"]));
    let body = body.filter(|(_, example)| !example.is_null());
    if body.is_none() && operation["requestBody"]["required"] == true {
        return None;
    }
    if !matches!((method, body), ("get", _) | ("post", Some(_))) {
        lines[0] = format!("curl -X {} {}", method.to_ascii_uppercase(), shell_word(&url(path, operation)));
    }
    let schemes = items(&operation["security"]).iter().flat_map(members);
    let variable = schemes.map(|(scheme, _)| scheme.as_str()).find_map(|scheme| match scheme {
        "access_token" => Some("TOKEN"),
        "admin_token" => Some("ADMIN_TOKEN"),
        "assertion" => Some("ASSERTION"),
        _ => None,
    });
    lines.extend(variable.map(|name| format!("-H \"Authorization: Bearer ${name}\"")));
    match body {
        Some((FORM, form)) => lines.extend(members(form).map(|(name, value)| field(name, &string(value)))),
        Some((media_type, example)) => {
            lines.push(format!("-H {}", shell_word(&format!("Content-Type: {media_type}"))));
            let text = if media_type == NDJSON || example.to_string().len() <= 80 {
                example.to_string()
            } else {
                serde_json::to_string_pretty(example).unwrap_or_default()
            };
            lines.push(format!("-d {}", shell_word(&text)));
        }
        None => {}
    }
    Some(lines.join(" \\\n  "))
}

/// Fills in the examples of path parameters and of required query parameters.
fn url(path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in items(&operation["parameters"]) {
        let (name, example) = (string(&parameter["name"]), string(&parameter["example"]));
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
            Some("query") if parameter["required"] == true => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{SAMPLE}{path}{mark}{}", query.join("&"))
}

fn field(name: &str, value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte);
    if value.bytes().all(is_plain) {
        return format!("-d {name}={value}");
    }
    format!("--data-urlencode {}", shell_word(&format!("{name}={value}")))
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use crate::ListenerSurface;

    #[test]
    fn examples_are_curl_commands() {
        let reference = reference(ListenerSurface::new(true, true));
        let operations = reference.groups.iter().flat_map(|group| &group.operations);
        let shown = [
            "token",
            "introspect",
            "protected_resource",
            "jwks",
            "patch_client",
            "suspend_client",
            "authorize",
        ];
        let shown = operations.filter(|operation| shown.contains(&operation.id.as_str()));
        let shown = shown.map(|it| format!("{}: {}", it.id, it.request.as_deref().unwrap_or("none")));
        insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
        token: curl 'http://localhost:3000/api/v1/tenant/test-tenant/oauth/token' \
          -d client_id=your-client-id \
          -d client_secret=your-client-secret \
          -d grant_type=client_credentials \
          -d scope=api:read
        authorize: none
        introspect: curl 'http://localhost:3000/api/v1/tenant/test-tenant/oauth/introspect' \
          -d client_id=your-client-id \
          -d client_secret=your-client-secret \
          --data-urlencode 'token=the access token'
        jwks: curl 'http://localhost:3000/api/v1/tenant/test-tenant/.well-known/jwks.json'
        protected_resource: curl 'http://localhost:3000/api/v1/protected-resource' \
          -H "Authorization: Bearer $TOKEN"
        patch_client: curl -X PATCH 'http://localhost:3000/api/v1/tenant/northwind/clients/billing' \
          -H "Authorization: Bearer $ADMIN_TOKEN" \
          -H 'Content-Type: application/merge-patch+json' \
          -d '{"access_token_lifetime":900,"description":"Sends invoices"}'
        suspend_client: curl -X POST 'http://localhost:3000/api/v1/tenant/northwind/clients/billing/suspend' \
          -H "Authorization: Bearer $ADMIN_TOKEN"
        "#);
    }
}
