//! The operations that all rows share: read, merge patch, step and deletion, served and described once.

use actix_web::http::StatusCode;
use administration::schema::JsonSchema;
use administration::{FieldError, Resource};
use serde_json::Value;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::{AdminHandler, at};
use super::names::Segment;
use crate::documents;
use crate::openapi::HttpMethod::{Delete, Get, Patch, Post};
use crate::openapi::{MERGE_PATCH, MERGED, NOT_MODIFIED, Operation};
use crate::request::BodyBounds;
use crate::respond::{ResponseDocument, changed, looked_at};

/// A row with a path of its own.
pub(crate) trait AdminRow: Resource<Id: Segment, View: JsonSchema> {
    /// Its settings, which a merge patch changes.
    type Settings: JsonSchema;
    /// Reads a merge patch as if it were the settings.
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>>;
    /// The size of a merge patch.
    const BODY: BodyBounds = BodyBounds::ORDINARY;

    /// An example of the row.
    fn example() -> Value;
}

/// What its path names: the tenant, and the row in it.
type Target<R> = (TenantId, <R as Resource>::Id);

/// Shows a row.
pub(super) fn look_at<R: AdminRow>(path: &'static str) -> Operation {
    let look = async |request: AdminRequest<Target<R>>| {
        let AdminRequest { administrator, caller, target: (tenant, id), raw, .. } = &request;
        looked_at(raw, &administrator.of(caller, tenant).look::<R>(id).await?)
    };
    at(Get, path, R::PERMISSION, look)
        .answer::<R::View>("200", &format!("The {}; ETag", R::NOUN))
        .empty_answer("304", NOT_MODIFIED)
        .answer_example(R::example)
}

/// Changes what a merge patch of a row's settings names.
pub(super) fn change<R: AdminRow>(path: &'static str) -> Operation {
    let patch = async |mut request: AdminRequest<Target<R>>| {
        let patch = documents::patch(&request.raw.json_within(R::BODY).await?, R::READ)?;
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        changed(&administrator.of(caller, tenant).patch::<R>(id, patch).await?)
    };
    change_by::<R>(path, patch)
}

/// Changes a row by this handler.
pub(super) fn change_by<R: AdminRow>(path: &'static str, patch: impl AdminHandler<Target<R>>) -> Operation {
    at(Patch, path, R::PERMISSION, patch)
        .if_match(R::NOUN)
        .optional_body::<R::Settings>(MERGE_PATCH, MERGED)
        .answer::<R::View>("200", &format!("The {} as it is now; ETag", R::NOUN))
        .error("409", &contended::<R>())
}

/// Takes a step of a row's life, which may be taken again without harm.
pub(super) fn step<R: AdminRow>(path: &'static str, step: R::Step) -> Operation {
    at(Post, path, R::PERMISSION, take_step::<R>(step))
        .if_match(R::NOUN)
        .answer::<R::View>("200", &format!("The {} as it is now", R::NOUN))
        .answer_example(R::example)
}

/// The handler of a step.
pub(super) fn take_step<R: AdminRow>(step: R::Step) -> impl AdminHandler<Target<R>> {
    async move |request: AdminRequest<Target<R>>| {
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        changed(&administrator.of(caller, tenant).step::<R>(id, step).await?)
    }
}

/// Deletes a row by this step.
pub(super) fn end<R: AdminRow>(path: &'static str, step: R::Step) -> Operation {
    let delete = async move |request: AdminRequest<Target<R>>| -> Answer {
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        administrator.of(caller, tenant).step::<R>(id, step).await?;
        Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty())
    };
    at(Delete, path, R::PERMISSION, delete).if_match(R::NOUN).error("409", &contended::<R>())
}

/// Why an edit of a row is refused that its rules allow.
pub(super) fn contended<R: AdminRow>() -> String {
    format!("config.yaml declares the {}, or it was changed at the same time", R::NOUN)
}
