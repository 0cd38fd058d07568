"""Calls an API with one token for all threads. requests-oauth2client makes the token requests; this adds a lock, and a repetition after 401."""

import os
import threading
import time

import requests
from requests_oauth2client import OAuth2Client


class Tokens(requests.auth.AuthBase):
    """Adds the token to each request. It is renewed early; a failed renewal leaves a token that is still valid."""

    def __init__(self, client, **parameters):
        self.client, self.parameters, self.lock = client, parameters, threading.Lock()
        self.current, self.renew_at, self.ends_at = None, 0.0, 0.0

    def token(self, rejected=None):
        """A token that the API has not rejected. All threads wait for one request."""
        with self.lock:
            if self.current is rejected or time.monotonic() >= self.renew_at:
                try:
                    self.renew()
                except Exception:
                    if self.current is rejected or time.monotonic() >= self.ends_at:
                        raise
            return self.current

    def renew(self):
        begun = time.monotonic()
        self.current = self.client.client_credentials(**self.parameters)
        lifetime = self.current.expires_in or 60
        self.renew_at = begun + lifetime - min(300, lifetime / 10)
        self.ends_at = begun + lifetime

    def __call__(self, request):
        sent = self.token()

        def again(answer, **options):
            """A token can be revoked before its end: one repetition, with a new one."""
            if answer.status_code != 401:
                return answer
            answer.content  # Reads the body, so that the connection can be used again.
            answer.close()
            repeated = answer.request.copy()
            repeated.deregister_hook("response", again)
            return answer.connection.send(self.token(sent)(repeated), **options)

        request.register_hook("response", again)
        return sent(request)


client = OAuth2Client(
    "http://localhost:3000/api/v1/tenant/globex/oauth/token",
    auth=("shipping", os.environ["CLIENT_SECRET"]),
    testing=True,  # Leave this out where the endpoint is https.
)
api = requests.Session()
api.auth = Tokens(client, scope="orders:read")
print(api.get("http://localhost:3000/api/v1/protected-resource", timeout=10).text)
