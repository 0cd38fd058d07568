# Verifies a token for each question on standard input, and prints the result. Keeps the keys meanwhile.
import json
import sys

import jwt

key_sets = {}
for line in sys.stdin:
    question = json.loads(line)
    url, token = question["jwks"], question["token"]
    if url not in key_sets:
        # The time in seconds between two fetches, without it the library's own.
        cooldown = {"cooldown_duration": question["cooldown"]} if "cooldown" in question else {}
        key_sets[url] = jwt.PyJWKClient(url, **cooldown)
    try:
        claims = jwt.decode(
            token,
            key_sets[url].get_signing_key_from_jwt(token).key,
            algorithms=question["algorithms"],
            audience=question["audience"],
            issuer=question["issuer"],
            options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]},
        )
        answer = {"claims": claims}
    except jwt.PyJWTError as error:
        answer = {"refused": type(error).__name__}
    print(json.dumps(answer), flush=True)
