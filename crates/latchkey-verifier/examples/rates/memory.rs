//! Measures the memory that a verifier needs for one issuer: it fetches the key sets of many tenants of a
//! platform.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{Caller, Reason, Refusal, Revocations, TokenError, Verifier};
use serde_json::json;

use crate::Result;
use crate::signed::{AUDIENCE, KID, Signed};

/// Each issuer has a connection of its own, and a machine has less than 30 000 ports.
const ISSUERS: u32 = 2_000;
const PAGE: u32 = 4_096;

/// Returns the bytes of an issuer whose key set has one RSA key.
pub(crate) fn of_issuer(signed: &Signed) -> Result<f64> {
    let url = publish(signed.key_set.to_string())?;
    let platform = url.trim_end_matches("/jwks.json").to_owned();
    let verifier = Verifier::builder()
        .platform(platform.as_str(), |_| true)
        .audience(AUDIENCE)
        .revocations(Revocations::Off)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetch = |tenant: u32| {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": KID });
        let claims = json!({ "iss": format!("{platform}/api/v1/tenant/tenant-{tenant}") });
        let [header, claims] = [header, claims].map(|part| BASE64URL.encode(part.to_string()));
        let token = format!("{header}.{claims}.AAAA");
        // The signature is verified with the key that was fetched, and it is none.
        let refusal: Option<Refusal> = runtime.block_on(verifier.verify(&token)).map(|_: Caller| ()).err();
        match refusal.as_ref().map(Refusal::reason) {
            Some(Reason::Token(TokenError::SignatureInvalid)) => Ok(()),
            other => Err(format!("the key set of a tenant was not fetched: {other:?}")),
        }
    };
    fetch(0)?;
    let before = resident_pages()?;
    for tenant in 1..=ISSUERS {
        fetch(tenant)?;
    }
    let pages = resident_pages()?.saturating_sub(before);
    Ok(f64::from(pages) * f64::from(PAGE) / f64::from(ISSUERS))
}

/// The second figure of proc(5), `statm`.
fn resident_pages() -> Result<u32> {
    let text = fs::read_to_string("/proc/self/statm")?;
    Ok(text.split_whitespace().nth(1).ok_or("statm has one figure")?.parse()?)
}

/// Answers every request with this document, and returns the URL. It ends with the program.
fn publish(document: String) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/jwks.json", listener.local_addr()?);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            let length = document.len();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            let _ = connection.read(&mut [0; 4096]);
            let _ = write!(connection, "{head}content-length: {length}\r\n\r\n{document}");
        }
    });
    Ok(url)
}
