//! Reports conflicts between the settings and the store like errors in the settings: with file, line, key and
//! hint.

use std::collections::BTreeSet;
use std::fmt;

use administration::declaration::outcome::ReconcileError;
use administration::declaration::plan::{Conflict, ConflictKind, Plan, Subject};
use administration::kinds::{DeclaredTenant, Kind as _};
use registry::Client;
use tenancy::TenantId;
use values::{ShellCommand, with_commands};

use crate::names::names;
use settings::{Diagnostic, Findings, Loaded, Location, ReadError};

/// Tenants with a conflict, and the reasons.
#[derive(Debug, thiserror::Error)]
pub struct TenantsLeftOut {
    pub(crate) tenants: Vec<TenantId>,
    /// The tenants whose changes may resolve a conflict.
    pub(crate) depends_on: BTreeSet<TenantId>,
    faults: ReadError,
}

impl TenantsLeftOut {
    pub(crate) fn names(&self) -> String {
        names(self.tenants.iter().map(TenantId::as_str))
    }
}

impl fmt::Display for TenantsLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n\nleft out, with their rows unchanged, until this is fixed: {}",
            self.faults,
            self.names()
        )
    }
}

/// The tenants that a plan leaves out, or `None`. The place of a conflict is where the operator can fix it.
pub fn left_out(plan: &Plan, loaded: &Loaded) -> Option<TenantsLeftOut> {
    if plan.conflicts.is_empty() {
        return None;
    }
    let depends_on = plan.conflicts.iter().flat_map(Conflict::depends_on).cloned().collect();
    let faults = conflict_faults(&plan.conflicts, loaded);
    Some(TenantsLeftOut { tenants: plan.left_out(), depends_on, faults })
}

/// Converts an error of applying. The place of a conflict is where the operator can fix it.
pub fn conflict_error(error: ReconcileError, loaded: &Loaded) -> anyhow::Error {
    let ReconcileError::Conflicts(conflicts) = error else { return error.into() };
    conflict_faults(&conflicts.0, loaded).into()
}

/// The parts of the files that exceed a limit, with their places. Rows that already exist stay valid.
pub fn beyond_limits(loaded: &Loaded, clients: u64) -> Vec<Diagnostic> {
    conflict_faults(&administration::rules::limits::beyond_limits(&loaded.declaration, clients), loaded)
        .faults
}

/// The secrets that could not be read from secret stores, with their places.
pub fn unread(loaded: &Loaded) -> Vec<Diagnostic> {
    conflict_faults(&administration::declaration::compare::unread_secrets(&loaded.declaration), loaded).faults
}

/// Conflicts, each at the place where the operator can fix it.
pub fn conflict_faults(conflicts: &[Conflict], loaded: &Loaded) -> ReadError {
    let mut findings = Findings::default();
    for conflict in conflicts {
        let (location, on_key) = location(conflict, loaded);
        let add = if on_key { Findings::key_error } else { Findings::error };
        add(&mut findings, location, conflict.to_string(), hint(conflict));
    }
    loaded.locations.faults(findings)
}

/// The place in the file that contradicts the store. The boolean says whether the key is wrong, and not its
/// value.
fn location(Conflict { subject, kind }: &Conflict, loaded: &Loaded) -> (Location, bool) {
    let at = loaded.locations.tenant(subject.tenant().as_str());
    let declared = loaded.declaration.tenants.get(subject.tenant());
    let row = || match subject {
        Subject::Tenant(_) | Subject::Scope(..) => at.clone(),
        Subject::Secret(_, client, _) => at.key("clients").key(client.as_str()),
        Subject::Row(_, row) => at.key(row.collection).key(&row.name),
    };
    match kind {
        ConflictKind::IssuerTaken { issuer: name, .. } => {
            let location = declared.and_then(|declared| issuer(declared, name.as_str(), &at));
            (location.unwrap_or(at), false)
        }
        ConflictKind::FirstKeyDiffers | ConflictKind::FirstKeyTooLate | ConflictKind::FirstKeyTaken(_) => {
            (at.key("signing").key("first_key"), false)
        }
        ConflictKind::CreatedByApi | ConflictKind::Deleted | ConflictKind::Reserved => (row(), true),
        ConflictKind::NewName(error) => (row().pointed(&error.pointer), true),
        ConflictKind::ClientIdTaken(name) | ConflictKind::ClientIdSpelled(name, _) => {
            (declared.and_then(|declared| named(declared, name, &at)).unwrap_or(at), true)
        }
        ConflictKind::IdentifierTaken { what, .. } => (row().key(what), false),
        ConflictKind::BeyondLimit(error) => (row().pointed(&error.pointer), true),
        ConflictKind::TooManyClients(_) => (at.key("clients"), true),
        ConflictKind::SecretUnread(unread) => {
            (at.key("clients").key(unread.client.as_str()).key("client_secret"), true)
        }
        ConflictKind::ForeignHash(id) | ConflictKind::SaltsDiffer(id) => {
            (at.key("clients").key(id.as_str()), true)
        }
    }
}

/// What the operator can do.
fn hint(Conflict { subject, kind }: &Conflict) -> String {
    let tenant = subject.tenant();
    let filled = |message| with_commands(message, &[("TENANT", tenant.as_str())]);
    match kind {
        ConflictKind::CreatedByApi => {
            format!("remove it here, or declare it under another id; `{}` shows it", show_command(subject))
        }
        ConflictKind::IssuerTaken { owner, .. } => {
            let message = "give each tenant its own issuers; `latchkey tenant show OWNER` shows who has this one";
            with_commands(message, &[("OWNER", owner.as_str())])
        }
        ConflictKind::FirstKeyDiffers => {
            filled("remove the line, and rotate instead: `latchkey key rotate TENANT`")
        }
        ConflictKind::FirstKeyTooLate => {
            filled("remove the line, and import the key as the next one: `latchkey key import TENANT FILE`")
        }
        ConflictKind::SaltsDiffer(id) => with_commands(
            "give the secret as `env`, `file` or `value`, \
             or revoke the other hash: `latchkey secret list TENANT CLIENT` lists it",
            &[("TENANT", tenant.as_str()), ("CLIENT", id.as_str())],
        ),
        ConflictKind::FirstKeyTaken(_) => {
            "give each tenant its own key, or remove the line: Latchkey then generates a key for a new \
             tenant, and a tenant that already has this key keeps it"
                .into()
        }
        ConflictKind::Deleted => "remove it, or choose another id".into(),
        ConflictKind::Reserved => "remove it, or choose another name".into(),
        ConflictKind::NewName(error) => {
            let hint = error.hint.as_deref().unwrap_or("choose another name");
            format!("{hint}; rows that are already in the store can stay")
        }
        ConflictKind::ClientIdTaken(_) | ConflictKind::ClientIdSpelled(..) => "choose another name for one of the two".into(),
        ConflictKind::BeyondLimit(error) => {
            error.hint.clone().unwrap_or_else(|| "shorten it, or split it into several".into())
        }
        ConflictKind::TooManyClients(_) => {
            "raise limits.clients, or delete clients that you don't need".into()
        }
        ConflictKind::IdentifierTaken { .. } => {
            "an identifier belongs to one account; remove it here".into()
        }
        ConflictKind::SecretUnread(_) => {
            "correct the store or the reference; the tenant's rows stay unchanged until Latchkey can read the secret".into()
        }
        ConflictKind::ForeignHash(_) => "give the secret as `env`, `file` or `value`".into(),
    }
}

/// The command that shows a row that another interface created.
fn show_command(subject: &Subject) -> ShellCommand {
    match subject {
        Subject::Row(tenant, row) if row.noun == Client::NOUN => {
            let names = [("TENANT", tenant.as_str()), ("CLIENT", &*row.name)];
            ShellCommand::new("latchkey client show TENANT CLIENT", &names)
        }
        other => ShellCommand::new("latchkey tenant show TENANT", &[("TENANT", other.tenant().as_str())]),
    }
}

fn issuer(declared: &DeclaredTenant, name: &str, at: &Location) -> Option<Location> {
    if declared.tenant.issuer.as_str() == name {
        return Some(at.key("issuer"));
    }
    let alias = declared.tenant.issuer_aliases.iter().position(|alias| alias.as_str() == name);
    alias.map(|index| at.item("issuer_aliases", index))
}

/// The place of a name in the file. Prefers the client, because the other row may have existed before.
fn named(declared: &DeclaredTenant, name: &str, at: &Location) -> Option<Location> {
    if declared.clients.iter().any(|client| client.client.id.as_str() == name) {
        return Some(at.key("clients").key(name));
    }
    if declared.tenant.resource_server(name).is_some() {
        return Some(at.key("resource_servers").key(name));
    }
    issuer(declared, name, at).or_else(|| {
        declared.clients.iter().find_map(|client| {
            let at = at.key("clients").key(client.client.id.as_str());
            [("audiences", &client.client.audiences), ("resources", &client.client.resources)]
                .iter()
                .find_map(|(key, names)| {
                    names.iter().position(|one| one == name).map(|index| at.item(key, index))
                })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use administration::declaration::plan::Conflicts;
    use administration::edit::FieldError;
    use registry::ClientId;
    use tenancy::{Issuer, ResourceServer};

    use super::*;
    use settings::{Environment, read};

    const SETTINGS: &str = "\
tenants:
  acme:
    issuer: https://a.example
    issuer_aliases: [one, two]
    signing: { skew: 1s }
    resource_servers: { api: {} }
    clients:
      web:
        client_secret: { value: s }
        audiences: [x, y]
  beta: {}
";

    /// The settings in a temporary folder. The caller must keep the second value, or the folder is deleted.
    fn loaded(settings: &str) -> (Loaded, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, settings).unwrap();
        (read(&path, &Environment::default()).unwrap(), folder)
    }

    #[test]
    fn every_conflict_has_a_line_and_a_hint() {
        use ConflictKind as Kind;
        let acme = || TenantId::parse("acme").unwrap();
        let beta = || TenantId::parse("beta").unwrap();
        let web = || ClientId::parse("web").unwrap();
        let conflict = |subject, kind| Conflict { subject, kind };
        let in_acme = |kind| conflict(Subject::Tenant(acme()), kind);
        let of_web = |kind| conflict(Subject::new::<Client>(&acme(), "web"), kind);
        let issuer =
            |text| in_acme(Kind::IssuerTaken { issuer: Issuer::parse(text).unwrap(), owner: beta() });
        let client_id = |name: &str| in_acme(Kind::ClientIdTaken(name.to_owned()));
        let at_route = FieldError::at("/issuer", "the server has its own routes at /console");
        let unseen = FieldError::at("/client_id", "the client id contains U+200B, an invisible character");
        let conflicts = [
            conflict(Subject::Tenant(beta()), Kind::CreatedByApi),
            of_web(Kind::CreatedByApi),
            conflict(Subject::new::<ResourceServer>(&acme(), "api"), Kind::CreatedByApi),
            conflict(Subject::Tenant(beta()), Kind::Deleted),
            conflict(Subject::Scope(acme(), "latchkey:keys".to_owned()), Kind::Reserved),
            of_web(Kind::NewName(unseen)),
            in_acme(Kind::NewName(at_route)),
            issuer("https://a.example"),
            issuer("two"),
            client_id("web"),
            client_id("api"),
            client_id("one"),
            client_id("y"),
            of_web(Kind::BeyondLimit(FieldError::at("/audiences", "the list has 101 entries"))),
            in_acme(Kind::TooManyClients("would have 3 clients".to_owned())),
            in_acme(Kind::FirstKeyDiffers),
            in_acme(Kind::FirstKeyTooLate),
            in_acme(Kind::FirstKeyTaken(beta())),
            in_acme(Kind::ForeignHash(web())),
            in_acme(Kind::SaltsDiffer(web())),
        ];
        let (loaded, folder) = loaded(SETTINGS);
        let lines = conflicts.map(|conflict| {
            let error = conflict_error(Conflicts(vec![conflict]).into(), &loaded);
            let error: ReadError = error.downcast().unwrap();
            error.faults[0].brief().replace(&format!("{}/", folder.path().display()), "")
        });
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn other_errors_are_unchanged() {
        let (loaded, _folder) = loaded("{}");
        let error = conflict_error(ReconcileError::Contended, &loaded);
        assert!(matches!(error.downcast_ref(), Some(ReconcileError::Contended)), "{error}");
    }

    #[test]
    fn declarations_beyond_a_limit_are_listed() {
        let many: Vec<String> = (0..101).map(|nth| format!("x{nth}")).collect();
        let (loaded, _folder) = loaded(&SETTINGS.replace("[x, y]", &format!("[{}]", many.join(", "))));
        for (clients, expected) in [
            (1, &["tenants.acme.clients.web.audiences"][..]),
            (0, &["tenants.acme.clients.web.audiences", "tenants.acme.clients"]),
        ] {
            let found = beyond_limits(&loaded, clients);
            let keys: Vec<_> = found.iter().map(|warning| warning.key.as_str()).collect();
            assert_eq!(keys, expected, "{clients}");
        }
    }
}
