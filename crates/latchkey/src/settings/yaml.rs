//! YAML straight into a typed value, under a budget proportional to the file's length, and the library's faults in
//! our own words: no untyped detour turns `0123` into a number or `yes` into a boolean.

use serde::de::DeserializeOwned;
use serde_saphyr::{
    Error, MessageFormatter, Options, UserMessageFormatter,
    options::{AliasLimits, DuplicateKeyPolicy},
};

use super::{
    diagnostic::{Diagnostic, Source, written},
    nearest::nearest,
    outline::Position,
};

/// Reads one document. A file that holds nothing is a fault, since a file cut short by a failed write looks so.
pub(crate) fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, Diagnostic> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if source.text.lines().all(blank) {
        let mend = "write the settings, or `{}` for nothing but defaults";
        return Err(Diagnostic::about_path(&source.path, "the file is empty", mend));
    }
    serde_saphyr::from_str_with_options(&source.text, options(source.text.len()))
        .map_err(|error| translate(&error, source))
}

/// One node a byte after aliases are expanded: no honest file comes near, and an alias bomb cannot get far.
fn options(length: usize) -> Options {
    // The deepest honest place is tenants, tenant, clients, client, jwks, keys, key, key_ops.
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
            // An event is kept once for each anchor around it, and anchors nest no deeper than the file does.
            max_recorded_anchor_events: DEPTH * 2 * nodes,
            max_recorded_anchor_bytes: DEPTH * nodes,
            max_total_scalar_bytes: 16 * nodes,
            max_total_comment_bytes: nodes,
            max_merge_keys: nodes,
            max_documents: 2,
            // Many clients may share one anchored list; the nodes they expand to are what counts.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits(nodes),
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    }
}

fn alias_limits(nodes: usize) -> AliasLimits {
    serde_saphyr::alias_limits! { max_total_replayed_events: 2 * nodes, max_replay_stack_depth: 24 }
}

fn translate(error: &Error, source: &Source) -> Diagnostic {
    let error = error.without_snippet();
    let location = error.location();
    let position = location
        .filter(|location| location.line() > 0)
        .map_or(Position::START, |location| Position {
            line: usize::try_from(location.line()).unwrap_or(1),
            column: usize::try_from(location.column()).unwrap_or(1).max(1),
        });
    let inner = match error {
        Error::AliasError { error, .. } => error.as_ref(),
        other => other,
    };
    let path = source.outline().path_at(position);
    let doubtful = matches!(inner, Error::SerdeUnknownField { .. }).then_some(path.as_slice());
    let (problem, mend) = explain(inner, &path);
    source.diagnostic_at(position, &path, doubtful, problem, mend)
}

/// What is wrong and how to mend it. Values are not quoted: any of them may be a secret.
fn explain(error: &Error, path: &[String]) -> (String, String) {
    let key = path.last().map_or("this", String::as_str);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let field = written(std::slice::from_ref(field));
            let mend = match nearest(&field, expected.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the keys here are {}", expected.join(", ")),
            };
            (format!("unknown key `{field}`"), mend)
        }
        Error::SerdeUnknownVariant { expected, variant, .. } => {
            let mend = match nearest(variant, expected.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write one of {}", expected.join(", ")),
            };
            ("this value is not one of those allowed".to_owned(), mend)
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("`{field}` is missing"), format!("add `{field}: …` here"))
        }
        Error::DuplicateMappingKey { .. } => {
            ("the key is given twice".to_owned(), "leave one of the two out".to_owned())
        }
        Error::Unexpected { expected, .. } => unexpected(expected, key),
        Error::NullIntoString { .. } => {
            ("there is no value".to_owned(), "write one after the colon, or leave the key out".to_owned())
        }
        Error::InvalidBooleanStrict { .. } => {
            ("this is neither true nor false".to_owned(), "write `true` or `false`".to_owned())
        }
        Error::InvalidScalar { .. } => {
            ("this is not a whole number in range".to_owned(), "write a number such as 10".to_owned())
        }
        Error::MultipleDocuments { .. } => (
            "a second document begins here".to_owned(),
            "keep one document a file; more tenants go into `tenants_dir`".to_owned(),
        ),
        Error::UnsupportedTag { .. } => {
            ("this tag is not known".to_owned(), "leave out the word that begins with `!`".to_owned())
        }
        Error::UnknownAnchor { .. } => (
            "this alias names no anchor before it".to_owned(),
            "define it with `&name` first, or quote the value if its `*` is meant".to_owned(),
        ),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. } => (
            "the file holds more, or nests deeper, than its length allows".to_owned(),
            "write out what `&` anchors and `*` aliases repeat, and nest no deeper than 24 levels".to_owned(),
        ),
        // Our own types say what is wrong and how to mend it, in one text.
        Error::Message { msg, .. } => match msg.split_once("; ") {
            Some((problem, mend)) => (problem.to_owned(), mend.to_owned()),
            None => (msg.clone(), "see docs/configuration.md".to_owned()),
        },
        other => (
            UserMessageFormatter.format_message(other).into_owned(),
            "mend the YAML here: indentation, brackets, quotes and colons".to_owned(),
        ),
    }
}

fn unexpected(expected: &str, key: &str) -> (String, String) {
    let (problem, mend) = match (expected, key) {
        ("mapping start", "client_secret" | "password") => (
            "a secret is a mapping that says where it is found",
            format!("write `{key}: {{ env: NAME }}`, or `file`, `hash` or `value` in place of `env`"),
        ),
        ("mapping start", "first_key" | "sealing_key") => {
            ("a key is a mapping that says where it is found", format!("write `{key}: {{ file: path }}`"))
        }
        ("mapping start", _) => {
            ("keys are expected here", format!("write `{key}:` with `key: value` lines below it"))
        }
        ("sequence start", _) => {
            ("a list is expected here", format!("write `{key}: [a, b]`, or one `- item` a line"))
        }
        ("string scalar", _) => ("a text is expected here", format!("write `{key}: text`")),
        _ => ("this is not what is expected here", format!("see `{key}` in docs/configuration.md")),
    };
    (problem.to_owned(), mend)
}
