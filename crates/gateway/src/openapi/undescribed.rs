//! Operations in a build without the feature `schemas`: the program has the committed document, so
//! descriptions are dropped. `operation.rs` has the same functions with the feature.

#![expect(clippy::extra_unused_type_parameters, reason = "the document has the schemas of these types")]

use administration::documents::schema::JsonSchema;
use administration::kinds::Permission;
use serde_json::Value;

use super::{HttpMethod, NameInPath};
use crate::routes::admin::Serve;

pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: &'static str,
    /// The handler.
    pub(crate) serve: Option<Serve>,
}

pub(crate) fn admin(
    method: HttpMethod,
    path: &'static str,
    _: Option<Permission>,
    serve: Serve,
) -> Operation {
    Operation { method, path, serve: Some(serve) }
}

/// Functions that ignore their arguments.
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
