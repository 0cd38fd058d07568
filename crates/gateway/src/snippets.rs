//! Lines to paste that fetch a token: the command line prints them, and the console shows them. They do not
//! contain the secret: they read it from the environment.

mod example;

pub use example::{SnippetSource, filled};
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

/// The name of each language, and its lines: either with `{url}` and `{id}`, or an example with its own
/// values.
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

/// The lines of each language, with its name.
#[must_use]
pub fn token_snippets(token_endpoint: &str, client_id: &str) -> [(&'static str, String); 8] {
    SNIPPETS.map(|(language, source)| {
        let (url, id) = match language {
            "curl" => (shell_word(token_endpoint), shell_word(&format!("client_id={client_id}"))),
            // A JSON literal is valid in the other languages, too, because the values contain no control
            // characters.
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

/// A command that fetches a token, in one line for a shell.
#[must_use]
pub fn curl_line(token_endpoint: &str, client_id: &str) -> String {
    let [(_, curl), ..] = token_snippets(token_endpoint, client_id);
    curl.replace(" \\\n  ", " ")
}

/// A literal of JSON, and of most languages.
#[must_use]
pub fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A literal of PHP and Ruby, where double quotes would replace variables.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_letters_stays_one_word() {
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
