//! Tests that every settings file is either read or refused with a message, and that the cost grows at most
//! linearly with the file.

use std::path::PathBuf;

use administration::documents::FileSecret;
use proptest::prelude::*;

use super::{diagnostic::Diagnostic, document::Document, source::SourceFile, yaml::parse};

fn read(text: &str) -> Result<Document, Diagnostic> {
    parse(&SourceFile::new(PathBuf::from("config.yaml"), FileSecret::new(text.to_owned())))
}

fn clients(count: usize) -> String {
    let client = |number| format!("      c{number}: {{ client_secret: {{ value: s }}, scopes: [a, b] }}\n");
    format!("tenants:\n  acme:\n    clients:\n{}", (0..count).map(client).collect::<String>())
}

fn aliases(count: usize) -> String {
    let client = |number| format!("      c{number}: *client\n");
    let first = "      first: &client { client_secret: { value: s }, scopes: [a, b] }\n";
    format!("tenants:\n  acme:\n    clients:\n{first}{}", (0..count).map(client).collect::<String>())
}

#[test]
fn settings_are_read_in_linear_time() {
    let shapes: [fn(usize) -> String; 5] = [
        clients,
        aliases,
        |count| {
            format!("tenants: {{ acme: {{ clients: {{ a: {{ scopes: [{}] }} }} }} }}", "a, ".repeat(count))
        },
        |count| format!("server: {{ public_ulr: {} }}", "k".repeat(count * 16)),
        |count| "[".repeat(count),
    ];
    for shape in shapes {
        let [small, large] = [256, 512].map(|count| {
            let text = shape(count);
            allocation_counter::measure(|| drop(read(&text)))
        });
        assert!(large.count_total * 10 <= small.count_total * 22, "{small:?}, then {large:?}: {}", shape(2));
        assert!(large.bytes_total * 10 <= small.bytes_total * 22, "{small:?}, then {large:?}: {}", shape(2));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn quoted_texts_are_read_unchanged(
        id in "[ -~é]{1,20}",
        scopes in proptest::collection::vec("[ -~\u{1}\u{e9}]{0,12}", 0..6),
    ) {
        let id = format!("c{id}");
        let quoted = serde_json::json!({ "tenants": { "acme": { "clients": { &id: { "scopes": &scopes } } } } });
        let read = read(&quoted.to_string()).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert_eq!(&read.tenants["acme"].clients[&id].scopes, &scopes);
    }

    #[test]
    fn broken_file_is_accepted_or_refused_with_location(
        at in any::<proptest::sample::Index>(),
        scrap in proptest::sample::select(vec![":", "{", "}", "[", "]", "\"", "'", "&a", "*a", "|", "\t", "\n", "- ", "!x ", "\u{e9}", "---"]),
    ) {
        let text = clients(3);
        let at = at.index(text.len());
        if let Err(fault) = read(&format!("{}{scrap}{}", &text[..at], &text[at..])) {
            let words = fault.to_string();
            prop_assert!(words.starts_with("config.yaml:") && words.contains(" = "), "{}", words);
        }
    }
}
