//! `POST …/clients/{client}/explain` for API keys: the explanation contains the response of the
//! token endpoint, with the scopes of the key.

use crate::api_keys::{DAY, with_wrong_checksum};
use crate::explanations::Explained;
use crate::prelude::*;

#[tokio::test]
async fn explanation_of_an_api_key_agrees_with_token_endpoint() {
    capture();
    let test_env = TestEnv::start();
    for (tenant, other) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let settings = || json!({ "name": "n", "scopes": ["api:read"] });
        let [live, revoked] = [keys.make(settings()).await, keys.make(settings()).await];
        let foreign = Keys::new(&test_env, other).await.make(settings()).await;
        test_env.delete(&keys.token, &revoked.path).await.assert_status(200);
        let malformed = with_wrong_checksum(&live.text);
        for (client, key, scope, status, reason) in [
            (SVC, live.text.as_str(), "", 200, ""),
            (SVC, &live.text, "api:read", 200, ""),
            (SVC, &live.text, "api:write", 400, "scope_not_registered"),
            (WRITER, &live.text, "", 401, "api_key_of_other_client"),
            (SVC, &revoked.text, "", 401, "revoked_api_key"),
            (SVC, &foreign.text, "", 401, "unknown_api_key"),
            (SVC, &malformed, "", 401, "malformed_api_key"),
        ] {
            let form = [("client_id", client), ("client_secret", key), ("scope", scope)];
            let answer = keys.exchange(None, &form).await;
            let line = line_of(&answer).await;
            let body = json!({ "client_secret": key, "scope": scope });
            let explained = Explained::fetch(&test_env, &keys.token, (tenant, client), body).await;
            assert_eq!((answer.status, line.get("reason")), (status, reason), "{client}");
            explained.assert_result(status, reason);
            assert!(!explained.to_string().contains(key), "{}", *explained);
            let refused_by = [(401, "api_key"), (400, "scope")].iter().find(|(of, _)| *of == status);
            assert_eq!(explained["result"]["check"].as_str(), refused_by.map(|(_, check)| *check));
            let detail = text(explained.check("api_key"), "detail");
            assert!(detail.contains(protocol::api_key_name(key).unwrap()), "{detail}");
        }

        let id = text(&live.view, "id");
        let explain = async |token: &str, scope: &str| {
            let body = json!({ "client_secret": live.text, "scope": scope });
            Explained::fetch(&test_env, token, (tenant, SVC), body).await
        };
        let explained = explain(&keys.token, "api:write").await;
        assert_eq!(explained["credential"]["matched"], id);
        let audience = "The audience is api: the API key's audiences, because no resource is requested.";
        assert_eq!(explained.check("audience")["detail"], audience);
        assert!(text(explained.check("scope"), "fix").contains("latchkey api-key add"), "{}", *explained);
        // The token expires with the key.
        test_env.app.pass(10 * DAY - 60);
        let token = &explain(&test_env.token(tenant, BOSS).await, "").await["token"];
        let found = (&token["lifetime"], &token["claims"]["api_key"], &token["claims"]["scope"]);
        assert_eq!(found, (&json!(60), &json!(id), &json!("api:read")));
        test_env.app.pass(60);
        let ended = explain(&test_env.token(tenant, BOSS).await, "").await;
        ended.assert_result(401, "expired_api_key");
        let detail = text(ended.check("api_key"), "detail");
        let expected = format!("The API key is {id} of the client, which expired at 20");
        assert!(detail.starts_with(&expected), "{detail}");
        // The explanation shows the scopes of the expired key, because an operator may create a
        // replacement.
        assert_eq!(ended["scopes"], json!([{ "scope": "api:read", "result": "granted" }]));
        assert!(ended["token"]["claims"].get("api_key").is_none(), "{}", *ended);
    }
}
