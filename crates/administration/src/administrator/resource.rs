//! The kinds of rows that administrators manage individually. Every kind takes the same steps: authorize the
//! request, load the tenant with the row, let the rules of the kind decide, commit, and show the new row.

use serde::Serialize;
use serde_json::Value;
use tenancy::StoreError;

use super::idempotency::IdempotencyScope;
use super::load::Needs;
use super::{Created, InTenant};
use crate::documents::ViewContext;
use crate::edit::EditError;
use crate::edit::{EditContext, Edited};
use crate::kinds::state::RowLifecycle;
use crate::kinds::{Kind, Permission, TenantState};

/// A kind of row that administrators manage one by one.
pub trait Resource: Kind + 'static {
    /// The permission that managers of these rows need.
    const PERMISSION: Permission;
    type Id: Clone + Send + Sync + 'static;
    type View: Serialize + Send;
    /// A step in a row's life, for example suspending it. Repeating a step changes nothing.
    type Step: Copy + Send + Sync + 'static;
    /// Decides what a merge patch of the row's settings changes.
    const PATCH: fn(EditContext<'_>, &Self::Id, &Value) -> Edited;
    /// Decides what a step changes.
    const TAKE_STEP: fn(EditContext<'_>, &Self::Id, Self::Step) -> Edited;

    /// Refuses a caller that does not manage rows of this kind in the tenant.
    fn authorize(within: &InTenant<'_>) -> Edited<()> {
        within.require(Self::PERMISSION)
    }

    /// The facts that reading or editing the row needs. `edit` is the document of an edit, which may name
    /// further rows, or `None` for a read.
    fn needs(within: &InTenant<'_>, id: &Self::Id, edit: Option<&Value>) -> Needs;

    /// The facts for a step that deletes the row, if this version cannot read the row.
    fn unreadable(_: &Self::Id, _: Self::Step) -> Option<Needs> {
        None
    }

    fn lifecycle<'a>(state: &'a TenantState, id: &Self::Id) -> Option<&'a RowLifecycle>;

    /// Shows the row, even if it is deleted.
    fn view(context: ViewContext<'_>, state: &TenantState, id: &Self::Id) -> Edited<Self::View>;
}

impl InTenant<'_> {
    pub async fn look<R: Resource>(&self, id: &R::Id) -> Edited<R::View> {
        R::authorize(self)?;
        let facts = self.load(self.tenant, &R::needs(self, id, None)).await?;
        let state = facts.tenant()?;
        let is_there = |lifecycle: &RowLifecycle| lifecycle.deleted_at.is_none();
        if R::lifecycle(state, id).is_some_and(is_there) {
            R::view(self.view_context(), state, id)
        } else {
            Err(EditError::NotFound(R::NOUN))
        }
    }

    pub async fn patch<R: Resource>(&self, id: &R::Id, patch: Value) -> Edited<R::View> {
        let decide = |context: EditContext<'_>| R::PATCH(context, id, &patch);
        let edited = self.edit_and_look::<R>(id, &patch, decide).await;
        match edited {
            Err(EditError::LiveCredentials(found)) => Err(self.with_makers(found).await?),
            edited => edited,
        }
    }

    /// Takes a step, such as suspending the row.
    pub async fn step<R: Resource>(&self, id: &R::Id, step: R::Step) -> Edited<R::View> {
        let decide = |context: EditContext<'_>| R::TAKE_STEP(context, id, step);
        let failed = match self.edit_and_look::<R>(id, &Value::Null, decide).await {
            Err(failed @ EditError::Store(StoreError::Fault(_))) => failed,
            taken => return taken,
        };
        let Some(needs) = R::unreadable(id, step) else { return Err(failed) };
        let answer = |after: &TenantState| R::view(self.view_context(), after, id);
        match self.commit_with_retry(needs, None, decide, answer).await {
            Err(EditError::NotFound(_)) => Err(failed),
            taken => Ok(taken?.value),
        }
    }

    async fn edit_and_look<R: Resource>(
        &self,
        id: &R::Id,
        document: &Value,
        decide: impl FnMut(EditContext<'_>) -> Edited + Send,
    ) -> Edited<R::View> {
        let context = self.view_context();
        let answer = |after: &TenantState| R::view(context, after, id);
        Ok(self.edit::<R, _>(id, document, None, decide, answer).await?.value)
    }

    /// Edits one row; `answer` gets the tenant after the edit. The document may name further rows.
    pub(super) async fn edit<R: Resource, T>(
        &self,
        id: &R::Id,
        document: &Value,
        idempotency: Option<IdempotencyScope<T>>,
        decide: impl FnMut(EditContext<'_>) -> Edited + Send,
        answer: impl FnMut(&TenantState) -> Edited<T> + Send,
    ) -> Edited<Created<T>> {
        R::authorize(self)?;
        let needs = R::needs(self, id, Some(document));
        self.commit_with_retry(needs, idempotency, decide, answer).await
    }

    pub(super) fn view_context(&self) -> ViewContext<'_> {
        ViewContext { policy: &self.policy, now: self.caller.now }
    }
}
