//! Lines to paste that fetch a token. The secret is not in them: they read it from the environment, where it belongs.

use std::fmt::Write as _;

use clap::ValueEnum;

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

/// The name of each language, and its lines with `{url}` and `{id}` as literals.
const SNIPPETS: [(Language, &str, &str); 5] = [
    (
        Language::Curl,
        "curl",
        r#"curl -sS {url} \
  -d grant_type=client_credentials \
  --data-urlencode {id} \
  --data-urlencode "client_secret=$CLIENT_SECRET"
"#,
    ),
    (
        Language::Js,
        "JavaScript (fetch)",
        r#"const answer = await fetch({url}, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials",
    client_id: {id},
    client_secret: process.env.CLIENT_SECRET,
  }),
});
if (!answer.ok) throw new Error(await answer.text());
const { access_token } = await answer.json();
"#,
    ),
    (
        Language::Python,
        "Python (requests)",
        r#"import os, requests

answer = requests.post({url}, data={
    "grant_type": "client_credentials",
    "client_id": {id},
    "client_secret": os.environ["CLIENT_SECRET"],
}, timeout=10)
answer.raise_for_status()
access_token = answer.json()["access_token"]
"#,
    ),
    (
        Language::Go,
        "Go (net/http)",
        r#"// In a function of a file that imports encoding/json, log, net/http, net/url and os.
answer, err := http.PostForm({url}, url.Values{
	"grant_type":    {"client_credentials"},
	"client_id":     {{id}},
	"client_secret": {os.Getenv("CLIENT_SECRET")},
})
if err != nil {
	log.Fatal(err)
}
defer answer.Body.Close()
var token struct {
	AccessToken string `json:"access_token"`
}
if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
	log.Fatal(err)
}
"#,
    ),
    (
        Language::Rust,
        "Rust (reqwest)",
        r#"let secret = std::env::var("CLIENT_SECRET")?;
let form = [
    ("grant_type", "client_credentials"),
    ("client_id", {id}),
    ("client_secret", &secret),
];
let request = reqwest::Client::new().post({url}).form(&form);
let answer: serde_json::Value = request.send().await?.error_for_status()?.json().await?;
let access_token = answer["access_token"].as_str();
"#,
    ),
];

/// The snippets of these languages, each under the name of its language.
pub(crate) fn snippets(token_endpoint: &str, client_id: &str, wanted: Language) -> String {
    let mut text = String::new();
    for (language, name, template) in SNIPPETS {
        if wanted != Language::All && wanted != language {
            continue;
        }
        let (url, id) = match language {
            Language::Curl => (quoted(token_endpoint), quoted(&format!("client_id={client_id}"))),
            // A literal of JSON is one of the other languages, too: nothing here holds control characters.
            _ => (literal(token_endpoint), literal(client_id)),
        };
        // The id last: a client's id may be any text, also a placeholder. A URL has no braces.
        let snippet = template.replace("{url}", &url).replace("{id}", &id);
        let _ = write!(text, "\n── {name}\n\n{snippet}");
    }
    text
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
