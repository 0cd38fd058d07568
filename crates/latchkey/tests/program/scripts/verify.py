# Verifies tokens with only the URL of the key set, and prints the result for each.
import json
import os

import jwt

keys = jwt.PyJWKClient(os.environ["JWKS"])
verdicts = []
for token in os.environ["TOKENS"].split(" "):
    try:
        key = keys.get_signing_key_from_jwt(token).key
        claims = jwt.decode(
            token,
            key,
            algorithms=[os.environ["ALGORITHM"]],
            audience=os.environ["AUDIENCE"],
            issuer=os.environ["ISSUER"],
            options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]},
        )
        verdicts.append({"claims": claims})
    except jwt.PyJWTError as error:
        verdicts.append({"refused": type(error).__name__})
print(json.dumps(verdicts))
