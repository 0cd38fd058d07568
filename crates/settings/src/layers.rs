//! Environment variables override config.yaml, and config.yaml overrides the defaults. Every setting except
//! tenants and `admin.users` has a variable `LATCHKEY__SECTION__KEY`.
//!
//! `config` maps names of variables to keys and decides which text wins. The file is parsed into types before
//! that. A text then replaces the typed value of its key (docs/decisions/0064).

use std::collections::BTreeMap;

use administration::documents::nearest;
use config::builder::DefaultState;
use config::{Config, ConfigBuilder, Value};
use serde::de::DeserializeOwned;

use super::{
    diagnostic::{Diagnostic, ExplainedError, is_hint, written},
    document::Document,
    environment::{Environment, LISTEN, Variable},
    hints::LISTENERS,
    read_error::ReadError,
    scalar::ListenAddress,
    sections::ProtectedResource,
    source::without_quotations,
    source_map::{KeyPath, LISTENER_WORDS},
    store_reference::StoreReference,
    variable_text,
};

/// The variable that each overridden key came from.
pub(crate) type Overridden = BTreeMap<KeyPath, String>;

/// The beginning of the names of all variables.
pub(crate) const PREFIX: &str = "LATCHKEY__";

/// A setting that an environment variable can replace.
trait Setting {
    fn set(&mut self, value: Value) -> Result<(), ExplainedError>;
}

impl<T: DeserializeOwned> Setting for T {
    fn set(&mut self, value: Value) -> Result<(), ExplainedError> {
        *self = variable_text::read(value)?;
        Ok(())
    }
}

/// Lists the settings that have variables. A setting with members has a variable for each member, and is read
/// as a whole.
macro_rules! settings {
    ($($section:ident $(. $key:ident)* $([$($member:literal)+])?,)+) => {
        /// The keys of settings, with their members.
        const SETTINGS: &[(&str, &[&str])] =
            &[$((concat!(stringify!($section) $(, ".", stringify!($key))*), &[$($($member),+)?])),+];

        /// The settings in the order of [`SETTINGS`].
        fn settings(document: &mut Document) -> Vec<&mut dyn Setting> {
            vec![$(&mut document.$section$(.$key)*),+]
        }
    };
}

settings! {
    server.public_url,
    server.mtls_url,
    server.listeners,
    server.default_tenant,
    server.max_connections,
    server.workers,
    server.outbound.allowed_networks,
    server.outbound.github_keys,
    server.audit.stream,
    storage.url,
    storage.direct_url,
    storage.pooler,
    storage.password["store" "path" "key"],
    storage.connections.readers,
    storage.connections.writers,
    cache.redis_url,
    cache.redis_password["store" "path" "key"],
    cache.l1_lifetime,
    cache.memory.tenants,
    cache.memory.clients,
    cache.memory.federated,
    cache.memory.api_keys,
    cache.memory.signing_keys,
    cache.memory.opened_keys,
    cache.memory.revocations,
    cache.memory.accounts,
    cache.memory.logos,
    reconcile.max_retired.tenants,
    reconcile.max_retired.clients,
    keys.sealing_key[
        "file" "env" "store" "path" "key"
        "vault.address" "vault.transit_key" "vault.mount" "vault.namespace" "vault.token.env" "vault.token.file" "vault.ca"
        "aws_kms.key_id" "aws_kms.region" "aws_kms.endpoint"
    ],
    keys.former_sealing_keys,
    secret_stores,
    mail.from,
    mail.reply_to,
    mail.smtp.url,
    mail.smtp.username,
    mail.smtp.password["env" "file" "store" "path" "key"],
    mail.smtp.ca,
    mail.folder,
    mail.recovers_administrators,
    mail.tenants,
    protected_resource["tenant" "audience" "required_scope"],
    limits.failed_attempts,
    limits.clients,
    limits.admin_writes,
    limits.platform_writes,
    limits.live_secrets,
    limits.api_keys,
    limits.deletion_grace,
    limits.sign_in.account,
    limits.sign_in.known_browser,
    limits.sign_in.source,
    admin.applications,
    tenants_dir,
}

/// Objects of which a file may set only one member.
const EITHER_OR: [&str; 2] = ["keys.sealing_key", "mail.smtp.password"];

/// The keys that variables set.
pub(crate) fn keys() -> impl Iterator<Item = String> {
    SETTINGS.iter().flat_map(|(key, members)| {
        let itself = members.is_empty().then(|| (*key).to_owned());
        itself.into_iter().chain(members.iter().map(move |member| format!("{key}.{member}")))
    })
}

/// The name of the variable that sets a key.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Replaces values of the file by the environment's `LATCHKEY__SECTION__KEY`. An empty variable counts as
/// unset.
pub(crate) fn apply(document: &mut Document, environment: &Environment) -> Result<Overridden, ReadError> {
    let mut faults = Vec::new();
    let (mut overridden, texts) = given(environment, &mut faults);
    if !overridden.is_empty() {
        let layer = config::Environment::with_prefix("LATCHKEY").prefix_separator("__").separator("__");
        let layer = below(document).add_source(layer.source(Some(texts))).build();
        // The names are checked, and texts need no conversion.
        let layer = layer.expect("known names and texts");
        for ((key, _), setting) in SETTINGS.iter().zip(settings(document)) {
            let path: KeyPath = key.split('.').map(str::to_owned).collect();
            let first = overridden.range(path.clone()..).next();
            let variable = first.filter(|(first, _)| first.starts_with(&path)).map(|(_, name)| name.clone());
            let (Some(variable), Ok(value)) = (variable, layer.get::<Value>(key)) else { continue };
            if let Err(mut explanation) = setting.set(value) {
                if is_hint(&explanation.hint) {
                    explanation.problem = without_quotations(&explanation.problem);
                }
                faults.push(Diagnostic::about_variable(&variable, (*key).to_owned(), explanation));
            }
            if EITHER_OR.contains(key) {
                overridden.insert(path, variable);
            }
        }
    }
    if let Some(Variable::Text(text)) = environment.get(LISTEN)
        && !text.expose().is_empty()
        && let Err(explanation) = set_addresses(document, text.expose())
    {
        faults.push(Diagnostic::about_variable(LISTEN, "server.listeners".to_owned(), explanation));
    }
    if faults.is_empty() { Ok(overridden) } else { Err(faults.into()) }
}

/// The members of optional objects as the file sets them, below the layer of the variables. [`EITHER_OR`]
/// lists other objects, of which a variable replaces all members.
fn below(document: &Document) -> ConfigBuilder<DefaultState> {
    let password = |place: &Option<StoreReference>| {
        let texts = place.clone().map(|StoreReference { store, path, key }| [Some(store), Some(path), key]);
        texts.unwrap_or_default()
    };
    let resource = document.protected_resource.clone();
    let resource = resource.map(|ProtectedResource { tenant, audience, required_scope }| {
        [Some(tenant), Some(audience), required_scope]
    });
    let mut layer = Config::builder();
    for (key, texts) in [
        ("storage.password", password(&document.storage.password)),
        ("cache.redis_password", password(&document.cache.redis_password)),
        ("protected_resource", resource.unwrap_or_default()),
    ] {
        let members = SETTINGS.iter().find(|(name, _)| *name == key).map_or(&[][..], |(_, members)| members);
        for (member, text) in members.iter().zip(texts) {
            let Some(text) = text else { continue };
            layer = layer.set_default(format!("{key}.{member}"), text).expect("a known key");
        }
    }
    layer
}

/// The variables that have a text, by key and by name.
fn given(
    environment: &Environment,
    faults: &mut Vec<Diagnostic>,
) -> (Overridden, config::Map<String, String>) {
    let (mut overridden, mut texts) = (Overridden::new(), config::Map::new());
    for (name, value) in environment.beginning_with_any_case(PREFIX) {
        let Some(key) = keys().find(|key| variable_of(key).eq_ignore_ascii_case(name)) else {
            faults.push(unknown(name));
            continue;
        };
        let refused = match value {
            // `config` folds the case, so one of two such names would win by chance.
            _ if variable_of(&key) != name => ExplainedError::new(
                "variable names cannot contain lower-case letters",
                format!("write {}", variable_of(&key)),
            ),
            Variable::NotText => {
                ExplainedError::new("the value is not UTF-8", "set it to valid UTF-8, or unset it")
            }
            Variable::Text(text) => {
                if !text.expose().is_empty() {
                    overridden.insert(key.split('.').map(str::to_owned).collect(), name.to_owned());
                    texts.insert(name.to_owned(), text.expose().to_owned());
                }
                continue;
            }
        };
        faults.push(Diagnostic::about_variable(name, key, refused));
    }
    (overridden, texts)
}

fn set_addresses(document: &mut Document, text: &str) -> Result<(), ExplainedError> {
    let listeners = &mut document.server.listeners;
    let addresses: Vec<&str> = text.split(',').map(str::trim).collect();
    if addresses.len() != listeners.len() {
        let problem = format!(
            "the variable has {1} addresses, but there are {0} listeners",
            listeners.len(),
            addresses.len()
        );
        return Err(ExplainedError::new(problem, "give one address for each listener, separated by commas"));
    }
    for (listener, address) in listeners.iter_mut().zip(addresses) {
        listener.address = ListenAddress::try_from(address.to_owned()).map_err(|message| {
            let (problem, hint) =
                message.split_once("; ").unwrap_or((&message, "use an address with a port"));
            ExplainedError::new(problem, hint)
        })?;
    }
    Ok(())
}

/// The error of a variable that sets no key.
fn unknown(name: &str) -> Diagnostic {
    let path = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect::<Vec<_>>();
    let key = path.join(".");
    let whole = keys()
        .find(|whole| key.strip_prefix(whole.as_str()).is_some_and(|rest| rest.starts_with(['.', '['])));
    let path_of = |index: usize| path.get(index).map(String::as_str);
    let explanation = match (path_of(0), path_of(1)) {
        (Some("tenants"), _) => ExplainedError::new(
            "you can declare tenants and clients only in files, not in environment variables",
            "declare the tenant in config.yaml or `tenants_dir`; to keep a secret in a variable, write `{ \
                env: NAME }` there",
        ),
        (Some("admin"), Some("users")) => ExplainedError::new(
            "you can set `admin.users` only in config.yaml, because variable names cannot contain lower-case letters",
            "set it in config.yaml; to keep a password in a variable, write `{ env: NAME }` there",
        ),
        (Some("server"), Some(word)) if LISTENER_WORDS.contains(&word) => {
            ExplainedError::new("no variable sets the address that the server listens on", LISTENERS)
        }
        _ if let Some(whole) = whole => ExplainedError::new(
            format!("no variable sets a part of `{whole}`"),
            format!(
                "set {}: separate list items with commas, and write an object as JSON",
                variable_of(&whole)
            ),
        ),
        _ => {
            let variables: Vec<String> = keys().map(|key| variable_of(&key)).collect();
            let hint = match nearest(name, variables.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "docs/configuration.md lists the variables".to_owned(),
            };
            ExplainedError::new("this variable matches no key", hint)
        }
    };
    Diagnostic::about_variable(name, written(&path), explanation)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value as Json, json};

    use super::super::{source::SourceFile, yaml};
    use super::*;

    fn check(variables: &[(&str, &str)]) -> Result<(Document, Overridden), String> {
        let mut document = Document::default();
        let of_one = |environment: Environment, (name, text): &(&str, &str)| {
            environment.with(name, administration::documents::FileSecret::new((*text).to_owned()))
        };
        apply(&mut document, &variables.iter().fold(Environment::default(), of_one))
            .map(|overridden| (document, overridden))
            .map_err(|error| error.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn variable_overrides_the_file() {
        let (document, overridden) = check(&[
            ("LATCHKEY__SERVER__PUBLIC_URL", "https://auth.example.com"),
            ("LATCHKEY__SERVER__DEFAULT_TENANT", "0123"),
            ("LATCHKEY__STORAGE__URL", "sqlite://elsewhere.db"),
            ("LATCHKEY__CACHE__REDIS_URL", ""),
            ("LATCHKEY__LIMITS__FAILED_ATTEMPTS", "5/s"),
            ("LATCHKEY__KEYS__SEALING_KEY__ENV", "SEALING"),
            ("LATCHKEY__ADMIN__APPLICATIONS", "true, 0123,null"),
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
        assert_eq!(document.admin.applications, ["true", "0123", "null"]);
        assert_eq!(overridden.values().collect::<BTreeSet<_>>().len(), 6);
    }

    /// The document in full, with the values that are not printed.
    fn content(document: &Document) -> String {
        let redis_url = document.cache.redis_url.as_ref().map(administration::documents::FileSecret::expose);
        format!("{document:?} {} {redis_url:?}", document.storage.url.expose())
    }

    fn sample(key: &str) -> Json {
        match key {
            "server.public_url" | "server.mtls_url" => json!("https://auth.example.com"),
            "server.listeners" => json!([{
                "address": "127.0.0.1:1", "serves": ["admin"], "hosts": ["a,b", "c"],
                "tls": { "certificate": "a", "private_key": "b", "client_certificates": "optional" },
            }]),
            "server.outbound.allowed_networks" => json!(["10.0.0.0/8", "127.0.0.1"]),
            "server.audit.stream" => json!({ "file": "audit.jsonl" }),
            "keys.former_sealing_keys" => json!([{ "file": "a" }, { "env": "B" }]),
            "secret_stores" => json!({ "Main": {
                "vault": { "address": "https://vault.example", "token": { "env": "T" } },
                "refresh": 5, "tenant_prefixes": { "acme": ["a/", "b/"] },
            }}),
            "mail.recovers_administrators" => json!(true),
            "mail.tenants" => json!({ "acme": { "smtp": { "url": "smtps://mail.example" } } }),
            "admin.applications" => json!(["one", "two"]),
            "limits.failed_attempts" => json!("1/h"),
            "limits.admin_writes" | "limits.platform_writes" => json!("3/min"),
            "limits.deletion_grace" => json!(604_800),
            "storage.pooler" => json!("transaction"),
            "server.max_connections" | "server.workers" | "cache.l1_lifetime" => json!(2),
            _ if ["limits.", "cache.memory.", "storage.connections.", "reconcile."]
                .iter()
                .any(|section| key.starts_with(section)) =>
            {
                json!(3)
            }
            _ => json!("x"),
        }
    }

    fn text_of(value: &Json) -> String {
        match value {
            Json::String(text) => text.clone(),
            Json::Array(items) if items.iter().all(Json::is_string) => {
                items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn variable_has_the_same_effect_as_its_key() {
        let parse = |text: String| {
            let text = administration::documents::FileSecret::new(text);
            yaml::parse::<Document>(&SourceFile::new("config.yaml".into(), text))
                .map_err(|fault| fault.brief())
        };
        let before = content(&parse("{}".to_owned()).unwrap());
        for (key, members) in SETTINGS {
            let all: Vec<String> = match members {
                [] => vec![(*key).to_owned()],
                members => members.iter().map(|member| format!("{key}.{member}")).collect(),
            };
            let (mut file, mut environment) = (json!({}), Environment::default());
            for key in all {
                let mut at = &mut file;
                for segment in key.split('.') {
                    at = &mut at[segment];
                }
                *at = sample(&key);
                let text = administration::documents::FileSecret::new(text_of(&sample(&key)));
                environment = environment.with(&variable_of(&key), text);
            }
            let mut document = Document::default();
            apply(&mut document, &environment).unwrap();
            let expected = parse(file.to_string()).unwrap_or_else(|fault| panic!("{key}: {fault}"));
            assert_eq!(content(&document), content(&expected), "{key}");
            assert_ne!(content(&document), before, "{key}");
        }
    }

    #[test]
    fn listen_addresses_replace_listener_addresses_in_order() {
        let (document, _) = check(&[(LISTEN, "127.0.0.1:4000")]).unwrap();
        assert_eq!(document.server.listeners[0].address.socket(), "127.0.0.1:4000".parse().unwrap());
        let fault = |value| check(&[(LISTEN, value)]).err().unwrap();
        let expected = "environment variable LATCHKEY_LISTEN: server.listeners: the variable has 2 addresses, but there are 1 listeners\n  \
                        = give one address for each listener, separated by commas";
        assert_eq!(fault("127.0.0.1:1,127.0.0.1:2"), expected);
        assert!(fault("4000").starts_with("environment variable LATCHKEY_LISTEN: server.listeners: "));
    }

    #[test]
    fn variable_replaces_the_whole_object_of_the_file() {
        let mut document = Document::default();
        document.keys.sealing_key.file = Some("a".into());
        let environment = Environment::from([("LATCHKEY__KEYS__SEALING_KEY__AWS_KMS__KEY_ID", "0123")]);
        let overridden = apply(&mut document, &environment).unwrap();
        assert!(document.keys.sealing_key.file.is_none());
        assert_eq!(document.keys.sealing_key.aws_kms.unwrap().key_id, "0123");
        let object: KeyPath = ["keys", "sealing_key"].map(str::to_owned).into();
        assert_eq!(overridden[&object], "LATCHKEY__KEYS__SEALING_KEY__AWS_KMS__KEY_ID");
    }

    #[test]
    fn variable_replaces_one_member_of_other_objects() {
        let mut document = Document::default();
        let (tenant, audience) = ("acme".to_owned(), "api".to_owned());
        document.protected_resource = Some(ProtectedResource { tenant, audience, required_scope: None });
        let environment = Environment::from([("LATCHKEY__PROTECTED_RESOURCE__REQUIRED_SCOPE", "true")]);
        let overridden = apply(&mut document, &environment).unwrap();
        let resource = document.protected_resource.unwrap();
        assert_eq!((&*resource.tenant, &*resource.audience), ("acme", "api"));
        assert_eq!(resource.required_scope.as_deref(), Some("true"));
        let changed: KeyPath = ["protected_resource", "required_scope"].map(str::to_owned).into();
        assert_eq!(overridden.into_keys().collect::<Vec<_>>(), [changed]);
    }

    /// Each row has a variable, its value, and the end of the message with the hint.
    #[test]
    fn fault_names_the_variable_and_no_value() {
        let json = "write JSON, such as [{\"address\": \"127.0.0.1:3000\"}]";
        let unfit = ": the value has the wrong form\n  = see the key in docs/configuration.md";
        for (name, text, expected) in [
            ("TENANTS__ACME__NAME", "hunter2", "tenants.acme.name: you can declare tenants and clients only in files, not in environment variables\n  = declare the tenant in config.yaml or `tenants_dir`; to keep a secret in a variable, write `{ env: NAME }` there".to_owned()),
            ("ADMIN__USERS__ROOT__PASSWORD__VALUE", "hunter2", "admin.users.root.password.value: you can set `admin.users` only in config.yaml, because variable names cannot contain lower-case letters\n  = set it in config.yaml; to keep a password in a variable, write `{ env: NAME }` there".to_owned()),
            ("SERVER__PUBLIC_ULR", "hunter2", "server.public_ulr: this variable matches no key\n  = did you mean LATCHKEY__SERVER__PUBLIC_URL?".to_owned()),
            ("SERVER", "hunter2", "server: this variable matches no key\n  = docs/configuration.md lists the variables".to_owned()),
            ("SERVER__PORT", "3000", format!("server.port: no variable sets the address that the server listens on\n  = {LISTENERS}")),
            ("SERVER__LISTENERS__0__ADDRESS", "hunter2", "server.listeners.0.address: no variable sets a part of `server.listeners`\n  = set LATCHKEY__SERVER__LISTENERS: separate list items with commas, and write an object as JSON".to_owned()),
            ("ADMIN__APPLICATIONS[0]", "hunter2", "admin.\"applications[0]\": no variable sets a part of `admin.applications`\n  = set LATCHKEY__ADMIN__APPLICATIONS: separate list items with commas, and write an object as JSON".to_owned()),
            ("Server__Workers", "2", "server.workers: variable names cannot contain lower-case letters\n  = write LATCHKEY__SERVER__WORKERS".to_owned()),
            ("LIMITS__FAILED_ATTEMPTS", "hunter2", "limits.failed_attempts: [redacted] is not a rate\n  = use a number per s, min or h, such as 10000/min".to_owned()),
            ("LIMITS__CLIENTS", "hunter2", format!("limits.clients{unfit}")),
            ("LIMITS__CLIENTS", "0", format!("limits.clients{unfit}")),
            ("SERVER__WORKERS", " 2", format!("server.workers{unfit}")),
            ("SERVER__AUDIT__STREAM", "hunter2", "server.audit.stream: this value is not allowed\n  = use one of stdout, file".to_owned()),
            ("SERVER__LISTENERS", "127.0.0.1:1", format!("server.listeners: the value must be JSON, but it is not valid JSON from column 6 on\n  = {json}")),
            ("SERVER__LISTENERS", "[{\"adress\": \"hunter2\"}]", "server.listeners: the JSON contains an unknown key\n  = did you mean `address`?".to_owned()),
            ("SERVER__LISTENERS", "[{\"hosts\": [], \"hosts\": [\"hunter2\"]}]", format!("server.listeners: the JSON contains a member twice\n  = {json}")),
            ("SERVER__LISTENERS", "[{}]", "server.listeners: `address` is missing\n  = also set `address`".to_owned()),
            ("ADMIN__APPLICATIONS", "a,,hunter2", "admin.applications: an item of the list is empty\n  = separate two items with one comma, or write `[]` for an empty list".to_owned()),
            ("PROTECTED_RESOURCE__TENANT", "hunter2", "protected_resource: `audience` is missing\n  = also set `audience`".to_owned()),
        ] {
            let name = format!("{PREFIX}{name}");
            let found = check(&[(&name, text)]).err().unwrap_or_default();
            assert_eq!(found, format!("environment variable {name}: {expected}"), "{text}");
            assert!(!found.contains("hunter2"));
        }
        let twice = check(&[("LATCHKEY__SERVER__WORKERS", "2"), ("latchkey__server__workers", "3")]);
        assert!(twice.err().unwrap().starts_with("environment variable latchkey__server__workers: "));
    }

    #[test]
    fn empty_list_is_written_as_json() {
        let (document, _) = check(&[("LATCHKEY__ADMIN__APPLICATIONS", "[]")]).unwrap();
        assert!(document.admin.applications.is_empty());
    }
}
