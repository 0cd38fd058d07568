//! Code that checks a token, with the values of the tenant: the command line prints it, and the console
//! shows it. `docs/protect-an-api.md` shows the same code with example values.

use tenancy::TokenFormat;
use values::shell_word;

use super::example::{SnippetSource as Source, filled};
use super::literal;

/// The values that an API needs to check a tenant's tokens.
#[derive(Clone, Copy, Debug)]
pub struct VerifierSettings<'a> {
    pub issuer: &'a str,
    pub jwks: &'a str,
    pub token_endpoint: &'a str,
    /// The audience of the API.
    pub audience: &'a str,
    pub algorithm: &'a str,
    pub typ: &'a str,
    pub format: TokenFormat,
    /// The client that calls the introspection endpoint.
    pub client_id: &'a str,
}

const VERIFIERS: [(&str, Source); 5] = [
    ("curl: introspection", Source::Template(include_str!("verifiers/introspect.sh"))),
    ("JavaScript (jose)", Source::Example(include_str!("../../../../docs/examples/js/verify.mjs"))),
    ("Python (PyJWT)", Source::Example(include_str!("../../../../docs/examples/python/verify.py"))),
    ("Go (go-oidc)", Source::Example(include_str!("../../../../docs/examples/go/verify.go"))),
    ("Rust (jsonwebtoken, reqwest)", Source::Template(include_str!("verifiers/verify.rs.in"))),
];

/// Returns the name of each language with its code; for opaque tokens only the introspection. The languages
/// have the order of
/// [`token_snippets`](super::token_snippets).
#[must_use]
pub fn verifier_snippets(expected: &VerifierSettings<'_>) -> Vec<(&'static str, String)> {
    let shown = if expected.format == TokenFormat::Opaque { &VERIFIERS[..1] } else { &VERIFIERS };
    shown.iter().map(|(name, source)| (*name, with_values(&source.text(), expected))).collect()
}

/// Templates have names for the values. Examples have the values of the tenant `globex`, which are replaced.
fn with_values(text: &str, expected: &VerifierSettings<'_>) -> String {
    let introspection = expected.token_endpoint.replace("/oauth/token", "/oauth/introspect");
    let values = [
        ("{issuer}", literal(expected.issuer)),
        ("{jwks}", literal(expected.jwks)),
        ("{audience}", literal(expected.audience)),
        ("{algorithm}", literal(expected.algorithm)),
        ("{typ}", literal(expected.typ)),
        ("{introspection}", shell_word(&introspection)),
        ("{id}", shell_word(&format!("client_id={}", expected.client_id))),
        (r#""http://localhost:3000/api/v1/tenant/globex""#, literal(expected.issuer)),
        (r#""http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json""#, literal(expected.jwks)),
        (r#""orders-api""#, literal(expected.audience)),
        (r#""RS256""#, literal(expected.algorithm)),
        (r#""at+jwt""#, literal(expected.typ)),
    ];
    filled(text, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOBEX: VerifierSettings<'_> = VerifierSettings {
        issuer: "http://localhost:3000/api/v1/tenant/globex",
        jwks: "http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json",
        token_endpoint: "http://localhost:3000/api/v1/tenant/globex/oauth/token",
        audience: "orders-api",
        algorithm: "RS256",
        typ: "at+jwt",
        format: TokenFormat::Jwt,
        client_id: "shipping",
    };

    #[test]
    fn opaque_tokens_can_only_be_introspected() {
        let shown = verifier_snippets(&VerifierSettings { format: TokenFormat::Opaque, ..GLOBEX });
        assert_eq!(shown.len(), 1);
        assert!(shown[0].1.contains("/oauth/introspect"), "{shown:?}");
    }

    /// `cargo xtask docs-run` runs the page.
    #[test]
    fn guide_shows_the_printed_code() {
        let page = include_str!("../../../../docs/protect-an-api.md");
        for (name, source) in VERIFIERS {
            let shown = with_values(&source.text(), &GLOBEX);
            assert!(page.contains(&shown), "docs/protect-an-api.md differs from {name}:\n{shown}");
            assert!(!shown.contains("{issuer}") && !shown.contains("{audience}"), "{shown}");
        }
    }

    #[test]
    fn values_are_escaped_in_sample_code() {
        let expected = VerifierSettings { audience: r#"{typ}" + x + ""#, client_id: "it's {typ}", ..GLOBEX };
        let [curl, _, python, ..] = VERIFIERS.map(|(_, source)| with_values(&source.text(), &expected));
        assert!(python.contains(r#"audience="{typ}\" + x + \"","#), "{python}");
        assert!(curl.contains(r"'client_id=it'\''s {typ}'"), "{curl}");
    }
}
