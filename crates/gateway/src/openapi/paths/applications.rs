//! The Thunder-compatible API.

use serde_json::json;

use crate::openapi::HttpMethod::{Delete, Get, Post, Put};
use crate::openapi::operation::{JSON, Operation, coded};
use crate::thunder::{ApplicationDocument, ApplicationPage, FlowAnswer, FlowRequest};

const INVALID: (&str, &str) = ("400", "APP-1003 to APP-1024");
const NO_ASSERTION: (&str, &str) = ("401", "The assertion is missing or not valid");
const NO_PERMISSION: (&str, &str) = ("403", "Without the permission `system`");
const NO_PERMISSION_OVER: (&str, &str) =
    ("403", "Without the permission `system`, or its client has a Latchkey scope");
const NO_SIGN_IN: (&str, &str) = ("404", "There is no default tenant, or sign-in is not enabled");
const UNKNOWN: (&str, &str) = ("404", "APP-1001; LK-4040 if sign-in is not enabled");
const TOO_MANY_WRITES: (&str, &str) = ("429", "Too many writes; Retry-After");

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        coded(Post, "/flow/execute")
            .named("execute", "Sign in to manage applications.")
            .body::<FlowRequest>(JSON, None)
            .secured(json!({}))
            .answer::<FlowAnswer>(
                "200",
                "COMPLETE with the assertion, INCOMPLETE with the missing inputs, \
                or ERROR for wrong credentials",
            )
            .errors(&[("400", "FES-1001 to FES-1009"), NO_SIGN_IN]),
        coded(Post, "/applications")
            .named("create", "Create an application and its client.")
            .body::<ApplicationDocument>(JSON, None)
            .secured(json!({ "assertion": [] }))
            .answer::<ApplicationDocument>(
                "201",
                "The application with its client's secret, which is shown \
                only in this response",
            )
            .errors(&[INVALID, NO_ASSERTION, NO_PERMISSION, NO_SIGN_IN, TOO_MANY_WRITES]),
        coded(Get, "/applications")
            .named("list", "List applications.")
            .number("limit", 0, None, "At most this many, up to 200; default 30")
            .number("offset", 0, None, "Skip this many; default 0")
            .secured(json!({ "assertion": [] }))
            .answer::<ApplicationPage>(
                "200",
                "The applications in the order of their creation, without secrets",
            )
            .errors(&[("400", "APP-1018"), NO_ASSERTION, NO_PERMISSION, NO_SIGN_IN]),
        coded(Get, "/applications/{application}")
            .named("get", "Get an application.")
            .secured(json!({ "assertion": [] }))
            .answer::<ApplicationDocument>("200", "The application, without its secret")
            .errors(&[NO_ASSERTION, NO_PERMISSION, UNKNOWN]),
        coded(Put, "/applications/{application}")
            .named("replace", "Replace an application.")
            .body::<ApplicationDocument>(JSON, None)
            .secured(json!({ "assertion": [] }))
            .answer::<ApplicationDocument>(
                "200",
                "The application, with its client's secret if the request \
                contained a secret: the new secret replaces all earlier ones",
            )
            .errors(&[INVALID, NO_ASSERTION, NO_PERMISSION_OVER, UNKNOWN, TOO_MANY_WRITES]),
        coded(Delete, "/applications/{application}")
            .named("delete", "Delete an application and its client.")
            .secured(json!({ "assertion": [] }))
            .empty_answer("204", "Both are deleted; the client's id stays reserved")
            .errors(&[NO_ASSERTION, NO_PERMISSION_OVER, UNKNOWN, TOO_MANY_WRITES]),
    ]
}
