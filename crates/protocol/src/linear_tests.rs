//! The work of a parser grows linearly with its input, in steps and in allocated bytes.

use crate::steps::{check_linear, check_linear_steps};
use crate::{BearerToken, Form, IntrospectionRequest, Scope};

#[track_caller]
fn check(name: &str, prefix: &str, parse: impl Fn(&[u8])) {
    check_linear(name, prefix, |work| allocation_counter::measure(work).bytes_total, parse);
}

#[test]
fn forms_and_the_requests_in_them_are_read_in_linear_time() {
    check("form", "", |body| {
        let _ = Form::parse(body).map(Form::finish);
    });
    for prefix in ["client_id=a&token=", "client_id=a&token=b&"] {
        check("introspection request", prefix, |body| {
            let _ = IntrospectionRequest::parse(None, body);
        });
    }
}

#[test]
fn scopes_of_rows_are_read_in_linear_time() {
    check_linear_steps("scope", "", |text| {
        let _ = Scope::parse(std::str::from_utf8(text).unwrap());
    });
}

#[test]
fn authorization_headers_are_read_in_linear_time() {
    check("bearer", "Bearer ", |header| drop(BearerToken::from_authorization(Some(header))));
}
