"""The echo on slixmpp, for `cargo bench --bench echo`: echo.py HOST:PORT JID SECRET"""

import sys

from slixmpp.componentxmpp import ComponentXMPP


def echo(message):
    # As slixmpp's own example of an echo component does it.
    message.reply(message["body"]).send()


address, jid, secret = sys.argv[1:]
host, port = address.rsplit(":", 1)
component = ComponentXMPP(jid, secret, host, int(port))
component.add_event_handler("message", echo)
component.connect()
component.process()
