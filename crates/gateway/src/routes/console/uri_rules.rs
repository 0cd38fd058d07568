//! A field for redirect URIs with the rules that each URI must keep. A script marks broken rules while the
//! person types. `protocol::check_redirect_uri` decides.

use pages::ConsoleTexts;
use pages::console::{Field, Input, UriRule};

const CONFIDENTIAL: &str = r"^(https://[^/?#]|http://(127\.0\.0\.1|\[::1\]|localhost)([:/?#]|$))";
const PUBLIC: &str =
    r"^(https://[^/?#]|http://(127\.0\.0\.1|\[::1\]|localhost)([:/?#]|$)|[a-z][a-z0-9+\-]*\.[a-z0-9+.\-]*:.)";

pub(super) fn uris_field(texts: &ConsoleTexts, name: &'static str, uris: String, is_public: bool) -> Field {
    let (label, texts) = ((texts.edit.label)(name).unwrap_or(name), &texts.new_application);
    let scheme = if is_public { (texts.uri_public, PUBLIC) } else { (texts.uri_confidential, CONFIDENTIAL) };
    let rules = [scheme, (texts.uri_fragment, "^[^#]*$"), (texts.uri_wildcard, "^[^*]*$")];
    let rules = rules.map(|(text, pattern)| UriRule { text, pattern });
    Field::new(name, label, Input::Uris(uris, rules.to_vec())).hint(texts.uris_hint)
}
