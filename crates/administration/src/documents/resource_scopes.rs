//! The scopes of a resource server in its document: a list of names, or an object with a description of each.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tenancy::ResourceServer;

/// The scopes of a resource server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ResourceScopes {
    /// Names alone.
    Listed(Vec<String>),
    /// Names with their descriptions. Of a scope with an empty one nothing is said.
    Described(BTreeMap<String, String>),
}

impl ResourceScopes {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.described().map(|(name, _)| name)
    }

    /// The names with their descriptions, which are empty where nothing is said.
    pub fn described(&self) -> impl Iterator<Item = (&str, &str)> {
        let (listed, described) = match self {
            Self::Listed(names) => (Some(names), None),
            Self::Described(descriptions) => (None, Some(descriptions)),
        };
        let described = described.into_iter().flatten().map(|(name, text)| (name.as_str(), text.as_str()));
        listed.into_iter().flatten().map(|name| (name.as_str(), "")).chain(described)
    }

    /// The scopes as an object, of which a merge patch can change one scope.
    pub(crate) fn into_described(self) -> Self {
        match self {
            Self::Listed(names) => {
                Self::Described(names.into_iter().map(|name| (name, String::new())).collect())
            }
            described @ Self::Described(_) => described,
        }
    }
}

impl Default for ResourceScopes {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

/// A list as long as nothing is said of any scope.
impl From<&ResourceServer> for ResourceScopes {
    fn from(server: &ResourceServer) -> Self {
        let names = server.scopes.iter().map(|token| token.as_str().to_owned());
        if server.scope_descriptions.is_empty() {
            return Self::Listed(names.collect());
        }
        let description = |name: &str| server.scope_descriptions.get(name).cloned().unwrap_or_default();
        Self::Described(names.map(|name| (name.clone(), description(&name))).collect())
    }
}

/// The implementation is not derived: a derived one reads a file's `1e3` and `yes` as a number and a truth
/// value before it knows that texts are expected.
impl<'de> Deserialize<'de> for ResourceScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScopesVisitor;

        impl<'de> Visitor<'de> for ScopesVisitor {
            type Value = ResourceScopes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of scopes, or a description of each")
            }

            fn visit_unit<E: Error>(self) -> Result<ResourceScopes, E> {
                Ok(ResourceScopes::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<ResourceScopes, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(ResourceScopes::Listed)
            }

            fn visit_map<A: MapAccess<'de>>(self, scopes: A) -> Result<ResourceScopes, A::Error> {
                let scopes = BTreeMap::<_, Option<String>>::deserialize(MapAccessDeserializer::new(scopes))?;
                let scopes = scopes.into_iter().map(|(name, text)| (name, text.unwrap_or_default()));
                Ok(ResourceScopes::Described(scopes.collect()))
            }
        }

        deserializer.deserialize_any(ScopesVisitor)
    }
}
