//! An operation in the program, which has the committed document: what the document would say of it is
//! dropped. `operation.rs` has the same functions, and makes the document from what they are given.

#![expect(clippy::extra_unused_type_parameters, reason = "the document has the schemas of these types")]

use administration::Permission;
use administration::schema::JsonSchema;
use serde_json::Value;

use super::{HttpMethod, NameInPath};
use crate::routes::admin::Serve;

/// An operation of the admin API.
pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: &'static str,
    /// What serves it.
    pub(crate) serve: Option<Serve>,
}

/// An operation with what serves it.
pub(crate) fn admin(
    method: HttpMethod,
    path: &'static str,
    _: Option<Permission>,
    serve: Serve,
) -> Operation {
    Operation { method, path, serve: Some(serve) }
}

/// What is said of an operation.
macro_rules! dropped {
    ($($name:ident($($argument:ty),*)),+ $(,)?) => {
        impl Operation {
            $(pub(crate) fn $name(self, $(_: $argument),*) -> Self {
                self
            })+
        }
    };
}

dropped!(
    named(&str, &str),
    query(&str, &str, &str),
    choice(&str, &[&str], &str),
    number(&str, u32, Option<u32>, &str),
    naming(&[NameInPath]),
    paging(&'static str),
    if_match(&str),
    idempotent(),
    text(&str, &str, &str),
    answer_as(&str, &str, &str, Value),
    empty_answer(&str, &str),
    errors(&[(&str, &str)]),
    error(&str, &str),
    request_example(impl FnOnce() -> Value),
    answer_example(impl FnOnce() -> Value),
);

impl Operation {
    pub(crate) fn body<T: JsonSchema>(self, _: &str, _: Option<&str>) -> Self {
        self
    }

    pub(crate) fn optional_body<T: JsonSchema>(self, _: &str, _: &str) -> Self {
        self
    }

    pub(crate) fn answer<T: JsonSchema>(self, _: &str, _: &str) -> Self {
        self
    }

    pub(crate) fn answer_of<T: JsonSchema>(self, _: &str, _: &str, _: &str) -> Self {
        self
    }
}
