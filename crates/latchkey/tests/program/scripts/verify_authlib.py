# Verifies a token for each question on standard input, and prints the result. Finds the endpoints in the
# metadata. Authlib does not fetch keys: this does, and again for an unknown `kid`.
import base64
import json
import sys

import requests
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.errors import JoseError


class OfKeys(JWTBearerTokenValidator):
    def __init__(self, question):
        super().__init__(question["issuer"], question["audience"])
        answer = requests.get(question["metadata"], timeout=20).json()
        self.metadata = AuthorizationServerMetadata(answer)
        self.metadata.validate()
        self.jwks = {"keys": []}

    def get_jwks(self):
        return self.jwks

    def check(self, token):
        head = token.split(".")[0]
        kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
        if kid not in [key["kid"] for key in self.jwks["keys"]]:
            self.jwks = requests.get(self.metadata["jwks_uri"], timeout=20).json()
        claims = self.authenticate_token(token)
        self.validate_token(claims, ["api:read"], None)
        return dict(claims)


class OfIntrospection(IntrospectTokenValidator):
    def __init__(self, question, metadata):
        super().__init__()
        self.audience, self.endpoint = question["audience"], metadata["introspection_endpoint"]
        self.auth = tuple(question["introspection"])

    def introspect_token(self, token):
        return requests.post(self.endpoint, data={"token": token}, auth=self.auth, timeout=20).json()

    def check(self, token):
        answer = self.authenticate_token(token)
        self.validate_token(answer, ["api:read"], None)
        if self.audience not in answer["aud"]:
            raise OAuth2Error("another audience")
        return answer


validators = {}
for line in sys.stdin:
    question = json.loads(line)
    issuer = question["issuer"]
    if issuer not in validators:
        validators[issuer] = OfKeys(question)
    validator = validators[issuer]
    if "introspection" in question:
        validator = OfIntrospection(question, validator.metadata)
    try:
        answer = {"claims": validator.check(question["token"])}
    except (OAuth2Error, JoseError) as error:
        answer = {"refused": type(error).__name__}
    print(json.dumps(answer), flush=True)
