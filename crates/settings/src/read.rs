//! Reads files, folder and environment, each once, into checked settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use administration::declaration::Declaration;
use administration::rules::TenantContext;
use outbound::KeyService;
use tenancy::TenantId;
use values::Timestamp;

use super::{
    check,
    declared_places::DeclaredPlaces,
    declared_tenants::UnresolvedTenants,
    diagnostic::Diagnostic,
    document::Document,
    environment::Environment,
    findings::{Finding, Findings},
    locations::Locations,
    platform_settings::{PlatformSettings, StoreSettings},
    read_error::ReadError,
    reading::{IsBuiltIn, Reading},
    resolved::{ResolvedTenant, SealingKeys, StorageLocation},
    secret_stores::{of_clients, of_mail, of_server},
    sections::{ProtectedResource, Reconcile, Server},
    source_snapshot::SourceSnapshot,
};
use crate::configured_admins::ConfiguredAdmins;

/// Checked settings with all secrets.
#[derive(Debug)]
pub struct Loaded {
    pub platform: PlatformSettings,
    /// The settings for tenants and clients that are no longer declared.
    pub reconcile: Reconcile,
    /// The sample resource, if it is enabled.
    pub protected_resource: Option<ProtectedResource>,
    /// The administrators and applications that may sign in at `/flow/execute`.
    pub admins: ConfiguredAdmins,
    /// Tenants and clients.
    pub declaration: Declaration,
    /// SHA-256 in hexadecimal of everything that was read for tenants and clients.
    pub content_hash: String,
    pub warnings: Vec<Diagnostic>,
    /// Files and folders to watch for changes.
    pub watched: Vec<PathBuf>,
    /// The bytes that the settings were read from.
    pub snapshot: SourceSnapshot,
    /// The place of each setting, for conflicts with the store.
    pub locations: Locations,
    /// Settings that are harmless on loopback and refused on a reachable server. Their lines are only
    /// searched when they are refused.
    exposed: Vec<Finding>,
}

/// Reads config.yaml and everything that it names.
pub fn read(path: &Path, environment: &Environment) -> Result<Loaded, ReadError> {
    read_through(path, environment, None, KeyService::is_built_in, None)
}

/// Like [`read`], but also finds the errors that a start would find, and warns of settings with no effect or
/// a surprising one. Opens the files that a start opens.
pub fn inspect(path: &Path, environment: &Environment, now: Timestamp) -> Result<Loaded, ReadError> {
    read_through(path, environment, None, KeyService::is_built_in, Some(now))
}

/// Reads a snapshot as if its files were in the folder of `path`.
pub fn read_snapshot(
    path: &Path,
    environment: &Environment,
    snapshot: &SourceSnapshot,
) -> Result<Loaded, ReadError> {
    read_through(path, environment, Some(snapshot), KeyService::is_built_in, None)
}

fn read_through(
    path: &Path,
    environment: &Environment,
    snapshot: Option<&SourceSnapshot>,
    is_built_in: IsBuiltIn,
    inspected_at: Option<Timestamp>,
) -> Result<Loaded, ReadError> {
    let (mut reading, mut document) = Reading::begin(path, environment, snapshot, is_built_in)?;
    reading.inspected_at = inspected_at;
    let declared = reading.declared(&mut document);
    if reading.form.hides_all() {
        return Err(reading.form.into_error());
    }
    reading.know_secret_stores(std::mem::take(&mut document.secret_stores));
    let Document { storage, cache, keys, mail, .. } = &document;
    let of_server = of_server(storage, cache, keys).chain(of_mail(mail));
    reading.read_stores(of_clients(&declared).chain(of_server));
    reading.resolve(document, declared)
}

impl Loaded {
    /// Whether other machines can reach a server with these settings: at a listener, or through a proxy at
    /// its public URL.
    pub fn is_beyond_loopback(&self) -> bool {
        self.platform.server.is_beyond_loopback()
    }
}

/// Refuses sample secrets and passwords in the file itself if other machines can reach the server.
/// `runs_beyond` says whether a running server is reachable, because its listeners and public URL only change
/// at its next start.
pub fn refuse_beyond_loopback(loaded: &Loaded, runs_beyond: bool) -> Result<(), ReadError> {
    if (runs_beyond || loaded.is_beyond_loopback()) && !loaded.exposed.is_empty() {
        return Err(loaded.locations.located(loaded.exposed.clone()).into());
    }
    Ok(())
}

impl Reading<'_> {
    fn resolve(mut self, document: Document, declared: UnresolvedTenants) -> Result<Loaded, ReadError> {
        let Document { mut server, cache, admin, protected_resource, .. } = document;
        // Issuers are derived from the public URL, so another URL changes the configuration of the tenants.
        self.file_reader.public_url(server.public_url.as_str());
        let mut tenants = BTreeMap::new();
        for (id, (tenant, at)) in declared {
            let tenant = self.tenant(tenant, at);
            // The findings already contain the error of an invalid id.
            tenants.extend(TenantId::parse(&id).map(|id| (id, tenant)));
        }
        let admins = self.admins(admin.users);
        self.inspect_tenants(&tenants, &server);

        let findings = &mut self.findings;
        let context = TenantContext {
            public_url: server.public_url.as_str(),
            l1_lifetime: cache.l1_lifetime,
            branding: None,
        };
        let declaration = check::tenant::check(tenants, context, findings);
        check::admins::check(&admins, findings);
        check::server::check(&server, &declaration, findings);
        check::server::check_limits(&document.limits, findings);
        if let Some(resource) = &protected_resource {
            check::server::check_protected_resource(resource, &declaration, findings);
        }
        let StoreSettings { storage, redis_url, passwords, sealing_keys } =
            self.store(&cache, &document.storage, &document.keys);
        let mail = self.mail(&document.mail, &server, Some(&declaration));
        self.locations.find_files_of(&mut server);
        self.check_files(&server, storage.as_ref(), sealing_keys.as_ref());
        if let Some(now) = self.inspected_at {
            self.inspect(&server, storage.as_ref(), sealing_keys.as_ref(), now);
        }
        let is_sound = self.form.is_empty() && self.findings.errors.is_empty();
        let (Some(storage), Some(sealing_keys), true) = (storage, sealing_keys, is_sound) else {
            return Err(self.form.with_findings(self.findings, &self.locations));
        };

        let tenants_dir = self.locations.tenants_dir(document.tenants_dir.as_deref());
        let declared = DeclaredPlaces::new(&self.locations.sources[0].path, tenants_dir);
        let secret_stores = Arc::clone(self.file_reader.environment.secret_stores());
        let (content_hash, watched, snapshot) = self.file_reader.finish();
        Ok(Loaded {
            platform: PlatformSettings {
                server,
                storage,
                connections: document.storage.connections,
                redis_url,
                passwords,
                l1_lifetime: cache.l1_lifetime,
                cache_memory: cache.memory,
                sealing_keys,
                limits: document.limits,
                mail,
                declared,
                secret_stores,
            },
            reconcile: document.reconcile,
            protected_resource,
            admins: ConfiguredAdmins { users: admins, applications: admin.applications },
            declaration,
            content_hash,
            warnings: self.locations.located(self.findings.warnings),
            watched,
            snapshot,
            exposed: self.findings.exposed,
            locations: self.locations,
        })
    }
}

impl Reading<'_> {
    /// Finds problems of tenants with each other or with the listeners.
    fn inspect_tenants(&mut self, tenants: &BTreeMap<TenantId, ResolvedTenant>, server: &Server) {
        if let Some(now) = self.inspected_at
            && self.findings.errors.is_empty()
        {
            check::effects::check(tenants, server, now, &mut self.findings);
            check::effects::check_client_certificates(tenants, server, &mut self.findings);
            check::openid::check(tenants, server, &mut self.findings);
        }
    }

    /// Finds the errors that a start would find after reading the settings.
    fn inspect(
        &mut self,
        server: &Server,
        storage: Option<&StorageLocation>,
        sealing_keys: Option<&SealingKeys>,
        now: Timestamp,
    ) {
        if let (Some(storage), Some(keys)) = (storage, sealing_keys) {
            self.check_sealing_keys(keys, storage);
        }
        self.check_certificates(server, now);
        self.check_audit(server);
        check::effects::check_administration(server, &mut self.findings);
        if server.is_beyond_loopback() {
            let Findings { errors, exposed, .. } = &mut self.findings;
            errors.extend(exposed.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use registry::DeclaredPassword;

    use super::{super::resolved::SealingKeySource, *};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn read_in(folder: &tempfile::TempDir, environment: &Environment) -> Result<Loaded, ReadError> {
        read(&folder.path().join("config.yaml"), environment)
    }

    /// The errors, with paths relative to the folder.
    fn briefs(folder: &tempfile::TempDir, error: &ReadError) -> Vec<String> {
        let folder = format!("{}/", folder.path().display());
        error.faults.iter().map(|fault| fault.brief().replace(&folder, "")).collect()
    }

    fn secret(loaded: &Loaded, tenant: usize) -> &str {
        match &loaded.declaration.tenants.values().nth(tenant).unwrap().clients[0].secrets[0].password {
            DeclaredPassword::Value(value) => value.expose(),
            DeclaredPassword::Hash(phc) => phc,
        }
    }

    const BETA: &str = "clients: { web: { client_secret: { file: ../secrets/beta } } }";

    #[test]
    fn tenants_of_file_and_folder_are_sorted_by_id() {
        let folder = folder(&[
            ("config.yaml", "tenants_dir: tenants.d\ntenants: { zeta: {}, acme: {} }"),
            ("tenants.d/beta.yml", BETA),
            ("tenants.d/cello.yaml", "{}"),
            ("tenants.d/.hidden.yaml", "not: read"),
            ("tenants.d/..data/delta.yaml", "not: read"),
            ("tenants.d/README.md", "not read"),
            ("secrets/beta", "hunter2\n"),
        ]);
        let loaded = read_in(&folder, &Environment::default()).unwrap();
        let ids: Vec<&str> = loaded.declaration.tenants.keys().map(TenantId::as_str).collect();
        assert_eq!(ids, ["acme", "beta", "cello", "zeta"]);
        assert_eq!(secret(&loaded, 1), "hunter2");
        let acme = &loaded.declaration.tenants.values().next().unwrap().tenant;
        assert_eq!(acme.issuer.as_str(), "http://localhost:3000/api/v1/tenant/acme");
        let watched =
            ["config.yaml", "tenants.d", "tenants.d/../secrets/beta"].map(|name| folder.path().join(name));
        assert_eq!(loaded.watched, watched);
        let data = folder.path().join("data");
        let StorageLocation::Sqlite(path) = &loaded.platform.storage else { panic!("no SQLite") };
        assert_eq!(*path, data.join("latchkey.db"));
        let SealingKeySource::File(path) = &loaded.platform.sealing_keys.writing else { panic!("no file") };
        assert_eq!(*path, data.join("sealing.key"));
    }

    #[test]
    fn final_newline_of_a_secret_file_is_removed() {
        for (text, expected) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a ", "a "), ("\u{feff}a", "a")] {
            let folder = folder(&[
                ("config.yaml", "tenants: { acme: { clients: { web: { client_secret: { file: s } } } } }"),
                ("s", text),
            ]);
            assert_eq!(secret(&read_in(&folder, &Environment::default()).unwrap(), 0), expected, "{text:?}");
        }
    }

    #[test]
    fn a_fault_in_the_folder_names_its_file() {
        for (name, text, expected) in [
            ("Bad.yaml", "{}", ":1:1: this is not a valid tenant id"),
            ("acme.yaml", "{}", ":1:1: tenant `acme` is also declared elsewhere"),
            ("beta.yaml", "nmae: x", ":1:1: nmae: unknown key `nmae`; did you mean `name`?"),
            ("beta.yaml", "", ": the file is empty"),
            (
                "beta.yaml",
                "clients:\n  web: {}",
                ":2:3: clients.web: the client has no credential to authenticate with",
            ),
            ("beta.yaml", BETA, ":1:42: clients.web.client_secret.file: this file does not exist"),
        ] {
            let folder = folder(&[
                ("config.yaml", "tenants_dir: tenants.d\ntenants: { acme: {} }"),
                (&format!("tenants.d/{name}"), text),
            ]);
            let error = read_in(&folder, &Environment::default()).unwrap_err();
            let brief = briefs(&folder, &error).remove(0);
            assert!(brief.starts_with(&format!("tenants.d/{name}{expected}")), "{brief}");
        }
    }

    #[test]
    fn faults_of_all_files_are_reported_together() {
        let main = "server: { default_tenant: nobody, workers: many }
limits: { clents: 5 }
cache: { l1_lifetime: 60s }
tenants_dir: more
tenants:
  acme: { nmae: x, clients: { web: {} } }
  beta: { clients: { web: {} } }
";
        let files = [("config.yaml", main), ("more/cello.yaml", "naem: x"), ("more/delta.yaml", "name: ''")];
        let folder = folder(&files);
        let error = read_in(&folder, &Environment::default()).unwrap_err();
        let found = briefs(&folder, &error);
        let found = found.iter().map(|brief| brief.split(": ").take(2).collect::<Vec<_>>().join(": "));
        // The tenant `acme` and the section `server` are incomplete because of their errors, so the rules say
        // nothing about them.
        let expected = [
            "config.yaml:1:44: server.workers",
            "config.yaml:2:11: limits.clents",
            "config.yaml:6:11: tenants.acme.nmae",
            "more/cello.yaml:1:1: naem",
            "config.yaml:7:22: tenants.beta.clients.web",
            "more/delta.yaml:1:7: name",
            "config.yaml:3:23: cache.l1_lifetime",
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        let variables =
            Environment::from([("LATCHKEY__LIMITS__CLIENTS", "x"), ("LATCHKEY__SERVER__PORT", "1")]);
        assert_eq!(read_in(&folder, &variables).unwrap_err().faults.len(), 4 + 2, "variables hide the rules");
    }

    #[test]
    fn secret_file_with_two_newlines_is_refused() {
        for (text, expected) in [
            (
                "hunter2\n\n",
                "the file s ends with more than one newline, and Latchkey removes only the last newline;",
            ),
            ("hunter2\nhunter3\n", "the file s has several lines, but a secret cannot contain a newline;"),
        ] {
            let client = "tenants: { acme: { clients: { web: { client_secret: { file: s } } } } }";
            let folder = folder(&[("config.yaml", client), ("s", text)]);
            let brief = read_in(&folder, &Environment::default()).unwrap_err().faults[0].brief();
            assert!(
                brief.contains(":1:61: tenants.acme.clients.web.client_secret.file: the file "),
                "{brief}"
            );
            assert!(brief.contains(expected), "{brief}");
            assert!(!brief.contains("hunter"), "{brief}");
        }
    }

    #[test]
    fn missing_key_service_is_refused_with_build_command() {
        let text = "keys:
  sealing_key: { vault: { address: 'https://vault.example', transit_key: k, token: { env: SET } } }
  former_sealing_keys:
    - aws_kms: { key_id: a }
";
        let folder = folder(&[("config.yaml", text)]);
        let path = folder.path().join("config.yaml");
        let environment = Environment::from([("SET", "token")]);
        let read_with = |is_built_in: IsBuiltIn| {
            let read = read_through(&path, &environment, None, is_built_in, None);
            read.map_err(|error| briefs(&folder, &error))
        };
        let vault = "config.yaml:2:25: keys.sealing_key.vault: this program was built without HashiCorp Vault; \
                     build Latchkey with the feature `vault`: `cargo build --release --features vault`";
        let aws_kms = "config.yaml:4:16: keys.former_sealing_keys[0].aws_kms: this program was built without AWS KMS; \
                       build Latchkey with the feature `aws-kms`: `cargo build --release --features aws-kms`";
        assert_eq!(read_with(|_| false).unwrap_err(), [vault, aws_kms]);
        assert_eq!(read_with(|service| service == KeyService::Vault).unwrap_err(), [aws_kms]);
        assert_eq!(read_with(|_| true).unwrap().platform.sealing_keys.former.len(), 1);
    }

    #[test]
    fn content_hash_depends_only_on_tenant_sources() {
        let main = "tenants_dir: tenants.d\ntenants: { acme: { clients: { web: { client_secret: { env: SECRET } } } } }";
        let files = [("config.yaml", main), ("tenants.d/beta.yaml", BETA), ("secrets/beta", "a")];
        let hash = |change: Option<(&str, &str)>, variables: &[(&str, &str)]| {
            let folder = folder(&files);
            if let Some((name, text)) = change {
                fs::write(folder.path().join(name), text).unwrap();
            }
            let mut all = vec![("SECRET", "s")];
            all.retain(|(name, _)| !variables.iter().any(|(changed, _)| changed == name));
            all.extend(variables);
            let environment = match all[..] {
                [a] => Environment::from([a]),
                [a, b] => Environment::from([a, b]),
                _ => unreachable!("at most two variables"),
            };
            read_in(&folder, &environment).unwrap().content_hash
        };
        let same = hash(None, &[]);
        assert_eq!(same.len(), 64);
        assert_eq!(hash(None, &[("UNRELATED", "x")]), same);
        assert_eq!(hash(None, &[("LATCHKEY__LIMITS__FAILED_ATTEMPTS", "5/s")]), same);
        for (change, variables) in [
            (Some(("config.yaml", format!("{main} # changed"))), vec![]),
            (Some(("tenants.d/beta.yaml", format!("{BETA} # changed"))), vec![]),
            (Some(("tenants.d/gamma.yaml", "{}".to_owned())), vec![]),
            (Some(("secrets/beta", "b".to_owned())), vec![]),
            (None, vec![("SECRET", "t")]),
            (None, vec![("LATCHKEY__SERVER__PUBLIC_URL", "http://elsewhere")]),
        ] {
            let change = change.as_ref().map(|(name, text)| (*name, text.as_str()));
            assert_ne!(hash(change, &variables), same, "{change:?} {variables:?}");
        }
    }

    #[test]
    fn fault_in_overridden_value_names_the_variable() {
        let folder = folder(&[("config.yaml", "{}")]);
        for (name, value, expected) in [
            ("STORAGE__URL", "mysql://x", "storage.url: this is not the URL of a store; "),
            ("SERVER__DEFAULT_TENANT", "acme", "server.default_tenant: tenant [redacted] is not declared; "),
            ("SERVER__PUBLIC_URL", "x", "server.public_url: Latchkey cannot derive issuers from this URL;"),
        ] {
            let name = format!("LATCHKEY__{name}");
            let error = read_in(&folder, &Environment::from([(&*name, value)])).unwrap_err();
            let expected = format!("environment variable {name}: {expected}");
            assert!(error.faults[0].brief().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn path_in_variable_is_relative_to_working_directory() {
        let folder = folder(&[("config.yaml", "{}")]);
        let environment = Environment::from([("LATCHKEY__STORAGE__URL", "sqlite://here.db")]);
        let storage = read_in(&folder, &environment).unwrap().platform.storage;
        assert!(matches!(storage, StorageLocation::Sqlite(path) if path == Path::new("here.db")));
    }

    #[test]
    fn path_in_json_variable_is_relative_to_working_directory() {
        let folder = folder(&[("config.yaml", "tenants_dir: none"), ("more/beta.yaml", "{}")]);
        let listeners =
            r#"[{"address": "127.0.0.1:1", "tls": {"certificate": "c.pem", "private_key": "k.pem"}}]"#;
        let more = folder.path().join("more");
        let environment = Environment::from([
            ("LATCHKEY__SERVER__LISTENERS", listeners),
            ("LATCHKEY__TENANTS_DIR", more.to_str().unwrap()),
        ]);
        let loaded = read_in(&folder, &environment).unwrap();
        let tls = loaded.platform.server.listeners[0].tls.clone().unwrap();
        assert_eq!((&*tls.certificate, &*tls.private_key), (Path::new("c.pem"), Path::new("k.pem")));
        assert_eq!(loaded.declaration.tenants.len(), 1);
        let error = inspect(&folder.path().join("config.yaml"), &environment, Timestamp::from_seconds(1));
        let error = error.unwrap_err().to_string();
        let expected =
            "environment variable LATCHKEY__SERVER__LISTENERS: server.listeners[0].tls.certificate: ";
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn missing_and_non_utf8_files_are_refused() {
        let none = folder(&[]);
        let error = read_in(&none, &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("this file does not exist"), "{error}");
        fs::write(none.path().join("config.yaml"), b"a: 1\nb: \xff").unwrap();
        let error = read_in(&none, &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("is not valid UTF-8 at line 2"), "{error}");
    }

    #[test]
    fn warnings_beyond_a_hundred_are_summarised() {
        let client = "grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']";
        let tenants: String = (0..10_000)
            .map(|n| {
                let secret = format!("client_secret: {{ value: s{n} }}");
                format!("  t{n}: {{ clients: {{ c: {{ {secret}, {client} }} }} }}\n")
            })
            .collect();
        let many = folder(&[("config.yaml", &format!("tenants:\n{tenants}"))]);
        let loaded = read_in(&many, &Environment::default()).unwrap();
        assert_eq!((loaded.declaration.tenants.len(), loaded.warnings.len()), (10_000, 101));
    }

    #[test]
    fn sample_configurations_load_without_warnings() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (file, tenants) in
            [("config.yaml", &["acme", "test-tenant"][..]), ("deploy/examples/config.yaml", &["test-tenant"])]
        {
            let loaded = read(&root.join(file), &Environment::default()).unwrap();
            let ids: Vec<&str> = loaded.declaration.tenants.keys().map(TenantId::as_str).collect();
            assert_eq!(ids, tenants);
            assert_eq!(loaded.warnings, [], "{file}");
            refuse_beyond_loopback(&loaded, false).unwrap();
        }
    }
}
