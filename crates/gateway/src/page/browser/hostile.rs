//! Pages with values of callers and administrators that would run, change the page or not fit if
//! the page did not escape them.

use pages::examples::{Example, console_page};
use pages::{
    AccountEmail, AccountPage, AllowedApplication, ChangeOwn, Common, ConsentPage, DeviceConfirm, ErrorKind,
    ErrorPage, FormError, Link, MomentValue, OwnChange, ScopeLine, SelectAccount, SessionEntry,
    SignInMessage, SignInPage, SignOut, SignedOut,
};

pub(super) const NAMES: [&str; 10] = [
    "sign_in",
    "consent",
    "select_account",
    "device_confirm",
    "account",
    "account_password",
    "sign_out",
    "signed_out",
    "error",
    "console",
];

/// Scripts, attributes, templates, style sheets, characters that change the direction or stack on
/// others, and very long words.
pub(super) fn payloads() -> Vec<String> {
    serde_json::from_str(include_str!("../../../tests/browser/payloads.json")).unwrap()
}

/// One value wherever callers or administrators can enter text.
pub(super) fn pages(common: &Common, payload: &str) -> Vec<Example> {
    let text = || payload.to_owned();
    let (action, flow) = (|| "/sent".to_owned(), || "c2VhbGVkIHJlcXVlc3Q".to_owned());
    let common = || Common { tenant_name: Some(text()), client_name: Some(text()), ..common.clone() };
    let scopes = || {
        vec![
            ScopeLine { name: text(), description: text() },
            ScopeLine { name: text(), description: String::new() },
        ]
    };
    let moment = || MomentValue::utc("2026-11-22T02:40:00Z".to_owned());
    let session = |id: &str| SessionEntry {
        id: id.to_owned(),
        user_agent: text(),
        source: Some(text()),
        began: moment(),
        last_seen: moment(),
    };
    let back = || Some(Link { name: text(), url: "https://app.acme.example/".to_owned() });
    vec![
        (
            "sign_in",
            Box::new(SignInPage {
                common: common(),
                action: action(),
                flow: flow(),
                identifier: text(),
                offers_to_stay: true,
                offers_recovery: true,
                error: Some(SignInMessage::Refused),
            }),
        ),
        (
            "consent",
            Box::new(ConsentPage {
                common: common(),
                action: action(),
                flow: flow(),
                account: text(),
                return_host: text(),
                registered_by: Some(text()),
                scopes: scopes(),
                apis: vec![text()],
            }),
        ),
        (
            "select_account",
            Box::new(SelectAccount {
                common: common(),
                action: action(),
                flow: flow(),
                account: text(),
                other: Some(text()),
            }),
        ),
        (
            "device_confirm",
            Box::new(DeviceConfirm {
                common: common(),
                action: action(),
                flow: flow(),
                account: text(),
                user_code: "WDJB-MJHT".to_owned(),
                requested_from: text(),
                requested_at: moment(),
                scopes: scopes(),
                apis: vec![text()],
            }),
        ),
        (
            "account",
            Box::new(AccountPage {
                common: common(),
                action: action(),
                flow: flow(),
                name: Some(text()),
                account: text(),
                has_password: true,
                email: Some(AccountEmail { address: text(), is_verified: false }),
                offers_mail: true,
                console: Some(text()),
                notice: None,
                here: session("here"),
                elsewhere: vec![session("elsewhere")],
                applications: vec![AllowedApplication {
                    client: "notes".to_owned(),
                    name: text(),
                    scopes: scopes(),
                    apis: vec![text()],
                    allowed: moment(),
                }],
                more_applications: 0,
            }),
        ),
        (
            "account_password",
            Box::new(ChangeOwn {
                common: common(),
                action: action(),
                flow: flow(),
                account: text(),
                change: OwnChange::Password,
                error: Some(FormError::Unfit(text())),
            }),
        ),
        (
            "sign_out",
            Box::new(SignOut { common: common(), action: action(), flow: flow(), account: Some(text()) }),
        ),
        ("signed_out", Box::new(SignedOut { common: common(), back: back() })),
        (
            "error",
            Box::new(ErrorPage {
                common: common(),
                kind: ErrorKind::BadRequest,
                detail: Some(text()),
                code: Some("invalid_scope"),
                request_id: None,
                back: back(),
            }),
        ),
        ("console", Box::new(console_page(&common(), payload))),
    ]
}
