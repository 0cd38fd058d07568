//! Responses with pages. Every page is sent by this module, which sets the security headers.

mod cookies;
mod fetch_metadata;
mod page_error;

pub(crate) use cookies::{CookieName, Cookies};
pub(crate) use fetch_metadata::{OwnOrigin, judge_form, judge_navigation};
pub(crate) use page_error::{PageAnswer, PageError, PageRequest, PageResult, with_pages};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, ContentType,
    HeaderName, HeaderValue, PERMISSIONS_POLICY, RETRY_AFTER, X_FRAME_OPTIONS,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use keys::sha256;
use pages::{Common, FormTarget, HtmlPage, Links, LogoPaths, Theme};
use registry::Client;
use tenancy::{Branding, Logo, Tenant};

use crate::options::BaseUrl;
use crate::respond::{no_store, retry_after};

const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
/// The account page, below the path of the tenant.
pub(crate) const ACCOUNT_PATH: &str = "/account";
/// Where people reset a forgotten password, below the path of the tenant.
pub(crate) const RECOVERY_PATH: &str = "/oauth/recover";
/// This query shows the sign-in form even if a person is signed in.
pub(crate) const SIGN_IN_AGAIN: &str = "sign_in=again";
/// As [`SIGN_IN_AGAIN`], after a person has set the password with a link.
pub(crate) const PASSWORD_SET: &str = "password=set";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Pages use passkeys, and no other feature that needs a permission.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
     gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), usb=(), xr-spatial-tracking=()",
);

/// `Cross-Origin-Opener-Policy`: whether the page and the window that opened it can access each
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// No access, even within one origin, because all tenants of a host share an origin.
    Severed,
    /// For a client that signs people in in a popup and waits for a message from it.
    Kept,
}

impl Opener {
    /// For pages that a client opens.
    pub(crate) const fn from_client(client: &Client) -> Self {
        if client.code_flow.popup { Self::Kept } else { Self::Severed }
    }
}

/// The common parts of a tenant's pages. Call it for each response, because the nonce is new.
pub(crate) fn common_of(tenant: &Tenant, client_name: Option<String>, public_url: &BaseUrl) -> Common {
    let Branding { logo, logo_dark, support_url, terms_url, privacy_url, .. } = &tenant.branding;
    let links =
        Links { support: support_url.clone(), terms: terms_url.clone(), privacy: privacy_url.clone() };
    let theme = theme_of(tenant)
        .map(|theme| public_url.path_of(&tenant.id, &format!("/oauth/theme/{}.css", theme.hash())));
    let path = |logo: &Logo| public_url.path_of(&tenant.id, &format!("/oauth/logo/{}", logo.hash()));
    let logo =
        logo.as_ref().map(|light| LogoPaths { light: path(light), dark: logo_dark.as_ref().map(path) });
    let account = tenant.strategies.oidc.then(|| public_url.path_of(&tenant.id, ACCOUNT_PATH));
    let tenant_name = Some(tenant.name.clone());
    Common { tenant_name, client_name, theme, logo, links, account, ..common(public_url) }
}

/// `None` for the default theme. Also `None` for a theme with too little contrast, which only
/// another program could have stored.
pub(crate) fn theme_of(tenant: &Tenant) -> Option<Theme> {
    if tenant.branding.looks_as_default() {
        return None;
    }
    Theme::new(&tenant.branding).ok()
}

/// For pages without a tenant.
pub(crate) fn common(public_url: &BaseUrl) -> Common {
    Common {
        language: public_url.1,
        base: public_url.path().to_owned(),
        nonce: nonce(),
        tenant_name: None,
        client_name: None,
        theme: None,
        logo: None,
        links: Links::default(),
        account: None,
    }
}

pub(crate) fn respond(status: StatusCode, page: &(impl HtmlPage + ?Sized), opener: Opener) -> HttpResponse {
    let mut response = no_store(status);
    protect(&mut response, page, opener);
    if let Some(seconds) = retry_after(status) {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    response.insert_header(ContentType::html()).body(page.render())
}

/// Adds the headers of a page.
pub(crate) fn protect(response: &mut HttpResponseBuilder, page: &(impl HtmlPage + ?Sized), opener: Opener) {
    for header in page_headers(&policy(&page.common().nonce, page.form_target()), opener) {
        response.insert_header(header);
    }
}

pub(crate) fn page_headers(policy: &str, opener: Opener) -> [(HeaderName, HeaderValue); 6] {
    let opener = match opener {
        Opener::Severed => "noopener-allow-popups",
        Opener::Kept => "unsafe-none",
    };
    // Cannot fail: the policy consists of constants, digests and base64.
    let policy = HeaderValue::from_str(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    [
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static(opener)),
        (CROSS_ORIGIN_RESOURCE_POLICY, SAME_ORIGIN),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (ROBOTS, HeaderValue::from_static("noindex")),
    ]
}

/// The source expression for inline content.
pub(crate) fn source(content: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(sha256(content)))
}

/// Headers of a file that pages load. If a browser opens the file directly, it cannot do anything.
pub(crate) fn passive(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response
        .insert_header((CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, SAME_ORIGIN))
}

/// The content security policy (CSP Level 3): only content of this origin, and the one script with
/// this nonce.
fn policy(nonce: &str, form_target: FormTarget) -> String {
    let script = if nonce.is_empty() { "'none'".to_owned() } else { format!("'nonce-{nonce}'") };
    let form_action = match form_target {
        FormTarget::Own => " form-action 'self';",
        FormTarget::Client => "",
    };
    format!(
        "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self'; connect-src 'self';{form_action} \
         frame-ancestors 'none'; base-uri 'none'; worker-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// 128 random bits. If the generator fails, the policy allows no script; pages also work without
/// scripts.
fn nonce() -> String {
    let mut bytes = [0; 16];
    let drawn = aws_lc_rs::rand::fill(&mut bytes);
    drawn.map(|()| BASE64_URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
}

#[cfg(test)]
mod browser;

#[cfg(test)]
mod tests {
    use actix_web::body::{BodySize, MessageBody as _};
    use pages::{Continue, FormPost, Language};
    use tenancy::Corners;
    use testkit::fixtures;

    use super::*;
    use crate::respond::Protective;

    fn public_url(url: &str) -> BaseUrl {
        BaseUrl(url.to_owned(), Language::English)
    }

    fn headers(mut response: HttpResponse) -> String {
        Protective { strict_transport: true }.protect(response.headers_mut());
        let lines =
            response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut lines: Vec<_> = lines.map(|line| line.replace("; ", ";\n  ")).collect();
        lines.sort();
        lines.join("\n")
    }

    // [rfc9700 §4.16]: Clickjacking | Pages are in no frame: policy, `X-Frame-Options` and Fetch Metadata,
    //   tried in Chromium
    // [rfc9700 §4.2]
    #[test]
    fn page_headers_match_the_snapshot() {
        let common = Common { nonce: "NONCE".to_owned(), ..common(&public_url("https://id.example.com")) };
        let page = Continue { common, to: "https://app.example.com/callback".to_owned() };
        let response = respond(StatusCode::OK, &page, Opener::Severed);
        assert!(matches!(response.body().size(), BodySize::Sized(size) if size > 500));
        insta::assert_snapshot!(headers(response), @r"
        cache-control: no-store
        content-security-policy: default-src 'none';
          script-src 'nonce-NONCE';
          style-src 'self';
          img-src 'self';
          connect-src 'self';
          form-action 'self';
          frame-ancestors 'none';
          base-uri 'none';
          worker-src 'none';
          require-trusted-types-for 'script';
          trusted-types 'none'
        content-type: text/html;
          charset=utf-8
        cross-origin-opener-policy: noopener-allow-popups
        cross-origin-resource-policy: same-origin
        permissions-policy: accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), usb=(), xr-spatial-tracking=()
        pragma: no-cache
        referrer-policy: no-referrer
        strict-transport-security: max-age=31536000
        x-content-type-options: nosniff
        x-frame-options: DENY
        x-robots-tag: noindex
        ");
    }

    #[test]
    fn form_post_page_may_post_and_keep_its_opener() {
        let common = Common { nonce: "NONCE".to_owned(), ..common(&public_url("https://id.example.com")) };
        let page = FormPost { common, to: "https://app.example.com/callback".to_owned(), fields: Vec::new() };
        let headers = headers(respond(StatusCode::OK, &page, Opener::Kept));
        assert!(!headers.contains("form-action"), "{headers}");
        assert!(headers.contains("script-src 'nonce-NONCE'"), "{headers}");
        assert!(headers.contains("cross-origin-opener-policy: unsafe-none"), "{headers}");
    }

    #[test]
    fn nonces_are_unique_and_required_for_scripts() {
        let url = public_url("https://id.example.com");
        let nonces: Vec<_> = (0..1_000).map(|_| common(&url).nonce).collect();
        assert!(nonces.iter().all(|nonce| nonce.len() == 22));
        assert_eq!(nonces.iter().collect::<std::collections::HashSet<_>>().len(), 1_000);
        assert!(policy("", FormTarget::Own).contains("script-src 'none';"));
    }

    // [attacks #40]
    #[test]
    fn page_has_tenant_name_and_proxy_path() {
        for name in ["acme", "globex"] {
            let tenant = fixtures::tenant(name);
            for (url, base) in [
                ("https://id.example.com", ""),
                ("https://id.example.com/auth", "/auth"),
                ("http://localhost:3000", ""),
            ] {
                let common = common_of(&tenant, Some("Notes".to_owned()), &public_url(url));
                assert_eq!((common.tenant_name.as_deref(), &*common.base), (Some(&*tenant.name), base));
                assert_eq!(common.theme, None);
            }
        }
    }

    #[test]
    fn page_has_its_tenants_theme_logo_and_links() {
        let url = public_url("https://id.example.com/auth");
        let mut acme = fixtures::tenant("acme");
        acme.branding.corners = Corners::Square;
        acme.branding.terms_url = Some("https://acme.example/terms".to_owned());
        acme.branding.logo = Some(Logo::stored("light".to_owned()));
        acme.branding.logo_dark = Some(Logo::stored("dark".to_owned()));
        let shown = common_of(&acme, None, &url);
        let hash = Theme::new(&acme.branding).unwrap().hash();
        assert_eq!(shown.theme, Some(format!("/auth/api/v1/tenant/acme/oauth/theme/{hash}.css")));
        assert_eq!(shown.links.terms, acme.branding.terms_url);
        let LogoPaths { light, dark } = shown.logo.unwrap();
        assert_eq!(light, "/auth/api/v1/tenant/acme/oauth/logo/light");
        assert_eq!(dark.as_deref(), Some("/auth/api/v1/tenant/acme/oauth/logo/dark"));
        let other = common_of(&fixtures::tenant("globex"), None, &url);
        assert_eq!((other.theme, other.links.terms), (None, None));
        assert!(other.logo.is_none());
        // The rules refuse such a theme, so only another program could have stored it.
        acme.branding.primary = acme.branding.background;
        assert_eq!(common_of(&acme, None, &url).theme, None);
    }
}
