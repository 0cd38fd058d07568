//! The page at the root of a server that only its own machine reaches: what runs, and where to go on.

use askama::Template;

use crate::components::{Fact, Value};
use crate::page::{Common, Link, page};

/// What runs here.
#[derive(Template)]
#[template(path = "views/front.html")]
pub struct FrontPage {
    /// What all pages have.
    pub common: Common,
    /// The version of the program.
    pub version: &'static str,
    /// What issuers and endpoints are derived from.
    pub public_url: String,
    /// A command that fetches a token.
    pub command: String,
    /// Where to go on.
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
