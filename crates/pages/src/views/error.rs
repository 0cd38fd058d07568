//! A page that explains an error, with a link back to the client if one is known.

use askama::Template;

use crate::components::{Fact, Value};
use crate::page::{Common, Link, page};
use crate::texts::ErrorKind;

/// Says what is wrong.
#[derive(Template)]
#[template(path = "views/error.html")]
pub struct ErrorPage {
    /// The parts that all pages have.
    pub common: Common,
    /// Title and explanation.
    pub kind: ErrorKind,
    /// The details for the developers of the application: English, in the words of the standards.
    pub detail: Option<String>,
    /// The error code (RFC 6749 §4.1.2.1 and its extensions).
    pub code: Option<&'static str>,
    /// The identifier by which the operators of the server find the request.
    pub request_id: Option<String>,
    pub back: Option<Link>,
}

impl ErrorPage {
    fn heading(&self) -> &'static str {
        (self.common.texts().error)(self.kind).0
    }

    fn explanation(&self) -> &'static str {
        (self.common.texts().error)(self.kind).1
    }

    /// The code with a link to its explanation, and the request.
    fn facts(&self) -> Vec<Fact> {
        let texts = self.common.texts();
        let code = self.code.map(|code| Link { name: code.to_owned(), url: self.common.help_on(code) });
        let code = code.map(|link| Fact { label: texts.fact_error_code, value: Value::Link(link) });
        let request = self.request_id.clone().map(Value::Code);
        let request = request.map(|value| Fact { label: texts.fact_request, value });
        code.into_iter().chain(request).collect()
    }
}

page!(ErrorPage);
