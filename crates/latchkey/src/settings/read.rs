//! The one door: files, folder and environment in, checked settings out, each read once.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    check,
    declared::{DeclaredAdmin, DeclaredTenant, SealingKey, StorageLocation},
    diagnostic::{Diagnostic, Source},
    document::Document,
    environment::Environment,
    findings::{Finding, Findings, Location},
    intake::{Intake, Unreadable},
    layers::{self, Layered, Overridden, Sections},
    resolve::Resolver,
    secret::Secret,
    sections::{Limits, ProtectedResource, Reconcile, Server},
    tenant::Tenant,
    yaml,
};

/// Checked settings, with every secret at hand.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) server: Server,
    pub(crate) storage: StorageLocation,
    pub(crate) redis_url: Option<Secret>,
    pub(crate) reconcile: Reconcile,
    pub(crate) sealing_key: SealingKey,
    pub(crate) protected_resource: Option<ProtectedResource>,
    pub(crate) limits: Limits,
    pub(crate) admins: Vec<DeclaredAdmin>,
    /// What `/flow/execute` accepts as `applicationId`.
    pub(crate) applications: Vec<String>,
    /// By id.
    pub(crate) tenants: Vec<DeclaredTenant>,
    /// SHA-256 in hexadecimal over everything read that tenants and clients come from.
    pub(crate) content_hash: String,
    /// What `latchkey check` has to say.
    pub(crate) warnings: Vec<Diagnostic>,
    /// Files and folders whose change is a change of the settings.
    pub(crate) watched: Vec<PathBuf>,
    /// Harmless on loopback, refused beyond it.
    exposed: Vec<Diagnostic>,
}

/// Every fault found, each with its place and its mend.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ReadError {
    pub(crate) faults: Vec<Diagnostic>,
}

/// A tenant that some file declares, not yet resolved.
type Declared = BTreeMap<String, (Tenant, Location)>;

/// Reads config.yaml and everything that it names.
pub(crate) fn read(path: &Path, environment: &Environment) -> Result<Loaded, ReadError> {
    let mut intake = Intake::new(environment);
    intake.watch(path);
    let main = settings(&mut intake, path, "config.yaml")?;
    let mut document: Document = yaml::parse(&main)?;
    let file = Sections {
        server: std::mem::take(&mut document.server),
        storage: std::mem::take(&mut document.storage),
        cache: std::mem::take(&mut document.cache),
        keys: std::mem::take(&mut document.keys),
        limits: document.limits,
    };
    let Layered { sections, overridden } =
        layers::apply(file, environment).map_err(|faults| ReadError { faults })?;
    let mut findings = Findings::default();
    let mut sources = vec![main];
    let declared = declared(&mut document, &mut intake, &mut sources, &mut findings)?;
    resolve(document, sections, declared, intake, findings, &sources, &overridden)
}

/// Refuses what everyone knows, or anyone who reads the file knows, on a listener that others can reach.
pub(crate) fn refuse_beyond_loopback(loaded: &Loaded) -> Result<(), ReadError> {
    let beyond = loaded.server.listeners.iter().any(|listener| !listener.address.socket().ip().is_loopback());
    if beyond && !loaded.exposed.is_empty() {
        return Err(ReadError { faults: loaded.exposed.clone() });
    }
    Ok(())
}

fn resolve(
    mut document: Document,
    sections: Sections,
    declared: Declared,
    mut intake: Intake<'_>,
    mut findings: Findings,
    sources: &[Source],
    overridden: &Overridden,
) -> Result<Loaded, ReadError> {
    let root = Location::file(0);
    let Sections { mut server, storage, cache, keys, limits } = sections;
    // Issuers are derived from it, so another public URL is another configuration of the tenants.
    intake.absorb("public_url", "", server.public_url.as_str().as_bytes());
    check::unbuilt::warn_server(&server, &cache, &document.admin, &root, &mut findings);
    let mut resolver = Resolver { intake: &mut intake, sources, findings: &mut findings };
    let mut tenants = Vec::new();
    for (id, (tenant, at)) in declared {
        check::unbuilt::warn_tenant(&tenant, &at, resolver.findings);
        tenants.push((resolver.tenant(id, tenant, &server.public_url, &at), at));
    }
    let admins = resolver.admins(&mut document.admin, &root.key("admin"));
    let located = |findings: Vec<Finding>| -> Vec<Diagnostic> {
        findings.into_iter().map(|finding| finding.locate(sources, overridden)).collect()
    };
    // The rules below would take a secret that was not found for one that was not given.
    if !findings.errors.is_empty() {
        return Err(ReadError { faults: located(findings.errors) });
    }

    for (tenant, at) in &tenants {
        check::tenant::check(tenant, at, &mut findings);
        check::client::check(tenant, at, &mut findings);
        check::unbuilt::warn_clients(tenant, at, &mut findings);
    }
    check::tenant::check_issuers(&tenants, &server.public_url, &mut findings);
    check::client::check_admins(&admins, &root.key("admin"), &mut findings);
    check::server::check(&server, &tenants, &root, &mut findings);
    check::server::check_cache(&cache, &root, &mut findings);
    if let Some(resource) = &document.protected_resource {
        check::server::check_protected_resource(resource, &tenants, &root, &mut findings);
    }
    let folder = sources[0].folder();
    // A path from a variable has no file to be relative to, so it is relative to the working directory.
    let folder_of = |keys: &[&str]| {
        let path: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        if overridden.contains_key(&path) { Path::new("") } else { folder }
    };
    let storage = check::server::storage(&storage, folder_of(&["storage", "url"]), &root, &mut findings);
    let key_folder = folder_of(&["keys", "sealing_key", "file"]);
    let sealing_key =
        check::server::sealing_key(&keys.sealing_key, &intake, key_folder, &root, &mut findings);
    if let (Some(storage), Some(key)) = (&storage, &sealing_key) {
        check::unbuilt::warn_storage(storage, key, &root, &mut findings);
    }
    for tls in server.listeners.iter_mut().filter_map(|listener| listener.tls.as_mut()) {
        let paths = [Some(&mut tls.certificate), Some(&mut tls.private_key), tls.client_ca.as_mut()];
        paths.into_iter().flatten().for_each(|path| *path = folder.join(&path));
    }

    let (Some(storage), Some(sealing_key), true) = (storage, sealing_key, findings.errors.is_empty()) else {
        return Err(ReadError { faults: located(findings.errors) });
    };
    let (content_hash, watched) = intake.finish();
    Ok(Loaded {
        server,
        storage,
        redis_url: cache.redis_url,
        reconcile: document.reconcile,
        sealing_key,
        protected_resource: document.protected_resource,
        limits,
        admins,
        applications: document.admin.applications,
        tenants: tenants.into_iter().map(|(tenant, _)| tenant).collect(),
        content_hash,
        warnings: located(findings.warnings),
        watched,
        exposed: located(findings.exposed),
    })
}

/// Tenants of config.yaml and of `tenants_dir`, by id.
fn declared(
    document: &mut Document,
    intake: &mut Intake<'_>,
    sources: &mut Vec<Source>,
    findings: &mut Findings,
) -> Result<Declared, ReadError> {
    let mut declared = Declared::new();
    let root = Location::file(0);
    for (id, tenant) in std::mem::take(&mut document.tenants) {
        let at = root.key("tenants").key(&id);
        check::tenant::check_id(findings, at.clone(), &id);
        declared.insert(id, (tenant, at));
    }
    let Some(folder) = &document.tenants_dir else { return Ok(declared) };
    let folder = sources[0].folder().join(folder);
    intake.watch(&folder);
    let files = tenant_files(&folder).map_err(|error| {
        let problem = format!("{} cannot be listed: {error}", folder.display());
        findings.error(root.key("tenants_dir"), problem, "make the folder, or mend or leave out the key");
        let faults = std::mem::take(&mut findings.errors);
        ReadError { faults: faults.into_iter().map(|f| f.locate(sources, &Overridden::new())).collect() }
    })?;
    let mut faults = Vec::new();
    for (id, path) in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match settings(intake, &path, &name).and_then(|source| Ok((yaml::parse::<Tenant>(&source)?, source))) {
            Ok((tenant, source)) => {
                sources.push(source);
                let at = Location::file(sources.len() - 1);
                check::tenant::check_id(findings, at.clone(), &id);
                if declared.contains_key(&id) {
                    let problem = format!("tenant `{id}` is declared elsewhere, too");
                    findings.error(at, problem, "leave one of the two out: a file is named for its tenant's id");
                } else {
                    declared.insert(id, (tenant, at));
                }
            }
            Err(error) => faults.extend(error.faults),
        }
    }
    if faults.is_empty() { Ok(declared) } else { Err(ReadError { faults }) }
}

/// `acme.yaml` declares `acme`. What begins with a dot is skipped: editors' swap files, and the `..data` of a mounted
/// ConfigMap, whose links beside it are what counts.
fn tenant_files(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && !hidden && !path.is_dir() {
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push((id, path));
        }
    }
    files.sort();
    Ok(files)
}

fn settings(intake: &mut Intake<'_>, path: &Path, name: &str) -> Result<Source, ReadError> {
    match intake.settings(path, name) {
        Ok(text) => Ok(Source::new(path.to_owned(), text)),
        Err(Unreadable { problem, mend }) => Err(Diagnostic::about_path(path, problem, mend).into()),
    }
}

impl From<Diagnostic> for ReadError {
    fn from(fault: Diagnostic) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        for (index, fault) in self.faults.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        match self.faults.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more"),
        }
    }
}
