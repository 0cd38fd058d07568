//! Thunder-compatible applications: what a request says, whether it may stand, and how it is answered. Pure; the administrator carries it out.
//! An application is a client of the tenant's registry and what this surface shows beside it.

mod document;
mod error;
mod owned;
mod request;
mod rules;
mod shape;
mod spelling;
mod uris;
mod view;

pub use error::{ApplicationCode, ApplicationError, RejectedApplication};
pub use request::ApplicationRequest;
pub use shape::Shape;
pub use spelling::Spelling;

pub(crate) use document::ApplicationDocument;
pub(crate) use rules::{Registration, judge};
pub(crate) use view::{Shown, list, shape};
