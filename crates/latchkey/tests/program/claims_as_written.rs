//! Tests that signed tokens contain the values of claims exactly as the file writes them.

use crate::jwt;
use crate::program::Program;
use crate::settings::{TENANTS, TWO_TENANTS, with_line};

// Once, `zip: 01234` was signed as `1234.0`, `phone: +4915112345` as `4915112345`, `release: 1_000` as
// `1000`.
#[tokio::test]
async fn claims_are_signed_as_written_in_the_file() {
    const THIRTY: &str = "123456789012345678901234567890";
    let acme = format!(
        "access_token: {{ claims: {{ zip: 01234, phone: +4915112345, release: 1_000, n: [1.0, 1e3, -0, {THIRTY}, 0x10, True, '5'] }} }}"
    );
    let settings = with_line(TWO_TENANTS, "acme", &acme);
    let settings = with_line(&settings, "globex", "access_token: { claims: { zip: 98765, n: [2.50] } }");
    let (_folder, program) = Program::serving(&settings);
    let expected = [
        vec![
            r#""zip":"01234""#.to_owned(),
            r#""phone":"+4915112345""#.to_owned(),
            r#""release":"1_000""#.to_owned(),
            format!(r#""n":[1.0,1e3,-0,{THIRTY},"0x10","True","5"]"#),
        ],
        vec![r#""zip":98765"#.to_owned(), r#""n":[2.50]"#.to_owned()],
    ];
    for ((tenant, secret, _), expected) in TENANTS.into_iter().zip(expected) {
        let answer = program.request_token(tenant, "svc", secret).await.json();
        let token = answer["access_token"].as_str().unwrap();
        let payload = jwt::payload(token);
        for part in expected {
            assert!(payload.contains(&part), "{part} is not in {payload}");
        }
    }
}
