"""Prints a token from Authlib and one from the MCP SDK for an assertion of a platform, or the status of the refusal."""

import asyncio
import json
import os

import httpx2
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.common.urls import add_params_to_qs
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider, static_assertion_provider
from mcp.shared.auth import OAuthMetadata

ISSUER, ASSERTION = os.environ["ISSUER"], os.environ["ASSERTION"]
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def authlib():
    def presenting(client, method, uri, headers, body):
        more = [("client_id", client.client_id), ("client_assertion_type", TYPE), ("client_assertion", ASSERTION)]
        return uri, headers, add_params_to_qs(body, more)

    session = OAuth2Session("billing", None, token_endpoint_auth_method="workload")
    session.register_client_auth_method(("workload", presenting))
    try:
        answer = session.fetch_token(os.environ["TOKEN_ENDPOINT"], grant_type="client_credentials", scope="api:read")
        return answer["access_token"]
    except OAuthError as error:
        return {"refused": 401 if error.error == "invalid_client" else str(error)}


class NoStorage:
    async def get_tokens(self):
        return None


async def mcp():
    provider = PrivateKeyJWTOAuthProvider(
        "https://mcp.example.com/mcp", NoStorage(), "billing", static_assertion_provider(ASSERTION), "api:read", ISSUER
    )
    await provider._initialize()
    found = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server")
    provider.context.oauth_metadata = OAuthMetadata.model_validate(found.json())
    request = await provider._exchange_token_client_credentials()
    async with httpx2.AsyncClient() as client:
        answer = await client.send(request)
    return answer.json()["access_token"] if answer.status_code == 200 else {"refused": answer.status_code}


print(json.dumps([authlib(), asyncio.run(mcp())]))
