//! The OpenID Provider: requests of clients and of browsers. The document describes only the
//! statuses of pages; docs/signing-people-in.md has the parameters.

use serde_json::json;

use super::oauth::{INVALID_CLIENT, client_form};
use crate::openapi::HttpMethod::{Get, Post};
use crate::openapi::forms::{
    AccountForm, AuthorizationForm, DeviceAuthorization, DeviceAuthorizationForm, LogoutForm,
    PushedAuthorization, PushedAuthorizationForm, RecoveryForm, SetPasswordForm, SignInForm, Userinfo,
    UserinfoForm, VerificationForm,
};
use crate::openapi::operation::{FORM, Operation, on};

const HTML: &str = "text/html";
const ERROR_PAGES: [(&str, &str); 8] = [
    ("400", "A page that describes the error in the request"),
    ("404", "Unknown or suspended tenant, or one without oidc"),
    ("408", "The form did not arrive in time"),
    ("413", "The form is too long"),
    ("414", "The request is too long"),
    ("415", "The body is not a form"),
    ("500", "The server failed"),
    (
        "503",
        "A part of the server is not responding, or too many passwords are waiting to be checked; Retry-After says when to try again",
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
    all.extend(recovery());
    all.extend(verification());
    all
}

fn authorize(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path).named(name, "Send a person here to sign in (RFC 6749 section 4.1.1).");
    let get = page(get, "A page: sign-in, consent, or the form of the response mode form_post");
    let post = on(Post, path).named(&format!("{name}_by_form"), "The same request as a form.");
    let post = post.body::<AuthorizationForm>(FORM, None);
    let back = "Redirect to the client, with `code` or `error`, `state` and `iss`";
    [get.empty_answer("303", back), post.empty_answer("303", "Redirect to the same path with GET")].map(|operation| {
        let bad = "A page that describes the error in the request, or says that the tenant does not offer sign-in";
        with_error_pages(operation)
            .empty_answer("400", bad)
            .empty_answer("404", "Unknown or suspended tenant")
    })
}

fn par(path: &'static str, name: &str) -> Operation {
    client_form::<PushedAuthorizationForm>(path)
        .named(name, "Push an authorization request (RFC 9126), then send the browser with a reference to it.")
        .answer::<PushedAuthorization>("201", "The reference (RFC 9126 section 2.2)")
        .errors(&[
            ("400", "The errors of the authorization endpoint (RFC 6749 section 4.1.2.1, RFC 9101 section 6.3), invalid_request, and invalid_dpop_proof or use_dpop_nonce (RFC 9449 section 10.1)"),
            INVALID_CLIENT,
            ("404", "Unknown or suspended tenant, or one without oidc"),
            ("413", "The request is too long"),
            ("429", "The client has too many pushed requests that no browser has used yet, or this source \
                had too many failed authentications; Retry-After says when to try again"),
        ])
}

fn sign_in() -> Operation {
    let post = on(Post, "/api/v1/tenant/{id}/oauth/sign-in")
        .named("sign_in", "For the forms of the sign-in pages only.")
        .body::<SignInForm>(FORM, None);
    let post = page(post, "The next page, or a page that continues to the client");
    let refused = "The password is wrong, or the form does not come from a page of this server";
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
                "The token is missing or not valid here, with WWW-Authenticate (RFC 6750 section 3)",
            )
            .errors(&[
                ("403", "insufficient_scope: the token does not have the scope openid"),
                ("404", "Unknown or suspended tenant, or one without oidc"),
            ])
    };
    let post =
        on(Post, path).named(&format!("{name}_by_form"), "The same, but the token can also be in the body.");
    let post = post.body::<UserinfoForm>(FORM, None);
    [
        of(on(Get, path).named(name, "Get claims about the person of an access token.")),
        of(post).error("400", "invalid_request").error("413", "The form is too long"),
    ]
}

fn logout(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path).named(name, "Send a person here to sign out (RP-Initiated Logout 1.0).");
    let get = page(get, "A page: the question, or a message that nobody is signed in");
    let post = on(Post, path)
        .named(&format!("{name}_by_form"), "The same request as a form, or the answer to the question.");
    let post = page(post.body::<LogoutForm>(FORM, None), "A page");
    let foreign = "The form does not come from a page of this server";
    let post = post.text("403", foreign, HTML);
    [
        with_error_pages(get.empty_answer("303", "Redirect to the post-logout redirect URI")),
        with_error_pages(post.empty_answer("303", "Redirect to the same path with GET")),
    ]
}

fn device_authorization(path: &'static str, name: &str) -> Operation {
    client_form::<DeviceAuthorizationForm>(path)
        .named(name, "Start a sign-in on a device without a browser (RFC 8628 section 3.1).")
        .answer::<DeviceAuthorization>("200", "A code for the device and a code for the person")
        .errors(&[
            ("400", "invalid_request, unauthorized_client, invalid_scope or invalid_target"),
            ("401", "invalid_client"),
            ("404", "Unknown or suspended tenant, or one without oidc"),
            ("413", "The form is too long"),
            (
                "429",
                "Too many of the client's codes are waiting for a person, or too many authentications \
                failed; Retry-After says when to try again",
            ),
        ])
}

fn device(path: &'static str, name: &str) -> [Operation; 2] {
    let get =
        on(Get, path).named(name, "Send a person here to enter the code of a device (RFC 8628 section 3.3).");
    let post = on(Post, path).named(&format!("{name}_by_form"), "For the forms of these pages only.");
    let post = page(post.body::<SignInForm>(FORM, None), "The next page");
    let post = post.text("429", "Too many wrong codes", HTML);
    let refused = "The code or the password is wrong, or the form does not come from a page of this server";
    [
        with_error_pages(page(get, "The page that asks for the code")),
        with_error_pages(post.text("403", refused, HTML)),
    ]
}

fn account(path: &'static str, name: &str) -> [Operation; 2] {
    let get = on(Get, path)
        .named(name, "Send a person here to manage sessions, application access and the password.");
    let post = on(Post, path).named(&format!("{name}_by_form"), "For the forms of these pages only.");
    let post =
        page(post.body::<AccountForm>(FORM, None), "The account, or a message that the person is signed out");
    let post = post.empty_answer("303", "Redirect to the same path with GET, after a sign-in");
    let post = post.text("429", "Too many changes to one account", HTML);
    let post = post.text("409", "The operator's files declare the account and its password", HTML);
    let refused = "The password is wrong, or the form does not come from a page of this server";
    [
        with_error_pages(page(get, "The account, or the sign-in page if nobody is signed in")),
        with_error_pages(post.text("403", refused, HTML)),
    ]
}

fn set_password() -> [Operation; 2] {
    let path = "/api/v1/tenant/{id}/account/set-password";
    let get = on(Get, path).named("set_password", "Open a link for setting a password.");
    let post = on(Post, path).named("set_password_by_form", "For the form of this page only.");
    let post = post.body::<SetPasswordForm>(FORM, None);
    let post =
        post.empty_answer("303", "Redirect to the account page, where the person signs in with the password");
    let refused = "The link is wrong, used or expired, or the form does not come from a page of this server";
    let post = post.text("403", refused, HTML).text("429", "Too many changes to one account", HTML);
    [with_error_pages(page(get, "The page")), with_error_pages(post)]
}

fn recovery() -> [Operation; 2] {
    let path = "/api/v1/tenant/{id}/oauth/recover";
    let get = on(Get, path).named("recover", "Send a person here to reset a forgotten password by mail.");
    let post = on(Post, path).named("recover_by_form", "For the forms of these pages only.");
    let post = page(post.body::<RecoveryForm>(FORM, None), "The next page, the same for every identifier");
    let post = post.empty_answer("303", "Redirect to the account page, where the person signs in");
    let refused = "The code is wrong, used or expired, or the form does not come from a page of this server";
    let post = post.text("403", refused, HTML).text("429", "Too many changes to one account", HTML);
    [with_error_pages(page(get, "The page that asks for an identifier")), with_error_pages(post)]
}

fn verification() -> [Operation; 2] {
    let path = "/api/v1/tenant/{id}/oauth/verify";
    let get = on(Get, path).named("verify", "Open a mailed link that confirms or restores an address.");
    let post = on(Post, path).named("verify_by_form", "For the form of this page only.");
    let post = page(post.body::<VerificationForm>(FORM, None), "The account has the address");
    let refused = "The link is wrong, used or expired, or the form does not come from a page of this server";
    let post = post.text("403", refused, HTML).text("429", "Too many changes to one account", HTML);
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
