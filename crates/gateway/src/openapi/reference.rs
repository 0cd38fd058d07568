//! The API reference as a page, generated from the OpenAPI document of a listener.

mod command;
mod kind;
mod said;

use pages::{
    DescribedOperation, DescribedSchema, OperationGroup, Reference, ReferenceMember, Said, TokenField,
    TokenPlace,
};
use serde_json::{Map, Value};
use values::shell_word;

use super::document_of;
use crate::ListenerSurface;
use kind::{facts, kind};
use said::{code, paragraphs, said, text};

/// The address in the sample configuration, which the examples use.
const SAMPLE: &str = "http://localhost:3000";
/// The token endpoint of a tenant.
const TOKEN: &str = "/api/v1/tenant/{id}/oauth/token";
/// The order on the page.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const EXAMPLES: &str = "The examples read a token from the shell variables `$TOKEN`, `$ADMIN_TOKEN` and \
    `$ASSERTION`. The examples for the tenant `test-tenant` run against the sample configuration; the \
    examples for administration need `latchkey admin init` first, and create the tenant `northwind` with \
    the client `billing`.";

/// The reference of a listener.
pub(crate) fn reference(surface: ListenerSurface) -> Reference {
    // Cannot fail: the build embeds the document.
    let document: Value = serde_json::from_str(&document_of(surface)).unwrap_or_default();
    let groups = items(&document["tags"]).iter().enumerate().map(|(index, tag)| OperationGroup {
        number: index + 1,
        name: string(&tag["name"]),
        description: said(&tag["description"]),
        operations: operations(&document, &tag["name"]),
    });
    let schemas = members(&document["components"]["schemas"]);
    Reference {
        version: string(&document["info"]["version"]),
        introduction: paragraphs(document["info"]["description"].as_str().unwrap_or_default()),
        address: SAMPLE.to_owned(),
        token: token_place(&document),
        examples: said(&Value::from(EXAMPLES)),
        groups: groups.collect(),
        schemas: schemas.map(|(name, schema)| described_schema(name, schema)).collect(),
    }
}

/// If this listener issues no tokens, the page names the sample listener that does.
fn token_place(document: &Value) -> TokenPlace {
    let operation = &document["paths"][TOKEN]["post"];
    let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["example"];
    if form.is_null() {
        let credentials = "-d grant_type=client_credentials -d client_id=your-client-id -d client_secret=your-client-secret";
        let url = format!("{SAMPLE}{}", TOKEN.replace("{id}", "test-tenant"));
        return TokenPlace::Elsewhere { command: format!("curl {} {credentials}", shell_word(&url)) };
    }
    let field = |name, kind, is_required, sample: &Value| TokenField {
        name,
        kind,
        is_required,
        sample: string(sample),
    };
    TokenPlace::Here {
        path: TOKEN.to_owned(),
        fields: vec![
            field("tenant", "text", true, &operation["parameters"][0]["example"]),
            field("client_id", "text", true, &form["client_id"]),
            field("client_secret", "password", true, &form["client_secret"]),
            field("scope", "text", false, &form["scope"]),
        ],
        command: command::of("post", TOKEN, operation).unwrap_or_default(),
    }
}

/// Ordered by path, then by method.
fn operations(document: &Value, tag: &Value) -> Vec<DescribedOperation> {
    let of_path = |(path, methods): (&String, &Value)| {
        let of_group = METHODS.into_iter().filter(|method| methods[*method]["tags"][0] == *tag);
        of_group
            .map(|method| described_operation(document, path, method, &methods[method]))
            .collect::<Vec<_>>()
    };
    members(&document["paths"]).flat_map(of_path).collect()
}

fn described_operation(document: &Value, path: &str, method: &str, operation: &Value) -> DescribedOperation {
    let answers = members(&operation["responses"]);
    let answers = answers.map(|(status, answer)| {
        let description = [said(&answer["description"]), schemas_of(&answer["content"], ": ")].concat();
        (status.clone(), description)
    });
    let example = ["200", "201"].into_iter().find_map(|status| {
        let contents = members(&operation["responses"][status]["content"]);
        contents.map(|(_, content)| &content["example"]).find(|example| !example.is_null())
    });
    DescribedOperation {
        id: string(&operation["operationId"]),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: said(&operation["summary"]),
        authorization: authorization(document, &operation["security"]),
        parameters: items(&operation["parameters"]).iter().map(parameter).collect(),
        body: operation.get("requestBody").map(body),
        answers: answers.collect(),
        request: command::of(method, path, operation),
        answer: example.and_then(|example| serde_json::to_string_pretty(example).ok()),
    }
}

/// Any one of the listed alternatives is enough.
fn authorization(document: &Value, alternatives: &Value) -> Said {
    let schemes = &document["components"]["securitySchemes"];
    let mut ways: Vec<Said> = Vec::new();
    for alternative in items(alternatives) {
        ways.extend(members(alternative).map(|(name, scopes)| {
            let header = if schemes[name]["scheme"] == "basic" {
                [code("Authorization: Basic"), text(" with the id and the secret of the client")].concat()
            } else {
                let token = match name.as_str() {
                    "admin_token" => " with a token for administration",
                    "assertion" => " with an assertion",
                    _ => " with an access token",
                };
                [code("Authorization: Bearer"), text(token)].concat()
            };
            let scopes =
                items(scopes).iter().flat_map(|scope| [text(" and the scope "), code(&string(scope))]);
            [header, scopes.flatten().collect()].concat()
        }));
    }
    let is_optional = items(alternatives).iter().any(|alternative| members(alternative).next().is_none());
    let takes_form =
        items(alternatives).iter().any(|alternative| alternative.get("client_secret_basic").is_some());
    let ending = match (is_optional, takes_form) {
        (true, true) => ", or both in the body.",
        (true, false) => ", or none.",
        (false, _) => ".",
    };
    if ways.is_empty() {
        text("Without a token.")
    } else {
        [ways.join(&text(" or ")[..]), text(ending)].concat()
    }
}

fn parameter(parameter: &Value) -> ReferenceMember {
    let place = format!(", in the {}", parameter["in"].as_str().unwrap_or_default());
    let is_needed = parameter["required"] == true && parameter["in"] != "path";
    let needed = if is_needed { ", required" } else { "" };
    ReferenceMember {
        name: string(&parameter["name"]),
        kind: [kind(&parameter["schema"]), text(&place), text(needed)].concat(),
        description: [said(&parameter["description"]), facts(&parameter["schema"])].concat(),
    }
}

fn body(body: &Value) -> Said {
    let mut described = schemas_of(&body["content"], "");
    described.extend(text(if body["required"] == true { "." } else { ", optional." }));
    if body["description"].is_string() {
        described.extend(text(" "));
        described.extend(said(&body["description"]));
    }
    described
}

/// The media types of a body with their schemas.
fn schemas_of(content: &Value, before: &str) -> Said {
    let mut all = Vec::new();
    for (media_type, content) in members(content) {
        all.extend(text(if all.is_empty() { before } else { ", " }));
        all.extend(code(media_type));
        if content["schema"].get("$ref").is_some() {
            all.extend(text(" "));
            all.extend(kind(&content["schema"]));
        }
    }
    all
}

fn described_schema(name: &str, schema: &Value) -> DescribedSchema {
    let required = items(&schema["required"]);
    let described = members(&schema["properties"]).map(|(name, member)| {
        let needed = if required.iter().any(|it| it == name) { ", required" } else { "" };
        ReferenceMember {
            name: name.clone(),
            kind: [kind(member), text(needed)].concat(),
            description: [said(&member["description"]), facts(member)].concat(),
        }
    });
    let described: Vec<_> = described.collect();
    let mut description = said(&schema["description"]);
    if described.is_empty() {
        description.extend(text(if description.is_empty() { "" } else { " " }));
        description.extend(kind(schema));
        description.extend(text("."));
        description.extend(facts(schema));
    }
    DescribedSchema { name: name.to_owned(), description, members: described }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// Strings without quotes, all other values as JSON.
fn string(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use pages::TextSpan;

    use super::*;

    fn operation<'a>(reference: &'a Reference, id: &str) -> &'a DescribedOperation {
        let mut all = reference.groups.iter().flat_map(|group| &group.operations);
        all.find(|operation| operation.id == id).unwrap()
    }

    fn plain(said: &[TextSpan]) -> String {
        let part = |span: &TextSpan| match span {
            TextSpan::Text(text) | TextSpan::Strong(text) => text.clone(),
            TextSpan::Code(code) => format!("`{code}`"),
            TextSpan::Schema(name) => format!("<{name}>"),
        };
        said.iter().map(part).collect()
    }

    #[test]
    fn operation_describes_its_caller_parameters_and_responses() {
        let reference = reference(ListenerSurface::new(true, true));
        let client = operation(&reference, "create_client");
        let parameters = client.parameters.iter();
        let parameters =
            parameters.map(|it| format!("{} {}: {}", it.name, plain(&it.kind), plain(&it.description)));
        let answers = client.answers.iter().take(2);
        let answers = answers.map(|(status, description)| format!("{status} {}", plain(description)));
        let lines: Vec<_> = parameters.chain(answers).collect();
        insta::assert_snapshot!(format!(
            "{} {}: {}\n{}\n{}\n{}",
            client.method,
            client.path,
            plain(&client.summary),
            plain(&client.authorization),
            plain(client.body.as_ref().unwrap()),
            lines.join("\n"),
        ), @r"
        POST /api/v1/tenant/{id}/clients: Register a client.
        `Authorization: Bearer` with a token for administration and the scope `latchkey:clients`.
        `application/json` <NewClient>, optional. All members have defaults
        id string, in the path: Tenant id
        Idempotency-Key string or null, in the header: Repeating a request with the same key within 24 h returns the same response
        201 The client with its secret, which is shown only in this response; Location and ETag: `application/json` <CreatedClient>
        400 The request is malformed: `application/problem+json` <Problem>
        ");
        let token = operation(&reference, "token");
        insta::assert_snapshot!(plain(&token.authorization), @"`Authorization: Basic` with the id and the secret of the client, or both in the body.");
        insta::assert_snapshot!(plain(&operation(&reference, "live").authorization), @"Without a token.");
    }

    #[test]
    fn schema_lists_its_members_with_types() {
        let reference = reference(ListenerSurface::new(true, true));
        let shown = ["Audience", "Rotation", "ImportResult", "TokenForm"].map(|name| {
            let schema = reference.schemas.iter().find(|schema| schema.name == name).unwrap();
            let members = schema.members.iter();
            let members = members
                .map(|it| format!("\n  {} ({}): {}", it.name, plain(&it.kind), plain(&it.description)));
            format!("{name}: {}{}", plain(&schema.description), members.collect::<String>())
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        Audience: RFC 7519 section 4.1.3: one value as a string, several as an array. string or list of string.
        Rotation: Settings for the rotation of a secret.
          expires_at (string (date-time) or null): When the new secret expires. Default: never.
          grace (integer or null): How long the old secrets stay valid. Default: one day. Example: `86400`.
          into (string or null): The place in a secret store to which Latchkey writes the new secret instead of returning it:
        `STORE:PATH#KEY`. The old secrets expire only after the write succeeds. Example: `vault:oauth2/billing#client_secret`.
          name (string or null): A name for the new secret.
        ImportResult: The result of importing a line. `created` or `exists` or `refused`. `created`: A new account was created. `exists`: An account already has the line's identifiers. Nothing was changed. `refused`: Nothing was created; `errors` says why.
        TokenForm: RFC 6749 section 4.4.2, RFC 8707 section 2.1. Apart from `resource` and `audience`, a parameter that is
        sent twice is refused. An unknown parameter is ignored, and an empty parameter counts as absent.
          audience (list of string or null): Like `resource`, but does not have to be a URI; the two count together. Only for `client_credentials`
        and `refresh_token`: with a code it is `invalid_request`.
          client_id (string or null): Required unless the Authorization header identifies the client. Example: `your-client-id`.
          client_secret (string (password) or null): Required unless the Authorization header contains it; never send it in both. Example: `your-client-secret`.
          code (string (password) or null): For `authorization_code`: the code.
          code_verifier (string (password) or null): For `authorization_code`: the verifier of the code challenge (RFC 7636 section 4.5).
          device_code (string (password) or null): For the device grant: the device's code (RFC 8628 section 3.4).
          grant_type (string, required): `client_credentials` for the client itself, `authorization_code` for a person,
        `urn:ietf:params:oauth:grant-type:device_code` for a person with a device, and `refresh_token`
        for the same person again. One of `client_credentials`, `authorization_code`, `refresh_token`, `urn:ietf:params:oauth:grant-type:device_code`. Example: `client_credentials`.
          redirect_uri (string or null): For `authorization_code`: the redirect URI of the authorization request.
          refresh_token (string (password) or null): For `refresh_token`: the token (RFC 6749 section 6).
          resource (list of string or null): Where the token will be used: an absolute URI. You can repeat it up to 16 times.
          scope (string or null): Space-separated, at most 128; if absent, all registered scopes. Example: `api:read api:write`.
        ");
    }

    #[test]
    fn each_listener_shows_its_operations_once() {
        for (public, admin) in [(true, true), (true, false), (false, true)] {
            let surface = ListenerSurface::new(public, admin);
            let document: Value = serde_json::from_str(&document_of(surface)).unwrap();
            let mut expected: Vec<_> = members(&document["paths"])
                .flat_map(|(_, methods)| members(methods))
                .map(|(_, operation)| string(&operation["operationId"]))
                .collect();
            let reference = reference(surface);
            let mut shown: Vec<_> =
                reference.groups.iter().flat_map(|group| &group.operations).map(|it| it.id.clone()).collect();
            expected.sort_unstable();
            shown.sort_unstable();
            assert_eq!(shown, expected);
            assert_eq!(matches!(reference.token, TokenPlace::Here { .. }), public);
        }
    }
}
