"""Prints a token, or the status of the refusal. The library has no method for certificates: the client names itself, and requests presents them."""

import json
import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

session = OAuth2Session(os.environ["CLIENT"], token_endpoint_auth_method="none")
tls = {"verify": os.environ["CA"], "cert": (os.environ["CERTIFICATE"], os.environ["KEY"])}
try:
    answer = session.fetch_token(os.environ["ALIAS"], grant_type="client_credentials", scope="api:read", **tls)
    print(json.dumps([answer["access_token"]]))
except OAuthError as error:
    print(json.dumps([{"refused": 401 if error.error == "invalid_client" else str(error)}]))
