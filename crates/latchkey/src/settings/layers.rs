//! Defaults, config.yaml and the environment, one above the other, for the sections that an operator sets per machine:
//! server, storage, cache, keys and limits. Tenants and clients come from files only.

use std::collections::{BTreeMap, HashMap};

use administration::nearest;
use config::{Config, ConfigError, File, FileFormat};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    diagnostic::{Diagnostic, written},
    environment::{Environment, Variable},
    sections::{Cache, Keys, Limits, Server, Storage},
    source_map::KeyPath,
};

/// The sections that the environment may set.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Sections {
    pub(crate) server: Server,
    pub(crate) storage: Storage,
    pub(crate) cache: Cache,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
}

/// The sections with the environment on top, and which key came from which variable.
pub(crate) struct Layered {
    pub(crate) sections: Sections,
    pub(crate) overridden: Overridden,
}

/// The variable that each overridden key came from.
pub(crate) type Overridden = BTreeMap<KeyPath, String>;

const PREFIX: &str = "LATCHKEY__";

/// Every key that a variable may set. A list of listeners is no text, so it is not among them.
const KEYS: [&str; 15] = [
    "server.public_url",
    "server.default_tenant",
    "server.max_connections",
    "server.workers",
    "storage.url",
    "cache.redis_url",
    "cache.l1_lifetime",
    "keys.sealing_key.file",
    "keys.sealing_key.env",
    "limits.failed_attempts",
    "limits.clients",
    "limits.admin_writes",
    "limits.platform_writes",
    "limits.live_secrets",
    "limits.deletion_grace",
];

/// Puts the environment's `LATCHKEY__SECTION__KEY` above what the file says. An empty variable counts as unset.
pub(crate) fn apply(file: Sections, environment: &Environment) -> Result<Layered, Vec<Diagnostic>> {
    let (mut held, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in environment.beginning_with(PREFIX) {
        match key_of(name).and_then(|key| Ok((key, text(name, key, value)?))) {
            Ok((_, "")) => {}
            Ok((key, text)) => {
                held.insert(key, (name, text));
            }
            Err(fault) => faults.push(fault),
        }
    }
    let written = json(&file, |key| held.contains_key(key)).to_string();
    let mut layers = Config::builder().add_source(File::from_str(&written, FileFormat::Json));
    let mut layered = Layered { sections: file, overridden: BTreeMap::new() };
    // One at a time, so that the variable at fault is known.
    for (key, (name, value)) in held {
        let source = HashMap::from([(name.to_owned(), value.to_owned())]);
        let variable = config::Environment::with_prefix("LATCHKEY").prefix_separator("__").separator("__");
        layers = layers.add_source(variable.source(Some(source)));
        match layers.build_cloned().and_then(Config::try_deserialize) {
            Ok(sections) => layered.sections = sections,
            Err(error) => {
                faults.push(refused(name, key, &error));
                break;
            }
        }
        layered.overridden.insert(key.split('.').map(str::to_owned).collect(), name.to_owned());
    }
    if faults.is_empty() { Ok(layered) } else { Err(faults) }
}

/// The sections as the file has them. Naming one place of the sealing key replaces every other.
fn json(file: &Sections, held: impl Fn(&str) -> bool) -> Value {
    let sealing_key = match (held("keys.sealing_key.file"), held("keys.sealing_key.env")) {
        (false, false) => json!(file.keys.sealing_key),
        _ => json!({}),
    };
    json!({
        "server": file.server,
        "storage": { "url": file.storage.url.expose() },
        "cache": {
            "redis_url": file.cache.redis_url.as_ref().map(|url| url.expose()),
            "l1_lifetime": file.cache.l1_lifetime,
        },
        "keys": { "sealing_key": sealing_key, "former_sealing_keys": file.keys.former_sealing_keys },
        "limits": file.limits,
    })
}

/// The key that a variable sets, by its exact name.
fn key_of(name: &str) -> Result<&'static str, Diagnostic> {
    if let Some(key) = KEYS.into_iter().find(|key| variable_of(key) == name) {
        return Ok(key);
    }
    let path = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect::<Vec<_>>();
    let section = path.first().map_or("", String::as_str);
    let (problem, hint) = match section {
        "tenants" | "tenants_dir" => (
            "tenants and clients come from files, not from the environment".to_owned(),
            "declare the tenant in config.yaml or `tenants_dir`; a secret there may say `{ env: NAME }`"
                .to_owned(),
        ),
        "admin" | "reconcile" | "protected_resource" => (
            format!("`{section}` comes from config.yaml, not from the environment"),
            "set it in config.yaml; a password there may say `{ env: NAME }`".to_owned(),
        ),
        _ if name.starts_with("LATCHKEY__SERVER__LISTENERS") => (
            "`server.listeners` is a list, which a variable cannot hold".to_owned(),
            "set it in config.yaml".to_owned(),
        ),
        _ => {
            let variables = KEYS.map(variable_of);
            let hint = match nearest(name, variables.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the variables are {}", variables.join(", ")),
            };
            ("this variable sets no key".to_owned(), hint)
        }
    };
    Err(Diagnostic::about_variable(name, written(&path), problem, hint))
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn text<'a>(name: &str, key: &str, value: &'a Variable) -> Result<&'a str, Diagnostic> {
    match value {
        Variable::Text(text) => Ok(text.expose()),
        Variable::NotText => {
            let hint = "set it to text, or unset it";
            Err(Diagnostic::about_variable(name, key.to_owned(), "its value is not UTF-8", hint))
        }
    }
}

fn refused(name: &str, key: &str, error: &ConfigError) -> Diagnostic {
    let message = match error {
        ConfigError::At { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    // Only our own messages are repeated: they have a hint, and they quote no secret.
    let (problem, hint) = message
        .split_once("; ")
        .unwrap_or(("its value does not fit", "see the key in docs/configuration.md"));
    Diagnostic::about_variable(name, key.to_owned(), problem, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>(variables: [(&str, &str); N]) -> Result<Layered, String> {
        apply(Sections::default(), &Environment::from(variables))
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_variable_overrides_the_file() {
        let layered = check([
            ("LATCHKEY__SERVER__PUBLIC_URL", "https://auth.example.com"),
            ("LATCHKEY__SERVER__DEFAULT_TENANT", "0123"),
            ("LATCHKEY__STORAGE__URL", "sqlite://elsewhere.db"),
            ("LATCHKEY__CACHE__REDIS_URL", ""),
            ("LATCHKEY__LIMITS__FAILED_ATTEMPTS", "5/s"),
            ("LATCHKEY__KEYS__SEALING_KEY__ENV", "SEALING"),
            ("LATCHKEY_ADMIN_PASSWORD", "not ours to judge"),
        ])
        .unwrap();
        assert_eq!(layered.sections.server.public_url.as_str(), "https://auth.example.com");
        assert_eq!(layered.sections.server.default_tenant.as_deref(), Some("0123"));
        assert_eq!(layered.sections.server.listeners.len(), 1);
        assert_eq!(layered.sections.storage.url.expose(), "sqlite://elsewhere.db");
        assert!(layered.sections.cache.redis_url.is_none());
        assert_eq!(layered.sections.limits.failed_attempts.count, 5);
        assert_eq!(layered.sections.keys.sealing_key.env.as_deref(), Some("SEALING"));
        assert!(layered.sections.keys.sealing_key.file.is_none());
        assert_eq!(layered.overridden.len(), 5);
    }

    #[test]
    fn every_variable_sets_its_key_and_leaves_the_rest_of_the_file() {
        let listener = r#"{ "address": "127.0.0.1:1", "serves": ["admin"], "tls": { "certificate": "a", "private_key": "b" } }"#;
        for key in KEYS {
            let value = match key {
                "server.public_url" => "https://auth.example.com",
                "server.max_connections" => "2",
                "server.workers" => "2",
                "limits.failed_attempts" => "1/h",
                "limits.clients" | "limits.live_secrets" => "2",
                "limits.admin_writes" | "limits.platform_writes" => "3/min",
                "limits.deletion_grace" => "604800",
                "cache.l1_lifetime" => "5",
                _ => "x",
            };
            let mut file = Sections::default();
            file.server.listeners = vec![serde_json::from_str(listener).unwrap()];
            let layered = apply(file, &Environment::from([(variable_of(key).as_str(), value)])).ok().unwrap();
            let path: Vec<&str> = key.split('.').collect();
            let all = json(&layered.sections, |_| false);
            let found = path.iter().fold(&all, |found, key| &found[key]);
            assert_eq!(found.to_string().trim_matches('"'), value, "{key}");
            let tls = layered.sections.server.listeners[0].tls.as_ref().unwrap();
            assert_eq!(tls.private_key.to_str(), Some("b"), "{key}");
        }
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
                "environment variable LATCHKEY__SERVER__LISTENERS__0__ADDRESS: server.listeners.0.address: `server.listeners` is a list, which a variable cannot hold\n  = set it in config.yaml",
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
