//! The error page, with a link back to the client if the client is known.

use askama::Template;

use crate::components::{Fact, Value};
use crate::page::{Common, Link, page};
use crate::texts::ErrorKind;

#[derive(Template)]
#[template(path = "views/error.html")]
pub struct ErrorPage {
    pub common: Common,
    pub kind: ErrorKind,
    /// For the developers of the client. English, with the words of the standards.
    pub detail: Option<String>,
    /// RFC 6749 §4.1.2.1 and its extensions.
    pub code: Option<&'static str>,
    /// Operators find the request in the log by this identifier.
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
