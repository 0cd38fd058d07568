curl -kL -X POST https://localhost:8090/applications \
  -H 'Content-Type: application/json' \
  -H "Authorization: Bearer $ADMIN_TOKEN" \
  -d '{
    "name": "Backend Service",
    "description": "Backend service using client credentials grant type",
    "auth_flow_id": "auth_flow_config_basic",
    "inbound_auth_config": [
      {
        "type": "oauth2",
        "config": {
          "client_id": "backend_service_client",
          "client_secret": "backend_service_secret",
          "redirect_uris": [
            "https://localhost:3000"
          ],
          "grant_types": [
            "client_credentials"
          ],
          "token_endpoint_auth_method": "client_secret_basic",
          "pkce_required": false,
          "public_client": false,
          "scopes": [
            "api:read",
            "api:write"
          ],
          "token": {
            "issuer": "thunder",
            "access_token": {
              "validity_period": 3600
            }
          }
        }
      }
    ]
  }'
