//! Signature Version 4 of AWS, with one key pair.

use std::collections::HashMap;

use aws_lc_rs::{digest, hmac};

use super::http::MockRequest;

pub(crate) const ACCESS_KEY: &str = "AKIDSTANDIN";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/example";

/// The name of a refusal and its text.
pub(super) type SignatureRefusal = (&'static str, &'static str);

/// Checks the signature of a request to a service, which has no query.
pub(super) fn check(request: &MockRequest, service: &str) -> Result<(), SignatureRefusal> {
    let missing = ("MissingAuthenticationTokenException", "Missing Authentication Token");
    let authorization = request.headers.get("authorization").ok_or(missing)?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(missing)?;
    let fields: HashMap<_, _> = fields.split(", ").filter_map(|field| field.split_once('=')).collect();
    let (access_key, scope) = fields["Credential"].split_once('/').unwrap();
    if access_key != ACCESS_KEY {
        return Err((
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    let of_headers: String = fields["SignedHeaders"]
        .split(';')
        .map(|name| format!("{name}:{}\n", request.headers[name]))
        .collect();
    let canonical = format!(
        "POST\n{}\n\n{of_headers}\n{}\n{}",
        request.path,
        fields["SignedHeaders"],
        hex(digest::digest(&digest::SHA256, &request.body).as_ref())
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        request.headers["x-amz-date"],
        hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    );
    let secret = format!("AWS4{SECRET_KEY}").into_bytes();
    let key = scope.split('/').fold(secret, |key, part| mac(&key, part.as_bytes()));
    if hex(&mac(&key, to_sign.as_bytes())) != fields["Signature"] {
        return Err((
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        ));
    }
    // The scope is day/region/service/aws4_request.
    assert!(scope.ends_with(&format!("/eu-central-1/{service}/aws4_request")), "{scope}");
    Ok(())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
