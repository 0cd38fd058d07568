//! The credential that kubectl reads from a plugin (`client.authentication.k8s.io`).

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use values::Timestamp;

use crate::profiles::CachedToken;

const GROUP: &str = "client.authentication.k8s.io";

/// The version that kubectl requests in `KUBERNETES_EXEC_INFO`, or the stable version.
pub(super) fn version(info: Option<&str>) -> anyhow::Result<&'static str> {
    let Some(text) = info.filter(|text| !text.is_empty()) else { return Ok("v1") };
    let document: Value = serde_json::from_str(text).context("KUBERNETES_EXEC_INFO is not valid JSON")?;
    let asked = document["apiVersion"].as_str().unwrap_or_default();
    let versions = ["v1", "v1beta1"];
    match versions.into_iter().find(|version| asked == format!("{GROUP}/{version}")) {
        Some(version) => Ok(version),
        None => {
            bail!("KUBERNETES_EXEC_INFO: unknown apiVersion. Set {GROUP}/v1 or {GROUP}/v1beta1 in kubeconfig")
        }
    }
}

pub(super) fn text(token: &CachedToken, version: &str) -> String {
    let expires_at = Timestamp::from_seconds(token.expires_at).to_rfc3339();
    let document = json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": "ExecCredential",
        "status": { "token": token.access_token, "expirationTimestamp": expires_at }
    });
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_chooses_the_version() {
        assert_eq!(version(None).unwrap(), "v1");
        let of = |text: &str| version(Some(text)).map_err(|error| error.to_string());
        assert_eq!(of(""), Ok("v1"));
        assert_eq!(of(r#"{"apiVersion":"client.authentication.k8s.io/v1beta1"}"#), Ok("v1beta1"));
        assert!(
            of(r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#)
                .unwrap_err()
                .contains("kubeconfig")
        );
        assert!(of("x").is_err());
    }
}
