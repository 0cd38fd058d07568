# Gets tokens as a public client with Authlib, and prints the results.
import json
import os

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt

env = os.environ
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def metadata_of(issuer):
    return requests.get(issuer + "/.well-known/openid-configuration").json()


metadata, other = metadata_of(env["ISSUER"]), metadata_of(env["OTHER_ISSUER"])
keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())


def signed_in(at, password):
    """A session with an answer to its request, and its verifier."""
    browser.cookies.clear()
    session = OAuth2Session(
        "spa",
        scope="openid email offline_access",
        redirect_uri=env["REDIRECT_URI"],
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    )
    verifier = generate_token(48)
    url, _ = session.create_authorization_url(at["authorization_endpoint"], code_verifier=verifier)
    return session, sign_in(url, password), verifier


def redeem(session, back, verifier):
    return session.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier)


def refused(action):
    try:
        action()
    except OAuthError as error:
        return error.error
    return "accepted"


session, back, verifier = signed_in(metadata, env["PASSWORD"])
tokens = redeem(session, back, verifier)
first = session.refresh_token(metadata["token_endpoint"], refresh_token=tokens["refresh_token"])
second = session.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
reuse = refused(lambda: session.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"]))
session, back, _ = signed_in(metadata, env["PASSWORD"])
other_verifier = refused(lambda: redeem(session, back, generate_token(48)))
foreign = signed_in(other, env["OTHER_PASSWORD"])
print(
    json.dumps(
        {
            "library": "Authlib",
            "issuer": jwt.decode(tokens["id_token"], keys)["iss"],
            "refreshTokens": len({answer["refresh_token"] for answer in (tokens, first, second)}),
            "reuse": reuse,
            "otherVerifier": other_verifier,
            "otherTenant": refused(lambda: redeem(*foreign)),
        }
    )
)
