//! The API reference for developers: the body of the page, which is the same for all readers. The
//! texts come from the OpenAPI document.

use askama::Template;

use crate::texts::{Language, Texts};

/// All operations of a listener.
#[derive(Template)]
#[template(path = "views/reference.html")]
pub struct Reference {
    pub version: String,
    pub introduction: Vec<Paragraph>,
    /// The URL in the examples. The script replaces it by the URL of the reader's server.
    pub address: String,
    pub token: TokenPlace,
    /// What a reader needs to run the examples.
    pub examples: Said,
    pub groups: Vec<OperationGroup>,
    pub schemas: Vec<DescribedSchema>,
}

/// Text with inline code.
pub type Said = Vec<TextSpan>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSpan {
    Text(String),
    Code(String),
    Strong(String),
    /// The name of a schema, which becomes a link.
    Schema(String),
}

#[derive(Debug)]
pub enum Paragraph {
    Text(Said),
    Steps(Vec<Said>),
}

#[derive(Debug)]
pub enum TokenPlace {
    /// This listener has a token endpoint, so the page has a form for it.
    Here {
        /// With `{id}` for the tenant.
        path: String,
        fields: Vec<TokenField>,
        /// The same request as a shell command.
        command: String,
    },
    /// Another listener has the token endpoint.
    Elsewhere {
        /// A shell command for the address in the sample configuration.
        command: String,
    },
}

#[derive(Debug)]
pub struct TokenField {
    pub name: &'static str,
    /// The `type` of the input element.
    pub kind: &'static str,
    pub is_required: bool,
    /// The value for the sample configuration.
    pub sample: String,
}

/// A tag of the OpenAPI document.
#[derive(Debug)]
pub struct OperationGroup {
    /// From 1.
    pub number: usize,
    pub name: String,
    pub description: Said,
    pub operations: Vec<DescribedOperation>,
}

#[derive(Debug)]
pub struct DescribedOperation {
    /// The `operationId`, which is the anchor on the page.
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: Said,
    /// The credentials that a request needs.
    pub authorization: Said,
    /// Parameters of path, query and headers.
    pub parameters: Vec<ReferenceMember>,
    /// Media types, schema and description. `None` if the operation has no body.
    pub body: Option<Said>,
    /// A status, with its meaning and the schema of its body.
    pub answers: Vec<(String, Said)>,
    /// A shell command.
    pub request: Option<String>,
    /// The body of the response to that command.
    pub answer: Option<String>,
}

/// A parameter, or a member of an object.
#[derive(Debug)]
pub struct ReferenceMember {
    pub name: String,
    /// Type, location, and whether the value is required.
    pub kind: Said,
    pub description: Said,
}

#[derive(Debug)]
pub struct DescribedSchema {
    pub name: String,
    /// Type and description.
    pub description: Said,
    pub members: Vec<ReferenceMember>,
}

impl Reference {
    #[must_use]
    pub fn markup(&self) -> String {
        // Writing to a `String` fails only if the `Display` of a value fails. All values are texts.
        self.render().expect("texts can be written")
    }

    fn texts(&self) -> &'static Texts {
        Language::English.texts()
    }

    fn links(&self) -> [(&'static str, &'static str); 3] {
        let texts = self.texts();
        [
            (texts.reference_document, "openapi.json"),
            (texts.reference_errors, "docs/errors"),
            (texts.reference_settings, "docs/config.schema.json"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_the_document_is_escaped() {
        let markup = "\"'><script>";
        let said = || {
            [TextSpan::Text, TextSpan::Code, TextSpan::Strong, TextSpan::Schema]
                .map(|part| part(markup.to_owned()))
                .to_vec()
        };
        let member = || ReferenceMember { name: markup.to_owned(), kind: said(), description: said() };
        let operation = DescribedOperation {
            id: markup.to_owned(),
            method: markup.to_owned(),
            path: markup.to_owned(),
            summary: said(),
            authorization: said(),
            parameters: vec![member()],
            body: Some(said()),
            answers: vec![(markup.to_owned(), said())],
            request: Some(markup.to_owned()),
            answer: Some(markup.to_owned()),
        };
        let group = OperationGroup {
            number: 1,
            name: markup.to_owned(),
            description: said(),
            operations: vec![operation],
        };
        let schema =
            DescribedSchema { name: markup.to_owned(), description: said(), members: vec![member()] };
        let field =
            TokenField { name: "client_id", kind: "text", is_required: true, sample: markup.to_owned() };
        let page = Reference {
            version: markup.to_owned(),
            introduction: vec![Paragraph::Text(said()), Paragraph::Steps(vec![said()])],
            address: markup.to_owned(),
            token: TokenPlace::Here {
                path: markup.to_owned(),
                fields: vec![field],
                command: markup.to_owned(),
            },
            examples: said(),
            groups: vec![group],
            schemas: vec![schema],
        };
        let html = page.markup();
        assert!(!html.contains("<script") && !html.contains(markup), "{html}");
        assert_eq!(html.matches("<details id=\"&#34;&#39;&#62;&#60;script&#62;\">").count(), 1, "{html}");
    }
}
