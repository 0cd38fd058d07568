//! What the operations of all rows have in common: a look, a merge patch, a step and a deletion, served and described once.

use actix_web::http::StatusCode;
use administration::{FieldError, Resource};
use schemars::JsonSchema;
use serde_json::Value;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::AdminHandler;
use super::names::Target;
use crate::body::BodyBounds;
use crate::documents;
use crate::openapi::{MERGE_PATCH, MERGED, NOT_MODIFIED, Operation};
use crate::respond::{Document, changed, looked_at};

/// A row with a path of its own.
pub(crate) trait Row: Resource<View: JsonSchema> {
    /// What its path names.
    type Target: Target;
    /// Its settings, which a merge patch changes.
    type Settings: JsonSchema;
    /// The size of a merge patch.
    const BODY: BodyBounds = BodyBounds::ORDINARY;

    /// Reads a merge patch as if it were the settings.
    fn read(document: Value) -> Result<Self::Settings, Vec<FieldError>>;

    /// The tenant, and the row in it.
    fn names(target: &Self::Target) -> (&TenantId, &Self::Id);

    /// An example of the row.
    fn example() -> Value;
}

pub(super) async fn look<R: Row>(request: AdminRequest<R::Target>) -> Answer {
    let AdminRequest { administrator, caller, target, raw, .. } = &request;
    let (tenant, id) = R::names(target);
    looked_at(raw, &administrator.look::<R>(caller, tenant, id).await?)
}

pub(super) fn describe_look<R: Row>(operation: Operation) -> Operation {
    operation
        .answer::<R::View>("200", &format!("The {}; ETag", R::NOUN))
        .empty_answer("304", NOT_MODIFIED)
        .answer_example(R::example())
}

pub(super) async fn patch<R: Row>(mut request: AdminRequest<R::Target>) -> Answer {
    let patch = documents::patch(&request.raw.json_within(R::BODY).await?, R::read)?;
    let AdminRequest { administrator, caller, target, .. } = &request;
    let (tenant, id) = R::names(target);
    changed(&administrator.patch::<R>(caller, tenant, id, patch).await?)
}

pub(super) fn describe_patch<R: Row>(operation: Operation) -> Operation {
    operation
        .if_match(R::NOUN)
        .optional_body::<R::Settings>(MERGE_PATCH, MERGED)
        .answer::<R::View>("200", &format!("The {} as it is now; ETag", R::NOUN))
        .error("409", &contended::<R>())
}

pub(super) fn step<R: Row>(step: R::Step) -> impl AdminHandler<R::Target> {
    async move |request: AdminRequest<R::Target>| {
        let AdminRequest { administrator, caller, target, .. } = &request;
        let (tenant, id) = R::names(target);
        changed(&administrator.step::<R>(caller, tenant, id, step).await?)
    }
}

pub(super) fn describe_step<R: Row>(operation: Operation) -> Operation {
    operation
        .if_match(R::NOUN)
        .answer::<R::View>("200", &format!("The {} as it is now", R::NOUN))
        .answer_example(R::example())
}

pub(super) fn delete<R: Row>(step: R::Step) -> impl AdminHandler<R::Target> {
    async move |request: AdminRequest<R::Target>| {
        let AdminRequest { administrator, caller, target, .. } = &request;
        let (tenant, id) = R::names(target);
        administrator.step::<R>(caller, tenant, id, step).await?;
        Ok(Document::of(StatusCode::NO_CONTENT).empty())
    }
}

pub(super) fn describe_delete<R: Row>(operation: Operation) -> Operation {
    operation.if_match(R::NOUN).error("409", &contended::<R>())
}

/// Why an edit of a row is refused that its rules allow.
pub(super) fn contended<R: Row>() -> String {
    format!("config.yaml declares the {}, or it was changed at the same time", R::NOUN)
}
