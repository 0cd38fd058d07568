"""The onboarding by a client that openapi-python-client generated: tenant, client, secrets, tokens, keys."""

import os
from http import HTTPStatus

from latchkey_api import AuthenticatedClient, Client, models
from latchkey_api.api.audit import read_tenant_audit
from latchkey_api.api.client_secrets import list_secrets, revoke_secret, rotate_secret
from latchkey_api.api.clients import patch_client
from latchkey_api.api.get_a_token import token
from latchkey_api.api.introspect_a_token import introspect
from latchkey_api.api.signing_keys import list_keys
from latchkey_api.api.tenants import create_tenant, get_tenant
from latchkey_api.api.verify_a_token import jwks

BASE = os.environ["BASE"]
anyone = Client(base_url=BASE)


def must(answer, status=HTTPStatus.OK):
    """The document of an answer that must succeed."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    return answer.parsed


def fetch(tenant, client_id, client_secret, **more):
    form = models.TokenForm(
        grant_type=models.TokenFormGrantType.CLIENT_CREDENTIALS,
        client_id=client_id,
        client_secret=client_secret,
        **more,
    )
    return token.sync_detailed(tenant, client=anyone, body=form)


administration = must(
    fetch("platform", os.environ["ADMIN_ID"], os.environ["ADMIN_SECRET"], resource=["urn:latchkey:admin"])
)
admin = AuthenticatedClient(base_url=BASE, token=administration.access_token)


def onboard(tenant):
    servers = models.NewTenantResourceServersType0.from_dict({"orders": {"scopes": ["orders:read"]}})
    client = models.NewClient(client_id="billing", audiences=["orders"], scopes=["orders:read"])
    body = models.NewTenant(id=tenant, resource_servers=servers, client=client)
    answer = create_tenant.sync_detailed(client=admin, body=body, idempotency_key=f"onboard-{tenant}")
    made = must(answer, HTTPStatus.CREATED)
    assert made.id == tenant and made.issuer.endswith(tenant) and made.status == models.CreatedTenantStatus.ACTIVE
    assert made.client.secret.used_from == []
    return made.client.secret.client_secret


first, second = onboard("northwind"), onboard("southwind")
issued = must(fetch("northwind", "billing", first))
assert issued.expires_in == 3600
for tenant, foreign in [("northwind", second), ("southwind", first)]:
    refused = fetch(tenant, "billing", foreign)
    assert refused.status_code == 401 and refused.parsed.error == models.ErrorError.INVALID_CLIENT

[secret] = must(list_secrets.sync_detailed("northwind", "billing", client=admin)).items
assert secret.status == models.SecretStatus.LIVE and isinstance(secret.used_from, list)
grace = models.Rotation(grace=60)
rotated = must(rotate_secret.sync_detailed("northwind", "billing", client=admin, body=grace), HTTPStatus.CREATED)
renewed = must(fetch("northwind", "billing", rotated.client_secret))
revoked = must(revoke_secret.sync_detailed("northwind", "billing", "s1", client=admin))
assert revoked.status == models.SecretStatus.REVOKED and revoked.revoked_at is not None
assert fetch("northwind", "billing", first).status_code == 401



def introspected(token):
    form = models.IntrospectionForm(token=token, client_id="billing", client_secret=rotated.client_secret)
    return must(introspect.sync_detailed("northwind", client=anyone, body=form))


facts = introspected(renewed.access_token)
assert facts.active and facts.client_id == "billing"
assert not introspected(issued.access_token).active
patch = models.ClientPatch(description="Sends invoices")
changed = must(patch_client.sync_detailed("northwind", "billing", client=admin, body=patch))
assert changed.description == "Sends invoices" and changed.scopes == ["orders:read"]
[key] = must(list_keys.sync_detailed("northwind", client=admin)).items
[published] = must(jwks.sync_detailed("northwind", client=anyone)).keys
assert key.state == models.SigningKeyState.ACTIVE and published["kid"] == key.kid
records = must(read_tenant_audit.sync_detailed("northwind", client=admin)).items
assert any(record.action == "secret.revoked" for record in records)
assert get_tenant.sync_detailed("eastwind", client=admin).parsed.status == 404
print("onboarded")
