//! Operations that all rows have: get, merge patch, step and deletion.

use actix_web::http::StatusCode;
use administration::administrator::Resource;
use administration::documents::schema::JsonSchema;
use administration::edit::FieldError;
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

pub(crate) trait AdminRow: Resource<Id: Segment, View: JsonSchema> {
    /// The document that a merge patch changes.
    type Settings: JsonSchema;
    /// Parses a merge patch with the rules of the settings.
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>>;
    /// The maximum size of a merge patch.
    const BODY: BodyBounds = BodyBounds::ORDINARY;

    /// For OpenAPI.
    fn example() -> Value;
}

/// The tenant, and the row in it.
type Target<R> = (TenantId, <R as Resource>::Id);

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

/// Applies a merge patch to the row's settings.
pub(super) fn change<R: AdminRow>(path: &'static str) -> Operation {
    let patch = async |mut request: AdminRequest<Target<R>>| {
        let patch = documents::patch(&request.raw.json_within(R::BODY).await?, R::READ)?;
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        changed(&administrator.of(caller, tenant).patch::<R>(id, patch).await?)
    };
    change_by::<R>(path, patch)
}

/// As [`change`], with another handler.
pub(super) fn change_by<R: AdminRow>(path: &'static str, patch: impl AdminHandler<Target<R>>) -> Operation {
    at(Patch, path, R::PERMISSION, patch)
        .if_match(R::NOUN)
        .optional_body::<R::Settings>(MERGE_PATCH, MERGED)
        .answer::<R::View>("200", &format!("The {} with its new state; ETag", R::NOUN))
        .error("409", &contended::<R>())
}

/// A change of the row's state, such as suspending. Repeating it has no further effect.
pub(super) fn step<R: AdminRow>(path: &'static str, step: R::Step) -> Operation {
    at(Post, path, R::PERMISSION, take_step::<R>(step))
        .if_match(R::NOUN)
        .answer::<R::View>("200", &format!("The {} with its new state", R::NOUN))
        .answer_example(R::example)
}

pub(super) fn take_step<R: AdminRow>(step: R::Step) -> impl AdminHandler<Target<R>> {
    async move |request: AdminRequest<Target<R>>| {
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        changed(&administrator.of(caller, tenant).step::<R>(id, step).await?)
    }
}

/// Deletes a row by a step.
pub(super) fn end<R: AdminRow>(path: &'static str, step: R::Step) -> Operation {
    let delete = async move |request: AdminRequest<Target<R>>| -> Answer {
        let AdminRequest { administrator, caller, target: (tenant, id), .. } = &request;
        administrator.of(caller, tenant).step::<R>(id, step).await?;
        Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty())
    };
    at(Delete, path, R::PERMISSION, delete).if_match(R::NOUN).error("409", &contended::<R>())
}

/// The reason for refusing a valid change.
pub(super) fn contended<R: AdminRow>() -> String {
    format!("config.yaml declares the {}, or it was changed at the same time", R::NOUN)
}
