//! The client guide in five languages: its examples run as printed with their own settings, on both
//! listeners. For Go and Rust, the test sends the requests that the examples would send.

use std::collections::HashMap;

use serde_json::Value;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::foreign::{bash, example, node, pointed, python};
use crate::jwt;
use crate::program::Program;
use crate::quick_start::compact;
use crate::settings;
use crate::stub_api::StubApi;
use crate::thunder_api;

const CLIENT: (&str, &str) = ("YOUR_CLIENT_ID", "YOUR_CLIENT_SECRET");
const ENVIRONMENT: [(&str, &str); 2] = [("CLIENT_ID", CLIENT.0), ("CLIENT_SECRET", CLIENT.1)];
const PRINTED_BASE: &str = "http://localhost:8080";

/// The lines of the form in step 1 are joined: the line breaks in the document are typographic, and each
/// would become part of the next name. The space in the last line is sent as printed.
#[tokio::test]
async fn curl_and_step_1_get_the_printed_response() {
    let (_folder, program) = start();
    for address in program.addresses().iter().take(2) {
        let command = pointed(&printed("curl.sh"), &[(PRINTED_BASE, &format!("http://{address}"))]);
        assert_as_printed(&bash(&command, &[]).output());
        let answer = Answer::to_bytes(*address, step_1("/oauth/token").as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_as_printed(&answer.body);
    }
    let form = [("grant_type", "client_credentials"), ("client_id", CLIENT.0), ("client_secret", "another")];
    let answer = program.post("/oauth/token", &form).await;
    assert_eq!((answer.status, answer.body), (401, compact(&printed("invalid_client.json"))));
}

/// In Go `http.Post` with `url.Values.Encode()` writes keys in alphabetical order, and a space as a plus. For
/// Rust the test uses the example's own library and calls. The map returns its members in any order.
#[tokio::test]
async fn the_examples_of_four_languages_get_a_token() {
    let (_folder, program) = start();
    let at_8080 = at_8080(&program);
    let script = |name: &str| pointed(&printed(name), &[(PRINTED_BASE, &at_8080)]);
    for ran in [
        node(&script("axios_example.js"), &ENVIRONMENT),
        python(&script("requests_example.py"), &ENVIRONMENT),
    ] {
        let output = ran.output();
        let [first, second] = output.lines().collect::<Vec<_>>().try_into().unwrap();
        assert!(first.starts_with("Access Token: eyJ"), "{output}");
        assert_eq!(second, "Expires in: 3600 seconds");
    }

    let body = "client_id=YOUR_CLIENT_ID&client_secret=YOUR_CLIENT_SECRET&grant_type=client_credentials&scope=read+write";
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nAccept-Encoding: gzip\r\n\r\n{body}",
        body.len()
    );
    let answer = Answer::to_bytes(program.addresses()[1], request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_as_printed(&answer.body);

    let mut params = HashMap::new();
    params.insert("grant_type", "client_credentials");
    params.insert("client_id", CLIENT.0);
    params.insert("client_secret", CLIENT.1);
    params.insert("scope", "read write");
    let url = format!("{at_8080}/oauth/token");
    let response = reqwest::Client::new().post(url).form(&params).send().await.unwrap();
    assert!(response.status().is_success());
    assert_as_printed(&response.text().await.unwrap());
}

/// Another tenant has a client with the same name and another secret.
#[tokio::test]
async fn request_of_step_1_fails_at_another_tenant() {
    const OTHER: &str = "
  other:
    strategies: { oauth2: { enabled: true } }
    clients:
      YOUR_CLIENT_ID: { client_secret: { value: another-canary-63c0 }, scopes: [read, write] }
";
    let folder = thunder_api::folder();
    folder.write("deploy/examples/config.yaml", &(settings::examples() + OTHER));
    let program = Program::start(&folder);
    for (path, issuer) in [
        ("/oauth/token", Some("https://auth.example.com")),
        ("/api/v1/tenant/test-tenant/oauth/token", Some("https://auth.example.com")),
        ("/api/v1/tenant/other/oauth/token", None),
    ] {
        let answer = Answer::to_bytes(program.address(), step_1(path).as_bytes()).await;
        match issuer {
            Some(issuer) => assert_eq!(jwt::claims(&answer.token())["iss"], issuer, "{path}"),
            None => assert_eq!((answer.status, answer.body), (401, compact(&printed("invalid_client.json")))),
        }
    }
}

/// The printed request with another path and joined lines.
fn step_1(path: &str) -> String {
    let request = printed("request.http");
    let (head, body) = request.split_once("\n\n").unwrap();
    let (head, body) = (head.replace('\n', "\r\n"), body.replace('\n', ""));
    let head = head.replacen("/oauth/token", path, 1);
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The parts as one script, with the addresses of the test.
fn script(parts: &[&str], program: &Program, api: &StubApi) -> String {
    let parts: Vec<_> = parts.iter().map(|name| printed(name)).collect();
    pointed(&parts.join("\n"), &[(PRINTED_BASE, &at_8080(program)), ("https://api.example.com", &api.url())])
}

#[tokio::test]
async fn token_cache_fetches_again_after_a_refusal() {
    let (_folder, program) = start();
    let api = StubApi::refusing_first(1);
    let printed = ["axios_example.js", "call_protected_api.js", "token_cache.js", "retry.js"];
    let script = script(&printed, &program, &api);
    let called = "(async () => {
        console.log(JSON.stringify(await apiCallWithRetry(process.env.API + '/api/resource')));
        console.log(JSON.stringify(await makeAPICall()));
    })();";
    let url = api.url();
    let environment = [&ENVIRONMENT[..], &[("API", &url)]].concat();
    let output = node(&format!("{script}\n{called}"), &environment).output();
    assert_eq!(output.matches(r#"{"api":"answered"}"#).count(), 2, "{output}");
    let [refused, taken, kept] = api.tokens().try_into().unwrap();
    assert_ne!(refused, taken, "the cache was emptied after the refusal");
    assert_eq!(taken, kept, "the cache gave the same token again");
    assert_active(&program, &[refused, taken]).await;
}

#[tokio::test]
async fn token_manager_and_microservice_reuse_their_tokens() {
    let (_folder, program) = start();
    let managed = ["requests_example.py", "call_protected_api.py", "token_manager.py"];
    for javascript in [false, true] {
        let api = StubApi::refusing_first(0);
        let (output, expected) = if javascript {
            let script = script(&["microservice.js"], &program, &api);
            let called = "fetchData().then(fetchData).then(data => console.log(JSON.stringify(data)));";
            (node(&format!("{script}\n{called}"), &ENVIRONMENT).output(), "{\"api\":\"answered\"}\n")
        } else {
            let script = script(&managed, &program, &api);
            let called = format!("{script}\nprint(make_api_call(), make_api_call())");
            (python(&called, &ENVIRONMENT).output(), "{'api': 'answered'} {'api': 'answered'}\n")
        };
        assert!(output.ends_with(expected), "{output}");
        let [first, second] = api.tokens().try_into().unwrap();
        assert_eq!(first, second);
        assert_active(&program, &[first]).await;
    }
}

fn printed(name: &str) -> String {
    example(&format!("client-guide/{name}"))
}

fn start() -> (Folder, Program) {
    // The data folder of the settings is two folders above them.
    let (folder, program) = Program::serving_in(thunder_api::folder());
    assert!(folder.exists("data/examples/latchkey.db"));
    (folder, program)
}

/// The listener that replaces port 8080.
fn at_8080(program: &Program) -> String {
    format!("http://{}", program.addresses()[1])
}

/// Compares the members in the printed order. Only the token differs, because no token is signed with HS256.
fn assert_as_printed(body: &str) {
    let served: Value = serde_json::from_str(body).unwrap();
    let printed = printed("token.json");
    let printed_token = serde_json::from_str::<Value>(&printed).unwrap()["access_token"].clone();
    let (served, printed_token) =
        (served["access_token"].as_str().unwrap(), printed_token.as_str().unwrap().to_owned());
    assert_eq!(body.replace(served, &printed_token), compact(&printed));
}

async fn assert_active(program: &Program, tokens: &[String]) {
    for token in tokens {
        let facts = program.introspect("test-tenant", CLIENT.0, CLIENT.1, token).await;
        assert_eq!((facts["active"].as_bool(), facts["scope"].as_str()), (Some(true), Some("read write")));
    }
}
