"""A bot as slixmpp makes it: writes each line "JID text" that it reads, and prints what it is written."""

import asyncio
import sys

import slixmpp

jid, password, host, port = sys.argv[1:5]
if sys.version_info >= (3, 12):
    asyncio.set_event_loop(asyncio.new_event_loop())
bot = slixmpp.ClientXMPP(jid, password)
bot["feature_mechanisms"].unencrypted_plain = True
bot.register_plugin("xep_0030")


async def work(_):
    bot.send_presence()
    await bot.get_roster()
    print("ready", flush=True)
    lines = asyncio.StreamReader()
    await bot.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        to, text = line.decode().rstrip("\n").split(" ", 1)
        bot.send_message(mto=to, mbody=text, mtype="chat")


bot.add_event_handler("session_start", work)
bot.add_event_handler("message", lambda message: print(message["body"], flush=True))
if hasattr(bot, "enable_plaintext"):  # slixmpp 1.9 and newer
    bot.enable_starttls = bot.enable_direct_tls = False
    bot.enable_plaintext = True
    bot.connect(host, int(port))
else:
    bot.connect((host, int(port)), disable_starttls=True, force_starttls=False)
bot.loop.run_forever()
