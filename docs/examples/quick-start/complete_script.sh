#!/bin/bash

TENANT_ID="test-tenant"
CLIENT_ID="your-client-id"
CLIENT_SECRET="your-client-secret"
BASE_URL="http://localhost:3000"

echo "==> Requesting access token..."
RESPONSE=$(curl -s -X POST "$BASE_URL/api/v1/tenant/$TENANT_ID/oauth/token" \
  -H "Content-Type: application/x-www-form-urlencoded" \
  -d "grant_type=client_credentials" \
  -d "client_id=$CLIENT_ID" \
  -d "client_secret=$CLIENT_SECRET" \
  -d "scope=api:read api:write")

echo "$RESPONSE" | jq .

ACCESS_TOKEN=$(echo "$RESPONSE" | jq -r .access_token)

echo ""
echo "==> Access token obtained: ${ACCESS_TOKEN:0:50}..."
echo ""
echo "==> Making authenticated request..."

curl -X GET "$BASE_URL/api/v1/protected-resource" \
  -H "Authorization: Bearer $ACCESS_TOKEN"
