//! A request to the admin API after its opening: the caller is authorized, the names in the path are parsed, the time is taken. What
//! decides who the caller is belongs to the service that the route is part of, and never to the request.

use std::sync::Arc;

use actix_web::http::header::IF_MATCH;
use administration::{Administrator, Authority, Caller, EditError, Permission};
use protocol::Timestamp;

use super::idempotency::idempotency;
use super::names::Target;
use super::query::Query;
use crate::authorization::RequiredPermission;
use crate::body::{Body, BodyError};
use crate::raw_request::RawRequest;
use crate::respond::Problem;

/// What the routes of the admin API are served with. A listener has [`BearerAccess`](crate::authorization::BearerAccess), which
/// authorizes by token; the service without a listener has [`OperatorApi`](crate::OperatorApi)'s own.
pub(crate) trait AdminAccess: 'static {
    /// What decides and commits.
    fn administrator(&self) -> &Arc<Administrator>;

    /// The time that the request is handled at.
    fn now(&self) -> Timestamp;

    /// The caller's authority, if it suffices. Nothing of a body has been read until then.
    async fn authorize(
        &self,
        raw: &RawRequest,
        required: RequiredPermission<'_>,
        now: Timestamp,
    ) -> Result<Authority, Problem>;
}

/// A request whose caller is authorized; `T` is what the path names.
pub(crate) struct AdminRequest<T> {
    pub(super) administrator: Arc<Administrator>,
    pub(super) caller: Caller,
    pub(super) target: T,
    pub(super) raw: RawRequest,
}

impl<T: Target> AdminRequest<T> {
    /// Authorizes before it parses: a caller without permission learns nothing about names.
    pub(super) async fn open<A: AdminAccess>(
        access: &A,
        raw: RawRequest,
        permission: Permission,
    ) -> Result<Self, Problem> {
        let now = access.now();
        let required = RequiredPermission::of_route(&raw, permission);
        let authority = access.authorize(&raw, required, now).await?;
        let caller = Caller { if_match: raw.list(&IF_MATCH), ..Caller::new(authority, now) };
        let (target, administrator) = (T::of(&raw)?, Arc::clone(access.administrator()));
        Ok(Self { administrator, caller, target, raw })
    }
}

impl<T> AdminRequest<T> {
    pub(super) async fn body(&mut self) -> Result<Body, BodyError> {
        self.raw.json().await
    }

    pub(super) fn query(&self) -> Result<Query, EditError> {
        Query::of(&self.raw)
    }

    /// The body of a creation, which `Idempotency-Key` makes safe to repeat.
    pub(super) async fn idempotent_body(&mut self) -> Result<Body, Problem> {
        let body = self.raw.json().await?;
        self.caller.idempotency = idempotency(&self.raw, &body)?;
        Ok(body)
    }
}
