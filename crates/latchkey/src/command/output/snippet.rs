//! Lines to paste that fetch a token. The secret is not in them: they read it from the environment, where it belongs.

use clap::ValueEnum;

use super::example::{Source, filled, listed};

/// In which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Curl,
    Js,
    Python,
    Go,
    Rust,
    /// All five.
    All,
    /// None.
    None,
}

const CURL: &str = r#"curl -sS {url} \
  -d grant_type=client_credentials \
  --data-urlencode {id} \
  --data-urlencode "client_secret=$CLIENT_SECRET"
"#;

const RUST: &str = r#"let secret = std::env::var("CLIENT_SECRET")?;
let form = [
    ("grant_type", "client_credentials"),
    ("client_id", {id}),
    ("client_secret", &secret),
];
let request = reqwest::Client::new().post({url}).form(&form);
let answer: serde_json::Value = request.send().await?.error_for_status()?.json().await?;
let access_token = answer["access_token"].as_str();
"#;

/// The name of each language, and its lines: with `{url}` and `{id}`, or an example with the values of its own.
const SNIPPETS: [(Language, &str, Source); 5] = [
    (Language::Curl, "curl", Source::Template(CURL)),
    (
        Language::Js,
        "JavaScript (fetch)",
        Source::Example(include_str!("../../../../../docs/examples/js/token.mjs")),
    ),
    (
        Language::Python,
        "Python (requests)",
        Source::Example(include_str!("../../../../../docs/examples/python/token.py")),
    ),
    (
        Language::Go,
        "Go (net/http)",
        Source::Example(include_str!("../../../../../docs/examples/go/token.go")),
    ),
    (Language::Rust, "Rust (reqwest)", Source::Template(RUST)),
];

/// The snippets of these languages, each under the name of its language.
pub(crate) fn snippets(token_endpoint: &str, client_id: &str, wanted: Language) -> String {
    listed(&SNIPPETS, wanted, |language, text| {
        let (url, id) = match language {
            Language::Curl => (quoted(token_endpoint), quoted(&format!("client_id={client_id}"))),
            // A literal of JSON is one of the other languages, too: nothing here holds control characters.
            _ => (literal(token_endpoint), literal(client_id)),
        };
        let values = [
            ("{url}", url.clone()),
            ("{id}", id.clone()),
            (r#""http://localhost:3000/api/v1/tenant/globex/oauth/token""#, url),
            (r#""shipping""#, id),
        ];
        filled(text, &values)
    })
}

pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// For a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_letters_stays_one_word() {
        let of = |language| snippets("http://localhost/token", r#"it's "$(me)" \ "#, language);
        let curl = of(Language::Curl);
        assert!(curl.contains(r#"'client_id=it'\''s "$(me)" \ '"#), "{curl}");
        let python = of(Language::Python);
        assert!(python.contains(r#""it's \"$(me)\" \\ ""#), "{python}");
    }

    #[test]
    fn all_are_five() {
        let of = |language| snippets("http://localhost/token", "svc", language);
        let all = of(Language::All);
        assert_eq!(all.matches("── ").count(), 5, "{all}");
        assert_eq!(of(Language::None), "");
        assert!(of(Language::Go).starts_with("\n── Go"));
    }
}
