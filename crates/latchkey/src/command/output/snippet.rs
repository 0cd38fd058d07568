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

/// What a snippet needs.
pub(crate) struct Snippets<'a> {
    pub(crate) token_endpoint: &'a str,
    pub(crate) client_id: &'a str,
}

impl Snippets<'_> {
    /// Each under the name of its language.
    pub(crate) fn print(&self, language: Language) -> String {
        let languages = match language {
            Language::None => &[][..],
            Language::All => {
                &[Language::Curl, Language::Js, Language::Python, Language::Go, Language::Rust][..]
            }
            ref one => std::slice::from_ref(one),
        };
        let mut text = String::new();
        for language in languages {
            let name = match language {
                Language::Curl => "curl",
                Language::Js => "JavaScript (fetch)",
                Language::Python => "Python (requests)",
                Language::Go => "Go (net/http)",
                Language::Rust => "Rust (reqwest)",
                Language::All | Language::None => continue,
            };
            let _ = write!(text, "\n── {name}\n\n{}", self.one(*language));
        }
        text
    }

    fn one(&self, language: Language) -> String {
        // A literal of JSON is one of JavaScript, Python, Go and Rust, too: nothing here holds control characters.
        let (url, id) = (literal(self.token_endpoint), literal(self.client_id));
        match language {
            Language::Curl => format!(
                "curl -sS {} \\\n  -d grant_type=client_credentials \\\n  --data-urlencode {} \\\n  \
                 --data-urlencode \"client_secret=$CLIENT_SECRET\"\n",
                quoted(self.token_endpoint),
                quoted(&format!("client_id={}", self.client_id))
            ),
            Language::Js => format!(
                r#"const answer = await fetch({url}, {{
  method: "POST",
  body: new URLSearchParams({{
    grant_type: "client_credentials",
    client_id: {id},
    client_secret: process.env.CLIENT_SECRET,
  }}),
}});
if (!answer.ok) throw new Error(await answer.text());
const {{ access_token }} = await answer.json();
"#
            ),
            Language::Python => format!(
                r#"import os, requests

answer = requests.post({url}, data={{
    "grant_type": "client_credentials",
    "client_id": {id},
    "client_secret": os.environ["CLIENT_SECRET"],
}}, timeout=10)
answer.raise_for_status()
access_token = answer.json()["access_token"]
"#
            ),
            Language::Go => format!(
                r#"answer, err := http.PostForm({url}, url.Values{{
	"grant_type":    {{"client_credentials"}},
	"client_id":     {{{id}}},
	"client_secret": {{os.Getenv("CLIENT_SECRET")}},
}})
if err != nil {{
	log.Fatal(err)
}}
defer answer.Body.Close()
var token struct {{
	AccessToken string `json:"access_token"`
}}
if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {{
	log.Fatal(err)
}}
"#
            ),
            Language::Rust => format!(
                r#"let secret = std::env::var("CLIENT_SECRET")?;
let form = [
    ("grant_type", "client_credentials"),
    ("client_id", {id}),
    ("client_secret", &secret),
];
let request = reqwest::Client::new().post({url}).form(&form);
let answer: serde_json::Value = request.send().await?.error_for_status()?.json().await?;
let access_token = answer["access_token"].as_str();
"#
            ),
            Language::All | Language::None => String::new(),
        }
    }
}

fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_letters_stays_one_word() {
        let snippets = Snippets { token_endpoint: "http://localhost/token", client_id: r#"it's "$(me)" \ "# };
        let curl = snippets.print(Language::Curl);
        assert!(curl.contains(r#"'client_id=it'\''s "$(me)" \ '"#), "{curl}");
        let python = snippets.print(Language::Python);
        assert!(python.contains(r#""it's \"$(me)\" \\ ""#), "{python}");
    }

    #[test]
    fn all_are_five() {
        let snippets = Snippets { token_endpoint: "http://localhost/token", client_id: "svc" };
        let all = snippets.print(Language::All);
        assert_eq!(all.matches("── ").count(), 5, "{all}");
        assert_eq!(snippets.print(Language::None), "");
        assert!(snippets.print(Language::Go).starts_with("\n── Go"));
    }
}
