//! Declarations that tests apply to a database.

use std::sync::Arc;

use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome::{Along, Outcome, ReconcileError, ReconcileOptions};
use administration::declaration::plan::Retirements;
use administration::declaration::reconcile::Reconciler;
use administration::declaration::{Declaration, DeclaredClient, DeclaredSecret};
use administration::kinds::DeclaredTenant;
use keys::SealingKey;
use registry::DeclaredPassword;
use secrets::Pepper;
use storage::Database;
use testkit::fixtures::{self, NOW};
use values::{Secret, Timestamp};
use zeroize::Zeroizing;

pub(crate) fn reconciler(database: &Arc<Database>) -> Reconciler {
    let sealer = SealingKey::generate().unwrap();
    Reconciler::new(Arc::clone(database) as _, Arc::new(sealer), Arc::new(pepper()))
}

pub(crate) fn pepper() -> Pepper {
    Pepper::from_bytes(Zeroizing::new([1; 32]))
}

pub(crate) fn value(text: &str) -> DeclaredSecret {
    DeclaredSecret {
        password: DeclaredPassword::Value(Secret::new(text.to_owned())),
        expires_at: None,
        previous_for: None,
        stored: None,
    }
}

/// A tenant with the client `svc`, which has these secrets.
pub(crate) fn tenant(id: &str, secrets: Vec<DeclaredSecret>) -> DeclaredTenant {
    let tenant = fixtures::tenant(id);
    let client = DeclaredClient { client: fixtures::client(&tenant, "svc"), secrets };
    DeclaredTenant { tenant, clients: vec![client], accounts: Vec::new(), first_key: None }
}

pub(crate) fn declaration(tenants: Vec<DeclaredTenant>) -> Declaration {
    Declaration {
        tenants: tenants.into_iter().map(|declared| (declared.tenant.id.clone(), declared)).collect(),
        ..Declaration::default()
    }
}

pub(crate) fn options() -> ReconcileOptions {
    let max_retired = Retirements { tenants: 1, clients: 10 };
    ReconcileOptions { max_retired, prune: false, force_generation: false, ends_previous: false, now: NOW }
}

/// Applies a declaration; `name` stands for its content.
pub(crate) async fn apply(
    database: &Arc<Database>,
    declaration: &Declaration,
    content: &str,
) -> Result<Outcome, ReconcileError> {
    reconciler(database)
        .apply(declaration, &ContentHash::from_parts([content.as_bytes()]), &options(), Along::NONE)
        .await
}

/// The changes as operators see them.
#[track_caller]
pub(crate) fn lines(outcome: Result<Outcome, ReconcileError>) -> Vec<String> {
    match outcome.unwrap() {
        Outcome::Applied { plan, .. } => plan.to_string().lines().map(str::to_owned).collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + seconds)
}
