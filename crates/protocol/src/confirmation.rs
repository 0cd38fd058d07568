//! The `cnf` claim: the key whose possession the sender of a token must prove (RFC 7800 §3.1).

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Thumbprint;

const JKT: &str = "jkt";
const X5T_S256: &str = "x5t#S256";

/// At least one member is present. A token with both members needs both proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// The thumbprint of the DPoP key (RFC 9449 §6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    jkt: Option<Thumbprint>,
    /// The thumbprint of the client certificate (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    x5t_s256: Option<Thumbprint>,
}

impl Confirmation {
    /// `None` if both are absent, because an empty `cnf` would confirm nothing.
    #[must_use]
    pub const fn new(jkt: Option<Thumbprint>, x5t_s256: Option<Thumbprint>) -> Option<Self> {
        if jkt.is_none() && x5t_s256.is_none() { None } else { Some(Self { jkt, x5t_s256 }) }
    }

    /// The thumbprint of the DPoP key, if the token is bound to a key.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        self.jkt
    }

    /// The thumbprint of the client certificate, if the token is bound to one.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        self.x5t_s256
    }
}

/// Written by hand, because a derived implementation would ignore an unknown member, and the server
/// would accept the token without the proof that the member requires.
impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ConfirmationMembers;
        impl<'de> Visitor<'de> for ConfirmationMembers {
            type Value = Confirmation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a confirmation with `jkt` or `x5t#S256`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut jkt, mut x5t_s256) = (None, None);
                while let Some(name) = map.next_key::<String>()? {
                    let member = match name.as_str() {
                        JKT => &mut jkt,
                        X5T_S256 => &mut x5t_s256,
                        _ => return Err(A::Error::unknown_field(&name, &[JKT, X5T_S256])),
                    };
                    if member.replace(map.next_value()?).is_some() {
                        return Err(A::Error::custom("a member of the confirmation appears twice"));
                    }
                }
                Confirmation::new(jkt, x5t_s256).ok_or_else(|| A::Error::custom("an empty confirmation"))
            }
        }
        deserializer.deserialize_map(ConfirmationMembers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [dpop RFC 9449 §6.1], [mutual-tls RFC 8705 §3.1]
    #[test]
    fn confirmation_has_only_jkt_and_x5t_s256() {
        let (jkt, certificate) = (Thumbprint::new([1; 32]), Thumbprint::new([2; 32]));
        for (jkt, certificate, json) in [
            (Some(jkt), None, format!(r#"{{"jkt":"{jkt}"}}"#)),
            (None, Some(certificate), format!(r#"{{"x5t#S256":"{certificate}"}}"#)),
            (Some(jkt), Some(certificate), format!(r#"{{"jkt":"{jkt}","x5t#S256":"{certificate}"}}"#)),
        ] {
            let confirmation = Confirmation::new(jkt, certificate).unwrap();
            assert_eq!(serde_json::to_string(&confirmation).unwrap(), json);
            assert_eq!(serde_json::from_str::<Confirmation>(&json).unwrap(), confirmation);
        }
        let bad = r#"{} null [] "JKT" ["JKT","JKT"] {"jkt":null} {"jkt":""} {"jkt":7} {"jkt":"JKT","jkt":"JKT"}
            {"jkt":"JKT","x5t#S256":null} {"jkt":"JKT","kid":"a"} {"jwk":{},"jkt":"JKT"}"#;
        let bad = bad.split_whitespace().map(|json| json.replace("JKT", &jkt.to_string()));
        for json in bad.chain([format!(r#"{{"JKT":"{jkt}"}}"#)]) {
            assert!(serde_json::from_str::<Confirmation>(&json).is_err(), "{json}");
        }
    }
}
