"""Mail servers on free ports: with STARTTLS, with TLS, and a plain one without SMTPUTF8.

Arguments: certificate, private key, folder. Writes each accepted message to the folder, prints the ports as
JSON, and ends with its standard input.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key, folder = sys.argv[1:]
greylisted = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "unknown":
            return f"550 5.1.1 <{address}>: no such user"
        if name == "greylisted" and address not in greylisted:
            greylisted.add(address)
            return "451 4.7.1 greylisted, try again in 60 s"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        path = Path(folder, f"{len(list(Path(folder).iterdir()))}.eml")
        path.with_suffix(".part").write_bytes(envelope.content)
        path.with_suffix(".part").rename(path)
        return f"250 2.0.0 queued for {envelope.rcpt_tos[0]}"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"latchkey", b"a-canary-of-mail-5d2")
    # Otherwise the server sends no answer.
    return AuthResult(success=is_right, handled=False)


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    signed_in = {"authenticator": authenticate, "auth_required": True, "enable_SMTPUTF8": True}
    servers = {
        "starttls": (None, {"tls_context": context, "require_starttls": True, **signed_in}),
        "tls": (context, {"auth_require_tls": False, **signed_in}),
        "plain": (None, {"enable_SMTPUTF8": False}),
    }
    loop, ports = asyncio.get_running_loop(), {}
    for name, (tls, options) in servers.items():
        make = lambda options=options: SMTP(Handler(), hostname="mail.example", loop=loop, **options)
        server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
