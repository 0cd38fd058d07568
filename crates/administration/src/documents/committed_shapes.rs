//! The shapes of documents in committed files. `cargo xtask codegen` writes the files from the schemas of the
//! types, and a test compares them. A file has an object for each document. A value is a word for its kind,
//! the limits of a number, a list with the value of its items, or an object. The member `*` of an object is
//! the value of all members that are not named.

#[cfg(feature = "schemas")]
mod made;

use serde_json::{Map, Value};

use super::{
    AccountSettings, AccountView, ApiKeySettings, ApiKeyView, ClaimsSettings, ClientPatch, ClientSettings,
    ClientView, ExplainSettings, ImportSettings, ImportedAccount, KeyView, NewAccount, NewClient,
    NewPasswordSettings, NewSecretSettings, NewTenant, RefusalView, ResourceServerSettings,
    RotateApiKeySettings, RotateSettings, SecretEndSettings, Shape, TenantSettings, TenantView,
};

#[cfg(feature = "schemas")]
pub use made::written;

/// The member for all members that are not named.
const OTHERS: &str = "*";

pub trait Shaped {
    fn shape() -> Shape;
}

/// The shapes of one file.
#[derive(Debug)]
pub struct CommittedShapes(Map<String, Value>);

impl CommittedShapes {
    /// Reads the text of the file.
    ///
    /// # Panics
    /// If `cargo xtask codegen` did not write the text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("shapes are JSON"))
    }

    /// The shape of the type with this name.
    ///
    /// # Panics
    /// If the file has no such shape.
    #[must_use]
    pub fn of(&self, name: &str) -> Shape {
        shape(self.0.get(name).expect("each document has its shape"))
    }
}

/// Implements [`Shaped`] for these types, from a committed file.
#[macro_export]
macro_rules! shaped {
    ($file:literal: $($document:ident),+ $(,)?) => {
        static SHAPES: std::sync::LazyLock<$crate::documents::CommittedShapes> =
            std::sync::LazyLock::new(|| $crate::documents::CommittedShapes::read(include_str!($file)));

        $(impl $crate::documents::Shaped for $document {
            fn shape() -> $crate::documents::Shape {
                SHAPES.of(stringify!($document))
            }
        })+

        /// The content of the file, as the types require it.
        #[cfg(feature = "schemas")]
        #[must_use]
        pub fn shapes() -> String {
            $crate::documents::written(&[$((stringify!($document), $crate::documents::Shape::of_schema_of::<$document>())),+])
        }
    };
}

shaped!("shapes.json":
    AccountSettings, AccountView, ApiKeySettings, ApiKeyView, ClaimsSettings, ClientPatch, ClientSettings,
    ClientView, ExplainSettings, ImportSettings, ImportedAccount, KeyView, NewAccount, NewClient, NewPasswordSettings,
    NewSecretSettings, NewTenant, RefusalView, ResourceServerSettings, RotateApiKeySettings, RotateSettings,
    SecretEndSettings, TenantSettings, TenantView,
);

fn shape(value: &Value) -> Shape {
    match value {
        Value::String(word) => match word.as_str() {
            "text" => Shape::Text,
            "instant" => Shape::Instant,
            "span" => Shape::Span,
            "rate" => Shape::Rate,
            "switch" => Shape::Switch,
            "described" => Shape::Described,
            limits => number(limits).unwrap_or(Shape::Any),
        },
        Value::Array(items) => Shape::List(Box::new(items.first().map_or(Shape::Any, shape))),
        Value::Object(all) => {
            let named = all.iter().filter(|(name, _)| *name != OTHERS);
            Shape::Object {
                members: named.map(|(name, member)| (name.clone(), shape(member))).collect(),
                others: all.get(OTHERS).map(|others| Box::new(shape(others))),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Shape::Any,
    }
}

/// Parses `1..` or `1..100`.
fn number(limits: &str) -> Option<Shape> {
    let (least, most) = limits.split_once("..")?;
    let most = if most.is_empty() { u64::MAX } else { most.parse().ok()? };
    Some(Shape::Number { least: least.parse().ok()?, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_shapes_are_current() {
        assert!(shapes() == include_str!("shapes.json"), "run `cargo xtask codegen`");
    }

    #[test]
    fn shapes_round_trip() {
        for (name, made) in [
            ("NewTenant", Shape::of_schema_of::<NewTenant>()),
            ("ClientView", Shape::of_schema_of::<ClientView>()),
            ("ImportedAccount", Shape::of_schema_of::<ImportedAccount>()),
        ] {
            assert_eq!(SHAPES.of(name), made, "{name}");
        }
        let texts = r#"{"all": {"a": "any", "b": ["0..4294967295"], "c": "7..", "*": "described"}}"#;
        let all = CommittedShapes::read(texts).of("all");
        let again =
            "{\n\"all\": {\"*\":\"described\",\"a\":\"any\",\"b\":[\"0..4294967295\"],\"c\":\"7..\"}\n}\n";
        assert_eq!(written(&[("all", all)]), again);
    }
}
