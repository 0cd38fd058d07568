//! The OpenID Provider: requests of clients and of browsers. The document describes only the
//! statuses of pages; docs/signing-people-in.md has the parameters.

use serde_json::json;

use super::oauth::{INVALID_CLIENT, client_form};
use crate::openapi::HttpMethod::{Get, Post};
use crate::openapi::forms::{
    AccountForm, AuthorizationForm, DeviceAuthorization, DeviceAuthorizationForm, LogoutForm,
    PushedAuthorization, PushedAuthorizationForm, SetPasswordForm, SignInForm, Userinfo, UserinfoForm,
};
use crate::openapi::operation::{FORM, Operation, on};

const HTML: &str = "text/html";
const ERROR_PAGES: [(&str, &str); 8] = [
    ("400", "A page that says what is wrong with the request"),
    ("404", "Unknown or suspended tenant, or one without oidc"),
    ("408", "The form did not come in time"),
    ("413", "The form is too long"),
    ("414", "The request is too long"),
    ("415", "The body is no form"),
    ("500", "The server has a fault"),
    (
        "503",
        "A part of the server does not answer now, or too many passwords wait to be checked; Retry-After says when to try again",
    ),
];

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = Vec::from(authorize("/api/v1/tenant/{id}/oauth/authorize", "authorize"));
    all.extend(authorize("/oauth2/authorize", "default_authorize"));
    all.push(par("/api/v1/tenant/{id}/oauth/par", "push_authorization_request"));
    all.push(par("/oauth2/par", "default_push_authorization_request"));
    all.push(sign_in());
    all.extend(userinfo("/api/v1/tenant/{id}/oauth/userinfo", "userinfo"));
    all.extend(userinfo("/oauth2/userinfo", "default_userinfo"));
    all.extend(logout("/api/v1/tenant/{id}/oauth/logout", "logout"));
    all.extend(logout("/oauth2/logout", "default_logout"));
    all.push(device_authorization("/api/v1/tenant/{id}/oauth/device_authorization", "device_authorization"));
    all.push(device_authorization("/oauth2/device_authorization", "default_device_authorization"));
    all.extend(device("/api/v1/tenant/{id}/device", "device"));
    all.extend(device("/device", "default_device"));
    all.extend(account("/api/v1/tenant/{id}/account", "own_account"));
    all.extend(account("/account", "default_own_account"));
    all.extend(set_password());
    all
}

fn authorize(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path).named(name, "Send a person here to sign in (RFC 6749 section 4.1.1).");
    let get = page(get, "A page: sign-in, consent, or the form of the response mode form_post");
    let post = on(Post, path).named(&format!("{name}_by_form"), "The same request as a form.");
    let post = post.body::<AuthorizationForm>(FORM, None);
    let back = "Back to the client, with `code` or `error`, `state` and `iss`";
    [get.empty_answer("303", back), post.empty_answer("303", "To the same path by GET")].map(|operation| {
        let bad = "A page that says what is wrong with the request, or that nobody signs in at the tenant";
        with_error_pages(operation)
            .empty_answer("400", bad)
            .empty_answer("404", "Unknown or suspended tenant")
    })
}

fn par(path: &'static str, name: &str) -> Operation {
    client_form::<PushedAuthorizationForm>(path)
        .named(name, "Push an authorization request (RFC 9126), and send the browser with a reference to it.")
        .answer::<PushedAuthorization>("201", "The reference (RFC 9126 section 2.2)")
        .errors(&[
            ("400", "The errors of the authorization endpoint (RFC 6749 section 4.1.2.1, RFC 9101 section 6.3), invalid_request, and invalid_dpop_proof or use_dpop_nonce (RFC 9449 section 10.1)"),
            INVALID_CLIENT,
            ("404", "Unknown or suspended tenant, or one without oidc"),
            ("413", "The request is too long"),
            ("429", "The client has too many requests that wait for their browsers, or too many authentications of this source failed; Retry-After says when to try again"),
        ])
}

fn sign_in() -> Operation {
    let post = on(Post, "/api/v1/tenant/{id}/oauth/sign-in")
        .named("sign_in", "The forms of the pages lead here, and nothing else does.")
        .body::<SignInForm>(FORM, None);
    let post = page(post, "The next page, or one that goes on to the client");
    let refused = "The password is not accepted, or no page of this server has sent the form";
    with_error_pages(post.text("403", refused, HTML))
}

fn userinfo(path: &'static str, name: &str) -> [Operation; 2] {
    let of = |operation: Operation| {
        operation
            // A tenant without sign-in is not found, with and without a token.
            .secured(json!({}))
            .secured(json!({ "access_token": [] }))
            .answer::<Userinfo>("200", "Claims about the person (OpenID Connect Core section 5.3.2)")
            .empty_answer(
                "401",
                "No token, or one that is not valid here, with WWW-Authenticate (RFC 6750 section 3)",
            )
            .errors(&[
                ("403", "insufficient_scope: the token has no scope openid"),
                ("404", "Unknown or suspended tenant, or one without oidc"),
            ])
    };
    let post = on(Post, path).named(&format!("{name}_by_form"), "The same, also with the token in the body.");
    let post = post.body::<UserinfoForm>(FORM, None);
    [
        of(on(Get, path).named(name, "Fetch the claims about the person of an access token.")),
        of(post).error("400", "invalid_request").error("413", "The form is too long"),
    ]
}

fn logout(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path).named(name, "Send a person here to sign out (RP-Initiated Logout 1.0).");
    let get = page(get, "A page: the question, or that nobody is signed in any more");
    let post = on(Post, path)
        .named(&format!("{name}_by_form"), "The same request as a form, or the answer to the question.");
    let post = page(post.body::<LogoutForm>(FORM, None), "A page");
    let foreign = "No page of this server has sent the form";
    let post = post.text("403", foreign, HTML);
    [
        with_error_pages(get.empty_answer("303", "To the post-logout redirect URI")),
        with_error_pages(post.empty_answer("303", "To the same path by GET")),
    ]
}

fn device_authorization(path: &'static str, name: &str) -> Operation {
    client_form::<DeviceAuthorizationForm>(path)
        .named(name, "Begin with a device that has no browser (RFC 8628 section 3.1).")
        .answer::<DeviceAuthorization>("200", "A code for the device, and one for the person")
        .errors(&[
            ("400", "invalid_request, unauthorized_client, invalid_scope or invalid_target"),
            ("401", "invalid_client"),
            ("404", "Unknown or suspended tenant, or one without oidc"),
            ("413", "The form is too long"),
            ("429", "Too many codes of the client wait for a person, or too many failed authentications; Retry-After"),
        ])
}

fn device(path: &'static str, name: &str) -> [Operation; 2] {
    let get =
        on(Get, path).named(name, "Send a person here to type the code of a device (RFC 8628 section 3.3).");
    let post = on(Post, path).named(&format!("{name}_by_form"), "The forms of these pages lead here.");
    let post = page(post.body::<SignInForm>(FORM, None), "The next page");
    let post = post.text("429", "Too many wrong codes", HTML);
    let refused = "The code or the password is wrong, or no page of this server has sent the form";
    [
        with_error_pages(page(get, "The page that asks for the code")),
        with_error_pages(post.text("403", refused, HTML)),
    ]
}

fn account(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path)
        .named(name, "Send a person here to see and to end the own sessions and the access of applications, and to set another password.");
    let post = on(Post, path).named(&format!("{name}_by_form"), "The forms of these pages lead here.");
    let post = page(post.body::<AccountForm>(FORM, None), "The account, or that the person is signed out");
    let post = post.empty_answer("303", "To the same path by GET, after a sign-in");
    let post = post.text("429", "Too many changes of one account", HTML);
    let post = post.text("409", "The operator's files declare the account and its password", HTML);
    let refused = "The password is not accepted, or no page of this server has sent the form";
    [
        with_error_pages(page(get, "The account, or the sign-in where nobody is signed in")),
        with_error_pages(post.text("403", refused, HTML)),
    ]
}

fn set_password() -> [Operation; 2] {
    let path = "/api/v1/tenant/{id}/account/set-password";
    let get = on(Get, path).named("set_password", "The page of a link with which a person sets a password.");
    let post = on(Post, path).named("set_password_by_form", "The form of this page leads here.");
    let post = post.body::<SetPasswordForm>(FORM, None);
    let post = post.empty_answer("303", "To the account, where the person signs in with the password");
    let refused = "The link is wrong, was used or has expired, or no page of this server has sent the form";
    let post = post.text("403", refused, HTML).text("429", "Too many changes of one account", HTML);
    [with_error_pages(page(get, "The page")), with_error_pages(post)]
}

fn page(operation: Operation, description: &str) -> Operation {
    operation.text("200", description, HTML)
}

fn with_error_pages(operation: Operation) -> Operation {
    ERROR_PAGES
        .into_iter()
        .fold(operation, |operation, (status, description)| operation.text(status, description, HTML))
}
