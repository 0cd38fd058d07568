//! Where a value of one tenant is sent at another one.

use reqwest::Method;
use serde_json::json;

use super::browser::{AUTHORIZATION, VERIFIER};
use super::platform::{ProbeRequest, ProvenPlatform, owned};
use super::routes::{ProbedRoute, RouteAccess};
use super::side::Side;

/// Where a request has the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ValuePlace {
    /// The header of a bearer token.
    Bearer,
    /// The header of a bound token, beside a proof for the request.
    Dpop,
    /// The secret of this client, in the header.
    Basic(&'static str),
    /// The secret of a client in the form; without the client for an API key.
    Post(Option<&'static str>),
    /// The secret of the client that only one tenant has.
    PostOfOnly,
    /// The assertion of a client.
    Assertion,
    /// This parameter of a form, or of the URL.
    Parameter(&'static str),
    /// The cookie of the session.
    Cookie,
    /// This name in a path, for the administrator of the tenant in the path.
    Path(&'static str),
    /// This filter of a list, for the administrator of the tenant in the path.
    Filter(&'static str),
}

impl ValuePlace {
    /// Whether the value, alone and without other parameters, opens a route.
    pub(super) fn is_credential(self) -> bool {
        !matches!(self, Self::Parameter(_) | Self::Cookie | Self::Path(_) | Self::Filter(_))
    }

    /// Whether a route reads a value at this place.
    pub(super) fn is_at(self, route: &ProbedRoute) -> bool {
        match self {
            Self::Parameter(_) => route.reads_parameters(),
            Self::Path(name) => route.access == RouteAccess::Administration && route.names(name),
            Self::Filter(_) => route.path == "/api/v1/tenant/{id}/accounts" && route.method == Method::GET,
            _ => true,
        }
    }
}

/// How a value of one tenant is sent.
#[derive(Clone, Debug)]
pub(super) struct Artefact {
    pub(super) place: ValuePlace,
    /// The parameters that belong to it.
    pub(super) beside: Vec<(String, String)>,
}

impl Artefact {
    /// A request of this route at a tenant, with a value in the place of the artefact's.
    pub(super) fn request(
        &self,
        route: &ProbedRoute,
        value: Option<&str>,
        at: &Side,
        from: &Side,
        platform: &ProvenPlatform,
    ) -> ProbeRequest {
        let named = match (self.place, value) {
            (ValuePlace::Path(name), Some(value)) => Some((name, value)),
            _ => None,
        };
        let mut request = route.request(at.path(&route.path, named));
        let url = format!("{}{}", platform.public_url, request.path);
        let mut form = owned(&[("grant_type", "client_credentials"), ("token", &at.token)]);
        let post = |form: &mut Vec<_>, client: Option<&str>, secret: &str| {
            form.extend(client.map(|client| ("client_id".to_owned(), client.to_owned())));
            form.push(("client_secret".to_owned(), secret.to_owned()));
        };
        let Some(value) = value else {
            request.form = form;
            return request;
        };
        match self.place {
            ValuePlace::Bearer => request.authorization = Some(format!("Bearer {value}")),
            ValuePlace::Dpop => {
                let proof = from.prover.proof(request.method.as_str(), &url, Some(value));
                request.authorization = Some(format!("DPoP {value}"));
                request.headers.push(("dpop", proof));
            }
            ValuePlace::Basic(client) => request.authorization = Some(basic(client, value)),
            ValuePlace::Post(client) => post(&mut form, client, value),
            ValuePlace::PostOfOnly => post(&mut form, Some(&from.only), value),
            ValuePlace::Assertion => {
                form.push(("client_assertion_type".to_owned(), protocol::JWT_BEARER.to_owned()));
                form.push(("client_assertion".to_owned(), value.to_owned()));
            }
            ValuePlace::Parameter(name) => {
                form = owned(&AUTHORIZATION);
                form.extend(owned(&[("code_verifier", VERIFIER), (name, value)]));
                form.extend(self.beside.iter().cloned());
                let reads_secret = !route.path.ends_with("/device_authorization");
                if request.method != Method::GET && reads_secret && name != "client_secret" {
                    form.push(("client_secret".to_owned(), at.secret.clone()));
                }
                from.browser.navigate(&mut request, platform);
            }
            ValuePlace::Cookie => {
                let own = from.browser.session(&from.id).map_or("", |(name, _)| name);
                from.browser.navigate(&mut request, platform);
                request.cookies.retain(|(name, _)| name != own);
                request.cookies.push((own.replace(&from.id, &at.id), value.to_owned()));
                request.query = owned(&AUTHORIZATION);
            }
            ValuePlace::Path(_) | ValuePlace::Filter(_) => {
                request.authorization = Some(format!("Bearer {}", at.administrator));
                if let ValuePlace::Filter(name) = self.place {
                    request.query = owned(&[(name, value)]);
                }
                if !matches!(request.method, Method::GET | Method::DELETE) {
                    request.json = Some(json!({}));
                }
            }
        }
        if request.method == Method::GET && matches!(self.place, ValuePlace::Parameter(_)) {
            // A password is in no URL.
            form.retain(|(name, _)| name != "password");
            request.query = form;
        } else {
            request.form = form;
        }
        request
    }

    /// What a request has of the tenant, which an answer may repeat.
    pub(super) fn sent<'a>(&self, value: &'a str, from: &'a Side) -> Vec<&'a str> {
        match self.place {
            ValuePlace::PostOfOnly => vec![value, &from.only],
            _ => vec![value],
        }
    }
}

/// The credentials of a client in the header (RFC 6749 §2.3.1). Its id and secret need no encoding.
fn basic(client: &str, secret: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    format!("Basic {encoded}")
}
