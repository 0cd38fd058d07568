# Parses metadata with the model of the MCP SDK, and prints the parsed members of each document.
import json
import os

from mcp.shared.auth import OAuthMetadata
from pydantic import ValidationError

NAMES = {"issuer", "authorization_endpoint", "token_endpoint", "response_types_supported"}
read = []
for document in (entry["document"] for entry in json.loads(os.environ["DOCUMENTS"])):
    found = OAuthMetadata.model_validate(document).model_dump(mode="json", include=NAMES)
    try:
        OAuthMetadata.model_validate({**document, "authorization_endpoint": None})
        found["without"] = True
    except ValidationError:
        found["without"] = False
    read.append(found)
print(json.dumps(read))
