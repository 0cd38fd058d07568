"""Checks access tokens. `latchkey tenant add` prints the lines between the two marks with the tenant's own values."""

# snippet
import threading
import time

import jwt


class Keys(jwt.PyJWKClient):
    """Fetches the keys every five minutes, and for an unknown one, at most every ten seconds. While the server is away the last ones go on, for an hour."""

    def __init__(self, url):
        super().__init__(url, timeout=2, cooldown_duration=10)
        self.lock, self.good, self.fetched_at, self.asked_at = threading.Lock(), None, 0.0, float("-inf")

    def get_jwk_set(self, refresh=False):
        is_due = refresh or time.monotonic() - self.fetched_at >= 300
        # A request waits for another one's fetch only while there are no keys.
        if (self.good is None or is_due) and self.lock.acquire(blocking=self.good is None):
            try:
                self.fetch(time.monotonic())
            finally:
                self.lock.release()
        if self.good is None or time.monotonic() - self.fetched_at > 3600:
            raise jwt.PyJWKClientConnectionError("503: there are no keys, or they are too old")
        return self.good

    def fetch(self, now):
        if now - self.asked_at >= 10:
            self.asked_at = now
            try:
                self.good, self.fetched_at = super().get_jwk_set(refresh=True), now
            except (jwt.PyJWKClientError, jwt.PyJWKSetError, ValueError):
                pass


keys = Keys("http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json")


def verify(token):
    """The claims of a valid access token; every other token is a jwt.PyJWTError."""
    decoded = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer="http://localhost:3000/api/v1/tenant/globex",
        audience="orders-api",
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    if decoded["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("this is no access token")
    if "cnf" in decoded["payload"]:
        raise jwt.InvalidTokenError("the token is bound to a key, which this API does not check")
    return decoded["payload"]


def is_machine(claims):
    """Whether the client calls for itself: the token of a service. A person's token has the person as sub."""
    return claims["sub"] == claims.get("client_id")
# end of snippet


# What the API does with the token of a request.
import os

claims = verify(os.environ["TOKEN"])
if "orders:read" not in claims["scope"].split():
    raise PermissionError("403")
print("accepted:", "a service" if is_machine(claims) else "a person")
