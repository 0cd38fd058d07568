//! Finds all errors of a file's form in one run: after an error, its entry is replaced by spaces and the rest
//! is read again. Lines and columns stay the same, so each error has its place in the file.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;
use zeroize::Zeroizing;

use super::{
    diagnostic::Diagnostic,
    number_texts::{self, Numbers, blanks},
    source::SourceFile,
    source_map::{EntryText, KeyPath, SourceMap},
    yaml::{self, YamlFault},
};

/// The readable part of a file.
pub(crate) struct Recovered<T> {
    /// The content without the entries with errors. `None` if the rest cannot be read either.
    pub(crate) value: Option<T>,
    /// The errors of the form, in the order of the file.
    pub(crate) faults: Vec<Diagnostic>,
    /// The entries that were dropped from the value.
    pub(crate) left_out: Vec<KeyPath>,
}

/// The most errors that are searched. The file is read once for each.
const MOST: usize = 20;
/// The most bytes that are read to find errors, so a file with many thousand tenants is read only once.
const MOST_BYTES: usize = 8 << 20;

/// Reads one document, and finds all errors of its form.
pub(crate) fn parse<T: DeserializeOwned>(source: &SourceFile) -> Recovered<T> {
    let mut recovered = Recovered { value: None, faults: Vec::new(), left_out: Vec::new() };
    if let Err(fault) = yaml::check_not_empty(source) {
        recovered.faults.push(fault);
        return recovered;
    }
    let most = (MOST_BYTES / source.text().len().max(1)).clamp(1, MOST);
    let Numbers { mut text, faults, left_out } = number_texts::check(source);
    (recovered.faults, recovered.left_out) = (faults, left_out);
    // An error that follows from a dropped entry does not count.
    for _ in 0..2 * most {
        let fault = match yaml::read::<T>(&text) {
            Ok(value) => {
                recovered.value = Some(value);
                break;
            }
            Err(fault) => fault,
        };
        let entry = UnreadableEntry::new(&fault, &text, &recovered.left_out);
        let follows = entry.as_ref().is_some_and(|entry| entry.follows_from(&recovered.left_out));
        let is_new = recovered.faults.is_empty() || entry.is_some() && !follows;
        if is_new {
            recovered.faults.push(fault.located(source));
        }
        let Some(entry) = entry.filter(|_| recovered.faults.len() < most) else { break };
        let blanked = blanked(&text, &entry);
        if *blanked == *text {
            break;
        }
        recovered.left_out.push(entry.path);
        text = blanked;
    }
    recovered
}

/// The entry that must be dropped so that the rest can be read.
struct UnreadableEntry {
    path: KeyPath,
    bytes: std::ops::Range<usize>,
    /// The member that is missing in the entry, if that is the error.
    missing: Option<&'static str>,
}

impl UnreadableEntry {
    /// Finds the entry with the error. The error may only be a consequence of an entry in `left_out`. `None`
    /// if the file is not YAML, or if aliases use its values in other places.
    fn new(fault: &YamlFault, text: &str, left_out: &[KeyPath]) -> Option<Self> {
        let missing = match fault.error() {
            Error::SerdeMissingField { field, .. } => Some(*field),
            Error::SerdeUnknownField { .. }
            | Error::SerdeUnknownVariant { .. }
            | Error::Unexpected { .. }
            | Error::SerdeInvalidType { .. }
            | Error::Message { .. }
            | Error::DuplicateMappingKey { .. }
            | Error::NullIntoString { .. }
            | Error::InvalidBooleanStrict { .. }
            | Error::InvalidScalar { .. } => None,
            _ => return None,
        };
        let source_map = SourceMap::from_text(text);
        if !source_map.is_plain() {
            return None;
        }
        let byte = fault.byte_in(text);
        let of = |EntryText { path, bytes }| Self { path, bytes, missing };
        let at = source_map.entry_at(text, byte).map(of);
        if missing.is_none() || at.as_ref().is_some_and(|at| at.follows_from(left_out)) {
            return at;
        }
        source_map.entry_of_mapping_at(text, byte).map(of)
    }

    /// Whether the error only follows from a dropped entry.
    fn follows_from(&self, left_out: &[KeyPath]) -> bool {
        let lacks = |path: &KeyPath| match self.missing {
            Some(member) => {
                path.split_last().is_some_and(|(last, parent)| last == member && *parent == *self.path)
            }
            None => path.starts_with(&self.path),
        };
        left_out.iter().any(lacks)
    }
}

/// The text with spaces instead of the entry.
fn blanked(text: &str, entry: &UnreadableEntry) -> Zeroizing<String> {
    let mut blanked = Zeroizing::new(String::with_capacity(text.len()));
    blanked.push_str(&text[..entry.bytes.start]);
    blanked.push_str(&blanks(&text[entry.bytes.clone()]));
    blanked.push_str(&text[entry.bytes.end..]);
    blanked
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use administration::documents::FileSecret;

    use super::super::document::Document;
    use super::*;

    fn faults(text: &str) -> (Vec<String>, bool) {
        let source = SourceFile::new(PathBuf::from("c"), FileSecret::new(text.to_owned()));
        let recovered = parse::<Document>(&source);
        let brief = recovered.faults.iter().map(Diagnostic::brief);
        (brief.map(|brief| brief.split("; ").next().unwrap().to_owned()).collect(), recovered.value.is_some())
    }

    #[test]
    fn all_format_faults_are_found_together() {
        for (text, expected) in [
            (
                "server:\n  public_ulr: x\n  listeners:\n    - serves: [publc]\n      address: 127.0.0.1:1\n    - serves: [public]\nlimits: { clients: many, é: ü, live_secrets: 5 }\ntenants:\n  acme:\n    access_token: { lifetime: 1.5h, typ: [a] }\n    strategies: { oidc: { enabled: yes } }\n    clients:\n      web: { client_secret: hunter2, scopes: a }\n      app:\n        nmae: |\n          several\n          lines\n        name: App\nkeys:\n  vault: {}\n",
                &[
                    "c:2:3: server.public_ulr: unknown key `public_ulr`",
                    "c:4:16: server.listeners[0].serves[0]: this value is not allowed",
                    "c:6:7: server.listeners[1].serves: `address` is missing",
                    "c:7:20: limits.clients: this is not a whole number in the allowed range",
                    "c:7:26: limits.é: unknown key `é`",
                    "c:10:31: tenants.acme.access_token.lifetime: `1.5h` is not a duration",
                    "c:10:42: tenants.acme.access_token.typ: a string is expected here",
                    "c:11:36: tenants.acme.strategies.oidc.enabled: the value must be true or false",
                    "c:13:29: tenants.acme.clients.web.client_secret: a secret is a mapping that says where to find the secret",
                    "c:13:46: tenants.acme.clients.web.scopes: a list is expected here",
                    "c:15:9: tenants.acme.clients.app.nmae: unknown key `nmae`",
                    "c:20:3: keys.vault: unknown key `vault`",
                ][..],
            ),
            // A missing member that was dropped because of its own error is not a second error.
            (
                "server:\n  listeners:\n    - address: localhost\ntenants: { acme: { nmae: x } }\n",
                &[
                    "c:3:16: server.listeners[0].address: `localhost` is not a listen address",
                    "c:4:20: tenants.acme.nmae: unknown key `nmae`",
                ],
            ),
            (
                "tenants:\n  acme: {}\n  acme: { name: x }\n  beta: 1\n",
                &[
                    "c:3:3: tenants.acme: this key appears twice",
                    "c:4:9: tenants.beta: keys are expected here",
                ],
            ),
        ] {
            let (mut found, is_read) = faults(text);
            found.sort_by_key(|fault| fault.split(':').nth(1).unwrap().parse::<usize>().unwrap());
            assert_eq!(found, expected);
            assert!(is_read, "{text}");
        }
    }

    #[test]
    fn invalid_yaml_and_aliases_stop_at_first_fault() {
        for text in [
            "limits: { a: 1 }\ntenants: { b\n",
            "limits: { a: 1, b: &x 1 }\ntenants: { c: *x }\n",
            "- a\n- b\n",
        ] {
            let (found, is_read) = faults(text);
            assert_eq!((found.len(), is_read), (1, false), "{found:?}");
        }
    }

    #[test]
    fn number_of_reported_faults_is_bounded() {
        let text: String = (0..1000).map(|number| format!("  t{number}: 1\n")).collect();
        assert_eq!(faults(&format!("tenants:\n{text}")).0.len(), MOST);
        let comment = "# 64 characters without a meaning, so that the file becomes large\n".repeat(50_000);
        assert_eq!(faults(&format!("tenants:\n{text}{comment}")).0.len(), 2);
    }
}
