"""A chat client that sends the stanzas it reads, each a JSON string on a line, and tells what it receives as JSON lines."""

import asyncio
import json
import logging
import sys

try:
    import slixmpp
    from slixmpp.xmlstream.handler import Callback
    from slixmpp.xmlstream.matcher import MatchXPath, StanzaPath
    from slixmpp.xmlstream.tostring import tostring
except ImportError:
    print(json.dumps({"event": "missing", "what": "python3-slixmpp"}), flush=True)
    sys.exit(3)

CLIENT = "{jabber:client}"
REPLACE = "{urn:xmpp:message-correct:0}replace"
REPLY = "{urn:xmpp:reply:0}reply"
FALLBACK = "{urn:xmpp:fallback:0}"
DELAY = "{urn:xmpp:delay}delay"
RECEIPT = "{urn:xmpp:receipts}received"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def attribute(stanza, child, name):
    found = stanza.find(child)
    return None if found is None else found.get(name)


def without_quote(stanza, body):
    """The body without the part that only repeats the message replied to (XEP-0428)."""
    fallback = stanza.find(FALLBACK + "fallback")
    part = None if fallback is None else fallback.find(FALLBACK + "body")
    if body is None or part is None:
        return body
    start, end = int(part.get("start", 0)), int(part.get("end", len(body)))
    return body[:start] + body[end:]


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password)
        self.register_plugin("xep_0030")
        # Left to itself, slixmpp says that it is a bot.
        self["xep_0030"].add_identity("client", "pc")
        self.register_plugin("xep_0199")
        self["feature_mechanisms"].unencrypted_plain = True
        self.auto_authorize = True
        self.auto_subscribe = False
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_all_auth", lambda _: tell("failed", reason="password"))
        self.add_event_handler("connection_failed", lambda e: tell("failed", reason=str(e)))
        self.add_event_handler("disconnected", lambda _: tell("closed"))
        self.register_handler(Callback("each message", MatchXPath(CLIENT + "message"), self.message))
        for kind in ("result", "error"):
            answer = StanzaPath(f"iq@type={kind}")
            self.register_handler(Callback(f"each {kind}", answer, self.answer))

    def open(self, host, port):
        if hasattr(self, "enable_plaintext"):  # slixmpp 1.9 and newer
            self.enable_starttls = self.enable_direct_tls = False
            self.enable_plaintext = True
            self.connect(host, port)
        else:
            self.connect((host, port), disable_starttls=True, force_starttls=False)

    async def started(self, _):
        # Only a client that has asked for the contact list is told of contact requests (RFC 6121 §2.1.6).
        await self.get_roster()
        tell("ready", jid=str(self.boundjid))

    def message(self, message):
        stanza = message.xml
        body = stanza.findtext(CLIENT + "body")
        error = stanza.find(CLIENT + "error")
        condition = None
        if error is not None:
            condition = next((c.tag[len(STANZAS):] for c in error if c.tag.startswith(STANZAS)), "")
        tell(
            "message",
            **{"from": stanza.get("from")},
            id=stanza.get("id"),
            type=stanza.get("type", "normal"),
            body=body,
            text=without_quote(stanza, body),
            replace=attribute(stanza, REPLACE, "id"),
            reply_to=attribute(stanza, REPLY, "id"),
            delay=attribute(stanza, DELAY, "stamp"),
            receipt=attribute(stanza, RECEIPT, "id"),
            error=condition,
            xml=tostring(stanza),
        )

    def answer(self, iq):
        tell("iq", id=iq.xml.get("id"), type=iq.xml.get("type"), xml=tostring(iq.xml))


async def main():
    jid, password, host, port = sys.argv[1:5]
    client = Client(jid, password)
    client.open(host, int(port))
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        client.send_raw(json.loads(line))


logging.basicConfig(level=logging.INFO, stream=sys.stderr)
if sys.version_info >= (3, 12):
    asyncio.set_event_loop(asyncio.new_event_loop())
asyncio.get_event_loop().run_until_complete(main())
