//! Tests the tenant quick start: bash runs each command as printed with the repository's settings, and the
//! answers match the printed ones.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::answer::Answer;
use crate::foreign::{bash, example, pointed};
use crate::jwt;
use crate::program::Program;
use crate::settings;

/// The address in the commands, the only part that the test replaces.
const PRINTED_BASE: &str = "http://localhost:3000";
/// The placeholder for a token in the document's commands.
const PRINTED_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im9hdXRoMi1rZXktMSJ9...";

#[test]
fn complete_script_calls_the_protected_resource() {
    let (_folder, program) = Program::serving(&settings::sample());
    let output = curl(&program, "complete_script.sh", &[]);
    let parts: Vec<&str> = output.split("==> ").collect();
    let [before, requested, obtained, last] = parts.as_slice() else { panic!("four parts in {output}") };
    assert_eq!(*before, "");
    let answer = requested.strip_prefix("Requesting access token...\n").unwrap();
    let token = token_of(answer);
    assert_eq!(*obtained, format!("Access token obtained: {}...\n\n", &token[..50]));
    let caller =
        r#""caller":{"type":"machine","client_id":"your-client-id"},"scopes":["api:read","api:write"]"#;
    let resource = format!(r#"{{"data":"Protected resource data","tenant":"test-tenant",{caller}}}"#);
    assert_eq!(*last, format!("Making authenticated request...\n{resource}"));
}

// [oauth RFC 6749 §4.4.2]
#[tokio::test]
async fn each_command_gets_the_printed_response() {
    let (_folder, program) = Program::serving(&settings::sample());
    for (command, response) in [
        ("strategies.sh", "strategies.json"),
        ("invalid_client.sh", "invalid_client.json"),
        ("missing_grant_type.sh", "missing_grant_type.json"),
    ] {
        assert_eq!(curl(&program, command, &[]), compact(&printed(response)), "{command}");
    }
    let body = curl(&program, "token.sh", &[]);
    let token = token_of(&body);
    assert_eq!(body.replace(&token, PRINTED_TOKEN), compact(&printed("token.json")));
    assert_eq!(token.split('.').next(), PRINTED_TOKEN.split('.').next());
    assert_eq!(jwt::header(&token), r#"{"alg":"RS256","typ":"JWT","kid":"oauth2-key-1"}"#);
    assert_printed_claims(jwt::claims(&token));

    let body = curl(&program, "jwks.sh", &[]);
    let served: Value = serde_json::from_str(&body).unwrap();
    let modulus = served["keys"][0]["n"].as_str().unwrap();
    assert_eq!(body.replace(modulus, "xGOr-H7A-wiuASDFl..."), compact(&printed("jwks.json")));
    assert_eq!(modulus.len(), 342, "2048 bits in base64url");

    let body = curl(&program, "protected_resource.sh", &[(PRINTED_TOKEN, &token)]);
    assert!(body.starts_with(r#"{"data":"Protected resource data","#), "{body}");
    // A malformed token is invalid rather than expired, although the document uses `expired-token` as the
    // placeholder for an expired one.
    let malformed = r#"{"error":"invalid_token","error_description":"Token is malformed"}"#;
    assert_eq!(curl(&program, "expired_token.sh", &[]), malformed);

    // Refusals have the statuses of the standard.
    let path = "/api/v1/tenant/test-tenant/oauth/token";
    let wrong = [("grant_type", "client_credentials"), ("client_id", "invalid"), ("client_secret", "wrong")];
    let refused: Answer = program.post(path, &wrong).await;
    refused.assert_refused(401, "invalid_client");
    assert_eq!(refused.header("www-authenticate"), r#"Basic realm="https://auth.example.com""#);
    program.post(path, &[("client_id", "your-client-id")]).await.assert_refused(400, "invalid_request");
}

/// The claims must be those of the document, and `jti` and `nbf`.
fn assert_printed_claims(mut claims: Value) {
    let mut printed: Value = serde_json::from_str(&printed("claims.json")).unwrap();
    let mut names = names(&printed);
    names.extend(["jti".to_owned(), "nbf".to_owned()]);
    assert_eq!(self::names(&claims), names);
    let times = ["exp", "iat", "nbf"].map(|name| claims[name].as_u64().unwrap());
    assert_eq!((times[0] - times[1], times[1]), (3600, times[2]));
    assert_eq!(printed["exp"].as_u64().unwrap() - printed["iat"].as_u64().unwrap(), 3600);
    assert!(!claims["jti"].as_str().unwrap().is_empty());
    // The document uses both `client-id` and `your-client-id` for one client.
    assert_eq!(claims["sub"], claims["client_id"]);
    for name in ["exp", "iat", "nbf", "jti", "sub"] {
        claims.as_object_mut().unwrap().remove(name);
        printed.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(claims, printed);
}

#[tokio::test]
async fn an_expired_token_gets_the_printed_response() {
    let (hour, second) = ("access_token: { lifetime: 1h,", "access_token: { lifetime: 1s,");
    let (_folder, program) = Program::serving(&settings::edited(&settings::sample(), hour, second));
    let token = token_of(&curl(&program, "token.sh", &[]));
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let expired = curl(&program, "expired_token.sh", &[("expired-token", &token)]);
    assert_eq!(expired, compact(&printed("expired_token.json")));
    let answer = program.present(&token).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm="), "{challenge}");
    let end = r#", error="invalid_token", error_description="Token has expired""#;
    assert!(challenge.ends_with(end), "{challenge}");
}

/// Runs a command of the document with the test's address and these replacements.
fn curl(program: &Program, command: &str, replacements: &[(&str, &str)]) -> String {
    let base = program.url("");
    let replacements = [&[(PRINTED_BASE, base.as_str())], replacements].concat();
    bash(&pointed(&printed(command), &replacements), &[]).output()
}

fn printed(name: &str) -> String {
    example(&format!("quick-start/{name}"))
}

pub(crate) fn token_of(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["access_token"].as_str().unwrap().to_owned()
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// A printed JSON document without whitespace, with its members in the printed order.
pub(crate) fn compact(printed: &str) -> String {
    let mut in_text = false;
    let keep = |character: &char| {
        in_text ^= *character == '"';
        in_text || !character.is_whitespace()
    };
    printed.chars().filter(keep).collect()
}
