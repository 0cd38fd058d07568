//! Every page with example values, for the tests of pages.

mod console;
mod hostile;
mod keys;
mod outside_table;
mod sheet;

pub use hostile::hostile;
pub use outside_table::texts_outside_table;

use values::{Letter, LetterKind, Lifetime, Timestamp};

use crate::texts::ErrorKind;
use crate::{
    AccountEmail, AccountNotice, AccountPage, AllowedApplication, CaughtLetter, CaughtMailPage, ChangeOwn,
    CodeUse, Common, ConsentPage, Continue, DeviceCodeMessage, DeviceCodePage, DeviceConfirm, Done,
    ErrorPage, FormError, FormPost, FrontPage, HtmlPage, Language, Link, Links, MailCommon, MailedCode,
    MomentValue, Outcome, OwnChange, Recover, RenderedMail, ScopeLine, SealedForm, SelectAccount,
    SessionEntry, SignInMessage, SignInPage, SignOut, SignedOut, Theme, render_mail,
};

/// The action of the example forms, and the value of their hidden field.
const ACTION: &str = "/api/v1/tenant/acme/oauth/sign-in";
const FLOW: &str = "c2VhbGVkIHJlcXVlc3Q";
const CLIENT: &str = "https://app.acme.example";

/// The name of a page, and the page.
pub type Example = (&'static str, Box<dyn HtmlPage>);

/// Every page, with these common parts.
#[must_use]
pub fn all(common: &Common) -> Vec<Example> {
    let mut pages = sign_ins(common);
    pages.extend(answers(common));
    pages.extend(devices(common));
    pages.extend(accounts(common));
    pages.extend(codes(common));
    pages.extend(errors(common));
    pages.push(("components", Box::new(sheet::sheet(common))));
    pages.extend(
        console::all(common).into_iter().map(|(name, page)| (name, Box::new(page) as Box<dyn HtmlPage>)),
    );
    pages
}

/// A tenant and a client with every optional part.
#[must_use]
pub fn common() -> Common {
    Common {
        language: Language::English,
        base: String::new(),
        nonce: "bm9uY2Utbm9uY2Utbm9uY2U".to_owned(),
        tenant_name: Some("Acme Ltd".to_owned()),
        client_name: Some("Acme Notes".to_owned()),
        theme: None,
        logo: None,
        links: Links {
            support: Some("https://acme.example/help".to_owned()),
            terms: Some("https://acme.example/terms".to_owned()),
            privacy: Some("https://acme.example/privacy".to_owned()),
        },
        account: Some("/api/v1/tenant/acme/account".to_owned()),
    }
}

macro_rules! form {
    ($common:expr, $view:ident { $($fields:tt)* }) => {
        Box::new($view {
            common: $common.clone(),
            form: SealedForm { action: ACTION.to_owned(), flow: FLOW.to_owned() },
            $($fields)*
        })
    };
}

fn sign_in(common: &Common, identifier: &str, error: Option<SignInMessage>) -> Box<dyn HtmlPage> {
    form!(
        common,
        SignInPage { identifier: identifier.to_owned(), offers_to_stay: true, offers_recovery: true, error }
    )
}

fn sign_ins(common: &Common) -> Vec<Example> {
    let ada = "ada@acme.example".to_owned();
    let consent = |scopes: Vec<ScopeLine>| {
        form!(
            common,
            ConsentPage {
                account: ada.clone(),
                return_host: "app.acme.example".to_owned(),
                registered_by: Some("Acme Ltd".to_owned()),
                apis: if scopes.is_empty() { Vec::new() } else { apis() },
                scopes,
            }
        )
    };
    let select = |other: Option<&str>| {
        form!(common, SelectAccount { account: ada.clone(), other: other.map(str::to_owned) })
    };
    let sign_out = |account| form!(common, SignOut { account });
    let signed_out = |back| Box::new(SignedOut { common: common.clone(), back });
    vec![
        ("sign_in", sign_in(common, "", None)),
        ("sign_in_prefilled", sign_in(common, &ada, None)),
        ("sign_in_refused", sign_in(common, &ada, Some(SignInMessage::Refused))),
        ("sign_in_busy", sign_in(common, &ada, Some(SignInMessage::Busy))),
        ("sign_in_expired", sign_in(common, &ada, Some(SignInMessage::Expired))),
        ("sign_in_no_cookies", sign_in(common, "", Some(SignInMessage::NoCookies))),
        ("sign_in_password_set", sign_in(common, "", Some(SignInMessage::PasswordSet))),
        ("select_account", select(None)),
        ("select_account_typed", select(Some("bob"))),
        ("consent", consent(scopes(common.language))),
        ("consent_native", consent(Vec::new())),
        ("sign_out", sign_out(Some(ada.clone()))),
        ("sign_out_unnamed", sign_out(None)),
        ("signed_out", signed_out(Some(client_link()))),
        ("signed_out_here", signed_out(None)),
        ("front", front(common)),
        ("caught_mail", caught_mail(common)),
    ]
}

fn caught_mail(common: &Common) -> Box<dyn HtmlPage> {
    let letter = |number: u64| CaughtLetter {
        id: number.to_string(),
        to: "ada@acme.example".to_owned(),
        subject: "Reset your password at Acme".to_owned(),
        text: "Type this code on the page:\n\n    ABCD-EF2H\n".to_owned(),
        at: Timestamp::from_seconds(1_780_000_000 + number),
        html: "<p>Type this code on the page.</p>".to_owned(),
        logo: None,
    };
    Box::new(CaughtMailPage { common: common.clone(), letters: vec![letter(2), letter(1)] })
}

fn front(common: &Common) -> Box<dyn HtmlPage> {
    let way = |name: &str, path: &str| Link { name: name.to_owned(), url: path.to_owned() };
    let texts = common.texts();
    Box::new(FrontPage {
        common: common.clone(),
        version: "0.1.0",
        public_url: "http://localhost:3000".to_owned(),
        command: "curl 'http://localhost:3000/oauth/token' -d grant_type=client_credentials -d client_id=CLIENT_ID \
                  --data-urlencode \"client_secret=$CLIENT_SECRET\""
            .to_owned(),
        places: vec![way(texts.front_account, "/account"), way(texts.front_console, "/console"), way(texts.front_api, "/docs")],
    })
}

fn answers(common: &Common) -> Vec<Example> {
    let parameters = [("code", "SplxlOBeZQQYbYS6WxSbIA"), ("state", "af0\"ifjsldkj"), ("iss", CLIENT)];
    let fields = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    vec![
        (
            "continue",
            Box::new(Continue { common: common.clone(), to: format!("{CLIENT}/callback?code=a&state=b") }),
        ),
        (
            "form_post",
            Box::new(FormPost {
                common: common.clone(),
                to: format!("{CLIENT}/callback"),
                fields: fields.into(),
            }),
        ),
    ]
}

fn devices(common: &Common) -> Vec<Example> {
    let code = |error| form!(common, DeviceCodePage { user_code: "WDJB-MJHT".to_owned(), error });
    let done = |outcome| done(common, outcome);
    vec![
        ("device_code", code(None)),
        ("device_code_unknown", code(Some(DeviceCodeMessage::Unknown))),
        ("device_codes_exhausted", code(Some(DeviceCodeMessage::TooMany))),
        (
            "device_confirm",
            form!(
                common,
                DeviceConfirm {
                    account: "ada@acme.example".to_owned(),
                    user_code: "WDJB-MJHT".to_owned(),
                    requested_from: "2001:db8:85a3:8d3:1319:8a2e:370:7348".to_owned(),
                    requested_at: moment("2026-11-22T02:40:15Z"),
                    scopes: scopes(common.language),
                    apis: apis(),
                }
            ),
        ),
        ("device_connected", done(Outcome::DeviceConnected)),
        ("device_refused", done(Outcome::DeviceRefused)),
    ]
}

fn accounts(common: &Common) -> Vec<Example> {
    let session = |id: &str, user_agent: &str, source: Option<&str>| SessionEntry {
        id: id.to_owned(),
        user_agent: user_agent.to_owned(),
        source: source.map(str::to_owned),
        began: moment("2026-11-21T08:10:00Z"),
        last_seen: moment("2026-11-22T02:40:00Z"),
    };
    let application = |client: &str, name: &str, scopes| AllowedApplication {
        client: client.to_owned(),
        name: name.to_owned(),
        scopes,
        apis: apis(),
        allowed: moment("2026-11-20T17:05:00Z"),
    };
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
    let email = AccountEmail { address: "ada@acme.example".to_owned(), is_verified: true };
    let page = |notice: Option<AccountNotice>, elsewhere, applications, more| {
        let email = match more {
            0 if notice.is_none() => Some(AccountEmail { is_verified: false, ..email.clone() }),
            0 => Some(email.clone()),
            _ => None,
        };
        form!(
            common,
            AccountPage {
                name: (more == 0).then(|| "Ada Lovelace".to_owned()),
                account: "ada@acme.example".to_owned(),
                has_password: true,
                email,
                offers_mail: true,
                console: (more == 0).then(|| "/console/t/acme/sign-in".to_owned()),
                notice,
                here: session("here", firefox, Some("2001:db8:85a3:8d3:1319:8a2e:370:7348")),
                elsewhere,
                more_applications: more,
                applications,
            }
        )
    };
    let unknown = "a-program-with-a-very-long-name-that-no-list-of-browsers-has/1.0";
    let phone = |id: &str| session(id, "Mozilla/5.0 (iPhone) Safari/604.1", Some("192.0.2.7"));
    let elsewhere = vec![
        phone("pHbvOqnU9Xq5p8cIbHGKsA"),
        session("Qm9va3MgYXJlIGdvb2QuLg", unknown, None),
        phone("dGhlIHNhbWUgcGhvbmUgLi"),
    ];
    let many =
        (0..27).map(|at| session(&format!("session-{at}"), &format!("Program {}", at % 25), None)).collect();
    let applications = vec![
        application("notes", "Acme Notes", scopes(common.language)),
        application("calendar", "Calendar", vec![ScopeLine::new("openid".to_owned(), common.language)]),
    ];
    let password = |error| change(common, OwnChange::Password, error);
    let unfit = "a password must have at least 15 characters";
    vec![
        ("account", page(None, elsewhere.clone(), applications.clone(), 0)),
        ("account_alone", page(Some(AccountNotice::SessionEnded), Vec::new(), Vec::new(), 0)),
        ("account_in_part", page(Some(AccountNotice::ApplicationEnded), many, applications, 7)),
        ("account_password", password(None)),
        ("account_password_refused", password(Some(FormError::Refused))),
        ("account_password_unfit", password(Some(FormError::Unfit(unfit.to_owned())))),
        ("account_password_declared", password(Some(FormError::Declared))),
    ]
}

fn change(common: &Common, change: OwnChange, error: Option<FormError>) -> Box<dyn HtmlPage> {
    form!(common, ChangeOwn { account: "ada@acme.example".to_owned(), change, error })
}

fn done(common: &Common, outcome: Outcome) -> Box<dyn HtmlPage> {
    Box::new(Done { common: common.clone(), outcome })
}

/// The pages of codes in messages and links.
fn codes(common: &Common) -> Vec<Example> {
    let ada = || "ada@acme.example".to_owned();
    let code = |purpose, sent_to: Option<String>, code: &str, error| {
        form!(common, MailedCode { purpose, sent_to, code: code.to_owned(), error })
    };
    let refused = || Some(FormError::Refused);
    let unfit = || Some(FormError::Unfit("a password must have at least 15 characters".to_owned()));
    let recover = |identifier: &str| form!(common, Recover { identifier: identifier.to_owned() });
    let change = |email: &str, error| change(common, OwnChange::Email(email.to_owned()), error);
    let (set, confirm, restore) = (CodeUse::SetPassword, CodeUse::ConfirmAddress, CodeUse::RestoreAddress);
    let reset = "/api/v1/tenant/acme/oauth/recover".to_owned();
    vec![
        ("set_password", code(set, None, "", None)),
        ("set_password_refused", code(set, None, "usr_code", refused())),
        ("set_password_unfit", code(set, None, "usr_code", unfit())),
        ("set_password_typed", code(set, Some(ada()), "", None)),
        ("set_password_typed_refused", code(set, Some(ada()), "", refused())),
        ("set_password_typed_unfit", code(set, Some(ada()), "usr_code", unfit())),
        ("recover", recover("")),
        ("recover_typed", recover(&ada())),
        ("change_email", change("", None)),
        ("change_email_invalid", change("ada@acme", Some(FormError::Unfit(String::new())))),
        ("change_email_refused", change(&ada(), refused())),
        ("change_email_declared", change(&ada(), Some(FormError::Declared))),
        ("confirm_address", code(confirm, None, "", None)),
        ("confirm_address_refused", code(confirm, None, "", refused())),
        ("confirm_address_undo", code(restore, None, "", None)),
        ("confirm_address_typed", code(confirm, Some(ada()), "", None)),
        ("confirm_address_typed_refused", code(confirm, Some(ada()), "", refused())),
        ("address_confirmed", done(common, Outcome::AddressConfirmed)),
        ("address_restored", done(common, Outcome::AddressRestored(Some(reset)))),
    ]
}

/// When the example messages are written and sent.
const MAILED_AT: Timestamp = Timestamp::from_seconds(1_795_315_200);

/// Every message.
#[must_use]
pub fn mails(common: &MailCommon<'_>) -> Vec<(&'static str, RenderedMail)> {
    let url = "https://id.example.com/api/v1/tenant/acme/account/set-password#usr_code.1896163200.w0fUDwdUxbo1rAzcbGLp4YVVqhxvFZlXH3uZDTzqOSk";
    let letter = |kind, code: Option<&str>, seconds: Option<u64>| {
        let link = seconds.map(|seconds| (url.to_owned(), MAILED_AT + Lifetime::from_seconds(seconds)));
        Letter { code: code.map(str::to_owned), link, ..Letter::new(kind, MAILED_AT) }
    };
    let (code, alone) = (Some("7KQF2MXD"), MailCommon { recover: None, ..*common });
    [
        ("recovery", common, letter(LetterKind::Recovery, code, Some(1_800))),
        ("verification", common, letter(LetterKind::Verification, code, Some(60))),
        ("invitation", common, letter(LetterKind::Invitation, None, Some(604_800))),
        ("password_changed", common, letter(LetterKind::PasswordChanged, None, None)),
        ("password_changed_alone", &alone, letter(LetterKind::PasswordChanged, None, None)),
        ("address_changed", common, letter(LetterKind::AddressChanged, None, Some(259_200))),
        ("address_confirmed", common, letter(LetterKind::AddressConfirmed, None, None)),
        ("test", common, letter(LetterKind::Test, None, None)),
    ]
    .map(|(name, common, letter)| (name, render_mail(common, &letter)))
    .into()
}

/// A tenant with every optional part.
#[must_use]
pub const fn mail_common<'a>(language: Language, theme: Option<&'a Theme>) -> MailCommon<'a> {
    let (tenant_name, support) = ("Acme Ltd", Some("https://acme.example/help"));
    let recover = Some("https://id.example.com/api/v1/tenant/acme/oauth/recover");
    MailCommon { tenant_name, theme, has_logo: theme.is_some(), language, support, recover, now: MAILED_AT }
}

fn errors(common: &Common) -> Vec<Example> {
    let page = |kind, detail: Option<&str>, code: Option<&'static str>, back| {
        let (common, detail) = (common.clone(), detail.map(str::to_owned));
        let request_id = Some("5f0a1c9d3be27a41".to_owned());
        Box::new(ErrorPage { common, kind, detail, code, request_id, back })
    };
    // The console shows this page while its store fails.
    let console = Link {
        name: common.texts().console.frame.this_console.to_owned(),
        url: "/console/t/acme".to_owned(),
    };
    let detail = "The scope notes:write is not registered for this client.";
    vec![
        (
            "error_of_request",
            page(ErrorKind::BadRequest, Some(detail), Some("invalid_scope"), Some(client_link())),
        ),
        ("error_not_found", page(ErrorKind::NotFound, None, None, None)),
        (
            "error_too_long",
            page(
                ErrorKind::TooLong,
                Some("The request is too long. Send it as a pushed authorization request (RFC 9126)."),
                None,
                None,
            ),
        ),
        ("error_sign_out", page(ErrorKind::BadSignOut, None, None, None)),
        ("error_not_a_navigation", page(ErrorKind::NotANavigation, None, None, None)),
        ("error_foreign_form", page(ErrorKind::ForeignForm, None, None, None)),
        ("error_expired", page(ErrorKind::Expired, None, None, None)),
        ("error_no_cookies", page(ErrorKind::NoCookies, None, None, None)),
        ("error_ended", page(ErrorKind::Ended, None, Some("invalid_request_uri"), None)),
        ("error_busy", page(ErrorKind::Busy, None, None, None)),
        ("error_unavailable", page(ErrorKind::Unavailable, None, None, None)),
        ("error_internal", page(ErrorKind::Internal, None, None, None)),
        ("console_unavailable", page(ErrorKind::Unavailable, None, None, Some(console))),
    ]
}

fn moment(instant: &str) -> MomentValue {
    MomentValue::utc(instant.to_owned())
}

fn apis() -> Vec<String> {
    vec!["https://notes.acme.example/api".to_owned()]
}

fn scopes(language: Language) -> Vec<ScopeLine> {
    let scopes = ["openid", "email", "notes:a-very-long-name-of-a-scope-that-a-client-may-have"];
    scopes.map(|name| ScopeLine::new(name.to_owned(), language)).into()
}

fn client_link() -> Link {
    Link { name: "Acme Notes".to_owned(), url: format!("{CLIENT}/") }
}
