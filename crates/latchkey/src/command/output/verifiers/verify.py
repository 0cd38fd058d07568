import jwt

keys = jwt.PyJWKClient({jwks})


def verify(token):
    """The claims of a valid access token; every other token is a jwt.PyJWTError."""
    decoded = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=[{algorithm}],
        issuer={issuer},
        audience={audience},
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    if decoded["header"].get("typ") != {typ}:
        raise jwt.InvalidTokenError("this is no access token")
    return decoded["payload"]
