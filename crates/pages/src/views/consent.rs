//! The consent page: what the client requests, and where the browser goes afterwards. Without
//! scopes it only asks whether to continue, which it always does for an app on the person's device
//! (RFC 8252 §8.6).

use askama::Template;

use crate::Language;
use crate::components::{Fact, Value};
use crate::page::{Common, SealedForm, page};

#[derive(Template)]
#[template(path = "views/consent.html")]
pub struct ConsentPage {
    pub common: Common,
    /// The form sends `decision`: `allow` or `deny`.
    pub form: SealedForm,
    /// The identifier that the person signs in with.
    pub account: String,
    /// Where the browser goes afterwards: a host, or the private-use scheme of an app.
    pub return_host: String,
    /// `None` if unknown.
    pub registered_by: Option<String>,
    pub scopes: Vec<ScopeLine>,
    /// The APIs where the scopes are valid.
    pub apis: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct ScopeLine {
    /// The scope token.
    pub name: String,
    /// Empty if the scope has no description.
    pub description: String,
}

impl ScopeLine {
    /// Describes the scopes of OpenID Connect.
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

/// `None` if the list is empty.
pub(crate) fn services(apis: &[String], label: &'static str) -> Option<Fact> {
    (!apis.is_empty()).then(|| Fact { label, value: Value::Codes(apis.to_vec()) })
}

page!(ConsentPage);
