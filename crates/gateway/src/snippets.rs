//! Code that fetches a token, in several languages: the command line prints it, and the console
//! shows it. The code reads the secret from the environment.

mod example;
mod verifier;

pub use example::filled;
pub use verifier::{VerifierSettings, verifier_snippets};

use example::SnippetSource;
use values::shell_word;

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

/// A template with `{url}` and `{id}`, or a file with example values to replace.
const SNIPPETS: [(&str, SnippetSource); 8] = [
    ("curl", SnippetSource::Template(CURL)),
    ("JavaScript (fetch)", SnippetSource::Example(include_str!("../../../docs/examples/js/token.mjs"))),
    (
        "Python (requests)",
        SnippetSource::Example(include_str!("../../../docs/examples/python/fetch_token.py")),
    ),
    ("Go (net/http)", SnippetSource::Example(include_str!("../../../docs/examples/go/token.go"))),
    ("Rust (reqwest)", SnippetSource::Template(RUST)),
    (
        "Java (java.net.http)",
        SnippetSource::Example(include_str!("../../../docs/examples/java/FetchToken.java")),
    ),
    ("PHP", SnippetSource::Example(include_str!("../../../docs/examples/php/fetch_token.php"))),
    ("Ruby (net/http)", SnippetSource::Example(include_str!("../../../docs/examples/ruby/fetch_token.rb"))),
];

/// Returns the name of each language with its code.
#[must_use]
pub fn token_snippets(token_endpoint: &str, client_id: &str) -> [(&'static str, String); 8] {
    SNIPPETS.map(|(language, source)| {
        let (url, id) = match language {
            "curl" => (shell_word(token_endpoint), shell_word(&format!("client_id={client_id}"))),
            // A JSON literal is also valid in the other languages, because the values contain no
            // control characters.
            _ => (literal(token_endpoint), literal(client_id)),
        };
        let values = [
            ("{url}", url.clone()),
            ("{id}", id.clone()),
            (r#""http://localhost:3000/api/v1/tenant/globex/oauth/token""#, url),
            (r#""shipping""#, id),
            ("'http://localhost:3000/api/v1/tenant/globex/oauth/token'", single_quoted(token_endpoint)),
            ("'shipping'", single_quoted(client_id)),
        ];
        (language, filled(&source.text(), &values))
    })
}

/// The command on one line.
#[must_use]
pub fn curl_line(token_endpoint: &str, client_id: &str) -> String {
    let [(_, curl), ..] = token_snippets(token_endpoint, client_id);
    curl.replace(" \\\n  ", " ")
}

/// A JSON string, which is also valid in most languages.
#[must_use]
pub fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// For PHP and Ruby, which would replace variables between double quotes.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_escaped_in_snippets() {
        let [curl, _, python, _, _, java, php, ruby] =
            token_snippets("http://localhost/token", r#"it's "$(me)" \ "#).map(|(_, text)| text);
        assert!(curl.contains(r#"'client_id=it'\''s "$(me)" '\\' '"#), "{curl}");
        assert!(python.contains(r#""it's \"$(me)\" \\ ""#), "{python}");
        assert!(java.contains(r#""it's \"$(me)\" \\ ""#), "{java}");
        for text in [php, ruby] {
            assert!(text.contains(r#"'it\'s "$(me)" \\ '"#), "{text}");
        }
    }
}
