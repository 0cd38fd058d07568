//! How a client gets the groups of a person: the name of the claim, and where the claim is.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupsClaim {
    /// `groups`, `roles` or a URI.
    pub claim: String,
    pub places: Vec<ClaimPlace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimPlace {
    IdToken,
    Userinfo,
    AccessToken,
}

impl GroupsClaim {
    /// The scope that requests the claim, and the default name of the claim.
    pub const SCOPE: &str = "groups";

    #[must_use]
    pub fn is_in(&self, place: ClaimPlace) -> bool {
        self.places.contains(&place)
    }
}

/// Applications that read groups usually read the ID token, so it has them without a further setting.
impl Default for GroupsClaim {
    fn default() -> Self {
        let places = vec![ClaimPlace::IdToken, ClaimPlace::Userinfo];
        Self { claim: Self::SCOPE.to_owned(), places }
    }
}

values::named! {
    ClaimPlace { IdToken => "id_token", Userinfo => "userinfo", AccessToken => "access_token" }
}
