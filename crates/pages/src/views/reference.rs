//! The reference of the API, for developers: what is in the body of a page. It is the same for all readers.
//! Its texts are those of the OpenAPI document.

use askama::Template;

use crate::texts::{Language, Texts};

/// All operations that a listener serves.
#[derive(Template)]
#[template(path = "views/reference.html")]
pub struct Reference {
    /// The version of the program.
    pub version: String,
    /// What the API is.
    pub introduction: Vec<Paragraph>,
    /// The address that the examples call. The script puts that of the reader in its place.
    pub address: String,
    /// How a reader gets a token.
    pub token: TokenPlace,
    /// What the examples need.
    pub examples: Said,
    /// The operations, by what they are for.
    pub groups: Vec<OperationGroup>,
    /// The schemas of their bodies.
    pub schemas: Vec<DescribedSchema>,
}

/// A text with its words of code.
pub type Said = Vec<TextSpan>;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSpan {
    /// Plain words.
    Text(String),
    /// Code.
    Code(String),
    /// Important words.
    Strong(String),
    /// The name of a schema.
    Schema(String),
}

/// A paragraph of the introduction.
#[derive(Debug)]
pub enum Paragraph {
    /// A paragraph of text.
    Text(Said),
    /// A numbered list.
    Steps(Vec<Said>),
}

/// How a reader gets a token.
#[derive(Debug)]
pub enum TokenPlace {
    /// This listener serves the token endpoint.
    Here {
        /// Its path, with `{id}` for the tenant.
        path: String,
        /// Fields of the form.
        fields: Vec<TokenField>,
        /// A command that does so.
        command: String,
    },
    /// Another listener does.
    Elsewhere {
        /// The command, with the address of the sample configuration.
        command: String,
    },
}

/// A field of the form that fetches a token.
#[derive(Debug)]
pub struct TokenField {
    /// Its name.
    pub name: &'static str,
    /// The type of its input.
    pub kind: &'static str,
    /// Whether it is needed.
    pub is_required: bool,
    /// Its value in the sample configuration.
    pub sample: String,
}

/// Operations that belong together.
#[derive(Debug)]
pub struct OperationGroup {
    /// Its number on the page, from 1.
    pub number: usize,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Said,
    /// Its operations.
    pub operations: Vec<DescribedOperation>,
}

/// An operation.
#[derive(Debug)]
pub struct DescribedOperation {
    /// Its name in the document, which is its anchor.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// What it does.
    pub summary: Said,
    /// What authorizes a request.
    pub authorization: Said,
    /// What path, query and head have.
    pub parameters: Vec<ReferenceMember>,
    /// The body, if it has one: its media types and its schema, and what is said of it.
    pub body: Option<Said>,
    /// Statuses, what each means, and the schema of its body.
    pub answers: Vec<(String, Said)>,
    /// A command for a shell.
    pub request: Option<String>,
    /// The body of its answer.
    pub answer: Option<String>,
}

/// A parameter, or a member of an object.
#[derive(Debug)]
pub struct ReferenceMember {
    /// Its name.
    pub name: String,
    /// What kind of value it has, where it is, and whether it is needed.
    pub kind: Said,
    /// Its description.
    pub description: Said,
}

/// A schema.
#[derive(Debug)]
pub struct DescribedSchema {
    /// Its name.
    pub name: String,
    /// What kind of value it is of, and what it is for.
    pub description: Said,
    /// The members of an object.
    pub members: Vec<ReferenceMember>,
}

impl Reference {
    /// The markup.
    #[must_use]
    pub fn markup(&self) -> String {
        // Writing into a `String` fails only where a value's own `Display` does, and values are texts.
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
    fn markup_in_the_document_is_text() {
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
