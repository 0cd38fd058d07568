curl -kL -X POST https://localhost:8090/oauth2/token \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -u 'backend_service_client:backend_service_secret' \
  -d 'grant_type=client_credentials' \
  -d 'scope=api:read api:write'
