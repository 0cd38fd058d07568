//! Sample code in several languages. The arguments select the languages.

use std::fmt::Write as _;

use clap::ValueEnum;
use gateway::snippets::{VerifierSettings, token_snippets, verifier_snippets};

/// In which language, in the order of all lists of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SnippetLanguage {
    Curl,
    Js,
    Python,
    Go,
    Rust,
    Java,
    Php,
    Ruby,
    /// All languages.
    All,
    /// No sample code.
    None,
}

/// The code that fetches a token in these languages, each with a heading.
pub(crate) fn snippets(token_endpoint: &str, client_id: &str, wanted: SnippetLanguage) -> String {
    listed(token_snippets(token_endpoint, client_id), wanted)
}

/// The code that checks a token in these languages, each with a heading.
pub(crate) fn verifiers(expected: &VerifierSettings<'_>, wanted: SnippetLanguage) -> String {
    listed(verifier_snippets(expected), wanted)
}

/// The code of the selected languages, each with a heading. `code` may lack the last languages.
fn listed(code: impl IntoIterator<Item = (&'static str, String)>, wanted: SnippetLanguage) -> String {
    let mut text = String::new();
    for (language, (name, code)) in SnippetLanguage::value_variants().iter().zip(code) {
        if wanted == SnippetLanguage::All || wanted == *language {
            let _ = write!(text, "\n── {name}\n\n{code}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use tenancy::TokenFormat;

    use super::*;

    #[test]
    fn all_selects_eight_languages() {
        let of = |language| snippets("http://localhost/token", "svc", language);
        let all = of(SnippetLanguage::All);
        assert_eq!(all.matches("── ").count(), 8, "{all}");
        assert_eq!(of(SnippetLanguage::None), "");
        assert!(of(SnippetLanguage::Go).starts_with("\n── Go"));
    }
    #[test]
    fn verifiers_exist_in_five_languages() {
        let text = "x";
        let expected = VerifierSettings {
            issuer: text,
            jwks: text,
            token_endpoint: text,
            audience: text,
            algorithm: text,
            typ: text,
            format: TokenFormat::Jwt,
            client_id: text,
        };
        assert_eq!(verifiers(&expected, SnippetLanguage::All).matches("── ").count(), 5);
        assert_eq!(verifiers(&expected, SnippetLanguage::None), "");
    }
}
