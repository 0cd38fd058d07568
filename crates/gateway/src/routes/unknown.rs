//! Requests that no route takes. Paths of the admin API respond with problems at each address, even where
//! they are not served: an absent row looks the same everywhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use actix_web::http::header::ACCEPT;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder as _, ResponseError as _};

use super::admin::operations;
use crate::options::ListenerOptions;
use crate::page::PageAnswer;
use crate::request::ServerFailure;
use crate::respond::{OAuthError, Problem};

pub(super) async fn unknown_path(request: HttpRequest) -> HttpResponse {
    let path = request.uri().path();
    if is_admin(path) {
        return Problem::from(ServerFailure::UnknownPath).error_response();
    }
    if has_pages(&request) && wants_page(&request) {
        return PageAnswer::from(ServerFailure::UnknownPath).respond_to(&request);
    }
    OAuthError::from(ServerFailure::UnknownPath).error_response()
}

/// Without the public surface there is no style sheet.
fn has_pages(request: &HttpRequest) -> bool {
    request.app_data::<Data<ListenerOptions>>().is_some_and(|listener| listener.surface.public)
}

/// Browsers name HTML when a person opens an address, and programs do not.
fn wants_page(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with("text/html"))
}

/// The segment after the tenant in the paths of the admin API.
static OF_TENANTS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let of_tenant = |path: &'static str| path.strip_prefix("/api/v1/tenant/{id}/")?.split('/').next();
    operations().iter().filter_map(|operation| of_tenant(operation.path)).collect()
});

/// Whether the path is one of the admin API's.
pub(super) fn is_admin(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    if (parts.next(), parts.next()) != (Some("api"), Some("v1")) {
        return false;
    }
    match parts.next() {
        Some("admin") => true,
        Some("tenant") => parts.nth(1).is_some_and(|part| OF_TENANTS.contains(part)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_paths_are_distinguished_from_others() {
        let platform = "admin admin/ admin/x/y";
        let tenant = "acme/clients acme/clients/ /clients/a acme/keys acme/api-keys acme/audit";
        let tenant = tenant.split(' ').map(|rest| format!("/api/v1/tenant/{rest}"));
        for path in platform.split(' ').map(|rest| format!("/api/v1/{rest}")).chain(tenant) {
            assert!(is_admin(&path), "{path}");
        }
        let others = "/ /api/v1 /api/v1/administration /x/api/v1/admin /api/v1/tenant/clients \
                      /api/v1/tenant/acme/clientele /api/v1/tenant/acme/oauth/clients";
        for path in others.split(' ') {
            assert!(!is_admin(path), "{path}");
        }
    }
}
