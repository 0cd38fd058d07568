//! `latchkey inspect` of DPoP proofs: each check that a request makes, offline.

use std::process::{Command, Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::cli_inspect::changed;
use crate::folder::Folder;
use crate::prover::Prover;

const URL: &str = "https://id.example.com/api/v1/tenant/acme/oauth/token";
const TOKEN: &str = "header.claims.signature";

/// The exit code and the document of an inspection of the proof.
fn inspect(folder: &Folder, proof: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    folder.write("proof.jwt", proof);
    folder.write("token.jwt", TOKEN);
    let arguments = [&["inspect", "proof.jwt", "--json"], arguments].concat();
    let ran = folder.program(&arguments).stdin(Stdio::null()).output().unwrap();
    let [out, err] = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (ran.status.code(), serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

#[track_caller]
fn check(found: &(Option<i32>, Value), failed: Option<&str>, reason: Option<&str>) {
    let (code, document) = found;
    assert_eq!(*code, Some(if failed.is_some() { 7 } else { 0 }), "{document}");
    let shown = (document["failed"].as_str(), document["reason"].as_str());
    assert_eq!(shown, (failed, reason), "{document}");
    let Some(failed) = failed else { return };
    let checks = document["checks"].as_array().unwrap();
    let line = checks.iter().find(|line| line["check"] == failed).unwrap();
    assert_eq!(line["status"], "failed");
    assert!(!line["fix"].as_str().unwrap().is_empty(), "{line}");
}

#[test]
fn each_failing_check_of_a_proof_is_named_with_its_fix() {
    let folder = Folder::with("");
    let prover = Prover::new();
    let proof = prover.proof(URL, "1");
    let of_request = ["--method", "POST", "--url", URL];
    let found = inspect(&folder, &proof, &of_request);
    check(&found, None, None);
    assert_eq!(found.1["verdict"], "valid");
    assert_eq!(found.1["keys"].as_str().unwrap().rsplit(' ').next().unwrap().len(), 43);
    for (name, status) in
        [("htu", "passed"), ("signature", "passed"), ("ath", "not_checked"), ("jti", "not_checked")]
    {
        let line = found.1["checks"].as_array().unwrap().iter().find(|line| line["check"] == name).unwrap();
        assert_eq!(line["status"], status, "{name}");
    }
    let header = |change: fn(&mut Value)| changed(&proof, 0, change);
    let claims = |change: fn(&mut Value)| changed(&proof, 1, change);
    for (proof, failed, reason) in [
        ("a.b.c".to_owned(), "form", "dpop_proof_malformed"),
        (header(|header| header["typ"] = json!("JWT")), "typ", "dpop_proof_of_another_type"),
        (header(|header| header["crit"] = json!([])), "header", "dpop_proof_header_not_allowed"),
        (header(|header| header["alg"] = json!("none")), "alg", "dpop_proof_algorithm_not_allowed"),
        (header(|header| header["jwk"]["d"] = json!("AAAA")), "jwk", "dpop_proof_key_not_usable"),
        (claims(|claims| claims["jti"] = json!("")), "claims", "dpop_proof_malformed"),
        (claims(|claims| claims["iat"] = json!("now")), "claims", "dpop_proof_malformed"),
        (claims(|claims| claims["htm"] = json!("GET")), "htm", "dpop_proof_for_another_method"),
        (claims(|claims| claims["htu"] = json!("https://a.example")), "htu", "dpop_proof_for_another_uri"),
        (claims(|claims| claims["iat"] = json!(1)), "iat", "dpop_proof_of_another_time"),
        (claims(|claims| claims["jti"] = json!("2")), "signature", "dpop_proof_signature_invalid"),
    ] {
        check(&inspect(&folder, &proof, &of_request), Some(failed), Some(reason));
    }
    let private = inspect(&folder, &header(|header| header["jwk"]["d"] = json!("PRIVATE")), &of_request);
    assert!(!private.1.to_string().contains("PRIVATE"), "{}", private.1);
    let of_resource = [&of_request[..], &["--access-token", "token.jwt"]].concat();
    let missing = inspect(&folder, &proof, &of_resource);
    check(&missing, Some("ath"), Some("dpop_proof_for_another_token"));
    // The hash is right, and the claims were changed after the signature.
    let ath = BASE64URL.encode(digest(&SHA256, TOKEN.as_bytes()));
    let hashed = changed(&proof, 1, |claims| claims["ath"] = json!(ath));
    check(&inspect(&folder, &hashed, &of_resource), Some("signature"), Some("dpop_proof_signature_invalid"));
}

#[test]
fn a_proof_is_not_inspected_as_a_token_at_once() {
    let folder = Folder::with("");
    folder.write("proof.jwt", &Prover::new().proof(URL, "1"));
    let mut command: Command =
        folder.program(&["inspect", "proof.jwt", "--method", "POST", "--tenant", "acme"]);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(!ran.status.success() && text.contains("cannot be used with"), "{text}");
}
