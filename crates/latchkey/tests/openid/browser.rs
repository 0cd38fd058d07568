//! A browser without script. It keeps cookies, follows redirects and forms, and stops at the address of a
//! client.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::callback::{Callback, Mode};
use super::page::Page;
use super::provider::{EMAIL, Provider};

/// Far more steps than a sign-in has.
const MOST_STEPS: usize = 8;

#[derive(Default)]
pub(super) struct Browser {
    cookies: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) enum End {
    /// A page that waits for the person.
    Page(Page),
    Client(Callback),
}

/// A visit that ends at the client. The person signs in if a page asks for the password.
pub(super) struct Journey {
    pub(super) end: End,
    /// The pages that asked for the password.
    pub(super) sign_in_pages: Vec<Page>,
}

impl End {
    #[track_caller]
    pub(super) fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Client(callback) => panic!("no page, but {callback:?}"),
        }
    }

    #[track_caller]
    pub(super) fn callback(self) -> Callback {
        match self {
            Self::Client(callback) => callback,
            Self::Page(page) => panic!("{} {}: {}", page.status, page.url, page.html),
        }
    }
}

impl Browser {
    pub(super) async fn visit(&mut self, provider: &Provider, url: &str) -> End {
        let url = Url::parse(url).unwrap();
        self.send(provider, &url, provider.http.get(url.clone())).await
    }

    /// Sends a form from a page of the client. The browser sends no cookies with it (`SameSite=Lax`).
    pub(super) async fn post_from_client(&mut self, provider: &Provider, url: &str, form: &str) -> End {
        let kept = std::mem::take(&mut self.cookies);
        let url = Url::parse(url).unwrap();
        let request = provider.http.post(url.clone()).body(form.to_owned());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = self.navigate(request.header(ORIGIN, "https://client.example.com")).await;
        self.cookies.extend(kept);
        self.follow(provider, &url, response).await
    }

    pub(super) async fn submit(&mut self, provider: &Provider, page: &Page, fields: &[(&str, &str)]) -> End {
        let form = page.form().unwrap_or_else(|| panic!("no form in {}", page.html));
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        // The provider's pages have `Referrer-Policy: no-referrer`, so browsers send `Origin: null` (Fetch
        // §3.2).
        let request = provider.http.post(form.action.clone()).form(&fields).header(ORIGIN, "null");
        self.send(provider, &form.action, request.header("sec-fetch-site", "same-origin")).await
    }

    pub(super) async fn sign_in(&mut self, provider: &Provider, from: End) -> Journey {
        let mut journey = Journey { end: from, sign_in_pages: Vec::new() };
        while let End::Page(page) = &journey.end {
            if !page.asks_for_password() {
                break;
            }
            assert!(journey.sign_in_pages.is_empty(), "the right password is asked for again: {}", page.html);
            let fields = [("identifier", EMAIL), ("password", provider.password.as_str())];
            let end = self.submit(provider, page, &fields).await;
            let End::Page(page) = std::mem::replace(&mut journey.end, end) else { unreachable!("it is one") };
            journey.sign_in_pages.push(page);
        }
        journey
    }

    async fn send(&mut self, provider: &Provider, url: &Url, request: RequestBuilder) -> End {
        let response = self.navigate(request).await;
        self.follow(provider, url, response).await
    }

    async fn navigate(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("sec-fetch-dest", "document").header("sec-fetch-mode", "navigate");
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let response = request.send().await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        response
    }

    fn keep(&mut self, line: &str) {
        let (cookie, attributes) = line.split_once("; ").unwrap();
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.split("; ").any(|found| found == attribute), "{attribute}: {attributes}");
        }
        let (name, value) = cookie.split_once('=').unwrap();
        assert!(name.starts_with("__Host-Http-"), "{name}");
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Follows redirects until a page waits for the person, or the address is not the provider's.
    async fn follow(&mut self, provider: &Provider, from: &Url, mut response: Response) -> End {
        let mut url = from.clone();
        for _ in 0..MOST_STEPS {
            let is_own = |target: &Url| target.as_str().starts_with(&provider.url);
            if let Some(location) = response.headers().get(LOCATION) {
                assert_eq!(response.status().as_u16(), 303, "{url}");
                url = url.join(location.to_str().unwrap()).unwrap();
                if !is_own(&url) {
                    return End::Client(Callback::by_query(url));
                }
                response = self.navigate(provider.http.get(url.clone())).await;
                continue;
            }
            let status = response.status().as_u16();
            let page = Page { status, url: url.clone(), html: response.text().await.unwrap() };
            if let Some(target) = page.refresh() {
                assert!(!is_own(&target), "{target}");
                return End::Client(Callback::by_query(target));
            }
            return match page.form() {
                Some(form) if !is_own(&form.action) => {
                    End::Client(Callback::by_form(form.action, form.hidden))
                }
                Some(_) | None => End::Page(page),
            };
        }
        panic!("more than {MOST_STEPS} redirects, now at {url}")
    }
}

impl Journey {
    pub(super) fn was_asked(&self) -> bool {
        !self.sign_in_pages.is_empty()
    }

    #[track_caller]
    pub(super) fn assert_mode(&self, mode: Mode) {
        if let End::Client(callback) = &self.end {
            assert_eq!(callback.mode, mode);
        }
    }
}
