# Signs a person in with Authlib and a browser without script, and prints the results.
import json
import os
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken

env = os.environ
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
redirect_uri = env["REDIRECT_URI"]
metadata = requests.get(env["ISSUER"] + "/.well-known/openid-configuration").json()
keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())

def client():
    return OAuth2Session(
        "web", env["SECRET"], scope="openid profile email", redirect_uri=redirect_uri, code_challenge_method="S256"
    )


def refused(action):
    try:
        action()
    except Exception as error:  # the library has many
        return error.error if isinstance(error, OAuthError) and error.error else "refused"
    return "accepted"


def claims(token, nonce, issuer):
    options = {"iss": {"values": [issuer]}, "aud": {"values": ["web"]}}
    found = jwt.decode(token, keys, claims_cls=CodeIDToken, claims_options=options, claims_params={"nonce": nonce})
    found.validate()
    return found


session = client()
nonce, verifier = generate_token(20), generate_token(48)
url, state = session.create_authorization_url(metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier)
back = sign_in(url)


def fetch(session, back, state):
    return session.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )


try:
    fetch(client(), back, "another")
    other_state = "accepted"
except Exception as error:
    other_state = type(error).__name__
tokens = fetch(session, back, state)
person = claims(tokens["id_token"], nonce, env["ISSUER"])
renewed = session.refresh_token(metadata["token_endpoint"], refresh_token=tokens["refresh_token"])
refreshed = claims(renewed["id_token"], None, env["ISSUER"])["auth_time"] == person["auth_time"]
userinfo = session.get(metadata["userinfo_endpoint"]).json()
assert userinfo["sub"] == person["sub"]
out = metadata["end_session_endpoint"] + "?"
out += urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": redirect_uri})
replay = refused(lambda: fetch(client(), back, state))
signed_out = goes_on(visit("GET", out))
again, _ = client().create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, prompt="none"
)
after = parse_qs(urlsplit(goes_on(visit("GET", again))).query)["error"][0]
print(
    json.dumps(
        {
            "name": userinfo["name"],
            "userinfo": userinfo["email"],
            "otherState": other_state,
            "otherNonce": refused(lambda: claims(tokens["id_token"], "another", env["ISSUER"])),
            "otherIssuer": refused(lambda: claims(tokens["id_token"], nonce, env["OTHER_ISSUER"])),
            "refreshed": refreshed and renewed["refresh_token"] != tokens["refresh_token"],
            "replay": replay,
            "signedOut": signed_out,
            "after": after,
        }
    )
)
