//! The page at the root of a server that only its own machine reaches: the running program, and links to
//! continue.

use askama::Template;

use crate::components::{Fact, Value};
use crate::page::{Common, Link, page};

/// The running program.
#[derive(Template)]
#[template(path = "views/front.html")]
pub struct FrontPage {
    /// The parts that all pages have.
    pub common: Common,
    /// The version of the program.
    pub version: &'static str,
    /// The public URL, from which issuers and endpoints are derived.
    pub public_url: String,
    /// A command that fetches a token.
    pub command: String,
    /// The links to continue.
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
