//! The answer of the device authorization endpoint (RFC 8628 §3.2).

use serde::Serialize;

use crate::Secret;

/// The codes of a device: one for the device, and one for the person.
#[derive(Debug)]
pub struct DeviceAuthorizationResponse {
    /// The code with which the device polls.
    pub device_code: Secret,
    /// The code that the person types.
    pub user_code: String,
    /// The URL where the person types it.
    pub verification_uri: String,
    /// Seconds until the codes expire.
    pub expires_in: u64,
    /// Seconds between two polls.
    pub interval: u64,
}

impl DeviceAuthorizationResponse {
    /// The JSON document.
    ///
    /// # Errors
    /// The errors of the JSON library.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            device_code: &'a str,
            user_code: &'a str,
            verification_uri: &'a str,
            verification_uri_complete: String,
            expires_in: u64,
            interval: u64,
        }
        let Self { device_code, user_code, verification_uri, expires_in, interval } = self;
        serde_json::to_vec(&Members {
            device_code: device_code.expose(),
            user_code,
            verification_uri,
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            expires_in: *expires_in,
            interval: *interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [devices §3.2]: The answer has `device_code`, `user_code`, `verification_uri`, `expires_in`; here also
    //   `verification_uri_complete` and `interval`
    #[test]
    fn the_answer_has_its_members_and_a_log_has_no_code() {
        let response = DeviceAuthorizationResponse {
            device_code: Secret::new("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS".to_owned()),
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: "https://id.example/device".to_owned(),
            expires_in: 600,
            interval: 5,
        };
        let json = String::from_utf8(response.to_json().unwrap()).unwrap();
        let expected = concat!(
            r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS","user_code":"WDJB-MJHT","#,
            r#""verification_uri":"https://id.example/device","#,
            r#""verification_uri_complete":"https://id.example/device?user_code=WDJB-MJHT","expires_in":600,"interval":5}"#
        );
        assert_eq!(json, expected);
        assert!(!format!("{response:?}").contains("GmRh"));
    }
}
