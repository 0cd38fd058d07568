//! Tests `latchkey inspect`: tokens of real tenants, on the store, through a server and with a key set.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::foreign::Killed;
use crate::host::{assert_has, parsed};
use crate::inspected::{Inspected, changed, inspect, with_input};
use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, with_line};

/// EC keys take little time to generate.
const SIGNING: &str = "signing: { algorithm: ES256 }";

/// A folder with a token and a key set of each tenant.
struct Tokens {
    folder: Folder,
    program: Program,
    acme: String,
    globex: String,
}

impl Tokens {
    async fn fetch() -> Self {
        let settings = with_line(&with_line(TWO_TENANTS, "acme", SIGNING), "globex", SIGNING);
        let folder = Folder::with(&settings);
        let program = Program::start(&folder);
        let acme = program.token("acme", "svc", ACME_SECRET).await;
        let globex = program.token("globex", "svc", GLOBEX_SECRET).await;
        for tenant in ["acme", "globex"] {
            let keys = program.jwks(tenant).await.json();
            folder.write(&format!("{tenant}.jwks"), &keys.to_string());
        }
        // No output may contain a signature, which would allow replaying the token.
        for token in [&acme, &globex] {
            folder.canaries.add(token.rsplit('.').next().unwrap());
        }
        Self { folder, program, acme, globex }
    }

    #[track_caller]
    fn inspect(&self, token: &str, arguments: &[&str]) -> Inspected {
        Inspected::new(&self.folder, token.as_bytes(), arguments)
    }

    #[track_caller]
    fn run(&self, input: &[u8], arguments: &[&str]) -> (Option<i32>, String) {
        inspect(&self.folder, input, arguments)
    }
}

#[tokio::test]
async fn inspect_page_answers_only_this_machine() {
    let tokens = Tokens::fetch().await;
    let mut command = tokens.folder.program(&["inspect", "--page", "--jwks", "acme.jwks"]);
    let mut page = Killed(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut said = String::new();
    BufReader::new(page.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap();
    let http = reqwest::Client::new();
    let form = Answer::to(http.get(url)).await;
    assert!(form.status == 200 && form.body.contains("name=\"token\""), "{form:?}");
    assert_eq!(Answer::to(http.get(url).header("host", "attacker.example")).await.status, 404);
    let paste = async |token: &str, origin: &str| {
        let request = http.post(url).header("origin", origin).header("sec-fetch-site", "same-origin");
        Answer::to(request.form(&[("token", token)])).await
    };
    let own = paste(&tokens.acme, url).await;
    assert!(own.status == 200 && own.body.contains("VALID: all checks"), "{own:?}");
    let foreign = paste(&tokens.globex, url).await;
    assert!(foreign.body.contains("REFUSED by the check `signature`"), "{foreign:?}");
    for answer in [&own, &foreign] {
        tokens.folder.canaries.assert_absent(&answer.body);
    }
    let secret = "lk_acme_Ab3dE6gH9jK2mN5pQ8sT1vW4xY7zAb3dE6gH9jK2mN5pQ8s";
    let text = paste(secret, url).await;
    assert!(text.status == 200 && !text.body.contains("Ab3dE6gH9jK2mN5pQ8sT1"), "{text:?}");
    assert_eq!(paste(&tokens.acme, "https://attacker.example").await.status, 404);
}

#[tokio::test]
async fn valid_token_passes_on_store_server_and_key_set() {
    let tokens = Tokens::fetch().await;
    let server = Cli::server(&tokens.folder, &tokens.program).await;
    for (token, tenant, other) in [(&tokens.acme, "acme", "globex"), (&tokens.globex, "globex", "acme")] {
        let claims = crate::jwt::claims(token);
        let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap();
        let issuer = claims["iss"].as_str().unwrap();
        let jwks = format!("{tenant}.jwks");
        let of_tenant = ["--tenant", tenant, "--audience", audience];
        let of_keys = ["--jwks", &jwks, "--issuer", issuer, "--audience", audience];
        for arguments in [&of_tenant[..], &of_keys] {
            let found = tokens.inspect(token, arguments);
            found.assert_valid();
            assert_eq!(found.document["claims"], claims);
            found.assert_status("passed", &["signature"]);
        }
        let mut through = server.command(&["inspect", "--tenant", tenant, "--json"]);
        let (code, out) = with_input(&mut through, token.as_bytes());
        assert_eq!(code, Some(0), "{out}");
        // At the other tenant the issuer is wrong. With the other tenant's key, which has the same `kid`, the
        // signature is wrong.
        tokens.inspect(token, &["--tenant", other]).assert_refused("iss", "token_of_another_issuer");
        let other_keys = format!("{other}.jwks");
        for arguments in [&["--tenant", other, "--issuer", issuer][..], &["--jwks", &other_keys]] {
            let found = tokens.inspect(token, arguments);
            found.assert_refused("signature", "token_signature_invalid");
            assert_eq!(found.found("signature"), "oauth2-key-1");
        }
    }
}

#[tokio::test]
async fn invalid_token_is_refused_by_its_check() {
    let tokens = Tokens::fetch().await;
    let token = &tokens.acme;
    let with = |name: &'static str, value: Value| changed(token, 0, move |header| header[name] = value);
    // The vectors of `latchkey-verifier` and the tests of `keys` cover the other errors of each check.
    let table = [
        ("opaque".to_owned(), "token_malformed", "parts"),
        (format!("{token}="), "token_malformed", "encoding"),
        ("A.".repeat(500_000), "token_malformed", "length"),
        (with("alg", json!("none")), "token_algorithm_not_allowed", "alg"),
        (with("kid", json!("oauth2-key-9")), "token_key_unknown", "kid"),
        (changed(token, 1, |claims| claims["scope"] = json!("all")), "token_signature_invalid", "signature"),
    ];
    for (token, reason, failed) in table {
        let found = tokens.inspect(&token, &["--tenant", "acme"]);
        found.assert_refused(failed, reason);
        assert!(!found.found(failed).is_empty() && found.document.to_string().len() < 10_000, "bounded");
        // The output for people, in 80 columns.
        let (code, out) = tokens.run(token.as_bytes(), &["--tenant", "acme"]);
        assert_eq!(code, Some(7));
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
        assert!(out.starts_with(&format!("REFUSED by the check `{failed}`")), "{out}");
    }
    let (code, out) = tokens.run(b"\xff\xfe.e30.AA", &["--tenant", "acme"]);
    assert!(code == Some(7) && out.contains("U+FFFD"), "{out}");
    for (typ, words) in
        [("dpop+jwt", "a DPoP proof"), ("logout+jwt", "a logout token"), ("JWT", "an ID token")]
    {
        let found = tokens.inspect(&with("typ", json!(typ)), &["--tenant", "acme"]);
        assert!(found.document["kind"].as_str().unwrap().contains(words), "{typ}: {}", found.document);
        let checks = found.document["checks_of_kind"].as_array().unwrap();
        assert!(checks.contains(&json!("alg")) && !checks.contains(&json!("typ")), "{checks:?}");
    }
    let known = tokens.inspect(&with("kid", json!("oauth2-key-9")), &["--tenant", "acme"]);
    assert_eq!(known.check("kid")["expected"], "oauth2-key-1 (ES256, signs now)");
}

#[tokio::test]
async fn options_set_audience_type_and_time() {
    let tokens = Tokens::fetch().await;
    let claims = crate::jwt::claims(&tokens.acme);
    let instant = |seconds: u64| values::Timestamp::from_seconds(seconds).to_rfc3339();
    let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    let [early, end] = [iat - 6, exp].map(instant);
    for (arguments, failed, reason) in [
        (&["--audience", "other"][..], "aud", "token_for_another_audience"),
        (&["--typ", "JWT"], "typ", "token_of_another_type"),
        (&["--at", &early], "nbf", "token_not_yet_valid"),
        (&["--at", &end], "exp", "token_expired"),
    ] {
        let found = tokens.inspect(&tokens.acme, &[&["--tenant", "acme"], arguments].concat());
        found.assert_refused(failed, reason);
        assert_eq!(found.document["lifetime"]["seconds"], exp - iat);
    }
    tokens.inspect(&tokens.acme, &["--tenant", "acme", "--at", &early, "--leeway", "6s"]).assert_valid();
    let found = tokens.inspect(&tokens.acme, &[]);
    found.assert_unverified();
    found.assert_status("not_checked", &["signature"]);
    assert_eq!(found.document["claims"], claims);
    for (arguments, words) in [
        (&["--jwks", "none.jwks"][..], "cannot read none.jwks"),
        (&["--jwks", "config.yaml"], "no JWKS document"),
        (&["--at", "noon"], "is neither a time"),
        (&["--jwks", "acme.jwks", "--tenant", "acme"], "cannot be used with"),
    ] {
        let (code, out) = tokens.run(tokens.acme.as_bytes(), arguments);
        assert!(code == Some(1) && out.contains(words), "{arguments:?}: {out}");
    }
    let (code, out) = tokens.run(tokens.acme.as_bytes(), &["--tenant", "nobody"]);
    assert!(code == Some(3) && out.contains("nobody"), "{out}");
}

#[tokio::test]
async fn output_has_no_signature_and_no_secret() {
    let tokens = Tokens::fetch().await;
    let secret = format!("lk_{}", "q7".repeat(24));
    tokens.folder.canaries.add(&secret);
    tokens.folder.canaries.add("q7q7q7");
    let response =
        json!({"access_token": tokens.acme, "token_type": "Bearer", "client_secret": secret}).to_string();
    tokens.folder.write("response.json", &response);
    for arguments in [&["response.json", "--tenant", "acme"][..], &["response.json"]] {
        for json in [&[][..], &["--json"]] {
            let (_, out) = tokens.run(b"", &[arguments, json].concat());
            assert!(out.contains("oauth2-key-1"), "{out}");
            assert!(!json.is_empty() || out.lines().all(|line| line.chars().count() <= 80), "{out}");
        }
    }
    let in_claims = changed(&tokens.acme, 1, |claims| claims["sub"] = json!(secret));
    let nested = json!({"a": format!("{}{secret}", "x".repeat(40)), "b": [&secret]});
    let in_nested = changed(&tokens.acme, 1, |claims| claims["sub"] = nested);
    for (input, code, words) in [
        (in_nested, 7, "[a secret]"),
        (format!("Bearer {secret}"), 1, "this is a client secret, not a token"),
        (in_claims, 7, "[a secret]"),
    ] {
        let (found, out) = tokens.run(input.as_bytes(), &["--tenant", "acme"]);
        assert!(found == Some(code) && out.contains(words), "{out}");
    }
    // A secret is not accepted as an argument either.
    for argument in [secret.as_str(), &tokens.acme] {
        let (code, out) = tokens.run(b"", &[argument]);
        assert!(code == Some(1) && out.contains("do not pass a token or secret as an argument"), "{out}");
        assert!(!out.contains(argument), "{out}");
    }
}

#[tokio::test]
async fn removed_key_and_revocations_are_named() {
    let tokens = Tokens::fetch().await;
    let server = Cli::server(&tokens.folder, &tokens.program).await;
    server.run(&["key", "rotate", "acme", "--emergency", "--yes"]).output();
    let found = tokens.inspect(&tokens.acme, &["--tenant", "acme"]);
    found.assert_refused("kid", "token_key_unknown");
    let known = found.check("kid")["expected"].as_str().unwrap();
    assert!(known.starts_with("oauth2-key-1 (ES256, removed at "), "{known}");
    assert!(known.ends_with("), oauth2-key-2 (ES256, signs now)"), "{known}");
    // With a key set from before the rotation the token is still valid, as it is for verifiers that have not
    // fetched again.
    tokens.inspect(&tokens.acme, &["--jwks", "acme.jwks"]).assert_valid();
    server.run(&["client", "revoke-tokens", "globex", "svc"]).output();
    let revoked = tokens.inspect(&tokens.globex, &["--tenant", "globex"]);
    revoked.assert_refused("revoked", "token_revoked");
    assert!(revoked.found("revoked").starts_with("All tokens of the client were revoked"));
    // A key set contains no revocations.
    let offline = tokens.inspect(&tokens.globex, &["--jwks", "globex.jwks"]);
    offline.assert_valid();
    offline.assert_status("not_checked", &["revoked"]);
    assert_eq!(offline.found("revoked"), "pass --tenant");
    // The command for clients gives the same result for the token, and exits with 7.
    tokens.folder.write("token.jwt", &tokens.globex);
    let explain = |tenant| server.run(&["explain", tenant, "svc", "--access-token", "token.jwt"]);
    explain("globex").assert_ends(7, &[]);
    let parts = ["The access token\n", "refused      revoked: All tokens of the client"];
    assert_has(&explain("globex").out, &parts);
    explain("acme").assert_ends(7, &[]);
    assert_has(&explain("acme").out, &["refused      token: "]);
    server.run(&["tenant", "suspend", "globex"]).output();
    let found = tokens.inspect(&tokens.globex, &["--tenant", "globex"]);
    found.assert_refused("revoked", "token_revoked");
    assert!(found.found("revoked").starts_with("All tokens of the tenant were revoked"));
    let note = "tenant globex is suspended, so the server refuses all its tokens";
    assert_eq!(found.document["notes"], json!([note]));
    let found = tokens.inspect(&tokens.globex, &["--tenant", "acme"]);
    assert_eq!(found.document["notes"], json!([]), "the other tenant serves");
}

#[test]
fn inspecting_with_a_key_set_creates_nothing() {
    let folder = Folder::with("no: settings\n");
    folder.write("keys.jwks", &json!({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}).to_string());
    let inspect = |arguments: &[&str]| inspect(&folder, b"e30.e30.AA", arguments);
    let (code, out) = inspect(&["--jwks", "keys.jwks"]);
    assert_eq!(code, Some(7), "{out}");
    let note = "Note: left out: key 1 of the set (a): it has private members; a key set is";
    assert!(out.contains(note) && !out.contains("c2VjcmV0"), "{out}");
    assert_eq!(inspect(&[]).0, Some(7));
    folder.write("config.yaml", TWO_TENANTS);
    let (code, out) = inspect(&["--tenant", "acme"]);
    assert!(code == Some(6) && out.contains("latchkey migrate"), "{out}");
    assert!(!folder.exists("data") && !folder.exists("keys"), "a command that reads creates nothing");
}

/// With a key set the verdict is that of an API: the claims of an access token are required, and a bound
/// token needs a proof.
#[test]
fn key_set_checks_a_token_as_an_api_does() {
    let folder = Folder::with("no: settings\n");
    let file = parsed(include_str!("../../../latchkey-verifier/vectors/claims.json"));
    folder.write("keys.jwks", &file["key_set"].to_string());
    let at = values::Timestamp::from_seconds(file["now"].as_u64().unwrap()).to_rfc3339();
    let inspect = |token: &str, arguments: &[&str]| {
        let arguments = [&["--jwks", "keys.jwks", "--at", &at], arguments].concat();
        Inspected::new(&folder, token.as_bytes(), &arguments)
    };
    let cases = file["cases"].as_array().unwrap();
    let token = |name: &str| {
        let case = cases.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("{name}"));
        case["token"].as_str().unwrap()
    };
    let lacking = inspect(token("without `client_id`"), &[]);
    lacking.assert_refused("claims", "token_malformed");
    assert_eq!(lacking.found("claims"), "missing field `client_id`");
    let bound = cases.iter().find(|case| case["sender"] == "needs_dpop_proof").unwrap();
    let bound_token = bound["token"].as_str().unwrap();
    let bound = inspect(bound_token, &[]);
    bound.assert_valid();
    bound.assert_status("not_checked", &["cnf"]);
    assert!(bound.found("cnf").contains("jkt"), "{}", bound.document);
    let issuer = file["issuer"].as_str().unwrap();
    let audience = inspect(bound_token, &["--audience", "billing-api", "--issuer", issuer]);
    audience.assert_refused("aud", "token_for_another_audience");
    audience.assert_status("not_reached", &["cnf"]);
}
