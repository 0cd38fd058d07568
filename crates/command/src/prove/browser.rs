//! The browser of a person: cookies, and the forms of pages.

use std::collections::BTreeMap;

use anyhow::Context as _;
use reqwest::Method;
use url::Url;

use super::answer::ProbeAnswer;
use super::platform::{ProbeRequest, ProvenPlatform, owned, tenant_path};

/// The example of RFC 7636 appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The domain `.invalid` never exists (RFC 6761 §6.4).
pub(super) const CALLBACK: &str = "https://isolation-proof.invalid/callback";

/// The parameters of an authorization request of the client `app`.
pub(super) const AUTHORIZATION: [(&str, &str); 7] = [
    ("response_type", "code"),
    ("client_id", "app"),
    ("redirect_uri", CALLBACK),
    ("scope", "openid profile api:read"),
    ("state", "s1"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

#[derive(Clone, Debug, Default)]
pub(super) struct ProofBrowser {
    pub(super) cookies: BTreeMap<String, String>,
}

impl ProofBrowser {
    async fn send(
        &mut self,
        platform: &ProvenPlatform,
        request: ProbeRequest,
    ) -> anyhow::Result<ProbeAnswer> {
        let mut request = request;
        self.navigate(&mut request, platform);
        let answer = platform.succeed(&request).await?;
        for line in &answer.cookies {
            let cookie = line.split(';').next().unwrap_or_default();
            let Some((name, value)) = cookie.split_once('=') else { continue };
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }

    async fn get(
        &mut self,
        platform: &ProvenPlatform,
        path: String,
        query: &[(&str, &str)],
    ) -> anyhow::Result<ProbeAnswer> {
        self.send(platform, ProbeRequest { query: owned(query), ..ProbeRequest::new(Method::GET, path) })
            .await
    }

    /// Opens a page, and returns the hidden field of its form.
    pub(super) async fn form(&mut self, platform: &ProvenPlatform, path: String) -> anyhow::Result<String> {
        hidden_field(&self.get(platform, path, &[]).await?)
    }

    /// Opens a sign-in page, and returns the hidden field of its form.
    pub(super) async fn sign_in_form(
        &mut self,
        platform: &ProvenPlatform,
        tenant: &str,
    ) -> anyhow::Result<String> {
        hidden_field(&self.authorize(platform, tenant, &[("prompt", "login")]).await?)
    }

    /// Opens the page of an authorization request with additional parameters.
    async fn authorize(
        &mut self,
        platform: &ProvenPlatform,
        tenant: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<ProbeAnswer> {
        let query = [&AUTHORIZATION[..], more].concat();
        self.get(platform, tenant_path(tenant, "/oauth/authorize"), &query).await
    }

    pub(super) async fn sign_in(
        &mut self,
        platform: &ProvenPlatform,
        tenant: &str,
        identifier: &str,
        password: &str,
    ) -> anyhow::Result<()> {
        let flow = self.sign_in_form(platform, tenant).await?;
        let form = [("flow", &*flow), ("identifier", identifier), ("password", password)];
        let done =
            self.send(platform, ProbeRequest::post(tenant_path(tenant, "/oauth/sign-in"), &form)).await?;
        self.session(tenant).with_context(|| format!("the sign-in failed: {}", done.status))?;
        Ok(())
    }

    /// Gets an authorization code for the signed-in person.
    pub(super) async fn code(&mut self, platform: &ProvenPlatform, tenant: &str) -> anyhow::Result<String> {
        let answer = self.authorize(platform, tenant, &[]).await?;
        let location = Url::parse(&answer.location).context("an authorization response does not redirect")?;
        let code = location.query_pairs().find(|(name, _)| name == "code");
        Ok(code.context("an authorization response has no code")?.1.into_owned())
    }

    pub(super) fn session(&self, tenant: &str) -> Option<(&str, &str)> {
        let end = format!("lk-s.{tenant}");
        let found = self.cookies.iter().find(|(name, _)| name.ends_with(&end));
        found.map(|(name, value)| (&**name, &**value))
    }

    /// Adds the cookies, and the headers of a browser that navigates from a page of the platform.
    pub(super) fn navigate(&self, request: &mut ProbeRequest, platform: &ProvenPlatform) {
        let url = Url::parse(&platform.public_url);
        let origin = url.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        request.headers = vec![("origin", origin), ("sec-fetch-dest", "document".to_owned())];
        request.cookies = self.cookies.clone().into_iter().collect();
    }
}

/// The hidden field that a form sends back.
fn hidden_field(page: &ProbeAnswer) -> anyhow::Result<String> {
    page.after("name=\"flow\" value=\"").context("a page has no form")
}
