//! The only place that turns what administration refuses into a status.

use actix_web::http::StatusCode;
use administration::EditError;
use grants::{BearerError, GrantError};
use keys::{KeyError, SealError};
use protocol::{ErrorCode, ErrorResponse};
use tenancy::{StoreError, TenantError};

use super::{Kind, Problem};
use crate::body::BodyError;
use crate::respond::key_error_class::KeyErrorClass;

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(permission) => Self::insufficient_scope(permission),
            EditError::InsufficientPrivilege(detail) => {
                Self::new(StatusCode::FORBIDDEN, Kind::BEYOND_REACH, detail)
            }
            EditError::NotFound(_) => Self::not_found(error.to_string()),
            EditError::Invalid(faults) => {
                Self::invalid("What was sent cannot be used; errors says where and why", faults)
            }
            EditError::Conflict(detail) => Self::new(StatusCode::CONFLICT, Kind::CONFLICT, detail),
            EditError::LimitReached(_) => {
                Self::new(StatusCode::CONFLICT, Kind::LIMIT_REACHED, error.to_string())
            }
            EditError::Contended => Self::new(StatusCode::CONFLICT, Kind::CONTENDED, error.to_string()),
            EditError::Stale => Self::new(StatusCode::PRECONDITION_FAILED, Kind::STALE, error.to_string()),
            EditError::IdempotencyKeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, Kind::KEY_REUSED, error.to_string())
            }
            EditError::Store(error) => error.into(),
            EditError::Busy | EditError::Hash(_) | EditError::Seal(SealError::Unavailable(_)) => {
                Self::unavailable(&error)
            }
            EditError::Seal(_) | EditError::Unreadable(_) => Self::fault(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => Self::unavailable(&error),
            StoreError::Fault(_) => Self::fault(&error),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match KeyErrorClass::of(&error) {
            KeyErrorClass::Store(error) => error.into(),
            KeyErrorClass::Unavailable => Self::busy(),
            KeyErrorClass::Failed => Self::failed(),
        }
    }
}

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown => Self::not_found("there is no tenant of this id"),
            TenantError::Store(error) => error.into(),
        }
    }
}

impl From<BearerError> for Problem {
    fn from(refusal: BearerError) -> Self {
        match refusal {
            BearerError::Token(error) => Self::invalid_token(error.description()),
            BearerError::TenantSuspended | BearerError::InsufficientScope(_) => {
                Self::invalid_token("Token issuer is not active")
            }
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Bearer(refusal) => refusal.into(),
            GrantError::Store(error) => error.into(),
            GrantError::Keys(error) => error.into(),
            GrantError::Refused(ErrorResponse { .. }) | GrantError::Sign(_) => Self::fault(&error),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let problem = Self::new(error.status(), Kind::BODY, error.to_string());
        Self { close: error.ends_connection(), code: Some(ErrorCode::InvalidRequest), ..problem }
    }
}
