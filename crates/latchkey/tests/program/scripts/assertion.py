"""Prints a token, or the status of the refusal. The library reads RSA keys only from PEM."""

import json
import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

method = PrivateKeyJWT(os.environ["AUDIENCE"], alg="RS256")
session = OAuth2Session("signer", os.environ["KEY"], token_endpoint_auth_method=method)
try:
    answer = session.fetch_token(os.environ["TOKEN_ENDPOINT"], grant_type="client_credentials", scope="api:read")
    print(json.dumps([answer["access_token"]]))
except OAuthError as error:
    print(json.dumps([{"refused": 401 if error.error == "invalid_client" else str(error)}]))
