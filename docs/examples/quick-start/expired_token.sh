curl -X GET http://localhost:3000/api/v1/protected-resource \
  -H "Authorization: Bearer expired-token"
