//! The parts of a file that a message may repeat: keys and values that are in their place and not secret, and
//! the punctuation between them.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::walk::{NodeKind, YamlNode};
use super::{Hidden, SourceMap, contract};

/// Words that often precede a secret in text without structure.
const SECRET_WORDS: [&str; 12] = [
    "secret", "password", "value", "hash", "key", "url", "token", "storage", "cache", "admin", "env", "file",
];

/// The longest name of a variable or file that a message repeats.
const LONGEST_NAME: usize = 100;

impl SourceMap {
    /// The ranges of a line that a message must not show: possible secrets, and everything except keys,
    /// values and punctuation, such as tags, anchors and comments. `None` if the content of the line is
    /// unknown.
    pub(crate) fn hidden(&self, text: &str, line: &Range<usize>) -> Option<Vec<Hidden>> {
        let is_mapping = self.nodes.first().is_some_and(|root| root.kind == NodeKind::Mapping);
        let unclear_from = self.broken.as_ref().map_or(usize::MAX, |broken| broken.unclear_from);
        let is_unclear = line.end > unclear_from;
        let unclear = unclear_from.min(line.start)..line.end;
        if !is_mapping || is_unclear && self.may_hold_secrets(&text[unclear], &text[line.clone()]) {
            return None;
        }
        let is_text = |node: &&YamlNode| !matches!(node.kind, NodeKind::List | NodeKind::Mapping);
        let touches = |node: &&YamlNode| node.bytes.start < line.end && line.start < node.bytes.end;
        let (mut hidden, mut at) = (Vec::new(), line.start);
        for node in self.nodes.iter().filter(is_text).filter(touches) {
            let bytes = node.bytes.start.max(at)..node.bytes.end.min(line.end);
            hide_words(text, at..bytes.start, &mut hidden);
            if !bytes.is_empty() && !self.shows(node, text) {
                hidden.push(bytes.clone());
            }
            at = at.max(bytes.end);
        }
        if !is_unclear {
            hide_words(text, at..line.end, &mut hidden);
        }
        Some(hidden)
    }

    /// The beginning of a path, as far as a message may repeat it.
    pub(crate) fn quotable<'p>(&self, path: &'p [String]) -> &'p [String] {
        let length = (0..path.len()).find(|last| !self.may_quote(&path[..=*last]));
        &path[..length.unwrap_or(path.len())]
    }

    /// Whether a message may repeat the value at this path.
    pub(crate) fn quotes(&self, path: &[String]) -> bool {
        contract::shows_value(path) && self.is_written(path)
    }

    /// Whether the value at this path is written there, and not copied by an alias.
    pub(crate) fn is_written(&self, path: &[String]) -> bool {
        !self.has_aliases || self.node(path, |kind| kind == NodeKind::Scalar).is_some()
    }

    fn may_quote(&self, path: &[String]) -> bool {
        let has_expected_kind = || match self.node(path, |_| true) {
            Some(node) => shows_kind(node.kind, path),
            None => contract::has_key(path),
        };
        contract::shows_key(path) && (!self.has_aliases && !self.has_odd_keys || has_expected_kind())
    }

    fn shows(&self, node: &YamlNode, text: &str) -> bool {
        let path = self.path(node);
        match node.kind {
            NodeKind::Scalar if is_harmless(&path, &text[node.bytes.clone()]) => true,
            NodeKind::Key => contract::shows_key(&path),
            NodeKind::BareKey | NodeKind::EmptyKey => shows_kind(node.kind, &path),
            _ => contract::shows_value(&path) || contract::shows_value_of_misspelled(&path),
        }
    }

    /// Whether a part in which the file is no longer valid YAML may contain secrets. The line to show is at
    /// the end of this part.
    fn may_hold_secrets(&self, stretch: &str, line: &str) -> bool {
        let stretch = stretch.to_lowercase();
        let path = self.broken.as_ref().map_or(&[][..], |broken| &broken.path);
        !contract::is_open(path)
            || !contract::begins_with_open_key(line)
            || SECRET_WORDS.iter().any(|word| stretch.contains(word))
    }
}

/// A boolean or an address is not a secret. In some places small numbers and names of variables and files are
/// not secrets either.
fn is_harmless(path: &[String], value: &str) -> bool {
    if contract::names_source(path) && (is_variable_name(value) || is_relative_path(value)) {
        return true;
    }
    if contract::number_place(path).is_some() && is_number(value) {
        return true;
    }
    let is_small = (1..=5).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_public = ["true", "false"].contains(&value)
        || value.parse::<IpAddr>().is_ok()
        || value.parse::<SocketAddr>().is_ok();
    !contract::is_secret(path) && (is_public || is_small && contract::shows_small_number(path))
}

/// At most five digits, and perhaps a unit of time.
fn is_number(value: &str) -> bool {
    let digits = value.trim_end_matches(|last: char| last.is_ascii_lowercase());
    (1..=5).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && value.len() <= digits.len() + 3
}

/// Capitals with an underscore between words, as in `SHIPPING_SECRET`.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let words = || text.split('_');
    text.len() <= LONGEST_NAME
        && words().count() > 1
        && words().all(is_word)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// Small letters with a slash between names, as in `secrets/shipping.txt`.
fn is_relative_path(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    let names = || text.split('/');
    text.len() <= LONGEST_NAME && names().count() > 1 && names().all(is_name)
}

/// Whether the text of such a node may be shown. A key without a value may be a value without its key.
fn shows_kind(kind: NodeKind, path: &[String]) -> bool {
    match kind {
        NodeKind::BareKey => false,
        NodeKind::EmptyKey => contract::is_meant_as_key(path),
        _ => true,
    }
}

/// Hides words between nodes, where only punctuation is expected. A comment counts as one word.
fn hide_words(text: &str, gap: Range<usize>, hidden: &mut Vec<Hidden>) {
    let parts_words = |character: char| character.is_whitespace() || "{}[],".contains(character);
    let mut from = gap.start;
    while let Some(start) = text[from..gap.end].find(|character| !parts_words(character)) {
        let rest = &text[from + start..gap.end];
        let length = if rest.starts_with('#') { None } else { rest.find(parts_words) };
        let word = from + start..from + start + length.unwrap_or(rest.len());
        from = word.end;
        if !text[word.clone()].chars().all(|character| ":-?|>+".contains(character)) {
            hidden.push(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_shows_only_known_keys_and_values() {
        for (line, expected) in [
            (
                "a: { clients: { web: { client_secret: { vale: hunter2, env: NAME }, scopes: [a] } } }",
                "a: { clients: { web: { client_secret: { vale: _, env: _ }, scopes: [_] } } }",
            ),
            (
                "clients: { web: { client_secret: { vale: hunter2, env: NAME }, scopes: [a, 'b'] } } # x",
                "clients: { web: { client_secret: { vale: _, env: _ }, scopes: [a, 'b'] } } _",
            ),
            (
                "clients: { web: { client_secret: { env: SHIPPING_SECRET }, scopes: [a] } }",
                "clients: { web: { client_secret: { env: SHIPPING_SECRET }, scopes: [a] } }",
            ),
            (
                "keys: { sealing_key: { file: keys/sealing.key } }",
                "keys: { sealing_key: { file: keys/sealing.key } }",
            ),
            ("keys: { sealing_key: { file: /Keys/a } }", "keys: { sealing_key: { file: _ } }"),
            (
                "clients: { web: { client_secret: { value: SHIPPING_SECRET, hash: a/b, file: hunter2 } } }",
                "clients: { web: { client_secret: { value: _, hash: _, file: _ } } }",
            ),
            ("storage: { url: !a-tag &anchor \"x\", pond: x }", "storage: { url: _ _ _, _: _ }"),
            ("clients: { hunter2 }", "clients: { _ }"),
            ("clients: { ? [a] : b }", "clients: { ? [_] : _ }"),
            ("clients: { web: hunter2, app: { name: x } }", "clients: { web: _, app: { name: x } }"),
            ("name: *a", "name: *a"),
            ("clients: { web: , name: }", "clients: { web: , name: }"),
            ("cache: { l1_lifetime: 15s, redis_url: 15s }", "cache: { l1_lifetime: 15s, redis_url: _ }"),
            ("cache: { l1_lifetime: hunter2 }", "cache: { l1_lifetime: _ }"),
            ("server: { public_ulr: 'https://a' }", "server: { public_ulr: 'https://a' }"),
            ("limits: { hunter: , failed: }", "limits: { _: , _: }"),
        ] {
            let shown = SourceMap::from_text(line).hidden(line, &(0..line.len())).map(|mut hidden| {
                let mut text = line.to_owned();
                hidden.reverse();
                hidden.into_iter().for_each(|range| text.replace_range(range, "_"));
                text
            });
            assert_eq!(shown.as_deref(), Some(expected), "{line}");
        }
    }

    // [found 14]
    #[test]
    fn file_without_mapping_shows_nothing() {
        for text in ["hunter2", "- hunter2", "[hunter2]", "# nothing\nhunter2\nx: y", "\"hunter2"] {
            assert_eq!(SourceMap::from_text(text).hidden(text, &(0..text.len())), None, "{text}");
        }
    }
}
