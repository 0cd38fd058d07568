//! Tests every page in a browser: Debian's Chromium with `tests/browser/pages.cjs`. A listener
//! serves the example pages through [`respond`], and refuses the same requests as the routes of
//! pages.

mod hostile;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use pages::examples::{self, Example};
use pages::{Asset, ErrorKind, ErrorPage, Language, Links, LogoPaths, Theme};
use serde_json::json;
use tenancy::{Branding, Corners, Font};
use values::{Colour, ImageFormat};

use super::fetch_metadata::{OwnOrigin, judge_form, judge_navigation};
use super::*;
use crate::ListenerSurface;
use crate::respond::Protective;
use crate::routes::documentation;

/// Markup that would run if a page did not escape it. The script looks for its effects.
const MARKUP: &str =
    "\"'><img src=x onerror=\"attacked=1\"><script>attacked=1</script><svg onload=attacked=1>";

/// Variants of the example pages.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    /// The default theme.
    Plain,
    /// The tenant's own colours, corners, font and logos.
    Themed,
    /// The widest allowed logo.
    Wide,
    /// Names and texts that contain markup.
    Markup,
}

impl Look {
    const ALL: [(&'static str, Self); 4] =
        [("plain", Self::Plain), ("themed", Self::Themed), ("wide", Self::Wide), ("markup", Self::Markup)];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, look)| look)
    }

    fn common(self, public_url: &BaseUrl) -> Common {
        let Common { tenant_name, client_name, links, account, .. } = examples::common();
        let plain = Common { tenant_name, client_name, links, account, ..common(public_url) };
        let markup = || Some(MARKUP.to_owned());
        match self {
            Self::Plain => plain,
            Self::Themed => {
                let logo = LogoPaths { light: "/logo/light".to_owned(), dark: Some("/logo/dark".to_owned()) };
                Common { theme: Some("/theme.css".to_owned()), logo: Some(logo), ..plain }
            }
            Self::Wide => {
                let logo = LogoPaths { light: "/logo/wide".to_owned(), dark: None };
                Common { logo: Some(logo), ..plain }
            }
            Self::Markup => {
                let links = Links { support: markup(), terms: markup(), privacy: markup() };
                Common { tenant_name: markup(), client_name: markup(), links, ..plain }
            }
        }
    }
}

/// Colours with little contrast, which the theme has to correct.
fn theme() -> Theme {
    let (primary, background) = (Colour::rgb(0xff, 0xc0, 0), Colour::rgb(0x2b, 0x1b, 0x3d));
    let (corners, font) = (Corners::Square, Font::Serif);
    Theme::new(&Branding { primary, background, corners, font, ..Branding::default() }).unwrap()
}

fn protected(mut response: HttpResponse) -> HttpResponse {
    Protective { strict_transport: false }.protect(response.headers_mut());
    response
}

fn refusal(kind: ErrorKind, public_url: &BaseUrl) -> HttpResponse {
    let common = common(public_url);
    let page = ErrorPage { common, kind, detail: None, code: None, request_id: None, back: None };
    protected(respond(StatusCode::BAD_REQUEST, &page, Opener::Severed))
}

async fn page(
    request: HttpRequest,
    public_url: Data<BaseUrl>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    if let Err(kind) = judge_navigation(request.headers()) {
        return refusal(kind, &public_url);
    }
    let (look, name) = path.into_inner();
    let pages = Look::named(&look).map(|look| examples::all(&look.common(&public_url))).unwrap_or_default();
    let page = pages.into_iter().find(|(found, _)| *found == name).map(|(_, page)| page);
    page.map_or_else(
        || refusal(ErrorKind::NotFound, &public_url),
        |page| protected(respond(StatusCode::OK, &*page, Opener::Severed)),
    )
}

/// A message, with the logo that a program for mail would attach.
async fn mail(path: web::Path<(String, String)>) -> HttpResponse {
    let (look, name) = path.into_inner();
    let theme = (look == "themed").then(theme);
    let common = examples::mail_common(Language::English, theme.as_ref());
    let mails = examples::mails(&common);
    let (_, mail) = mails.into_iter().find(|(found, _)| *found == name).unwrap();
    HttpResponse::Ok().content_type("text/html").body(mail.html.replace("cid:logo", "/logo/light"))
}

/// The target of the example forms. Shows the fields that were sent.
async fn form(request: HttpRequest, public_url: Data<BaseUrl>, body: Bytes) -> HttpResponse {
    if let Err(kind) = judge_form(request.headers(), &OwnOrigin::from_public_url(&public_url.0)) {
        return refusal(kind, &public_url);
    }
    HttpResponse::Ok().content_type("text/plain").body(body)
}

/// A page with one hostile value wherever callers or administrators can enter text.
async fn hostile_page(
    request: HttpRequest,
    public_url: Data<BaseUrl>,
    path: web::Path<(usize, String)>,
) -> HttpResponse {
    if let Err(kind) = judge_navigation(request.headers()) {
        return refusal(kind, &public_url);
    }
    let (payload, name) = path.into_inner();
    let pages = hostile::pages(&common(&public_url), &hostile::payloads()[payload]);
    let page = pages.into_iter().find(|(found, _)| *found == name).map(|(_, page)| page).unwrap();
    protected(respond(StatusCode::OK, &*page, Opener::Severed))
}

async fn asset(path: web::Path<(String, String)>) -> HttpResponse {
    let (_, name) = path.into_inner();
    let asset = Asset::named(&name).unwrap();
    protected(passive(&mut HttpResponse::Ok()).content_type(asset.media_type()).body(asset.text()))
}

async fn theme_css() -> HttpResponse {
    protected(passive(&mut HttpResponse::Ok()).content_type("text/css").body(theme().css()))
}

async fn logo(path: web::Path<String>) -> HttpResponse {
    let content: &'static [u8] = match path.as_str() {
        "light" => include_bytes!("../../../testkit/images/logo.webp"),
        "dark" => include_bytes!("../../../testkit/images/dark.png"),
        _ => include_bytes!("../../../testkit/images/wide.png"),
    };
    let media_type = ImageFormat::from_bytes(content).unwrap().media_type();
    protected(passive(&mut HttpResponse::Ok()).content_type(media_type).body(content))
}

/// The API reference of a listener with both surfaces, or with the admin API only.
async fn docs(path: web::Path<String>) -> HttpResponse {
    let surface = ListenerSurface::new(path.as_str() == "both", true);
    let mut response = HttpResponse::Ok().content_type("text/html").body(documentation::html(surface));
    for (name, value) in page_headers(&documentation::policy(surface), Opener::Severed) {
        response.headers_mut().insert(name, value);
    }
    protected(response)
}

/// A token endpoint that refuses the secret `wrong`.
async fn token(tenant: web::Path<String>, form: web::Form<BTreeMap<String, String>>) -> HttpResponse {
    if form["client_secret"] == "wrong" {
        return HttpResponse::Unauthorized()
            .json(json!({ "error": "invalid_client", "error_description": "This is the wrong secret" }));
    }
    assert_eq!(form["grant_type"], "client_credentials");
    let token = format!("a.token.of-{}-at-{tenant}", form["client_id"]);
    HttpResponse::Ok().json(json!({ "access_token": token, "expires_in": 3600, "scope": form.get("scope") }))
}

/// A page of the same origin whose script may do anything, as if a tenant could run scripts.
async fn attacker() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html").body("<!doctype html><title>attacker</title><body></body>")
}

/// Starts the listener and returns its URL. It serves until the process ends.
fn serve() -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let public_url = Data::new(BaseUrl(url.clone(), Language::English));
        let app = move || {
            App::new()
                .app_data(public_url.clone())
                .app_data(PayloadConfig::new(1 << 16))
                .route("/pages/{look}/{name}", web::get().to(page))
                .route("/hostile/{payload}/{name}", web::get().to(hostile_page))
                .route("/assets/{hash}/{file}", web::get().to(asset))
                .route("/theme.css", web::get().to(theme_css))
                .route("/logo/{name}", web::get().to(logo))
                .route("/mail/{look}/{name}", web::get().to(mail))
                .route("/attacker", web::get().to(attacker))
                .route("/{surface}/docs", web::get().to(docs))
                .route("/both/api/v1/tenant/{id}/oauth/token", web::post().to(token))
                .default_service(web::post().to(form))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
        sender.send(url).unwrap();
        rt::System::new().block_on(server.run()).unwrap();
    });
    receiver.recv().unwrap()
}

/// The browser that `cargo xtask test` has installed. Without it the tests fail, so that they are
/// not skipped silently.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, where it installed programs"
)]
fn installed(variable: &str) -> PathBuf {
    let place = std::env::var_os(variable).map(PathBuf::from);
    place.unwrap_or_else(|| {
        panic!("{variable} is not set: run `cargo xtask test`, which installs what this needs")
    })
}

fn run(script: &str, url: &str) -> String {
    run_with(script, url, "")
}

/// Runs a script with these views.
fn run_with(script: &str, url: &str, views: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names: Vec<_> =
        examples::all(&examples::common()).into_iter().map(|(name, _): Example| name).collect();
    let output = Command::new("node")
        .arg(here.join("tests/browser").join(script))
        .env("NODE_PATH", installed("LATCHKEY_TEST_BROWSER_NODE_DIR").join("node_modules"))
        .env("NO_PROXY", "127.0.0.1")
        .env("LATCHKEY_URL", url)
        .env("LATCHKEY_VIEWS", views)
        .env("LATCHKEY_PAGES", names.join(" "))
        .env("LATCHKEY_HOSTILE_PAGES", hostile::NAMES.join(" "))
        .env("LATCHKEY_SCREENSHOTS", here.join("../../target/screenshots"))
        .output()
        .unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{errors}");
    out.into_owned()
}

/// Checks each page at 320, 360 and 1440 CSS pixels. axe must find no violation of WCAG 2.2 AA. No
/// part may be wider than the window. Neither the policy nor the console may report an error. A
/// page with small logos must have at most 40 KB and show the logos.
fn check_views(views: &str, expected: usize) {
    let said = run_with("pages.cjs", &serve(), views);
    assert!(said.contains(&format!("{expected} pages seen")), "{said}");
}

/// Pages without a theme are light. The page with all components also has a dark variant. So have messages.
#[test]
fn pages_are_accessible_and_fit_the_window() {
    check_views("usual", examples::all(&examples::common()).len() + 3);
}

#[test]
fn pages_are_accessible_and_fit_in_other_colours() {
    check_views("others", examples::all(&examples::common()).len() * 3 + 1);
}

/// Checks the API reference in both colour schemes and at two widths: with closed and with open
/// parts, with its form, and without script.
#[test]
fn api_reference_is_accessible_and_fetches_a_token() {
    let said = run("docs.cjs", &serve());
    assert!(said.contains("the page of the API is read"), "{said}");
}

/// Sends each form using only the keyboard, and once without script.
#[test]
fn each_form_can_be_sent_by_keyboard_alone() {
    let said = run("keyboard.cjs", &serve());
    assert!(said.contains("forms sent"), "{said}");
}

// [attacks #13]: Pages in frames | `frame-ancestors`, `X-Frame-Options` and Fetch Metadata, tried in Chromium
// [attacks #14], [rfc9700 §4.16]
/// A script runs in this origin, as if a tenant could run one, and every name contains markup.
#[test]
fn attacks_by_same_origin_script_and_markup_fail() {
    let said = run("attacks.cjs", &serve());
    assert!(said.contains("attacks failed"), "{said}");
}

/// Tests each hostile value wherever callers or administrators can enter text: names of tenant,
/// client and application, account, scopes, typed text, user agent, details of an error.
#[test]
fn hostile_names_are_shown_literally() {
    let said = run("hostile.cjs", &serve());
    let expected = hostile::payloads().len() * hostile::NAMES.len();
    assert!(hostile::payloads().len() >= 30 && said.contains(&format!("{expected} pages seen")), "{said}");
}
