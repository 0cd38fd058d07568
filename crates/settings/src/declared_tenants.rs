//! The tenants that the files declare: those of config.yaml, and one for each file of `tenants_dir`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use administration::documents::TenantSettings;

use super::{
    check, claim_texts,
    document::Document,
    file_reader::FileReader,
    findings::Location,
    reading::Reading,
    recovery::{self, Recovered},
};

/// Tenants that files declare, not yet resolved, by id.
pub(crate) type UnresolvedTenants = BTreeMap<String, (TenantSettings, Location)>;

impl Reading<'_> {
    /// Tenants of config.yaml and of `tenants_dir`, by id.
    pub(super) fn declared(&mut self, document: &mut Document) -> UnresolvedTenants {
        let mut declared = UnresolvedTenants::new();
        for (id, tenant) in std::mem::take(&mut document.tenants) {
            let at = Location::section("tenants").key(&id);
            check::tenant::check_id(&mut self.findings, at.clone(), &id);
            declared.insert(id, (tenant, at));
        }
        let Some(folder) = self.locations.tenants_dir(document.tenants_dir.as_deref()) else {
            return declared;
        };
        self.file_reader.watch(&folder);
        let files = tenant_files(&self.file_reader, &folder).unwrap_or_else(|error| {
            let problem = format!("cannot list {}: {error}", folder.display());
            let hint = "create the folder, or correct or remove the key";
            self.findings.error(Location::section("tenants_dir"), problem, hint);
            let findings = std::mem::take(&mut self.findings);
            self.form.add_of_missing_tenant(self.locations.faults(findings).faults);
            Vec::new()
        });
        for (id, path) in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let source = match self.file_reader.settings(&path, &name) {
                Ok(source) => source,
                Err(error) => {
                    self.form.add_of_missing_tenant(error.faults);
                    continue;
                }
            };
            let Recovered { value, faults, left_out } = recovery::parse::<TenantSettings>(&source);
            let Some(mut tenant) = value else {
                self.form.add_of_missing_tenant(faults);
                continue;
            };
            if faults.is_empty()
                && let Err(fault) = claim_texts::of_tenant(&mut tenant, &source)
            {
                self.form.add_of_missing_tenant(vec![fault]);
                continue;
            }
            let at = Location::file(self.locations.sources.len());
            self.form.add(at.source, faults, left_out);
            self.locations.sources.push(source);
            check::tenant::check_id(&mut self.findings, at.clone(), &id);
            match declared.entry(id) {
                Entry::Vacant(free) => {
                    free.insert((tenant, at));
                }
                Entry::Occupied(taken) => {
                    let problem = format!("tenant `{}` is also declared elsewhere", taken.key());
                    let hint = "remove one of the two declarations: a file name is its tenant's id";
                    self.findings.error(at, problem, hint);
                }
            }
        }
        declared
    }
}

/// The file `acme.yaml` declares `acme`. Names that begin with a dot are skipped: swap files of editors, and
/// the `..data` of a mounted ConfigMap, whose entries are also links in the folder itself.
fn tenant_files(file_reader: &FileReader<'_>, folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for path in file_reader.list(folder)? {
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
