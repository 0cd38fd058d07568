//! Tests the document of the Thunder-compatible API: bash runs its commands as printed over https with their
//! own settings. The test only replaces the port, and the id that the document leaves open.

use serde_json::Value;

use crate::folder::Folder;
use crate::foreign::{bash, example, pointed};
use crate::jwt;
use crate::program::Program;
use crate::quick_start::{compact, token_of};
use crate::settings;

const PRINTED_BASE: &str = "https://localhost:8090";
/// The example id in the document, which the settings accept.
const APPLICATION: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The settings of the documented examples, in a folder with their certificate.
pub(crate) fn folder() -> Folder {
    // The data folder of the settings is two folders above them.
    let folder = Folder::with_config_at("deploy/examples/config.yaml", &settings::examples());
    let files = ["--certificate", "data/examples/dev-cert.pem", "--key", "data/examples/dev-key.pem"];
    folder.run(&[&["dev-cert"], &files[..]].concat()).output();
    folder
}

// [registration RFC 7591 §2], [resources RFC 8707 §2 d]
#[test]
fn documented_commands_get_the_printed_responses() {
    let (_folder, program) = Program::serving_in(folder());
    let (base, sign_in, create) = commands(&program);
    let script = format!("{sign_in}\n{create}\necho\necho \"$ADMIN_TOKEN_RESPONSE\"");
    let output = bash(&script, &[]).output();
    let [created, signed_in] = output.lines().collect::<Vec<_>>().try_into().unwrap();

    assert_eq!(with_printed_id(created), compact(&printed("create.json")));
    let step: Value = serde_json::from_str(signed_in).unwrap();
    let (flow, assertion) = (step["flowId"].as_str().unwrap(), step["assertion"].as_str().unwrap());
    let done = r#""flowStatus":"COMPLETE","data":{}"#;
    assert_eq!(signed_in, format!(r#"{{"flowId":"{flow}",{done},"assertion":"{assertion}"}}"#));
    assert_eq!(jwt::header(assertion), r#"{"alg":"RS256","typ":"latchkey-admin+jwt","kid":"oauth2-key-1"}"#);
    let claims = jwt::claims(assertion);
    assert_eq!((&claims["sub"], &claims["authorized_permissions"]), (&"admin".into(), &"system".into()));

    for (command, response, audience) in [
        ("token_basic.sh", "token.json", "backend_service_client"),
        ("token_post.sh", "token.json", "backend_service_client"),
        ("token_scope.sh", "token.json", "backend_service_client"),
        ("token_resource.sh", "token_resource.json", "https://api.example.com"),
    ] {
        let response = printed(response);
        let body = bash(&pointed(&printed(command), &[(PRINTED_BASE, &base)]), &[]).output();
        let token = token_of(&body);
        let printed: Value = serde_json::from_str(&response).unwrap();
        assert_eq!(body.replace(&token, printed["access_token"].as_str().unwrap()), compact(&response));
        let claims = jwt::claims(&token);
        assert_eq!((&claims["iss"], &claims["aud"]), (&"thunder".into(), &audience.into()), "{command}");
        for member in ["sub", "client_id"] {
            assert_eq!(claims[member], "backend_service_client", "{command}");
        }
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    }
    program.stop();
}

#[test]
fn application_is_shown_listed_and_deleted() {
    let (_folder, program) = Program::serving_in(folder());
    let (base, sign_in, create) = commands(&program);
    let as_admin = format!(
        "curl -ks -H \"Authorization: Bearer $ADMIN_TOKEN\" -w ' %{{http_code}}\\n' {base}/applications"
    );
    let script = format!(
        "{sign_in}\nAPPLICATION_ID=$({} | jq -r .id)\n{as_admin}/$APPLICATION_ID\n{as_admin}\n\
         {as_admin}/$APPLICATION_ID -X DELETE\n{as_admin}/$APPLICATION_ID\n\
         curl -ks -w ' %{{http_code}}\\n' {base}/applications",
        create.trim_end()
    );
    let output = bash(&script, &[]).output();
    let [shown, listed, deleted, gone, stranger] = output.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(shown.ends_with(" 200") && shown.contains("\"client_id\""), "{output}");
    assert!(!shown.contains("client_secret\"") && !shown.contains("backend_service_secret"), "{output}");
    assert!(listed.starts_with(r#"{"totalResults":1,"count":1,"applications":[{"id":""#), "{output}");
    assert_eq!(deleted, " 204");
    assert!(gone.starts_with(r#"{"code":"APP-1001","message":"Application not found","#), "{output}");
    assert!(gone.ends_with(" 404") && stranger.ends_with(" 401"), "{output}");

    let refused = bash(&pointed(&printed("token_basic.sh"), &[(PRINTED_BASE, &base)]), &[]).output();
    assert!(refused.starts_with(r#"{"error":"invalid_client""#), "its client is gone too: {refused}");
    program.stop();
}

#[test]
fn start_without_certificate_prints_the_fix() {
    let folder = Folder::with_config_at("deploy/examples/config.yaml", &settings::examples());
    folder.run(&["serve"]).assert_ends(1, &["run `latchkey dev-cert --certificate=", "dev-cert.pem"]);
}

// [tls RFC 8446 §4.4.2]
#[test]
fn certificate_is_replaced_at_runtime() {
    let (folder, program) = Program::serving_in(folder());
    let before = program.mark();
    folder.replace("data/examples/dev-cert.pem", "no certificate");
    program.log_after(before, "certificate not replaced");
    let other = ["dev-cert", "--certificate", "data/other.pem", "--key", "data/other.key"];
    assert_eq!(folder.run(&other).code, Some(0));
    let before = program.mark();
    std::fs::rename(folder.path("data/other.key"), folder.path("data/examples/dev-key.pem")).unwrap();
    std::fs::rename(folder.path("data/other.pem"), folder.path("data/examples/dev-cert.pem")).unwrap();
    program.log_after(before, "certificate replaced");
    let health = bash(&format!("curl -ks {}/health/live", at_8090(&program)), &[]).output();
    assert_eq!(health, r#"{"status":"live"}"#);
    program.stop();
}

fn printed(name: &str) -> String {
    example(&format!("thunder/{name}"))
}

/// The address of the API at the listener that replaces port 8090, and the commands that sign in and create
/// an application there.
fn commands(program: &Program) -> (String, String, String) {
    let base = at_8090(program);
    let at = [(PRINTED_BASE, &*base)];
    let sign_in = [&at[..], &[("<application_id>", APPLICATION)]].concat();
    let [sign_in, create] =
        [pointed(&printed("admin_token.sh"), &sign_in), pointed(&printed("create.sh"), &at)];
    (base, sign_in, create)
}

fn at_8090(program: &Program) -> String {
    format!("https://{}", program.addresses()[2])
}

/// Replaces the generated id by the printed one.
fn with_printed_id(answer: &str) -> String {
    let id = serde_json::from_str::<Value>(answer).unwrap()["id"].as_str().unwrap().to_owned();
    answer.replace(&id, APPLICATION)
}
