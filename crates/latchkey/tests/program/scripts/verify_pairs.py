# Verifies each token of a file by the key beside it, then by another token's key, and says how many were taken each time.
import json
import os

import jwt

with open(os.environ["PAIRS"]) as file:
    pairs = json.load(file)


def is_taken(token, pair):
    try:
        jwt.decode(token, jwt.PyJWK(pair["jwk"]).key, algorithms=[pair["alg"]])
        return True
    except jwt.PyJWTError:
        return False


own = sum(is_taken(pair["token"], pair) for pair in pairs)
other = sum(is_taken(pair["token"], pairs[index - 1]) for index, pair in enumerate(pairs))
print(json.dumps({"own": own, "other": other}))
