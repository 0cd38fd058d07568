//! A tenant's logo in the admin API. A request contains the picture once; later responses contain
//! its hash, only at its own tenant.

use base64::prelude::BASE64_STANDARD;

use crate::prelude::*;

const PNG: &[u8] = include_bytes!("../../../testkit/images/logo.png");
const WEBP: &[u8] = include_bytes!("../../../testkit/images/logo.webp");

fn picture(bytes: &[u8]) -> Value {
    json!({ "data": BASE64_STANDARD.encode(bytes) })
}

fn logo(picture: Value) -> Value {
    json!({ "branding": { "logo": picture } })
}

impl TestEnv {
    /// The picture, or the status of an error.
    async fn shown(&self, tenant: &str, hash: &str) -> Result<Vec<u8>, u16> {
        let path = tenant_path(tenant, &format!("/oauth/logo/{hash}"));
        let answer = self.app.request(Method::GET, &path).send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap().to_vec();
        if status == 200 { Ok(bytes) } else { Err(status) }
    }
}

#[tokio::test]
async fn logo_is_served_at_its_tenant_until_replaced() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (id, other) in [("initech", "umbrella"), ("umbrella", "initech")] {
        let path = format!("{TENANTS}/{id}");
        let made = test_env
            .post(
                &ops,
                TENANTS,
                json!({ "id": id, "branding": { "logo": picture(PNG), "logo_dark": picture(WEBP) } }),
            )
            .await
            .json_of(201);
        let branding = &made["branding"];
        let [light, dark] =
            ["logo", "logo_dark"].map(|name| branding[name]["hash"].as_str().unwrap().to_owned());
        assert_eq!(branding["logo"], json!({ "hash": light }));
        assert_eq!(test_env.shown(id, &light).await.unwrap(), PNG);
        assert_eq!(test_env.shown(id, &dark).await.unwrap(), WEBP);

        // A caller sends the shown document back. The tenant keeps its logos.
        let renamed = json!({ "name": "Renamed", "branding": branding });
        assert_eq!(test_env.patch(&ops, &path, renamed).await.json_of(200)["branding"], *branding);
        assert_eq!(test_env.shown(id, &light).await.unwrap(), PNG);

        let replaced = test_env.patch(&ops, &path, logo(picture(WEBP))).await;
        assert_eq!(replaced.json()["branding"]["logo"]["hash"], dark.as_str(), "{}", replaced.body);
        assert_eq!(test_env.shown(id, &light).await, Err(404));
        assert_eq!(test_env.shown(id, &dark).await.unwrap(), WEBP, "both schemes have it");
        // The hash of another tenant's logo, or of a removed one, is refused.
        let refused = test_env.patch(&ops, &path, logo(json!({ "hash": light }))).await;
        refused.assert_problem(400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/branding/logo/hash");
        let audit = test_env.get(&ops, &format!("/api/v1/tenant/{id}/audit")).await;
        assert!(audit.body.contains(&dark) && !audit.body.contains("data"), "{}", audit.body);

        let none = json!({ "branding": { "logo": null, "logo_dark": null } });
        assert_eq!(test_env.patch(&ops, &path, none).await.json()["branding"]["logo"], Value::Null);
        assert_eq!(test_env.shown(id, &dark).await, Err(404));
        assert_eq!(test_env.patch(&ops, &path, logo(picture(PNG))).await.status, 200);
        assert!(test_env.shown(other, &dark).await.is_err());
    }
}

/// A body has room for the largest picture in both schemes. An error contains the pointer of the
/// invalid picture.
#[tokio::test]
async fn largest_logo_is_accepted_and_invalid_one_refused() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for id in ["initech", "umbrella"] {
        let path = format!("{TENANTS}/{id}");
        test_env.post(&ops, TENANTS, json!({ "id": id })).await;
        let largest = [PNG, &vec![0; 256 * 1024 - PNG.len()]].concat();
        let both = json!({ "branding": { "logo": picture(&largest), "logo_dark": picture(&largest) } });
        test_env.patch(&ops, &path, both).await.assert_status(200);
        for (sent, pointer) in [
            (picture(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "/branding/logo/data"),
            (picture(b"GIF89a"), "/branding/logo/data"),
            (picture(&[&largest[..], b"0"].concat()), "/branding/logo/data"),
            (json!({ "data": "%" }), "/branding/logo/data"),
            (json!({ "file": "logo.png" }), "/branding/logo/file"),
            (json!("logo.png"), "/branding/logo"),
        ] {
            let refused = test_env.patch(&ops, &path, logo(sent)).await;
            refused.assert_problem(400, "invalid-request");
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
        let beyond = logo(json!({ "data": "A".repeat(768 * 1024) }));
        test_env.patch(&ops, &path, beyond).await.assert_problem(413, "unreadable-body");
    }
    // A token for administering a tenant is refused for administering the platform.
    let boss = test_env.token(ACME, BOSS).await;
    let patch = Ask { body: Some(logo(picture(PNG))), ..ask(Method::PATCH, "/api/v1/admin/tenants/initech") };
    assert_eq!(test_env.ask(&boss, patch).await.status, 401);
}
