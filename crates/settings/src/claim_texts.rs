//! Restores the values of claims as the file writes them. The YAML reader reads `01234`, `+49…` and `1_000`
//! as numbers, and rewrites `1e3` and numbers of thirty digits. Tokens contain these values, so a scalar
//! without quotes is only a number if it is one in JSON (RFC 8259 §6).

use std::collections::BTreeMap;
use std::fmt;

use administration::documents::TenantSettings;
use protocol::StaticClaims;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::diagnostic::Diagnostic;
use super::document::Document;
use super::source::SourceFile;
use super::yaml::read;

/// Corrects the values of the claims in config.yaml.
pub(crate) fn of_document(document: &mut Document, source: &SourceFile) -> Result<(), Diagnostic> {
    if document.tenants.values().any(has_claims) {
        let mut found: DocumentClaims = read(source.text()).map_err(|fault| fault.located(source))?;
        for (id, tenant) in &mut document.tenants {
            found.tenants.remove(id).unwrap_or_default().correct(tenant, source.text());
        }
    }
    Ok(())
}

/// Corrects the values of the claims in the file of a tenant.
pub(crate) fn of_tenant(tenant: &mut TenantSettings, source: &SourceFile) -> Result<(), Diagnostic> {
    if has_claims(tenant) {
        let found: TenantClaims = read(source.text()).map_err(|fault| fault.located(source))?;
        found.correct(tenant, source.text());
    }
    Ok(())
}

fn has_claims(tenant: &TenantSettings) -> bool {
    !tenant.access_token.claims.is_empty() || tenant.clients.values().any(|client| !client.claims.is_empty())
}

#[derive(Deserialize)]
struct DocumentClaims {
    tenants: BTreeMap<String, TenantClaims>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TenantClaims {
    access_token: HasClaims,
    clients: BTreeMap<String, HasClaims>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HasClaims {
    claims: BTreeMap<String, Spanned<Written>>,
}

/// How the YAML reader has read a value.
enum Written {
    /// A text or a mapping, which the reader does not change.
    Kept,
    /// A number, a boolean or null.
    Converted,
    List(Vec<Spanned<Self>>),
}

impl TenantClaims {
    fn correct(mut self, tenant: &mut TenantSettings, text: &str) {
        correct(&mut tenant.access_token.claims, &self.access_token, text);
        for (id, client) in &mut tenant.clients {
            correct(&mut client.claims, &self.clients.remove(id).unwrap_or_default(), text);
        }
    }
}

fn correct(claims: &mut Map<String, Value>, found: &HasClaims, text: &str) {
    for (name, written) in &found.claims {
        if let Some(value) = claims.get_mut(name) {
            correct_value(value, written, text);
        }
    }
}

fn correct_value(value: &mut Value, written: &Spanned<Written>, text: &str) {
    match (&written.value, value) {
        (Written::List(written), Value::Array(items)) => {
            items.iter_mut().zip(written).for_each(|(item, written)| correct_value(item, written, text));
        }
        (Written::Converted, value) => {
            let Some(scalar) = scalar_at(text, written) else { return };
            *value = match scalar {
                // Null counts as absent, as everywhere in a file.
                "" | "~" | "null" | "Null" | "NULL" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                quoted if quoted.starts_with(['"', '\'', '|', '>']) => return,
                scalar => StaticClaims::number(scalar).unwrap_or_else(|| scalar.into()),
            };
        }
        _ => {}
    }
}

/// The characters of a plain scalar. An alias has the characters of its anchor.
fn scalar_at<'t>(text: &'t str, written: &Spanned<Written>) -> Option<&'t str> {
    let span = written.defined.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start + usize::try_from(span.byte_len()?).ok()?;
    text.get(start..end).map(str::trim)
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct YamlKind;

        impl<'de> Visitor<'de> for YamlKind {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the value of a claim")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                // The reader returns such a text also for a number that is too large, such as `1e999`.
                let is_written = [".inf", "-.inf", ".nan"].contains(&text);
                Ok(if is_written { Written::Converted } else { Written::Kept })
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Written, E> {
                Ok(Written::Converted)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Written, E> {
                Ok(Written::Converted)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Written, E> {
                Ok(Written::Converted)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Written, E> {
                Ok(Written::Converted)
            }

            fn visit_unit<E: Error>(self) -> Result<Written, E> {
                Ok(Written::Converted)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Written, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    items.push(item);
                }
                Ok(Written::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Written::Kept)
            }
        }

        deserializer.deserialize_any(YamlKind)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use administration::documents::FileSecret;
    use serde_json::json;

    use super::super::recovery;
    use super::*;

    fn claims(text: &str) -> Value {
        let source = SourceFile::new(PathBuf::from("c"), FileSecret::new(text.to_owned()));
        let mut document = recovery::parse::<Document>(&source).value.unwrap();
        of_document(&mut document, &source).unwrap();
        let tenant = &document.tenants["acme"];
        json!([
            tenant.access_token.claims,
            tenant.clients.values().map(|client| &client.claims).collect::<Vec<_>>()
        ])
    }

    // Without this code, `zip: 01234` was signed as `1234.0`, `phone: +4915112345` as `4915112345`, `release:
    // 1_000` as `1000`.
    #[test]
    fn only_json_numbers_are_read_as_numbers() {
        for text in [
            "01234",
            "+4915112345",
            "1_000",
            "0x10",
            "0o17",
            "0b1",
            ".5",
            "5.",
            "-.5",
            "00",
            "08",
            "1.e3",
            ".inf",
            "-.INF",
            ".nan",
            "True",
            "FALSE",
            "yes",
            "12:30",
            "2026-01-02",
            "1__0",
            "+1e3",
            "-01",
        ] {
            for (file, at) in [
                (
                    format!("tenants: {{ acme: {{ access_token: {{ claims: {{ é: ü, c: {text} }} }} }} }}"),
                    "/0/c",
                ),
                (
                    format!(
                        "tenants:\n  acme:\n    access_token:\n      claims:\n        c:\n          - {text}\n"
                    ),
                    "/0/c/0",
                ),
                (
                    format!(
                        "tenants:\n  acme:\n    clients:\n      web:\n        claims:\n          c: {text} # é\n"
                    ),
                    "/1/0/c",
                ),
                (
                    format!(
                        "tenants: {{ acme: {{ clients: {{ web: {{ claims: {{ c: [a, {text}] }} }} }} }} }}"
                    ),
                    "/1/0/c/1",
                ),
            ] {
                assert_eq!(claims(&file).pointer(at), Some(&json!(text)), "{file}");
            }
        }
        for text in ["0", "-1", "1.0", "1e3", "2.50", "1E-3", "-0", "1e999", "123456789012345678901234567890"]
        {
            let file = format!("tenants: {{ acme: {{ access_token: {{ claims: {{ c: [{text}] }} }} }} }}");
            assert_eq!(claims(&file).pointer("/0/c/0"), StaticClaims::number(text).as_ref(), "{file}");
        }
        for (text, expected) in [
            ("\"5\"", json!("5")),
            ("'1e3'", json!("1e3")),
            ("true", json!(true)),
            ("~", json!(null)),
            ("\"\"", json!("")),
            ("'.inf'", json!(".inf")),
        ] {
            let file = format!("tenants: {{ acme: {{ access_token: {{ claims: {{ c: {text} }} }} }} }}");
            assert_eq!(claims(&file).pointer("/0/c"), Some(&expected), "{file}");
        }
    }

    #[test]
    fn aliased_and_merged_claims_keep_their_text() {
        let text = "tenants:\n  acme:\n    access_token: { claims: &all { zip: &zip 01234, n: &n 1.0 } }\n    clients:\n      a: { claims: *all }\n      b: { claims: { <<: *all, more: [*zip, *n] } }\n";
        let (zip, n) = (json!("01234"), json!(1.0));
        assert_eq!(
            claims(text),
            json!([
                { "zip": zip, "n": n }, [{ "zip": zip, "n": n }, { "zip": zip, "n": n, "more": [zip, n] }]
            ])
        );
    }
}
