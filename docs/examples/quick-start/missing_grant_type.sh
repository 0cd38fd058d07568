curl -X POST http://localhost:3000/api/v1/tenant/test-tenant/oauth/token \
  -H "Content-Type: application/x-www-form-urlencoded" \
  -d "client_id=your-client-id" \
  -d "client_secret=your-client-secret"
