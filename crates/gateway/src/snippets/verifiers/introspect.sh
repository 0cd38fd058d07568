curl -sS {introspection} \
  --data-urlencode {id} \
  --data-urlencode "client_secret=$CLIENT_SECRET" \
  --data-urlencode "token=$TOKEN"
