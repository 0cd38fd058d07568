//! Tests that the server's allocations for a DPoP proof and a client certificate grow at most linearly with
//! the input, for any structure of the input. Both come from unauthenticated callers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::rules::ProofJwt;
use protocol::{ClientAuthenticationMethod, ClientCertificate, Thumbprint, Validity};
use rcgen::{CertificateParams, DnType, KeyPair};
use registry::{
    CertificateCheck, CertificateSubject, Client, ClientId, DistinguishedName, SubjectKind,
    check_client_certificate,
};
use serde_json::Value;
use tenancy::TenantId;
use values::Timestamp;

/// Checks that an input of twice the size allocates at most 2.2 times as much, plus a fixed amount, and at
/// most `at_most` times its own size.
#[track_caller]
fn check(name: &str, at_most: u64, [small, large]: [&[u8]; 2], read: impl Fn(&[u8])) {
    let [less, more] = [small, large].map(|input| allocation_counter::measure(|| read(input)).bytes_total);
    let each = 4096;
    assert!(more * 10 <= (less + each) * 22, "{name}: {less} bytes, then {more}");
    let size = large.len() as u64;
    assert!(more <= at_most * size + each, "{name}: {more} bytes for {size}");
}

/// JSON documents of about this size, in every structure that could make a parser start again.
fn documents(size: usize) -> Vec<String> {
    let members =
        |number: usize| -> Vec<String> { (0..number).map(|nth| format!("\"m{nth}\":{nth}")).collect() };
    let with_key =
        |key: &str| format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{"kty":"EC","crv":"P-256",{key}}}}}"#);
    vec![
        format!("{{\"typ\":\"{}\"}}", "a".repeat(size)),
        format!("{{{}}}", members(size / 10).join(",")),
        with_key(&members(size / 10).join(",")),
        with_key(&format!(r#""x":"{0}","y":"{0}""#, "A".repeat(size / 2))),
        with_key(&format!(r#""x":"{}""#, "\\u0041".repeat(size / 6))),
        with_key(&format!(r#""key_ops":[{}]"#, vec!["\"a\""; size / 4].join(","))),
        format!("{}{}", "[".repeat(size / 2), "]".repeat(size / 2)),
        format!("{{\"a\":{}", "{\"a\":".repeat(size / 5)),
    ]
}

#[test]
fn dpop_proofs_are_read_in_linear_memory() {
    // The longest accepted proof has 8 KiB. A longer one is refused without being parsed.
    let pairs = documents(1500).into_iter().zip(documents(3000));
    for ((small, large), is_header) in pairs.flat_map(|pair| [(pair.clone(), true), (pair, false)]) {
        let token = |document: &str| {
            let (header, claims) =
                if is_header { (document, "{}") } else { (r#"{"typ":"dpop+jwt"}"#, document) };
            [header, claims, "signature"].map(|part| BASE64URL.encode(part)).join(".")
        };
        let tokens = [token(&small), token(&large)];
        check("proof", 16, tokens.each_ref().map(String::as_bytes), |token| {
            if let Ok(proof) = ProofJwt::parse(std::str::from_utf8(token).unwrap(), "dpop+jwt") {
                drop(proof.unverified_claims::<Value>());
            }
        });
    }
    let long = "a".repeat(1 << 20);
    assert_eq!(allocation_counter::measure(|| drop(ProofJwt::parse(&long, "dpop+jwt"))).bytes_total, 0);
}

/// A certificate with this many alternative names, a name with this many attributes, and a long name.
fn certificate(size: usize) -> Vec<u8> {
    let names: Vec<_> = (0..size / 40).map(|nth| format!("name-{nth}.example.com")).collect();
    let mut parameters = CertificateParams::new(names).expect("names of ASCII");
    for nth in 0..size / 80 {
        let attribute = DnType::CustomDnType(vec![2, 5, 4, 100 + nth as u64]);
        parameters.distinguished_name.push(attribute, "a  b".repeat(10));
    }
    let key = KeyPair::generate().expect("a key pair");
    parameters.self_signed(&key).expect("a certificate").der().to_vec()
}

#[test]
fn client_certificates_are_read_in_linear_memory() {
    let client = |kind, text: &str| Client {
        authentication_method: ClientAuthenticationMethod::TlsClientAuth,
        certificate_subject: Some(CertificateSubject::parse(kind, text).unwrap()),
        ..Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap())
    };
    let clients = [
        client(SubjectKind::Dns, "absent.example.com"),
        client(SubjectKind::Uri, "urn:absent"),
        client(SubjectKind::Dn, "CN=absent"),
    ];
    let now = Timestamp::from_seconds(1_700_000_000);
    let certificates = [certificate(4000), certificate(8000)];
    for client in clients {
        check("certificate", 32, certificates.each_ref().map(Vec::as_slice), |der| {
            let certificate = ClientCertificate {
                der: der.to_vec(),
                presented_with: Vec::new(),
                thumbprint: Thumbprint::new([0; 32]),
                chain: Ok(Validity { not_before: Timestamp::from_seconds(0), not_after: now }),
            };
            let checked = check_client_certificate(&client, None, &certificate, now);
            assert_eq!(checked, Err(CertificateCheck::Registration));
        });
    }
    let texts = [1000, 2000].map(|number| vec!["CN=a\\20b"; number].join(","));
    check("distinguished name", 64, texts.each_ref().map(String::as_bytes), |text| {
        drop(DistinguishedName::parse(std::str::from_utf8(text).unwrap()));
    });
}
