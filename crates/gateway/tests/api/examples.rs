//! The examples of the OpenAPI document: each matches its schema, and the server accepts each
//! request as printed.

use boon::{Compiler, Schemas};

use crate::applications::{assertion, declare_admin};
use crate::prelude::*;

/// Tenant, client and secret of the sample configuration.
const SAMPLE: (&str, &str, &str) = ("test-tenant", "your-client-id", "your-client-secret");

/// Operations with a request body, in an order in which their examples succeed, with the expected
/// statuses.
const STORY: [(&str, u16); 32] = [
    ("token", 200),
    ("default_token", 200),
    ("default_token_oauth2", 200),
    ("introspect", 200),
    ("default_introspect", 200),
    ("own_usage", 200),
    ("report_leaked_secrets", 202),
    ("sign_report", 200),
    ("revoke", 200),
    ("default_revoke", 200),
    ("default_revoke_oauth2", 200),
    ("create_tenant", 201),
    ("patch_tenant", 200),
    ("create_client", 201),
    ("patch_client", 200),
    ("explain_client", 200),
    ("create_api_key", 201),
    ("patch_api_key", 200),
    ("rotate_api_key", 201),
    ("create_account", 201),
    ("import_accounts", 200),
    ("patch_account", 200),
    ("set_account_password", 200),
    ("create_secret", 201),
    ("rotate_secret", 201),
    ("expire_secret", 200),
    ("rotate_key", 200),
    // The documentation must not contain a private key, so the example is refused.
    ("import_key", 400),
    ("execute", 200),
    ("create", 201),
    ("list", 200),
    ("replace", 200),
];

struct Operation {
    method: Method,
    /// With the examples of its parameters.
    path: String,
    object: Value,
}

fn document() -> Value {
    serde_json::from_str(&gateway::openapi_document()).unwrap()
}

fn operations() -> Vec<Operation> {
    let document = document();
    let operation = |(method, path): (String, String)| {
        let object = document["paths"][&path][&method].clone();
        let (mut filled, mut query) = (path.clone(), Vec::new());
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            let (name, example) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            if parameter["in"] == "header" {
                continue;
            }
            assert!(!example.is_null(), "{path}: no example of {parameter}");
            if parameter["in"] == "path" {
                filled = filled.replace(&format!("{{{name}}}"), &text);
            } else {
                query.push(format!("{name}={text}"));
            }
        }
        if !query.is_empty() {
            filled = format!("{filled}?{}", query.join("&"));
        }
        Operation { method: method.to_uppercase().parse().unwrap(), path: filled, object }
    };
    routes::all().into_iter().map(operation).collect()
}

#[test]
fn operations_have_unique_names_groups_and_security() {
    let (document, mut names) = (document(), BTreeSet::new());
    let groups: Vec<_> = document["tags"].as_array().unwrap().iter().collect();
    assert!(groups.iter().all(|group| !group["description"].as_str().unwrap().is_empty()));
    assert_eq!(groups[0]["name"], "Get a token");
    for Operation { object, path, .. } in operations() {
        assert!(names.insert(object["operationId"].as_str().unwrap().to_owned()), "{path}");
        assert!(groups.iter().any(|group| group["name"] == object["tags"][0]), "{path}: {}", object["tags"]);
        assert!(object["security"].is_array(), "{path}");
        let responses = object["responses"].as_object().unwrap();
        assert!(responses.contains_key("5XX") || responses.contains_key("503"), "{path}");
    }
}

#[test]
fn examples_match_their_schemas() {
    let document = document();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    let mut count = 0;
    for Operation { object, path, .. } in operations() {
        let bodies = object["responses"].as_object().unwrap().values().chain([&object["requestBody"]]);
        for (media_type, content) in bodies.filter_map(|body| body["content"].as_object()).flatten() {
            let Some(example) = content.get("example") else { continue };
            count += 1;
            let name = format!("{count}.json");
            let schema = json!({ "allOf": [content["schema"]], "components": document["components"] });
            compiler.add_resource(&name, schema).unwrap();
            let index = compiler.compile(&name, &mut schemas).unwrap();
            let valid = schemas.validate(example, index);
            assert!(valid.is_ok(), "{path} {media_type}: {:#}", valid.unwrap_err());
        }
    }
    assert!(count > 40, "{count} examples");
}

#[tokio::test]
async fn example_requests_are_accepted() {
    // Forms of pages are sealed, so an example could not succeed.
    let is_of_people = |operation: &Operation| operation.object["tags"][0] == "Sign people in";
    // A console link needs no body. Its form is that of the token endpoint.
    let is_optional = |body: &Value| {
        let mut contents = body["content"].as_object().into_iter().flatten();
        body["required"] == false && contents.all(|(_, content)| content["example"].is_null())
    };
    let with_body = |operation: &Operation| {
        operation.object.get("requestBody").is_some_and(|body| !is_optional(body)) && !is_of_people(operation)
    };
    let named = operations().into_iter().filter(with_body);
    let named: BTreeSet<_> = named.map(|it| it.object["operationId"].as_str().unwrap().to_owned()).collect();
    let told: BTreeSet<_> =
        STORY.iter().map(|(name, _)| (*name).to_owned()).filter(|name| name != "list").collect();
    assert_eq!(named, told, "each request with a body has its place in the story");

    let test_env = TestEnv::over(TestApp::start_with(&options(SAMPLE.0)));
    let admin = test_env.token(PLATFORM, OPS).await;
    create_sample(&test_env, &admin).await;
    declare_admin(&test_env.app);
    let person = assertion(&test_env.app, "admin").await;
    let operations = operations();
    let mut made = Made::default();
    for (name, status) in STORY {
        let operation = operations.iter().find(|it| it.object["operationId"] == name).unwrap();
        let answer = send(&test_env.app, operation, &made, (&admin, &person)).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        match name {
            "create" => made.application = answer.json()["id"].as_str().map(str::to_owned),
            "create_api_key" => made.api_key = answer.json()["id"].as_str().map(str::to_owned),
            "create_account" => made.account = answer.json()["account_id"].as_str().map(str::to_owned),
            _ => {}
        }
    }
    // Forward authentication refuses administrators' tokens.
    let with_query = |operation: &&Operation| {
        operation.path.contains('?')
            && operation.method == Method::GET
            && operation.object["operationId"] != "forward_auth"
    };
    for operation in operations.iter().filter(with_query) {
        let answer = send(&test_env.app, operation, &made, (&admin, &person)).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", operation.path);
        if operation.path.contains("search=") {
            assert_eq!(answer.json()["items"].as_array().unwrap().len(), 1, "{}: {answer:?}", operation.path);
        }
    }
}

/// Ids from earlier responses.
#[derive(Default)]
struct Made {
    application: Option<String>,
    account: Option<String>,
    api_key: Option<String>,
}

/// Uses the person's assertion for the Thunder-compatible API, and the administrator's token for
/// the admin API.
async fn send(app: &TestApp, operation: &Operation, made: &Made, (admin, person): (&str, &str)) -> Answer {
    let printed = ["550e8400-e29b-41d4-a716-446655440000", "usr_mfrggzdfmztwq2lknnwg23tpoa", "4fT9xQ2bV7mK"];
    let known = printed.into_iter().zip([&made.application, &made.account, &made.api_key]);
    let path = known.fold(operation.path.clone(), |path, (printed, made)| match made {
        Some(made) => path.replace(printed, made),
        None => path,
    });
    let mut request = app.request(operation.method.clone(), &path);
    let security = &operation.object["security"];
    if security[0].get("admin_token").is_some() {
        request = request.bearer_auth(admin);
    } else if security[0].get("assertion").is_some() {
        request = request.bearer_auth(person);
    }
    if let Some((media_type, content)) =
        operation.object["requestBody"]["content"].as_object().and_then(|content| content.iter().next())
    {
        let example = &content["example"];
        assert!(example.is_object(), "{path} has no example of its request");
        request = if media_type == "application/x-www-form-urlencoded" {
            request.form(example)
        } else {
            request.header("content-type", media_type).body(example.to_string())
        };
    }
    Answer::to(request).await
}

/// Creates the rows of the sample configuration.
async fn create_sample(test_env: &TestEnv, admin: &str) {
    let (tenant, id, secret) = SAMPLE;
    let scopes = ["api:read", "api:write"];
    let client =
        json!({ "client_id": id, "client_secret": secret, "audiences": ["your-api"], "scopes": scopes });
    let servers = json!({ "your-api": { "scopes": scopes } });
    let body = json!({ "id": tenant, "resource_servers": servers, "client": client });
    test_env.post(admin, TENANTS, body).await.assert_status(201);
}
