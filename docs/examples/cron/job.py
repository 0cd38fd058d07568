"""A job that cron starts: one token for the whole run, and an exit code that cron reports.

    15 3 * * * jobs CLIENT_SECRET_FILE=/etc/shipping/secret /opt/shipping/job.py
"""

import os
import pathlib
import sys

import requests
from requests.adapters import HTTPAdapter
from requests_oauth2client import OAuth2Client, OAuth2ClientCredentialsAuth
from urllib3.util import Retry

# A server that restarts, or limits requests, is asked again; Retry-After is obeyed. A refusal (401) is not repeated.
patient = HTTPAdapter(max_retries=Retry(5, backoff_factor=0.5, status_forcelist=[429, 502, 503, 504], allowed_methods=None))


def session(auth=None):
    made = requests.Session()
    made.mount("http://", patient)
    made.mount("https://", patient)
    made.auth = auth
    return made


def run():
    # The file is read at each run, so a replaced secret counts from the next one on.
    secret = pathlib.Path(os.environ["CLIENT_SECRET_FILE"]).read_text().strip()
    client = OAuth2Client(
        "http://localhost:3000/api/v1/tenant/globex/oauth/token",
        auth=("shipping", secret),
        session=session(),
        testing=True,  # Leave this out where the endpoint is https.
    )
    api = session(OAuth2ClientCredentialsAuth(client, scope="orders:read", leeway=60))
    for page in range(3):
        answer = api.get("http://localhost:3000/api/v1/protected-resource", params={"page": page}, timeout=30)
        answer.raise_for_status()
        print(answer.text)


try:
    run()
except Exception as error:
    # No body and no header: they may hold a token.
    sys.exit(f"the job failed: {type(error).__name__}")
