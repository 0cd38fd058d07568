//! Applications. No cache holds them, and a change contains the whole row.

use tenancy::TenantId;

use super::Kind;
use crate::documents::application::Application;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::fields::ABSENT;
use crate::rows::Decided;

impl Kind for Application {
    const NOUN: &'static str = "application";
    const COLLECTION: &'static str = "applications";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn knows(kind: ChangeKind) -> bool {
        matches!(kind, ChangeKind::Added | ChangeKind::Changed | ChangeKind::Deleted)
    }

    fn fields(&self) -> Vec<(String, String)> {
        let Self { tenant: _, id: _, name, client, document, created_at: _ } = self;
        let client = client.as_ref().map_or_else(|| ABSENT.to_owned(), ToString::to_string);
        let fields = [("name", name.clone()), ("client_id", client), ("document", document.to_string())];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn decide(tenant: &TenantId, decided: &mut Decided<'_>, change: &RowChange<Self>) -> Option<()> {
        let application = &*change.after;
        match change.kind {
            ChangeKind::Deleted => decided.deleted.applications.push((tenant.clone(), application.id)),
            ChangeKind::Added => decided.rows.new_applications.push(application.clone()),
            _ => decided.rows.applications.push(application.clone()),
        }
        Some(())
    }
}
