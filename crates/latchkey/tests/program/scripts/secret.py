"""Prints a token for each way to send a secret, or the status of the refusal."""

import json
import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

results = []
for method in ["client_secret_basic", "client_secret_post"]:
    session = OAuth2Session("svc", os.environ["SECRET"], token_endpoint_auth_method=method)
    try:
        answer = session.fetch_token(os.environ["TOKEN_ENDPOINT"], grant_type="client_credentials", scope="api:read")
        results.append(answer["access_token"])
    except OAuthError as error:
        results.append({"refused": 401 if error.error == "invalid_client" else str(error)})
print(json.dumps(results))
