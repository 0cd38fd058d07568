//! What serves an operation of the admin API, and what it answers with.

use std::rc::Rc;

use actix_web::HttpResponse;
use futures_util::future::LocalBoxFuture;

use crate::authentication::AdminAccess;
use crate::request::RawRequest;
use crate::respond::Problem;

/// The result of every handler of the admin API.
pub(crate) type Answer = Result<HttpResponse, Problem>;

/// One type for all handlers. Otherwise the library would be compiled again for each.
pub(crate) type Serve = Rc<dyn Fn(Rc<dyn AdminAccess>, RawRequest) -> LocalBoxFuture<'static, Answer>>;
