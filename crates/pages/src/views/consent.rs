//! The consent: the client's request, and where the browser goes afterwards. Without scopes, it is the
//! question that always precedes a client on the person's own device (RFC 8252 §8.6).

use askama::Template;

use crate::Language;
use crate::components::{Fact, Value};
use crate::page::{Common, page};

/// Asks whether a client may use the account.
#[derive(Template)]
#[template(path = "views/consent.html")]
pub struct ConsentPage {
    /// The parts that all pages have. A client has begun this request.
    pub common: Common,
    /// The target of the form. Its field `decision` is `allow` or `deny`.
    pub action: String,
    /// The sealed request.
    pub flow: String,
    /// How the person knows the account.
    pub account: String,
    /// Where the browser goes afterwards: a host, or the name of an application's own scheme.
    pub return_host: String,
    /// The party that registered the client, if it is known.
    pub registered_by: Option<String>,
    /// The scopes that the client requests.
    pub scopes: Vec<ScopeLine>,
    /// The APIs of the scopes.
    pub apis: Vec<String>,
}

/// A scope as people see it.
#[derive(Clone, Debug)]
pub struct ScopeLine {
    /// The name in requests.
    pub name: String,
    /// Its description. Empty if there is none.
    pub description: String,
}

impl ScopeLine {
    /// A scope with what is known of it in this language.
    #[must_use]
    pub fn new(name: String, language: Language) -> Self {
        let description = (language.texts().scope)(&name).unwrap_or_default().to_owned();
        Self { name, description }
    }
}

impl ConsentPage {
    fn facts(&self) -> Vec<Fact> {
        let texts = self.common.texts();
        let text = |label, value: &str| Fact { label, value: Value::Text(value.to_owned()) };
        let mut facts = vec![
            text(texts.fact_application, self.common.client()),
            text(texts.fact_account, &self.account),
            text(texts.fact_returns_to, &self.return_host),
        ];
        facts.extend(self.registered_by.as_deref().map(|who| text(texts.fact_registered_by, who)));
        facts.extend(services(&self.apis, texts.fact_services));
        facts
    }

    fn heading(&self) -> String {
        let texts = self.common.texts();
        let ask = if self.scopes.is_empty() { texts.continue_to } else { texts.consent };
        ask(self.common.client())
    }

    fn yes(&self) -> &'static str {
        let texts = self.common.texts();
        if self.scopes.is_empty() { texts.go_on } else { texts.allow }
    }

    fn no(&self) -> &'static str {
        let texts = self.common.texts();
        if self.scopes.is_empty() { texts.cancel } else { texts.deny }
    }
}

/// The APIs at which something is allowed, if there are any.
pub(crate) fn services(apis: &[String], label: &'static str) -> Option<Fact> {
    (!apis.is_empty()).then(|| Fact { label, value: Value::Codes(apis.to_vec()) })
}

page!(ConsentPage);
