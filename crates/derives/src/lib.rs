//! Derive macros in addition to those of libraries: for types that are serialized as text, for documents
//! without absent members, and a `JsonSchema` that generates nothing. The macros work on tokens without a
//! parser for Rust, so the crate compiles in less than a second. The text macros accept types without type
//! parameters; the macro for absent members accepts structs with named fields. Other types do not compile.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Implements `serde::Serialize` with the text of `Display`.
#[proc_macro_derive(SerializeDisplay)]
pub fn serialize_display(item: TokenStream) -> TokenStream {
    let name = name_of(item);
    code(&format!(
        "#[automatically_derived]
        impl ::serde::Serialize for {name} {{
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {{
                serializer.collect_str(self)
            }}
        }}"
    ))
}

/// Implements `as_str` for a struct around one text.
#[proc_macro_derive(AsStr)]
pub fn as_str(item: TokenStream) -> TokenStream {
    let name = name_of(item);
    code(&format!(
        "#[automatically_derived]
        impl {name} {{
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {{
                &self.0
            }}
        }}"
    ))
}

/// Implements `serde::Deserialize` with `FromStr`.
#[proc_macro_derive(DeserializeFromStr)]
pub fn deserialize_from_str(item: TokenStream) -> TokenStream {
    let name = name_of(item);
    code(&format!(
        "#[automatically_derived]
        impl<'de> ::serde::Deserialize<'de> for {name} {{
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {{
                struct Text;
                impl ::serde::de::Visitor<'_> for Text {{
                    type Value = {name};

                    fn expecting(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{
                        formatter.write_str(\"a string\")
                    }}

                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> ::core::result::Result<{name}, E> {{
                        text.parse().map_err(E::custom)
                    }}
                }}
                deserializer.deserialize_str(Text)
            }}
        }}"
    ))
}

/// Replaces the derive of `schemars` in builds without schemas, such as the program. It accepts the
/// attributes and generates no code.
#[proc_macro_derive(JsonSchema, attributes(schemars))]
pub fn json_schema(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Makes serde skip each `Option` field that is `None`. Must be placed above `derive(Serialize)`.
#[proc_macro_attribute]
pub fn skip_serializing_none(_: TokenStream, item: TokenStream) -> TokenStream {
    let members = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let mut skipping = Group::new(Delimiter::Brace, skip_none(group.stream()));
            skipping.set_span(group.span());
            skipping.into()
        }
        other => other,
    };
    item.into_iter().map(members).collect()
}

/// The name after `struct` or `enum`.
fn name_of(item: TokenStream) -> String {
    let is_keyword = |token: &TokenTree| matches!(token.to_string().as_str(), "struct" | "enum");
    let mut tokens = item.into_iter().skip_while(|token| !is_keyword(token)).skip(1);
    tokens.next().expect("a struct or an enum has a name").to_string()
}

/// Adds an attribute before each `Option` field. A comma within angle brackets does not end a field.
fn skip_none(members: TokenStream) -> TokenStream {
    let (mut all, mut member, mut depth) = (TokenStream::new(), Vec::new(), 0);
    for token in members {
        let ends = match &token {
            TokenTree::Punct(sign) => {
                depth += i32::from(sign.as_char() == '<') - i32::from(sign.as_char() == '>');
                sign.as_char() == ',' && depth == 0
            }
            _ => false,
        };
        member.push(token);
        if ends {
            append(&mut all, std::mem::take(&mut member));
        }
    }
    append(&mut all, member);
    all
}

fn append(all: &mut TokenStream, member: Vec<TokenTree>) {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ':');
    let type_of = member.iter().skip_while(|token| !is_colon(token)).nth(1);
    if type_of.is_some_and(|token| token.to_string() == "Option") {
        all.extend(code("#[serde(skip_serializing_if = \"Option::is_none\")]"));
    }
    all.extend(member);
}

fn code(text: &str) -> TokenStream {
    text.parse().expect("the text is Rust")
}
