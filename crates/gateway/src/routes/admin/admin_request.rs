//! A request to the admin API after its first checks: the caller is authorized, the names in the path are
//! parsed, the time is taken. The service that contains the route decides who the caller is, and the request
//! never does.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::header::IF_MATCH;
use administration::{Administrator, Caller, EditError, FieldError, Permission};
use serde_json::Value;

use super::idempotency::idempotency;
use super::names::PathNames;
use super::query::Query;
use crate::TokenServices;
use crate::authentication::{AdminAccess, RequiredPermission};
use crate::documents;
use crate::request::{BodyBounds, RawRequest};
use crate::respond::Problem;

/// A request whose caller is authorized; `T` is what the path names.
pub(crate) struct AdminRequest<T> {
    pub(super) administrator: Arc<Administrator>,
    pub(super) tokens: TokenServices,
    pub(super) caller: Caller,
    pub(super) target: T,
    pub(super) raw: RawRequest,
}

impl<T: PathNames> AdminRequest<T> {
    /// Authorizes before it parses: a caller without permission learns nothing about names.
    pub(super) async fn open(
        access: &dyn AdminAccess,
        raw: RawRequest,
        permission: Option<Permission>,
    ) -> Result<Self, Problem> {
        let mut caller = access.authorize(&raw, RequiredPermission::of_route(&raw, permission)).await?;
        caller.if_match = raw.list(&IF_MATCH).map(Cow::into_owned);
        let (target, administrator) = (T::from_request(&raw)?, Arc::clone(access.administrator()));
        Ok(Self { administrator, tokens: access.tokens(), caller, target, raw })
    }
}

impl<T> AdminRequest<T> {
    pub(super) fn query<R>(&self, take: impl FnOnce(&mut Query<'_>) -> R) -> Result<R, EditError> {
        Query::read(self.raw.query(), take)
    }

    /// The document of a creation, which `Idempotency-Key` makes safe to repeat.
    pub(super) async fn creation<D>(
        &mut self,
        document: impl FnOnce(Value) -> Result<D, Vec<FieldError>>,
    ) -> Result<D, Problem> {
        self.creation_within(BodyBounds::ORDINARY, document).await
    }

    /// Reads a document of this size for a creation.
    pub(super) async fn creation_within<D>(
        &mut self,
        bounds: BodyBounds,
        document: impl FnOnce(Value) -> Result<D, Vec<FieldError>>,
    ) -> Result<D, Problem> {
        let body = self.raw.json_within(bounds).await?;
        self.caller.idempotency = idempotency(&self.raw, &body)?;
        Ok(documents::read(&body, document)?)
    }
}
