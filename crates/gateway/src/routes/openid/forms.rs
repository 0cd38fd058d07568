//! The responses to forms that change how a person signs in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use administration::edit::EditError;
use pages::{FormError, HtmlPage};

use super::visit::Visit;
use crate::page::{Opener, PageResult, respond};

/// Programs that test status codes must not mistake a refused form for a success. Browsers show the page with
/// any status.
pub(super) fn respond_to_form(page: &dyn HtmlPage, error: Option<&FormError>) -> HttpResponse {
    let status = match error {
        None => StatusCode::OK,
        Some(FormError::Refused) => StatusCode::FORBIDDEN,
        Some(FormError::Unfit(_)) => StatusCode::BAD_REQUEST,
        Some(FormError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(FormError::Declared) => StatusCode::CONFLICT,
    };
    respond(status, page, Opener::Severed)
}

/// Separates errors that the form can show from error pages.
pub(super) fn form_error(error: EditError) -> PageResult<FormError> {
    match error {
        EditError::Invalid(errors) => {
            Ok(FormError::Unfit(errors.into_iter().next().map(|error| error.detail).unwrap_or_default()))
        }
        EditError::Busy | EditError::Hash(_) => Ok(FormError::Busy),
        EditError::Conflict(_) => Ok(FormError::Declared),
        // The account was just deleted.
        EditError::NotFound(_) => Err(Visit::foreign()),
        error => Err(error.into()),
    }
}
