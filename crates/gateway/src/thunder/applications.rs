//! `/applications…`: applications of the default tenant. A request needs an assertion of
//! `/flow/execute`, and its user must still be declared. Access tokens of clients are refused.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data};
use actix_web::{Resource, ResponseError as _, Route};
use administration::administrator::Caller;
use administration::documents::application::{ApplicationContext, ApplicationError, ApplicationId};
use administration::kinds::authority::{Actor, Authority};
use protocol::{Form, PresentedToken, RefusalReason, TokenType};
use tenancy::{Tenant, TenantId};

use super::request::{ApplicationRequest, malformed};
use super::{ApplicationDocument, Spelling, ThunderError, ThunderResult, thunder_json, view};
use crate::Services;
use crate::request::{RawRequest, ServerFailure, methods};
use crate::respond::no_store;

/// Every request needs this permission.
const PERMISSION: &str = "system";
/// Default items of a list.
const PAGE: u32 = 30;
/// Maximum items of a list.
const LONGEST_PAGE: u32 = 200;

struct AuthorizedRequest {
    services: Data<Services>,
    tenant: TenantId,
    caller: Caller,
    raw: RawRequest,
}

async fn create(mut request: AuthorizedRequest) -> ThunderResult {
    let sent = request.read().await?;
    let made = request.put(&sent, None).await?;
    let mut response = no_store(StatusCode::CREATED);
    if let Some(id) = &made.id {
        response.insert_header((LOCATION, format!("/applications/{id}")));
    }
    thunder_json(response, sent.spelling, &made)
}

async fn list(request: AuthorizedRequest) -> ThunderResult {
    let AuthorizedRequest { services, tenant, caller, raw } = &request;
    let (offset, limit) = page(raw.query())?;
    let (total, page) = services.administrator.of(caller, tenant).applications(offset, limit).await?;
    thunder_json(no_store(StatusCode::OK), Spelling::Snake, &view::list(total, &page)?)
}

async fn get(request: AuthorizedRequest) -> ThunderResult {
    let AuthorizedRequest { services, tenant, caller, raw } = &request;
    let found = services.administrator.of(caller, tenant).application(id(raw)?).await?;
    thunder_json(no_store(StatusCode::OK), Spelling::Snake, &view::application(&found)?)
}

async fn replace(mut request: AuthorizedRequest) -> ThunderResult {
    let sent = request.read().await?;
    let id = id(&request.raw).map_err(|error| error.spelled(sent.spelling))?;
    thunder_json(no_store(StatusCode::OK), sent.spelling, &request.put(&sent, Some(id)).await?)
}

async fn delete(request: AuthorizedRequest) -> ThunderResult {
    let AuthorizedRequest { services, tenant, caller, raw } = &request;
    services.administrator.of(caller, tenant).delete_application(id(raw)?).await?;
    Ok(no_store(StatusCode::NO_CONTENT).finish())
}

pub(crate) fn all(path: &'static str) -> (&'static str, Resource) {
    resource(path, "GET, HEAD, POST", [authorized(methods::get(), list), authorized(methods::post(), create)])
}

pub(crate) fn one(path: &'static str) -> (&'static str, Resource) {
    let [put, delete] = [authorized(web::put(), replace), authorized(web::delete(), delete)];
    resource(path, "DELETE, GET, HEAD, PUT", [authorized(methods::get(), get), put, delete])
}

/// Other methods get 405.
pub(super) fn resource(
    path: &'static str,
    methods: &'static str,
    routes: impl IntoIterator<Item = Route>,
) -> (&'static str, Resource) {
    let refuse = async move || ThunderError::from(ServerFailure::MethodNotAllowed(methods)).error_response();
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    (path, resource.default_service(web::to(refuse)))
}

fn authorized<F: Future<Output = ThunderResult> + 'static>(
    route: Route,
    handler: fn(AuthorizedRequest) -> F,
) -> Route {
    route.to(move |services, raw| async move { handler(AuthorizedRequest::open(services, raw).await?).await })
}

/// The default tenant. 404 if no users are declared.
pub(super) async fn tenant(services: &Services, raw: &RawRequest) -> ThunderResult<Arc<Tenant>> {
    if !raw.is_plain() {
        return Err(ServerFailure::UnknownPath.into());
    }
    let Some(name) = raw.default_tenant().filter(|_| !services.users.is_empty()) else {
        return Err(ServerFailure::UnknownPath.into());
    };
    let tenant = services.tokens.tenants.resolve(name).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    Ok(tenant)
}

impl AuthorizedRequest {
    async fn open(services: Data<Services>, raw: RawRequest) -> ThunderResult<Self> {
        let (tenant, now) = (tenant(&services, &raw).await?, (services.clock)());
        let header = raw
            .authorization()
            .map_err(|failure| ThunderError::invalid_assertion(failure.facts().2, "Two tokens were sent"))?;
        let token =
            PresentedToken::from_authorization(header).filter(|token| token.scheme == TokenType::Bearer);
        let token = token.ok_or_else(ThunderError::assertion_required)?;
        let assertion = services.tokens.engine.admit_assertion(&tenant, &token, now).await??;
        if !services.users.has_credential(&assertion.sub, &assertion.credential) {
            return Err(ThunderError::invalid_assertion(
                RefusalReason::TokenClientNotActive,
                "The user can no longer sign in, or has changed the password",
            ));
        }
        // The user must still have the permission of the assertion.
        if !assertion.permits(PERMISSION) || !services.users.permits(&assertion.sub, PERMISSION) {
            return Err(ThunderError::forbidden(
                "The permission `system` is required: request it in requested_permissions",
            ));
        }
        let actor = Actor {
            name: format!("user:{}", assertion.sub),
            source: raw.address().map(|address| address.to_string()),
            ..Actor::default()
        };
        if raw.writes() {
            services
                .writes
                .spend(&tenant.id, tenant.limits.admin_writes, now)
                .map_err(ServerFailure::TooManyWrites)?;
        }
        let (caller, tenant) =
            (Caller::new(Authority::of_user(actor, tenant.id.clone()), now), tenant.id.clone());
        Ok(Self { services, tenant, caller, raw })
    }

    async fn read(&mut self) -> ThunderResult<ApplicationRequest> {
        ApplicationRequest::parse(&self.raw.untyped().await?)
    }

    async fn put(
        &self,
        sent: &ApplicationRequest,
        replaces: Option<ApplicationId>,
    ) -> ThunderResult<ApplicationDocument> {
        let translate = |context: ApplicationContext<'_>| sent.translate(context);
        let administrator = &self.services.administrator;
        let state = administrator
            .of(&self.caller, &self.tenant)
            .put_application(sent.put(replaces), &translate)
            .await;
        let shown = state.and_then(|state| Ok(view::application(&state)?));
        shown.map_err(|error| error.spelled(sent.spelling))
    }
}

fn id(raw: &RawRequest) -> ThunderResult<ApplicationId> {
    let id = raw.place("application").and_then(ApplicationId::parse);
    Ok(id.ok_or(ApplicationError::NotFound)?)
}

/// Reads `offset` and `limit`. A larger `limit` becomes the maximum.
fn page(query: &str) -> ThunderResult<(u32, u32)> {
    let wrong = || malformed("limit and offset must be numbers, each sent once");
    let mut form = Form::parse(query.as_bytes()).map_err(|_| wrong())?;
    let mut number = |name: &str, default: u32| match form.take(name).map_err(|_| wrong())? {
        None => Ok(default),
        Some(text) => text.parse::<u32>().map_err(|_| wrong()),
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", PAGE)?);
    Ok((offset, limit.clamp(1, LONGEST_PAGE)))
}
