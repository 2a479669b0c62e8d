-- mod_offhook: hands messages that cannot reach a person now over to Offhook, which phones that person.
--
--   VirtualHost "example.org"
--     modules_enabled = { "offhook" }
--     offhook_component = "phone.example.org"
--     offhook_receipt_wait = 0   -- seconds; over 0: also what an awake client does not acknowledge by a receipt in time
--
-- For Prosody 0.12 and 13. Nothing is taken away: offline store, archive and sessions work as without this module, and
-- while the component is away nothing happens. What the component gets, from the host itself:
--
--   <message><held xmlns='urn:offhook:held:0' user='bob@example.org' reason='offline|hibernating|unacked|unreceipted'>
--     <forwarded xmlns='urn:xmpp:forward:0'><delay .../><message xmlns='jabber:client' .../></forwarded></held></message>
--   <message><awake xmlns='urn:offhook:held:0' user='bob@example.org'/></message>
--
-- Licence: GPL-3.0-or-later

local st = require "util.stanza";
local jid = require "util.jid";
local datetime = require "util.datetime";
local new_id = require "util.id".medium;

local host = module.host;
local component = module:get_option_string("offhook_component");
local receipt_wait = module:get_option_number("offhook_receipt_wait", 0);
local xmlns = "urn:offhook:held:0";

if not component then
	error("offhook_component is missing: name the component, such as phone.example.org", 0);
end

-- Users of whom something was handed over since they last showed life, and how many, so that this stays small.
local handed, handed_count = {}, 0;
local handed_max = 10000;
-- Messages that wait for a receipt: user -> id -> sender.
local awaited = {};

local encrypted = {
	["eu.siacs.conversations.axolotl"] = true; ["urn:xmpp:omemo:2"] = true; ["urn:xmpp:omemo:1"] = true;
	["urn:xmpp:openpgp:0"] = true; ["jabber:x:encrypted"] = true; ["urn:xmpp:eme:0"] = true;
};
local taken_back = { ["urn:xmpp:message-retract:1"] = true; ["urn:xmpp:message-retract:0"] = true };
local not_written_by_the_sender = {
	["urn:xmpp:carbons:2"] = true; ["urn:xmpp:forward:0"] = true; ["urn:xmpp:mam:2"] = true;
	["urn:offhook:notice:0"] = true; [xmlns] = true;
};

-- Whether a person has written it, to be read.
local function is_worth_it(stanza)
	local kind = stanza.attr.type or "normal";
	if stanza.name ~= "message" or (kind ~= "chat" and kind ~= "normal") then return false; end
	local node, domain = jid.split(stanza.attr.from);
	-- What the component passes on for somebody has a node; what it says itself has none.
	if domain == component and not node or jid.bare(stanza.attr.from) == host then return false; end
	local worth = stanza:get_child("body") ~= nil;
	for _, child in ipairs(stanza.tags) do
		local space = child.attr.xmlns;
		if not_written_by_the_sender[space] then return false; end
		if space == "urn:xmpp:hints" and (child.name == "no-store" or child.name == "no-permanent-store") then
			return false;
		end
		if encrypted[space] or taken_back[space] then worth = true; end
	end
	return worth;
end

-- Whether a client is there that takes messages and has a connection.
local function is_awake(user)
	local sessions = prosody.hosts[host].sessions[user];
	for _, session in pairs(sessions and sessions.sessions or {}) do
		if session.presence and (session.priority or 0) >= 0 and not session.hibernating then return true; end
	end
	return false;
end

local function hand_over(user, stanza, reason)
	if not user or not is_worth_it(stanza) then return; end
	local copy = st.clone(stanza);
	copy.attr.xmlns = "jabber:client";
	local bare = user.."@"..host;
	copy.attr.to = copy.attr.to or bare;
	if not handed[bare] and handed_count < handed_max then
		handed[bare], handed_count = true, handed_count + 1;
	end
	module:send(st.message({ from = host; to = component; id = new_id() })
		:tag("held", { xmlns = xmlns; user = bare; reason = reason })
			:tag("forwarded", { xmlns = "urn:xmpp:forward:0" })
				:tag("delay", { xmlns = "urn:xmpp:delay"; stamp = datetime.datetime() }):up()
				:add_child(copy));
end

local function shows_life(user)
	local bare = user and user.."@"..host;
	if not bare or not handed[bare] then return; end
	handed[bare], handed_count = nil, handed_count - 1;
	module:send(st.message({ from = host; to = component; id = new_id() })
		:tag("awake", { xmlns = xmlns; user = bare }));
end

-- A mistake here must cost nobody a message.
local function safely(what)
	return function (event)
		local ok, err = pcall(what, event);
		if not ok then module:log("error", "%s", err); end
	end
end

module:hook("message/offline/handle", safely(function (event)
	hand_over(event.username or jid.split(event.stanza.attr.to), event.stanza, "offline");
end), 10);

module:hook("smacks-hibernation-stanza-queued", safely(function (event)
	if not is_awake(event.origin.username) then
		hand_over(event.origin.username, event.stanza, "hibernating");
	end
end));

module:hook("smacks-hibernation-start", safely(function (event)
	if is_awake(event.origin.username) then return; end
	for _, stanza in ipairs(event.queue) do
		hand_over(event.origin.username, stanza, "unacked");
	end
end));

module:hook("smacks-hibernation-end", safely(function (event)
	shows_life((event.resumed or event.origin).username);
end));

module:hook("presence/initial", safely(function (event)
	local priority = tonumber(event.stanza:get_child_text("priority") or "0") or 0;
	if priority >= 0 then shows_life(event.origin.username); end
end));

-- What a person's own client sends: he is there, and what he answers has arrived.
local function sent(event)
	local origin, stanza = event.origin, event.stanza;
	if origin.type ~= "c2s" or not origin.username then return; end
	shows_life(origin.username);
	local waiting = awaited[origin.username];
	if not waiting then return; end
	local receipt = stanza:get_child("received", "urn:xmpp:receipts");
	for id, sender in pairs(waiting) do
		if receipt and receipt.attr.id == id or stanza:get_child("body") and jid.bare(stanza.attr.to) == sender then
			waiting[id] = nil;
		end
	end
end
for _, kind in ipairs { "bare", "full", "host" } do
	module:hook("pre-message/"..kind, safely(sent), 10);
end

if receipt_wait > 0 then
	local function delivered(event)
		local stanza = event.stanza;
		local user, domain = jid.split(stanza.attr.to);
		local id = stanza.attr.id;
		if domain ~= host or not user or not id or not stanza:get_child("request", "urn:xmpp:receipts") then return; end
		if not is_worth_it(stanza) or not is_awake(user) then return; end
		awaited[user] = awaited[user] or {};
		awaited[user][id] = jid.bare(stanza.attr.from);
		local copy = st.clone(stanza);
		module:add_timer(receipt_wait, safely(function ()
			local waiting = awaited[user];
			if not waiting or not waiting[id] then return; end
			waiting[id] = nil;
			if next(waiting) == nil then awaited[user] = nil; end
			hand_over(user, copy, "unreceipted");
		end));
	end
	-- Before the delivery itself, which stops the event.
	module:hook("message/bare", safely(delivered), 5);
	module:hook("message/full", safely(delivered), 5);
end
