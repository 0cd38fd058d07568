//! Code to paste that checks a token: each language's file holds it with the tenant's values as placeholders. `docs/protect-an-api.md` shows the
//! same code with the values of an example.

use std::fmt::Write as _;

use super::snippet::{Language, literal, quoted};

/// What an API must know to check a tenant's tokens.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) jwks: &'a str,
    pub(crate) token_endpoint: &'a str,
    /// The API's own name.
    pub(crate) audience: &'a str,
    pub(crate) algorithm: &'a str,
    pub(crate) typ: &'a str,
    /// Who asks the introspection endpoint.
    pub(crate) client_id: &'a str,
}

const VERIFIERS: [(Language, &str, &str); 5] = [
    (Language::Curl, "curl: introspection", include_str!("verifiers/introspect.sh")),
    (Language::Js, "JavaScript (jose)", include_str!("verifiers/verify.mjs")),
    (Language::Python, "Python (PyJWT)", include_str!("verifiers/verify.py")),
    (Language::Go, "Go (golang-jwt, keyfunc)", include_str!("verifiers/verify.go")),
    (Language::Rust, "Rust (jsonwebtoken, reqwest)", include_str!("verifiers/verify.rs.in")),
];

/// The verifiers of these languages, each under its name.
pub(crate) fn verifiers(expected: &Expected<'_>, wanted: Language) -> String {
    let mut text = String::new();
    for (language, name, template) in VERIFIERS {
        if wanted == Language::All || wanted == language {
            let _ = write!(text, "\n── {name}\n\n{}", filled(template, expected));
        }
    }
    text
}

/// Each placeholder once, from left to right: a value may look like a placeholder.
fn filled(template: &str, expected: &Expected<'_>) -> String {
    let introspection = expected.token_endpoint.replace("/oauth/token", "/oauth/introspect");
    let values = [
        ("{issuer}", literal(expected.issuer)),
        ("{jwks}", literal(expected.jwks)),
        ("{audience}", literal(expected.audience)),
        ("{algorithm}", literal(expected.algorithm)),
        ("{typ}", literal(expected.typ)),
        ("{introspection}", quoted(&introspection)),
        ("{id}", quoted(&format!("client_id={}", expected.client_id))),
    ];
    let mut text = String::new();
    let mut rest = template;
    let next = |rest: &str| {
        let places = values.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, value.clone())));
        places.min_by_key(|(place, ..)| *place)
    };
    while let Some((place, name, value)) = next(rest) {
        text.push_str(&rest[..place]);
        text.push_str(&value);
        rest = &rest[place + name.len()..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOBEX: Expected<'_> = Expected {
        issuer: "http://localhost:3000/api/v1/tenant/globex",
        jwks: "http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json",
        token_endpoint: "http://localhost:3000/api/v1/tenant/globex/oauth/token",
        audience: "orders-api",
        algorithm: "RS256",
        typ: "at+jwt",
        client_id: "shipping",
    };

    /// `cargo xtask docs-run` runs the page.
    #[test]
    fn the_page_shows_what_the_command_prints() {
        let page = include_str!("../../../../../docs/protect-an-api.md");
        for (_, name, template) in VERIFIERS {
            let shown = filled(template, &GLOBEX);
            assert!(page.contains(&shown), "docs/protect-an-api.md differs from {name}:\n{shown}");
            assert!(!shown.contains("{issuer}") && !shown.contains("{audience}"), "{shown}");
        }
    }

    #[test]
    fn a_name_that_looks_like_a_placeholder_or_ends_a_text_stays_a_name() {
        let expected = Expected { audience: r#"{typ}" + x + ""#, client_id: "it's {typ}", ..GLOBEX };
        let python = verifiers(&expected, Language::Python);
        assert!(python.contains(r#"audience="{typ}\" + x + \"","#), "{python}");
        let curl = verifiers(&expected, Language::Curl);
        assert!(curl.contains(r"'client_id=it'\''s {typ}'"), "{curl}");
    }

    #[test]
    fn all_are_five_and_none_is_none() {
        assert_eq!(verifiers(&GLOBEX, Language::All).matches("── ").count(), 5);
        assert_eq!(verifiers(&GLOBEX, Language::None), "");
    }
}
