//! The page at the root of a server that only its own machine can reach: shows that the program
//! runs, and links to the next steps.

use askama::Template;

use crate::components::{Fact, Value};
use crate::page::{Common, Link, page};

#[derive(Template)]
#[template(path = "views/front.html")]
pub struct FrontPage {
    pub common: Common,
    pub version: &'static str,
    /// Issuers and endpoints are derived from this URL.
    pub public_url: String,
    /// A shell command that fetches a token.
    pub command: String,
    pub places: Vec<Link>,
}

impl FrontPage {
    fn facts(&self) -> [Fact; 2] {
        let texts = self.common.texts();
        [
            Fact { label: texts.fact_version, value: Value::Text(self.version.to_owned()) },
            Fact { label: texts.fact_address, value: Value::Code(self.public_url.clone()) },
        ]
    }
}

page!(FrontPage, heading: front);
