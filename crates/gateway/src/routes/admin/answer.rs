//! What serves an operation of the admin API, and what it answers with.

use std::rc::Rc;

use actix_web::HttpResponse;
use futures_util::future::LocalBoxFuture;

use crate::authentication::AdminAccess;
use crate::request::RawRequest;
use crate::respond::Problem;

/// What every handler of the admin API answers with.
pub(crate) type Answer = Result<HttpResponse, Problem>;

/// Behind one type for all handlers, or the library would be compiled again for each.
pub(crate) type Serve = Rc<dyn Fn(Rc<dyn AdminAccess>, RawRequest) -> LocalBoxFuture<'static, Answer>>;
