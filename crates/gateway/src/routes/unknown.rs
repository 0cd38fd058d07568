//! Requests that no route takes.

use actix_web::{HttpRequest, HttpResponse, ResponseError as _};

use super::admin;
use crate::failure::Failure;
use crate::respond::OAuthError;

pub(super) async fn unknown_path(request: HttpRequest) -> HttpResponse {
    if admin::unknown::is_admin(request.uri().path()) {
        return admin::unknown::unknown_path();
    }
    OAuthError::from(Failure::UnknownPath).error_response()
}
