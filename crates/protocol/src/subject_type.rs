//! Whether all clients see the same `sub` for a person (OpenID Connect Core §8).

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// All clients see the same `sub`.
    #[default]
    Public,
    /// Each sector has its own `sub`, so that two sectors cannot find out that they know the same
    /// person.
    Pairwise,
}

values::named!(SubjectType { Public => "public", Pairwise => "pairwise" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_the_stored_form() {
        assert_eq!(SubjectType::NAMED.map(|(name, _)| name), SubjectType::NAMES);
        for (name, subject_type) in SubjectType::NAMED {
            assert_eq!(subject_type.as_str(), name);
            assert_eq!(serde_json::to_value(subject_type).unwrap(), name);
        }
    }
}
