//! Reads YAML directly into a typed value, with a limit in proportion to the file's length, and rewrites the
//! library's errors. There is no untyped intermediate value, which could turn `0123` into a number or `yes`
//! into a boolean.

use std::borrow::Cow;

use administration::documents::{nearest, suggested};
use serde::de::DeserializeOwned;
use serde_saphyr::{
    Error, MessageFormatter, Options, UserMessageFormatter,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

use super::{
    diagnostic::{Diagnostic, ExplainedError, is_hint, written},
    hints::Surroundings,
    source::SourceFile,
    source_map::item_key,
};

const NO_YAML: &str = "correct the YAML here: check indentation, brackets, quotes and colons";

pub(crate) struct YamlFault(Error);

/// Reads one document, up to its first error.
pub(crate) fn parse<T: DeserializeOwned>(source: &SourceFile) -> Result<T, Diagnostic> {
    check_not_empty(source)?;
    read(source.text()).map_err(|fault| fault.located(source))
}

/// Refuses an empty file, because a failed write can leave an empty file.
pub(crate) fn check_not_empty(source: &SourceFile) -> Result<(), Diagnostic> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if source.text().lines().all(blank) {
        let hint = "write the settings, or `{}` to use only defaults";
        return Err(Diagnostic::about_path(&source.path, ExplainedError::new("the file is empty", hint)));
    }
    Ok(())
}

pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, YamlFault> {
    serde_saphyr::from_str_with_options(text, options(text.len())).map_err(YamlFault)
}

impl YamlFault {
    pub(crate) fn error(&self) -> &Error {
        self.0.without_snippet()
    }

    /// The byte of the error in the text, or in a text with the same number of characters before it.
    pub(crate) fn byte_in(&self, text: &str) -> usize {
        let location = self.error().location();
        let characters = location.and_then(|location| usize::try_from(location.span().offset()).ok());
        text.char_indices().nth(characters.unwrap_or(0)).map_or(text.len(), |(byte, _)| byte)
    }

    /// The message, with the place in the file.
    pub(crate) fn located(&self, source: &SourceFile) -> Diagnostic {
        translate(self.error(), self.byte_in(source.text()), source)
    }
}

/// After expanding aliases, the file may have at most one node for each byte. No ordinary file needs as many,
/// and an alias bomb is stopped early.
fn options(length: usize) -> Options {
    // The deepest valid place is tenants, tenant, clients, client, jwks, keys, key, key_ops.
    const DEPTH: usize = 24;
    let nodes = length + 16;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: nodes,
            max_events: 4 * nodes,
            max_aliases: nodes,
            max_anchors: nodes,
            max_depth: DEPTH,
            flow_nesting_limit: DEPTH + 1,
            // An event is stored once for each anchor around it, and anchors are not nested deeper than the
            // file.
            max_recorded_anchor_events: DEPTH * 2 * nodes,
            max_recorded_anchor_bytes: DEPTH * nodes,
            max_total_scalar_bytes: 16 * nodes,
            max_merge_keys: nodes,
            max_documents: 2,
            // Many clients may share one anchored list, so only the number of expanded nodes is limited.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 2 * nodes,
            max_replay_stack_depth: DEPTH,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // `.inf` and `1e999`, for example, are texts in a place without a type.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn translate(error: &Error, byte: usize, source: &SourceFile) -> Diagnostic {
    let (inner, is_alias) = match error {
        Error::AliasError { error, .. } => (error.as_ref(), true),
        other => (other, false),
    };
    let source_map = source.source_map();
    let path = source_map.path_at(byte);
    let quotable = if is_alias { &[] } else { source_map.quotable(&path) };
    let surroundings = Surroundings { text: source.text(), byte, path: &path };
    // A message about an unknown key only repeats the keys around it.
    let repeated =
        path.len() - usize::from(matches!(inner, Error::SerdeUnknownField { .. }) && !path.is_empty());
    let meant = if is_alias || quotable.len() < repeated { None } else { surroundings.meant(inner) };
    let explanation = match (meant, inner) {
        (Some(meant), _) => meant,
        (None, Error::DuplicateMappingKey { .. }) => duplicate(source, &path),
        (None, _) => explain(inner, quotable, !is_alias && source_map.quotes(&path)),
    };
    source.diagnostic_at(byte, &path, explanation)
}

/// The error and how to fix it. Only the `quotable` beginning of the path may be repeated, and the value only
/// if `quotes` is set. Any other text may be a secret.
fn explain(error: &Error, quotable: &[String], quotes: bool) -> ExplainedError {
    let key = quotable.last().map_or("this", String::as_str);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let hint = match suggested(field, expected.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                // An argon2id hash without quotes is split like this.
                None if field.contains('=') => {
                    "if it belongs to the value before it, quote that value: the comma ends the value here"
                        .to_owned()
                }
                None => format!("the valid keys are {}", expected.join(", ")),
            };
            if key == field {
                ExplainedError::new(format!("unknown key `{}`", written(std::slice::from_ref(field))), hint)
            } else {
                ExplainedError::new("this key is not valid here", hint)
            }
        }
        Error::SerdeUnknownVariant { expected, variant, .. } => {
            let hint = match nearest(variant, expected.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("use one of {}", expected.join(", ")),
            };
            ExplainedError::new("this value is not allowed", hint)
        }
        Error::SerdeMissingField { field, .. } => {
            ExplainedError::new(format!("`{field}` is missing"), format!("add `{field}: …` here"))
        }
        Error::Unexpected { expected, .. } => unexpected(expected, quotable),
        Error::Message { msg, .. } => of_our_types(msg, quotes),
        // One of our own types wrote this text.
        Error::SerdeInvalidType { expected, .. } => ExplainedError::new(
            format!("{expected} is expected here"),
            format!("see `{key}` in docs/configuration.md"),
        ),
        Error::NullIntoString { .. } => {
            ExplainedError::new("the value is missing", "add a value after the colon, or remove the key")
        }
        Error::InvalidBooleanStrict { .. } => {
            ExplainedError::new("the value must be true or false", "write `true` or `false`")
        }
        Error::InvalidScalar { .. } => {
            ExplainedError::new("this is not a whole number in the allowed range", "use a number such as 10")
        }
        Error::MultipleDocuments { .. } => ExplainedError::new(
            "a second document starts here",
            "a file contains one document; put other tenants in `tenants_dir`",
        ),
        Error::UnsupportedTag { .. } => ExplainedError::new(
            "this tag is not supported",
            "remove the word that begins with `!`, or quote the value if you mean the `!` literally",
        ),
        Error::UnknownAnchor { .. } => ExplainedError::new(
            "this alias has no anchor before it",
            "define it with `&name` first, or quote the value if you mean the `*` literally",
        ),
        // These texts of the library describe YAML and repeat nothing from the file. The scanner has its own
        // limit, which a deep file may exceed before it exceeds ours.
        Error::ExternalMessage { msg, .. } if !msg.contains("limit exceeded") => {
            ExplainedError::new(msg.clone(), NO_YAML)
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::ExternalMessage { .. } => ExplainedError::new(
            "the file expands to more than its length allows, or nests too deeply",
            "replace `&` anchors and `*` aliases with their content, and nest at most 24 levels",
        ),
        other => match UserMessageFormatter.format_message(other) {
            Cow::Borrowed(text) => ExplainedError::new(text, NO_YAML),
            // The library has built this text from the content of the file.
            Cow::Owned(_) => {
                ExplainedError::new("the value has the wrong type here", "see docs/configuration.md")
            }
        },
    }
}

/// Names the line of the first of the two equal keys.
fn duplicate(source: &SourceFile, path: &[String]) -> ExplainedError {
    let hint = match source.source_map().key(path) {
        Some(first) => {
            let line = 1 + source.text()[..first].matches('\n').count();
            format!("the first one is on line {line}; remove one of the two")
        }
        None => "remove one of the two".to_owned(),
    };
    ExplainedError::new("this key appears twice", hint)
}

/// Our own types write the error and how to fix it in one text, which repeats the value.
fn of_our_types(message: &str, quotes: bool) -> ExplainedError {
    let see = "see docs/configuration.md";
    let (problem, hint) = match message.split_once("; ") {
        _ if !quotes => ("this value is not allowed here", message.rsplit("; ").next().unwrap_or(see)),
        Some(parts) => parts,
        None => (message, see),
    };
    // The value may contain a semicolon as well.
    ExplainedError::new(problem, if quotes || is_hint(hint) { hint } else { see })
}

fn unexpected(expected: &str, path: &[String]) -> ExplainedError {
    let key = path.last().map_or("this", String::as_str);
    let is_item = key.starts_with('[');
    let item_key = item_key(if is_item { &path[..path.len() - 1] } else { path });
    let (problem, hint) = match (expected, key) {
        ("mapping start", "client_secret" | "password") => (
            "a secret is a mapping that says where to find the secret",
            format!("write `{key}: {{ env: NAME }}`, or use `file`, `hash` or `value` instead of `env`"),
        ),
        ("mapping start", "first_key" | "sealing_key" | "former_sealing_keys") => {
            ("a key is a mapping that says where to find the key", format!("write `{key}: {{ file: path }}`"))
        }
        ("mapping start", _) if is_item => (
            "keys are expected here",
            format!("write `- {}: …`, with further keys below it", item_key.unwrap_or("key")),
        ),
        ("mapping start", _) => {
            ("keys are expected here", format!("write `{key}:` with `key: value` lines below it"))
        }
        ("sequence start", "listeners") => (
            "a list of mappings is expected here",
            "write `listeners: [{ address: 127.0.0.1:3000 }]`".to_owned(),
        ),
        ("sequence start", _) if item_key.is_some() => (
            "a list of mappings is expected here",
            format!("write `{key}: [{{ {}: … }}]`", item_key.unwrap_or("key")),
        ),
        ("sequence start", _) => {
            ("a list is expected here", format!("write `{key}: [a, b]`, or one `- item` on each line"))
        }
        ("string scalar", _) => ("a string is expected here", format!("write `{key}: text`")),
        _ => ("the value has the wrong type here", format!("see `{key}` in docs/configuration.md")),
    };
    ExplainedError::new(problem, hint)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use administration::documents::FileSecret;
    use proptest::prelude::*;

    use super::{super::document::Document, *};

    fn parse_text(text: &str) -> Result<Document, Diagnostic> {
        parse(&SourceFile::new(PathBuf::from("config.yaml"), FileSecret::new(text.to_owned())))
    }

    fn message(text: &str) -> String {
        parse_text(text).expect_err(text).to_string()
    }

    #[test]
    fn error_shows_location_key_caret_and_hint() {
        for (text, expected) in [
            (
                "server:\n  public_ulr: http://localhost\n",
                "config.yaml:2:3: server.public_ulr: unknown key `public_ulr`\n   |\n 2 |   public_ulr: http://localhost\n   |   ^\n   = did you mean `public_url`?",
            ),
            (
                "limits: { banana: 1 }",
                "config.yaml:1:11: limits.banana: unknown key `banana`\n   |\n 1 | limits: { banana: 1 }\n   |           ^\n   = the valid keys are failed_attempts, clients, admin_writes, platform_writes, live_secrets, api_keys, deletion_grace, sign_in",
            ),
            (
                "tenants:\n  acme:\n    access_token: { lifetime: 1.5h }\n",
                "config.yaml:3:31: tenants.acme.access_token.lifetime: `1.5h` is not a duration\n   |\n 3 |     access_token: { lifetime: 1.5h }\n   |                               ^\n   = use an integer followed by s, m, h or d, such as 90s, 15m, 1h or 30d",
            ),
            (
                "tenants:\n  acme:\n    clients: { web: { client_secret: hunter2 } }\n",
                "config.yaml:3:38: tenants.acme.clients.web.client_secret: a secret is a mapping that says where to find the secret\n   |\n 3 |     clients: { web: { client_secret: [redacted] } }\n   |                                      ^\n   = write `client_secret: { env: NAME }`, or use `file`, `hash` or `value` instead of `env`",
            ),
            (
                "tenants:\n  acme:\n    clients: { web: { client_secert: { value: hunter2 } } }\n",
                "config.yaml:3:23: tenants.acme.clients.web.client_secert: unknown key `client_secert`\n   |\n 3 |     clients: { web: { client_secert: { value: [redacted] } } }\n   |                       ^\n   = did you mean `client_secret`?",
            ),
            (
                "tenants:\n  acme: {}\n  acme: {}\n",
                "config.yaml:3:3: tenants.acme: this key appears twice\n   |\n 3 |   acme: {}\n   |   ^\n   = the first one is on line 2; remove one of the two",
            ),
            (
                "server: { listeners: [{ address: '127.0.0.1:1', serves: [publc] }] }",
                "config.yaml:1:58: server.listeners[0].serves[0]: this value is not allowed\n   |\n 1 | server: { listeners: [{ address: '127.0.0.1:1', serves: [publc] }] }\n   |                                                          ^\n   = did you mean `public`?",
            ),
            (
                "tenants: { acme: { strategies: { oidc: { enabled: yes } } } }",
                "config.yaml:1:51: tenants.acme.strategies.oidc.enabled: the value must be true or false\n   |\n 1 | tenants: { acme: { strategies: { oidc: { enabled: yes } } } }\n   |                                                   ^\n   = write `true` or `false`",
            ),
            (
                "tenants: { acme: { issuer_aliases: thunder } }",
                "config.yaml:1:36: tenants.acme.issuer_aliases: a list is expected here\n   |\n 1 | tenants: { acme: { issuer_aliases: thunder } }\n   |                                    ^\n   = write `issuer_aliases: [a, b]`, or one `- item` on each line",
            ),
            (
                "reconcile: { max_retired: { tenants: -1 } }",
                "config.yaml:1:38: reconcile.max_retired.tenants: this is not a whole number in the allowed range\n   |\n 1 | reconcile: { max_retired: { tenants: -1 } }\n   |                                      ^\n   = use a number such as 10",
            ),
            (
                "server:\n  listeners:\n    - serves: [public]\n",
                "config.yaml:3:7: server.listeners[0].serves: `address` is missing\n   |\n 3 |     - serves: [public]\n   |       ^\n   = add `address: …` here",
            ),
            (
                "server:\n  listeners:\n    - address: localhost:3000\n",
                "config.yaml:3:16: server.listeners[0].address: `localhost:3000` is not a listen address\n   |\n 3 |     - address: localhost:3000\n   |                ^\n   = use an IP address and a port, such as 127.0.0.1:3000 or 0.0.0.0:3000",
            ),
            (
                "# nothing\n\n",
                "config.yaml: the file is empty\n  = write the settings, or `{}` to use only defaults",
            ),
        ] {
            assert_eq!(message(text), expected);
        }
    }

    #[test]
    fn invalid_yaml_shows_its_line_unless_possibly_secret() {
        let shown = message("tenants:\n  acme:\n   name: a\n    scopes: b\n");
        assert!(shown.starts_with("config.yaml:4:11: tenants.acme"), "{shown}");
        assert!(shown.contains(" 4 |     scopes: b\n"), "{shown}");
        for text in [
            "tenants: { acme: { clients: { web: { client_secret: { value: \"hunter2 } } } } }\n",
            "admin:\n  users:\n    a:\n      password: { value: hunter2\n     x",
            "admin:\n  users:\n    a:\n      password:\n        value: \"abc\n  hunter2\n",
        ] {
            let message = message(text);
            assert!(!message.contains("hunter2"), "{message}");
            assert!(message.starts_with("config.yaml:"), "{message}");
        }
    }

    #[test]
    fn strings_are_read_literally() {
        let text = "tenants: { acme: { clients: { 0123: { client_secret: { value: 0123 }, scopes: [yes, 1e3, ~a, null1, 0x10] } } } }";
        let document = parse_text(text).unwrap();
        let (id, client) = document.tenants["acme"].clients.first_key_value().unwrap();
        assert_eq!(id, "0123");
        assert_eq!(client.client_secret.as_ref().unwrap().value.as_ref().unwrap().expose(), "0123");
        assert_eq!(client.scopes, ["yes", "1e3", "~a", "null1", "0x10"]);
    }

    #[test]
    fn empty_value_means_the_default() {
        let document = parse_text("tenants:\n  acme:\n    clients:\n    issuer:\n").unwrap();
        assert!(document.tenants["acme"].clients.is_empty() && document.tenants["acme"].issuer.is_none());
    }

    // [limits #31]: settings file: nodes | as many as it has bytes, 24 levels deep | refused
    #[test]
    fn alias_and_depth_bombs_are_refused() {
        // An unknown member of a JWK is ignored, so the types accept any value here.
        let skipped = |text: &str| {
            format!("tenants: {{ a: {{ clients: {{ b: {{ jwks: {{ keys: [{{ {text} }}] }} }} }} }} }}")
        };
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]".to_owned();
        for level in 1..9 {
            let item = format!("*a{}", level - 1);
            bomb += &format!(", a{level}: &a{level} [{}]", [item.as_str(); 9].join(", "));
        }
        let long = "x".repeat(10_000);
        let many: String = (0..400).map(|n| format!("k{n}: 1, ")).collect();
        let jwk = "tenants:\n a:\n  clients:\n   b:\n    jwks:\n     keys:\n     -\n";
        let merged = "{ <<: [*a, *a, *a, *a, *a, *a, *a, *a] }, ".repeat(400);
        for text in [
            skipped(&bomb),
            skipped(&format!("a: &a {long}, b: [{}]", ["*a"; 1000].join(", "))),
            skipped(&format!("a: {}", "[".repeat(100_000))),
            skipped(&format!("a: {}", "{a: ".repeat(100_000))),
            skipped(&format!("a: &a {{ {many} }}, b: [{merged}]")),
            (0..500).fold(jwk.to_owned(), |text, depth| text + &" ".repeat(depth + 6) + "z:\n"),
        ] {
            let message = message(&text);
            assert!(message.contains("than its length allows"), "{message}");
            assert!(message.len() < 1000);
        }
    }

    #[test]
    fn shared_anchor_is_not_an_alias_bomb() {
        let first = "tenants:\n  acme:\n    clients:\n      first: &client { scopes: &scopes [a, b, c] }\n";
        let sharing = |number| format!("      client-number-{number}: {{ scopes: *scopes, name: client }}\n");
        let others: String = (0..200).map(sharing).collect();
        let last = "      last:\n        <<: *client\n        name: last\n";
        let document = parse_text(&format!("{first}{others}{last}")).unwrap();
        assert_eq!(document.tenants["acme"].clients["last"].scopes, ["a", "b", "c"]);
    }

    #[test]
    fn key_of_one_mebibyte_gets_a_short_error() {
        let key = "k".repeat(1 << 20);
        for text in [
            format!("{key}: 1"),
            format!("? {key}\n: 1"),
            format!("\"{key}\": 1"),
            format!("server: {{ {key}: 1 }}"),
        ] {
            let message = message(&text);
            assert!(message.len() < 1000, "{} bytes", message.len());
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_text(&String::from_utf8_lossy(&bytes)).map_err(|fault| fault.to_string());
        }

        #[test]
        fn random_yaml_scraps_never_panic(scraps in proptest::collection::vec(
            prop_oneof![
                Just("tenants:"), Just("acme"), Just(": "), Just("\n"), Just("  "), Just("- "), Just("["), Just("]"),
                Just("{"), Just("}"), Just("\""), Just("'"), Just("&a "), Just("*a"), Just("<<: "), Just("|\n"),
                Just("? "), Just("é"), Just("client_secret"), Just("\t"), Just("!x "), Just("---\n"), Just("#"), Just(","),
            ],
            0..60,
        )) {
            let _ = parse_text(&scraps.concat()).map_err(|fault| fault.to_string());
        }
    }
}
