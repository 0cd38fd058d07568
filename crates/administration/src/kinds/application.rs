//! Applications. No cache holds them, and no commit decides their rows: a change contains the whole
//! application.

use super::Kind;
use crate::fields::ABSENT;
use crate::{Application, ChangeKind, Described};

impl Described for Application {
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
}

impl Kind for Application {}
