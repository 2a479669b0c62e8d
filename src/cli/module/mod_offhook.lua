-- mod_offhook: hands messages that cannot reach a person now over to Offhook, which phones that person.
--
--   VirtualHost "example.org"
--     modules_enabled = { "offhook" }
--     offhook_component = "phone.example.org"   -- a component of this server
--     offhook_receipt_wait = 0   -- seconds; over 0: also what an awake client does not acknowledge by a receipt in time
--
-- For Prosody 0.12 and 13. Nothing is taken away: offline store, archive and sessions work as without this module, also
-- while the component is away or something in here fails. What the component gets, from the host itself, with an id:
--
--   <message><held xmlns='urn:offhook:held:0' user='bob@example.org' reason='offline|hibernating|unacked|unreceipted'>
--     <forwarded xmlns='urn:xmpp:forward:0'><delay .../><message xmlns='jabber:client' .../></forwarded></held></message>
--   <!-- and contact='true' on <held/>, if the sender is in bob's roster, with a subscription in either direction -->
--   <message><awake xmlns='urn:offhook:held:0' user='bob@example.org'/></message>
--   <!-- both with blocking='true': whom bob has blocked here is kept from their address at the component, too -->
--
-- Licence: GPL-3.0-or-later

local cache = require "util.cache";
local datetime = require "util.datetime";
local hashes = require "util.hashes";
local id = require "util.id";
local jid = require "util.jid";
local rostermanager = require "core.rostermanager";
local st = require "util.stanza";

local xmlns_held = "urn:offhook:held:0";
local people_max, messages_max, waits_max = 10000, 100, 10000;

local host = module.host;
local component = jid.prep(module:get_option_string("offhook_component"));
local receipt_wait = module:get_option_number("offhook_receipt_wait", 0);
if not component then
	error("offhook_component is missing: name the component, such as phone.example.org", 0);
end

-- What was handed over since somebody's last sign of life: bare JID -> cache of fingerprints.
local held = cache.new(people_max);
-- Whose receipts are waited for: bare JIDs of receiver and sender -> id -> stanza.
local waits, waiting = {}, 0;
local stopping = false;

-- The name of a component that this server does not know could lead to somebody else's server, and of each stanza for one
-- that is away the log has a warning.
local function is_component_there()
	local known = prosody.hosts[component];
	local link = known and known.modules.component;
	return known and (not link or link.connected ~= false);
end

local function tell(child)
	if is_component_there() then
		child.attr.blocking = "true";
		module:send(st.message({ from = host, to = component, id = id.medium() }):add_child(child));
	end
end

local function is_awake(session)
	return session.priority and session.priority >= 0 and not session.hibernating;
end

local function has_awake_client(user, except)
	local sessions = prosody.bare_sessions[user];
	for _, session in pairs(sessions and sessions.sessions or {}) do
		if session ~= except and is_awake(session) then return true; end
	end
	return false;
end

local not_by_the_sender = {
	["urn:xmpp:carbons:2 received"] = true, ["urn:xmpp:carbons:2 sent"] = true, ["urn:xmpp:mam:2 result"] = true,
	["urn:xmpp:hints no-store"] = true, ["urn:xmpp:hints no-permanent-store"] = true,
};

local function is_encrypted(stanza)
	local found = false;
	for _, child in ipairs(stanza.tags) do
		local xmlns = child.attr.xmlns or "";
		if child.name == "encrypted" and (xmlns == "eu.siacs.conversations.axolotl" or xmlns:find("^urn:xmpp:omemo:")) then
			return child:get_child("payload") ~= nil; -- Without one it only carries keys.
		elseif xmlns == "jabber:x:encrypted" or xmlns:find("^urn:xmpp:openpgp:") or xmlns:find("^urn:xmpp:eme:") then
			found = true;
		end
	end
	return found;
end

-- Whether one person wrote this to another, to be read.
local function is_written(stanza, user)
	local from, kind = stanza.attr.from or user, stanza.attr.type or "normal";
	-- What the component passes on for somebody has a node; what it says itself has none.
	if stanza.name ~= "message" or (kind ~= "chat" and kind ~= "normal")
		or not jid.node(from) and (jid.host(from) == component or jid.host(from) == host)
		or jid.bare(from) == user
		or stanza:find("{http://jabber.org/protocol/muc#user}x/invite") then
		return false;
	end
	for _, child in ipairs(stanza.tags) do
		local xmlns = child.attr.xmlns or "";
		if not_by_the_sender[xmlns .. " " .. child.name] or xmlns:find("^urn:offhook:") then return false; end
	end
	return (stanza:get_child_text("body") or "") ~= "" or is_encrypted(stanza)
		or stanza:get_child("replace", "urn:xmpp:message-correct:0") ~= nil
		or stanza:get_child("retract", "urn:xmpp:message-retract:1") ~= nil
		or stanza:find("{urn:xmpp:fasten:0}apply-to/{urn:xmpp:message-retract:0}retract") ~= nil;
end

-- A message may come by more than once: to two sleeping phones, or first unacked, then offline.
local function is_new(user, stanza)
	local parts = { stanza.attr.from or "", stanza.attr.id or "", stanza:get_child_text("body") or "" };
	local fingerprint = hashes.sha1(table.concat(parts, "\0"));
	local messages = held:get(user) or cache.new(messages_max);
	if messages:get(fingerprint) then return false; end
	messages:set(fingerprint, true);
	held:set(user, messages);
	return true;
end

local function is_contact(user, sender)
	local roster = rostermanager.load_roster(jid.node(user), host);
	local item = roster and roster[jid.bare(sender)];
	return item and item.subscription ~= "none";
end

local function hand_over(user, stanza, reason)
	if not is_written(stanza, user) or not is_new(user, stanza) then return; end
	local stamp = datetime.datetime();
	local message = st.clone(stanza);
	message:maptags(function (tag)
		if tag.name == "delay" and tag.attr.xmlns == "urn:xmpp:delay" and tag.attr.from == user then
			stamp = tag.attr.stamp; -- mod_smacks wrote it, when it put the stanza into its queue.
			return nil;
		end
		return tag;
	end);
	message.attr.xmlns, message.attr.to = "jabber:client", message.attr.to or user;
	local contact = is_contact(user, message.attr.from) and "true" or nil;
	tell(st.stanza("held", { xmlns = xmlns_held, user = user, reason = reason, contact = contact })
		:tag("forwarded", { xmlns = "urn:xmpp:forward:0" })
			:tag("delay", { xmlns = "urn:xmpp:delay", stamp = stamp }):up()
			:add_child(message):reset());
end

local function shows_life(user)
	if not held:get(user) then return; end
	held:set(user, nil);
	tell(st.stanza("awake", { xmlns = xmlns_held, user = user }));
end

-- A mistake here must cost nobody a message, and no event ends here.
local function safely(work)
	return function (event)
		local ok, why = pcall(work, event);
		if not ok then module:log("error", "Nothing is handed over: %s", why); end
	end
end

local function user_of(session)
	return session.username .. "@" .. host;
end

-- After those who refuse to store (0), before mod_offline (-1) ends the event. The archive has added its <stanza-id>.
module:hook("message/offline/handle", safely(function (event)
	hand_over(event.username .. "@" .. host, event.stanza, "offline");
end), -0.5);

module:hook("smacks-hibernation-stanza-queued", safely(function (event)
	local user = user_of(event.origin);
	if not has_awake_client(user) then hand_over(user, event.stanza, "hibernating"); end
end));

module:hook("smacks-hibernation-start", safely(function (event)
	local user = user_of(event.origin);
	if has_awake_client(user) then return; end
	for _, stanza in ipairs(event.queue) do hand_over(user, stanza, "unacked"); end
end));

-- A connection that cannot be resumed, or was not for too long. When the server itself goes, clients will be back.
module:hook("delivery/failure", safely(function (event)
	local session = event.session;
	if stopping or not session.username or session.host ~= host then return; end
	local user = user_of(session);
	if not has_awake_client(user, session) then hand_over(user, event.stanza, "unacked"); end
end), 1);
module:hook_global("server-stopping", function () stopping = true; end);

module:hook("smacks-hibernation-end", safely(function (event)
	shows_life(user_of(event.resumed or event.origin));
end));

-- Components may send in a person's name (XEP-0356), which is no sign of life.
local function is_own_client(session)
	return session.full_jid and prosody.full_sessions[session.full_jid] == session;
end

module:hook("pre-presence/bare", safely(function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.to or stanza.attr.type or not is_own_client(origin) then return; end
	if (tonumber(stanza:get_child_text("priority")) or 0) >= 0 then shows_life(user_of(origin)); end
end), 1);

local function ends_waiting(user, stanza)
	local awaited = waits[user .. "\0" .. jid.bare(stanza.attr.to or user)];
	if not awaited then return; end
	local receipt = stanza:get_child("received", "urn:xmpp:receipts");
	for message in pairs(awaited) do
		if not receipt or receipt.attr.id == message then awaited[message] = nil; end
	end
end

local client_says = safely(function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.type == "error" or not is_own_client(origin) then return; end
	local user = user_of(origin);
	shows_life(user);
	ends_waiting(user, stanza);
end);
for _, to in ipairs({ "bare", "full", "host" }) do module:hook("pre-message/" .. to, client_says, 1); end

local function wait_for_receipt(user, stanza)
	local key, message = user .. "\0" .. jid.bare(stanza.attr.from), stanza.attr.id;
	local awaited = waits[key] or {};
	if awaited[message] or waiting >= waits_max then return; end
	waits[key], awaited[message], waiting = awaited, st.clone(stanza), waiting + 1;
	module:add_timer(receipt_wait, safely(function ()
		local unreceipted = awaited[message];
		awaited[message], waiting = nil, waiting - 1;
		if next(awaited) == nil and waits[key] == awaited then waits[key] = nil; end
		if unreceipted then hand_over(user, unreceipted, "unreceipted"); end
	end));
end

if receipt_wait > 0 then
	local delivered = safely(function (event)
		local stanza = event.stanza;
		local user = jid.bare(stanza.attr.to or "");
		if stanza.attr.id and stanza:get_child("request", "urn:xmpp:receipts")
			and is_written(stanza, user) and has_awake_client(user) then
			wait_for_receipt(user, stanza);
		end
	end);
	-- After the archive (0) and the carbons (-0.5), before mod_message (-1) ends the event.
	module:hook("message/bare", delivered, -0.9);
	module:hook("message/full", delivered, -0.9);
end

-- What the component sends back goes to the host, and nobody else needs to know.
module:hook("message/host", function (event)
	if event.stanza.attr.type == "error" and event.stanza.attr.from == component then return true; end
end);

-- Of an address at the component no block list knows whom it stands for. So the list is asked here about both names that
-- the sender has, before the component gets the stanza.
local blocklists = module:open_store("blocklist");

local function is_blocked(user, sender)
	local list = blocklists:get(user);
	if not list then return false; end
	local bare = jid.bare(sender);
	local names = { sender, bare, jid.host(sender), jid.escape(bare) .. "@" .. component, component };
	for _, name in ipairs(names) do
		if list[name] then return true; end
	end
	return false;
end

local function is_kept_back(stanza)
	local node, domain = jid.split(stanza.attr.to);
	local user, of = jid.split(jid.prep(jid.unescape(node or "")) or "");
	return domain == component and user and of == host and prosody.hosts[host].modules.blocklist
		and is_blocked(user, stanza.attr.from or "");
end

-- As mod_blocklist does it; also where the list cannot be read, as the sender is told then.
local function keep_back(event)
	local origin, stanza = event.origin, event.stanza;
	local ok, kept = pcall(is_kept_back, stanza);
	if not ok then module:log("error", "A block list could not be asked: %s", kept); end
	if ok and not kept then return; end
	local kind = stanza.attr.type or "normal";
	local is_answered = stanza.name == "iq" and (kind == "get" or kind == "set")
		or stanza.name == "message" and (kind == "chat" or kind == "normal");
	if is_answered then origin.send(st.error_reply(stanza, "cancel", "service-unavailable")); end
	return true;
end

local function watch_component(name)
	if name ~= component or not prosody.hosts[component] then return; end
	local there = module:context(component);
	for _, kind in ipairs({ "message", "presence", "iq" }) do
		there:hook(kind .. "/bare", keep_back, 100);
		there:hook(kind .. "/full", keep_back, 100);
	end
end
watch_component(component);
module:hook_global("host-activated", watch_component);
