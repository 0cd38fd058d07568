//! Every page that shows values of callers or administrators, with one text as all of these values.

use super::{Example, console};
use crate::{
    AccountEmail, AccountPage, AllowedApplication, ChangeOwn, CodeUse, Common, ConsentPage, DeviceConfirm,
    ErrorKind, ErrorPage, FormError, Link, MailedCode, MomentValue, OwnChange, Recover, ScopeLine,
    SealedForm, SelectAccount, SessionEntry, SignInMessage, SignInPage, SignOut, SignedOut,
};

/// One value wherever callers or administrators can enter text.
pub fn hostile(common: &Common, form: &SealedForm, back: &Link, text: &str) -> Vec<Example> {
    let text = || text.to_owned();
    let (form, back) = (|| form.clone(), || Some(back.clone()));
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
    let code = |purpose, error| MailedCode {
        common: common(),
        form: form(),
        purpose,
        sent_to: Some(text()),
        code: text(),
        error,
    };
    vec![
        ("recover", Box::new(Recover { common: common(), form: form(), identifier: text() })),
        ("set_password", Box::new(code(CodeUse::SetPassword, None))),
        ("confirm_address", Box::new(code(CodeUse::ConfirmAddress, Some(FormError::Refused)))),
        (
            "account_email",
            Box::new(ChangeOwn {
                common: common(),
                form: form(),
                account: text(),
                change: OwnChange::Email(text()),
                error: None,
            }),
        ),
        (
            "sign_in",
            Box::new(SignInPage {
                common: common(),
                form: form(),
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
                form: form(),
                account: text(),
                return_host: text(),
                registered_by: Some(text()),
                scopes: scopes(),
                apis: vec![text()],
            }),
        ),
        (
            "select_account",
            Box::new(SelectAccount { common: common(), form: form(), account: text(), other: Some(text()) }),
        ),
        (
            "device_confirm",
            Box::new(DeviceConfirm {
                common: common(),
                form: form(),
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
                form: form(),
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
                form: form(),
                account: text(),
                change: OwnChange::Password,
                error: Some(FormError::Unfit(text())),
            }),
        ),
        ("sign_out", Box::new(SignOut { common: common(), form: form(), account: Some(text()) })),
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
        ("console", Box::new(console::named(&common(), &text()))),
    ]
}
