//! The handler of an operation of the admin API, and its result.

use std::rc::Rc;

use actix_web::HttpResponse;
use futures_util::future::LocalBoxFuture;

use crate::authentication::AdminAccess;
use crate::request::RawRequest;
use crate::respond::Problem;

pub(crate) type Answer = Result<HttpResponse, Problem>;

/// One type for all handlers. Otherwise the library's generic code would be compiled for each
/// handler.
pub(crate) type Serve = Rc<dyn Fn(Rc<dyn AdminAccess>, RawRequest) -> LocalBoxFuture<'static, Answer>>;
