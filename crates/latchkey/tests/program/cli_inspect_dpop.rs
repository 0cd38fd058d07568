//! Tests `latchkey inspect` of DPoP proofs: each check of a request, offline.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::inspected::{Inspected, changed, inspect};
use crate::prover::Prover;

const URL: &str = "https://id.example.com/api/v1/tenant/acme/oauth/token";
const TOKEN: &str = "header.claims.signature";

#[test]
fn invalid_proof_is_refused_by_its_check() {
    let folder = Folder::with("");
    folder.write("token.jwt", TOKEN);
    let proof = Prover::new().proof(URL, "1");
    let of_request = ["--method", "POST", "--url", URL];
    let inspected = |proof: &str| Inspected::new(&folder, proof.as_bytes(), &of_request);
    let found = inspected(&proof);
    found.assert_valid();
    assert_eq!(found.document["keys"].as_str().unwrap().rsplit(' ').next().unwrap().len(), 43);
    found.assert_status("passed", &["htu", "signature"]);
    found.assert_status("not_checked", &["ath", "jti"]);
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
        inspected(&proof).assert_refused(failed, reason);
    }
    let private = inspected(&header(|header| header["jwk"]["d"] = json!("PRIVATE")));
    assert!(!private.document.to_string().contains("PRIVATE"), "{}", private.document);
    let of_resource = [&of_request[..], &["--access-token", "token.jwt"]].concat();
    // The hash is correct, but the claims were changed after signing.
    let ath = BASE64URL.encode(digest(&SHA256, TOKEN.as_bytes()));
    let hashed = changed(&proof, 1, |claims| claims["ath"] = json!(ath));
    for (proof, failed, reason) in [
        (&proof, "ath", "dpop_proof_for_another_token"),
        (&hashed, "signature", "dpop_proof_signature_invalid"),
    ] {
        Inspected::new(&folder, proof.as_bytes(), &of_resource).assert_refused(failed, reason);
    }
    // A proof is not inspected as a token, even with `--tenant`.
    let (code, text) = inspect(&folder, proof.as_bytes(), &["--method", "POST", "--tenant", "acme"]);
    assert!(code != Some(0) && text.contains("cannot be used with"), "{text}");
}
