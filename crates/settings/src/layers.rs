//! The environment takes precedence over config.yaml, for the sections that an operator sets per machine:
//! server, storage, cache, keys and limits. Tenants and clients come from files only.

use std::collections::BTreeMap;
use std::str::FromStr;

use administration::nearest;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

use super::{
    diagnostic::{Diagnostic, ExplainedError, written},
    document::Document,
    environment::{Environment, LISTEN, Variable},
    hints::LISTENERS,
    read_error::ReadError,
    sections::SealingKeySetting,
    source_map::{KeyPath, LISTENER_WORDS},
};

/// The variable that each overridden key came from.
pub(crate) type Overridden = BTreeMap<KeyPath, String>;

const PREFIX: &str = "LATCHKEY__";

/// Sets a key to a text, or returns what is wrong with the text.
type Setter = fn(&mut Document, &str) -> Result<(), String>;

/// Every key that a variable may set. A list of listeners is no text, so it is not among them.
const KEYS: [(&str, Setter); 23] = [
    ("server.public_url", |to, text| set(&mut to.server.public_url, read(text))),
    ("server.mtls_url", |to, text| set(&mut to.server.mtls_url, read(text).map(Some))),
    ("server.default_tenant", |to, text| set(&mut to.server.default_tenant, read(text).map(Some))),
    ("server.max_connections", |to, text| set(&mut to.server.max_connections, number(text).map(Some))),
    ("server.workers", |to, text| set(&mut to.server.workers, number(text).map(Some))),
    ("storage.url", |to, text| set(&mut to.storage.url, read(text))),
    ("storage.direct_url", |to, text| set(&mut to.storage.direct_url, read(text).map(Some))),
    ("storage.connections.readers", |to, text| {
        set(&mut to.storage.connections.readers, number(text).map(Some))
    }),
    ("storage.connections.writers", |to, text| {
        set(&mut to.storage.connections.writers, number(text).map(Some))
    }),
    ("cache.redis_url", |to, text| set(&mut to.cache.redis_url, read(text).map(Some))),
    ("cache.l1_lifetime", |to, text| set(&mut to.cache.l1_lifetime, read(text))),
    (SEALING_KEYS[0], |to, text| set(&mut to.keys.sealing_key.file, read(text).map(Some))),
    (SEALING_KEYS[1], |to, text| set(&mut to.keys.sealing_key.env, read(text).map(Some))),
    ("limits.failed_attempts", |to, text| set(&mut to.limits.failed_attempts, read(text))),
    ("limits.clients", |to, text| set(&mut to.limits.clients, number(text))),
    ("limits.admin_writes", |to, text| set(&mut to.limits.admin_writes, read(text))),
    ("limits.platform_writes", |to, text| set(&mut to.limits.platform_writes, read(text))),
    ("limits.live_secrets", |to, text| set(&mut to.limits.live_secrets, number(text))),
    ("limits.api_keys", |to, text| set(&mut to.limits.api_keys, number(text))),
    ("limits.sign_in.account", |to, text| set(&mut to.limits.sign_in.account, number(text))),
    ("limits.sign_in.known_browser", |to, text| set(&mut to.limits.sign_in.known_browser, number(text))),
    ("limits.sign_in.source", |to, text| set(&mut to.limits.sign_in.source, number(text))),
    ("limits.deletion_grace", |to, text| set(&mut to.limits.deletion_grace, read(text))),
];
const SEALING_KEYS: [&str; 2] = ["keys.sealing_key.file", "keys.sealing_key.env"];

/// Replaces values of the file by the environment's `LATCHKEY__SECTION__KEY`. An empty variable counts as
/// unset.
pub(crate) fn apply(document: &mut Document, environment: &Environment) -> Result<Overridden, ReadError> {
    let (mut overridden, mut faults) = (Overridden::new(), Vec::new());
    let mut held = Vec::new();
    for (name, value) in environment.beginning_with(PREFIX) {
        let Some((key, setter)) = KEYS.into_iter().find(|(key, _)| variable_of(key) == name) else {
            faults.push(unknown(name));
            continue;
        };
        match value {
            Variable::Text(text) if text.expose().is_empty() => {}
            Variable::Text(text) => held.push((name, key, setter, text.expose())),
            Variable::NotText => {
                let explanation =
                    ExplainedError::new("its value is not UTF-8", "set it to text, or unset it");
                faults.push(Diagnostic::about_variable(name, key.to_owned(), explanation));
            }
        }
    }
    // A variable that names one place of the sealing key replaces all places of the file.
    if held.iter().any(|(_, key, ..)| SEALING_KEYS.contains(key)) {
        document.keys.sealing_key = SealingKeySetting::default();
    }
    for (name, key, setter, text) in held {
        if let Err(message) = setter(document, text) {
            // The messages of our types have a hint, and they quote no secret.
            let unfit = ("its value does not fit", "see the key in docs/configuration.md");
            let (problem, hint) = message.split_once("; ").unwrap_or(unfit);
            faults.push(Diagnostic::about_variable(name, key.to_owned(), ExplainedError::new(problem, hint)));
        }
        overridden.insert(key.split('.').map(str::to_owned).collect(), name.to_owned());
    }
    if let Some(Variable::Text(text)) = environment.get(LISTEN)
        && !text.expose().is_empty()
        && let Err(explanation) = set_addresses(document, text.expose())
    {
        faults.push(Diagnostic::about_variable(LISTEN, "server.listeners".to_owned(), explanation));
    }
    if faults.is_empty() { Ok(overridden) } else { Err(ReadError { faults }) }
}

fn set_addresses(document: &mut Document, text: &str) -> Result<(), ExplainedError> {
    let listeners = &mut document.server.listeners;
    let addresses: Vec<&str> = text.split(',').map(str::trim).collect();
    if addresses.len() != listeners.len() {
        let problem = format!(
            "the number of addresses is {1}, and that of the listeners {0}",
            listeners.len(),
            addresses.len()
        );
        return Err(ExplainedError::new(
            problem,
            "write one address for each listener, with commas between them",
        ));
    }
    for (listener, address) in listeners.iter_mut().zip(addresses) {
        listener.address = read(address).map_err(|message| {
            let (problem, hint) =
                message.split_once("; ").unwrap_or((&message, "write an address and a port"));
            ExplainedError::new(problem, hint)
        })?;
    }
    Ok(())
}

fn set<T>(field: &mut T, value: Result<T, String>) -> Result<(), String> {
    value.map(|value| *field = value)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(StrDeserializer::<Error>::new(text)).map_err(|error| error.to_string())
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| String::new())
}

/// The error of a variable that sets no key.
fn unknown(name: &str) -> Diagnostic {
    let path = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect::<Vec<_>>();
    let section = path.first().map_or("", String::as_str);
    let explanation = match section {
        "tenants" | "tenants_dir" => ExplainedError::new(
            "tenants and clients come from files, not from the environment",
            "declare the tenant in config.yaml or `tenants_dir`; a secret there may say `{ env: NAME }`",
        ),
        "admin" | "reconcile" | "protected_resource" => ExplainedError::new(
            format!("`{section}` comes from config.yaml, not from the environment"),
            "set it in config.yaml; a password there may say `{ env: NAME }`",
        ),
        "server" if path.get(1).is_some_and(|key| LISTENER_WORDS.contains(&key.as_str())) => {
            ExplainedError::new("no variable sets where the server listens", LISTENERS)
        }
        _ if name.starts_with("LATCHKEY__SERVER__LISTENERS") => ExplainedError::new(
            "`server.listeners` is a list, which a variable cannot hold",
            "set it in config.yaml; LATCHKEY_LISTEN replaces the addresses alone",
        ),
        _ => {
            let variables = KEYS.map(|(key, _)| variable_of(key));
            let hint = match nearest(name, variables.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the variables are {}", variables.join(", ")),
            };
            ExplainedError::new("this variable sets no key", hint)
        }
    };
    Diagnostic::about_variable(name, written(&path), explanation)
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::{source::SourceFile, yaml};
    use super::*;

    fn check<const N: usize>(variables: [(&str, &str); N]) -> Result<(Document, Overridden), String> {
        let mut document = Document::default();
        apply(&mut document, &Environment::from(variables))
            .map(|overridden| (document, overridden))
            .map_err(|error| error.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_variable_overrides_the_file() {
        let (document, overridden) = check([
            ("LATCHKEY__SERVER__PUBLIC_URL", "https://auth.example.com"),
            ("LATCHKEY__SERVER__DEFAULT_TENANT", "0123"),
            ("LATCHKEY__STORAGE__URL", "sqlite://elsewhere.db"),
            ("LATCHKEY__CACHE__REDIS_URL", ""),
            ("LATCHKEY__LIMITS__FAILED_ATTEMPTS", "5/s"),
            ("LATCHKEY__KEYS__SEALING_KEY__ENV", "SEALING"),
            ("LATCHKEY_ADMIN_PASSWORD", "not ours to judge"),
        ])
        .unwrap();
        assert_eq!(document.server.public_url.as_str(), "https://auth.example.com");
        assert_eq!(document.server.default_tenant.as_deref(), Some("0123"));
        assert_eq!(document.server.listeners.len(), 1);
        assert_eq!(document.storage.url.expose(), "sqlite://elsewhere.db");
        assert!(document.cache.redis_url.is_none());
        assert_eq!(document.limits.failed_attempts.count, 5);
        assert_eq!(document.keys.sealing_key.env.as_deref(), Some("SEALING"));
        assert!(document.keys.sealing_key.file.is_none());
        assert_eq!(overridden.len(), 5);
    }

    /// The document in full, with the values that are not printed.
    fn content(document: &Document) -> String {
        let redis_url = document.cache.redis_url.as_ref().map(administration::FileSecret::expose);
        format!("{document:?} {} {redis_url:?}", document.storage.url.expose())
    }

    #[test]
    fn a_variable_sets_what_the_same_key_of_the_file_sets_and_nothing_else() {
        let listeners =
            "[{ address: '127.0.0.1:1', serves: [admin], tls: { certificate: a, private_key: b } }]";
        let parse = |text: String| {
            let text = administration::FileSecret::new(text);
            yaml::parse::<Document>(&SourceFile::new("config.yaml".into(), text))
                .map_err(|fault| fault.brief())
        };
        for (key, _) in KEYS {
            let value = match key {
                "server.public_url" | "server.mtls_url" => "https://auth.example.com",
                "server.max_connections" | "server.workers" => "2",
                "limits.failed_attempts" => "1/h",
                "limits.clients" | "limits.live_secrets" | "limits.api_keys" => "2",
                "storage.connections.readers"
                | "storage.connections.writers"
                | "limits.sign_in.account"
                | "limits.sign_in.known_browser"
                | "limits.sign_in.source" => "3",
                "limits.admin_writes" | "limits.platform_writes" => "3/min",
                "limits.deletion_grace" => "604800",
                "cache.l1_lifetime" => "5",
                _ => "x",
            };
            let (section, rest) = key.split_once('.').unwrap();
            let of_key =
                rest.rsplit('.').fold(value.to_owned(), |inner, key| format!("{{ {key}: {inner} }}"));
            let expected = parse(match section {
                "server" => format!("server: {{ {rest}: {value}, listeners: {listeners} }}"),
                _ => format!("server: {{ listeners: {listeners} }}\n{section}: {of_key}"),
            });
            let mut document = parse(format!("server: {{ listeners: {listeners} }}")).unwrap();
            let before = content(&document);
            let environment = Environment::from([(variable_of(key).as_str(), value)]);
            apply(&mut document, &environment).unwrap();
            assert_eq!(content(&document), content(&expected.unwrap()), "{key}");
            assert_ne!(content(&document), before, "{key}");
        }
    }

    #[test]
    fn addresses_replace_those_of_the_listeners_in_their_order() {
        let (document, _) = check([(LISTEN, "127.0.0.1:4000")]).unwrap();
        assert_eq!(document.server.listeners[0].address.socket(), "127.0.0.1:4000".parse().unwrap());
        let fault = |value| check([(LISTEN, value)]).err().unwrap();
        let expected = "environment variable LATCHKEY_LISTEN: server.listeners: the number of addresses is 2, and that of the listeners 1\n  \
                        = write one address for each listener, with commas between them";
        assert_eq!(fault("127.0.0.1:1,127.0.0.1:2"), expected);
        assert!(fault("4000").starts_with("environment variable LATCHKEY_LISTEN: server.listeners: "));
    }

    #[test]
    fn a_variable_that_sets_nothing_is_named_with_a_hint() {
        for (name, value, expected) in [
            (
                "LATCHKEY__TENANTS__ACME__NAME",
                "x",
                "environment variable LATCHKEY__TENANTS__ACME__NAME: tenants.acme.name: tenants and clients come from files, not from the environment\n  = declare the tenant in config.yaml or `tenants_dir`; a secret there may say `{ env: NAME }`",
            ),
            (
                "LATCHKEY__SERVER__PUBLIC_ULR",
                "x",
                "environment variable LATCHKEY__SERVER__PUBLIC_ULR: server.public_ulr: this variable sets no key\n  = did you mean LATCHKEY__SERVER__PUBLIC_URL?",
            ),
            (
                "LATCHKEY__LIMITS__FAILED_ATTEMPTS",
                "many",
                "environment variable LATCHKEY__LIMITS__FAILED_ATTEMPTS: limits.failed_attempts: `many` is not a rate\n  = write a count and s, min or h, such as 10000/min",
            ),
            (
                "LATCHKEY__SERVER__LISTENERS__0__ADDRESS",
                "x",
                "environment variable LATCHKEY__SERVER__LISTENERS__0__ADDRESS: server.listeners.0.address: `server.listeners` is a list, which a variable cannot hold\n  = set it in config.yaml; LATCHKEY_LISTEN replaces the addresses alone",
            ),
            (
                "LATCHKEY__SERVER__PORT",
                "3000",
                "environment variable LATCHKEY__SERVER__PORT: server.port: no variable sets where the server listens\n  = write `listeners: [{ address: 127.0.0.1:3000 }]` below `server` in config.yaml",
            ),
            (
                "LATCHKEY__ADMIN__USERS",
                "x",
                "environment variable LATCHKEY__ADMIN__USERS: admin.users: `admin` comes from config.yaml, not from the environment\n  = set it in config.yaml; a password there may say `{ env: NAME }`",
            ),
        ] {
            assert_eq!(check([(name, value)]).err().as_deref(), Some(expected));
        }
    }
}
