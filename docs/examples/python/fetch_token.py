"""Fetches a token. `latchkey tenant add` prints the lines between the two marks with the tenant's own values."""

# snippet
import os, requests

answer = requests.post("http://localhost:3000/api/v1/tenant/globex/oauth/token", data={
    "grant_type": "client_credentials",
    "client_id": "shipping",
    "client_secret": os.environ["CLIENT_SECRET"],
}, timeout=10)
answer.raise_for_status()
access_token = answer.json()["access_token"]
# end of snippet

resource = requests.get(
    "http://localhost:3000/api/v1/protected-resource", headers={"Authorization": f"Bearer {access_token}"}, timeout=10
)
print(resource.text)
