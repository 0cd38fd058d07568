curl -X GET http://localhost:3000/api/v1/tenant/test-tenant/strategies
