%% mod_offhook: hands messages that cannot reach a person now over to Offhook, which phones that person.
%%
%%   modules:
%%     mod_offhook:
%%       component: phone.example.org
%%       receipt_wait: 0   # seconds; over 0: also what an awake client does not acknowledge by a receipt in time
%%
%% For ejabberd 23.01 and newer. Nothing is taken away: offline store, archive and sessions work as without this module,
%% and while the component is away nothing happens. What the component gets, from the host itself:
%%
%%   <message><held xmlns='urn:offhook:held:0' user='bob@example.org' reason='offline|hibernating|unacked|unreceipted'>
%%     <forwarded xmlns='urn:xmpp:forward:0'><delay .../><message xmlns='jabber:client' .../></forwarded></held></message>
%%   <message><awake xmlns='urn:offhook:held:0' user='bob@example.org'/></message>
%%
%% Licence: GPL-3.0-or-later

-module(mod_offhook).
-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_opt_type/1, mod_options/1, mod_doc/0]).
-export([offline/1, asleep/1, queued/3, resumed/1, opened/1, closed/2, sent/1, present/1, received/1, overdue/4]).

-define(HELD, <<"urn:offhook:held:0">>).
%% Sessions without a connection, users of whom something was handed over, and messages that wait for a receipt.
-define(TABLE, ?MODULE).
-define(HANDED_MAX, 10000).

hooks() ->
    [{offline_message_hook, offline, 56}, {c2s_session_pending, asleep, 50}, {c2s_handle_send, queued, 50},
     {c2s_session_resumed, resumed, 50}, {c2s_session_opened, opened, 50}, {c2s_terminated, closed, 40},
     {user_send_packet, sent, 90}, {c2s_self_presence, present, 90}, {user_receive_packet, received, 90}].

start(Host, _Opts) ->
    keep_table(),
    [ejabberd_hooks:add(Hook, Host, ?MODULE, Function, Place) || {Hook, Function, Place} <- hooks()],
    ok.

stop(Host) ->
    [ejabberd_hooks:delete(Hook, Host, ?MODULE, Function, Place) || {Hook, Function, Place} <- hooks()],
    ok.

reload(_Host, _New, _Old) -> ok.
depends(_Host, _Opts) -> [].

mod_opt_type(component) -> econf:binary();
mod_opt_type(receipt_wait) -> econf:non_neg_int().

mod_options(_Host) -> [component, {receipt_wait, 0}].

mod_doc() -> #{desc => <<"Hands messages that cannot reach a person now over to the component Offhook.">>}.

%% A table belongs to a process; whoever starts a module does not stay.
keep_table() ->
    Self = self(),
    spawn(fun() ->
                  try ets:new(?TABLE, [named_table, public, set]) of
                      _ -> Self ! {?TABLE, made}, receive never -> ok end
                  catch _:_ -> Self ! {?TABLE, made}
                  end
          end),
    receive {?TABLE, made} -> ok after 5000 -> ok end.

%% Nobody takes this message now, and it has been stored if it can be.
offline({_Action, Message} = Acc) ->
    safely(fun() -> hand_over(Message, <<"offline">>) end),
    Acc.

%% The connection of a session is lost; what was on its way may be lost with it.
asleep(State) ->
    safely(fun() ->
                   Jid = maps:get(jid, State),
                   ets:insert(?TABLE, {{asleep, jid:tolower(Jid)}}),
                   case is_awake(Jid) of
                       true -> ok;
                       false -> [hand_over(Packet, <<"unacked">>) || Packet <- unacked(State)]
                   end
           end),
    State.

unacked(#{mgmt_queue := Queue}) -> [Packet || {_Number, _Time, Packet} <- p1_queue:to_list(Queue)];
unacked(_) -> [].

%% Something is queued for a session without a connection.
queued(#{mgmt_state := pending, jid := Jid} = State, Packet, _Result) ->
    safely(fun() -> is_awake(Jid) orelse hand_over(Packet, <<"hibernating">>) end),
    State;
queued(State, _Packet, _Result) -> State.

resumed(#{jid := Jid} = State) ->
    safely(fun() -> ets:delete(?TABLE, {asleep, jid:tolower(Jid)}), shows_life(Jid) end),
    State;
resumed(State) -> State.

opened(#{jid := Jid} = State) ->
    safely(fun() -> ets:delete(?TABLE, {asleep, jid:tolower(Jid)}) end),
    State;
opened(State) -> State.

closed(#{jid := Jid} = State, _Reason) ->
    safely(fun() -> ets:delete(?TABLE, {asleep, jid:tolower(Jid)}) end),
    State;
closed(State, _Reason) -> State.

%% A presence of a person's own client: he is there if it takes messages.
present({Presence, #{jid := Jid}} = Acc) ->
    safely(fun() ->
                   {xmlel, _, Attributes, _} = Xml = xmpp:encode(Presence),
                   Priority = fxml:get_subtag_cdata(Xml, <<"priority">>),
                   Available = not lists:keymember(<<"type">>, 1, Attributes),
                   case Available andalso binary:first(<<Priority/binary, "0">>) of
                       false -> ok;
                       $- -> ok;
                       _ -> shows_life(Jid)
                   end
           end),
    Acc;
present(Acc) -> Acc.

%% A message of a person's own client: he is there, and what he answers has arrived.
sent({Packet, #{jid := Jid}} = Acc) ->
    safely(fun() -> sent(xmpp:encode(Packet), Jid) end),
    Acc;
sent(Acc) -> Acc.

sent({xmlel, <<"message">>, _, _} = Xml, Jid) ->
    shows_life(Jid),
    User = jid:tolower(jid:remove_resource(Jid)),
    case fxml:get_subtag_with_xmlns(Xml, <<"received">>, <<"urn:xmpp:receipts">>) of
        false -> ok;
        Receipt -> ets:delete(?TABLE, {awaited, User, fxml:get_tag_attr_s(<<"id">>, Receipt)})
    end,
    case fxml:get_subtag(Xml, <<"body">>) of
        false -> ok;
        _ -> ets:match_delete(?TABLE, {{awaited, User, '_'}, bare(fxml:get_tag_attr_s(<<"to">>, Xml))})
    end;
sent(_, _) -> ok.

%% A message goes to a client: if it is awake, a receipt is waited for.
received({Packet, #{jid := Jid, lserver := Host}} = Acc) ->
    safely(fun() ->
                   case gen_mod:get_module_opt(Host, ?MODULE, receipt_wait) of
                       0 -> ok;
                       Wait -> await(xmpp:encode(Packet), Packet, Jid, Wait)
                   end
           end),
    Acc;
received(Acc) -> Acc.

await(Xml, Packet, Jid, Wait) ->
    Id = fxml:get_tag_attr_s(<<"id">>, Xml),
    Asks = fxml:get_subtag_with_xmlns(Xml, <<"request">>, <<"urn:xmpp:receipts">>) =/= false,
    case Asks andalso Id =/= <<>> andalso is_worth_it(Xml, jid:encode(Jid)) andalso is_awake(Jid) of
        true ->
            User = jid:tolower(jid:remove_resource(Jid)),
            ets:insert(?TABLE, {{awaited, User, Id}, bare(fxml:get_tag_attr_s(<<"from">>, Xml))}),
            {ok, _} = timer:apply_after(Wait * 1000, ?MODULE, overdue, [User, Id, Packet, jid:remove_resource(Jid)]);
        _ -> ok
    end.

overdue(User, Id, Packet, To) ->
    safely(fun() ->
                   case ets:take(?TABLE, {awaited, User, Id}) of
                       [] -> ok;
                       _ -> hand_over(xmpp:set_to(Packet, To), <<"unreceipted">>)
                   end
           end).

%% Whether a client is there that takes messages and has a connection.
is_awake(Jid) ->
    {User, Host, _} = jid:tolower(Jid),
    lists:any(fun({Priority, Resource}) ->
                      Priority >= 0 andalso not ets:member(?TABLE, {asleep, {User, Host, Resource}})
              end, ejabberd_sm:get_user_present_resources(User, Host)).

hand_over(Packet, Reason) ->
    Xml = xmpp:encode(Packet, <<"jabber:client">>),
    To = xmpp:get_to(Packet),
    case is_worth_it(Xml, jid:encode(To)) of
        false -> ok;
        true ->
            User = jid:remove_resource(To),
            Key = {handed, jid:tolower(User)},
            ets:info(?TABLE, size) < ?HANDED_MAX andalso ets:insert(?TABLE, {Key}),
            Stamp = xmpp_util:encode_timestamp(erlang:timestamp()),
            Delay = {xmlel, <<"delay">>, [{<<"xmlns">>, <<"urn:xmpp:delay">>}, {<<"stamp">>, Stamp}], []},
            Forwarded = {xmlel, <<"forwarded">>, [{<<"xmlns">>, <<"urn:xmpp:forward:0">>}], [Delay, client(Xml)]},
            say(User, <<"held">>, [{<<"reason">>, Reason}], [Forwarded])
    end.

client({xmlel, Name, Attributes, Children}) ->
    {xmlel, Name, lists:keystore(<<"xmlns">>, 1, Attributes, {<<"xmlns">>, <<"jabber:client">>}), Children}.

shows_life(Jid) ->
    User = jid:remove_resource(Jid),
    case ets:take(?TABLE, {handed, jid:tolower(User)}) of
        [] -> ok;
        _ -> say(User, <<"awake">>, [], [])
    end.

say(User, Name, Attributes, Children) ->
    {_, Host, _} = jid:tolower(User),
    Component = gen_mod:get_module_opt(Host, ?MODULE, component),
    Payload = {xmlel, Name, [{<<"xmlns">>, ?HELD}, {<<"user">>, jid:encode(User)} | Attributes], Children},
    Id = p1_rand:get_string(),
    Message = {xmlel, <<"message">>, [{<<"xmlns">>, <<"jabber:client">>}, {<<"id">>, Id}], [Payload]},
    Decoded = xmpp:decode(Message, <<"jabber:client">>, [ignore_els]),
    ejabberd_router:route(xmpp:set_from_to(Decoded, jid:make(Host), jid:make(Component))).

%% Whether a person has written it, to be read.
is_worth_it({xmlel, <<"message">>, _, Children} = Xml, To) ->
    Kind = fxml:get_tag_attr_s(<<"type">>, Xml),
    {_, Host, _} = jid:tolower(jid:decode(To)),
    From = jid:decode(fxml:get_tag_attr_s(<<"from">>, Xml)),
    {Node, Domain, _} = jid:tolower(From),
    Component = gen_mod:get_module_opt(Host, ?MODULE, component),
    %% What the component passes on for somebody has a node; what it says itself has none.
    BySomebody = Node =/= <<>> orelse (Domain =/= Component andalso Domain =/= Host),
    Marks = [mark(Name, fxml:get_tag_attr_s(<<"xmlns">>, Child)) || {xmlel, Name, _, _} = Child <- Children],
    lists:member(Kind, [<<>>, <<"chat">>, <<"normal">>]) andalso BySomebody
        andalso not lists:member(no, Marks) andalso lists:member(yes, Marks);
is_worth_it(_, _) -> false.

mark(<<"body">>, _) -> yes;
mark(_, <<"eu.siacs.conversations.axolotl">>) -> yes;
mark(_, <<"urn:xmpp:omemo:", _/binary>>) -> yes;
mark(_, <<"urn:xmpp:openpgp:0">>) -> yes;
mark(_, <<"jabber:x:encrypted">>) -> yes;
mark(_, <<"urn:xmpp:eme:0">>) -> yes;
mark(_, <<"urn:xmpp:message-retract:", _/binary>>) -> yes;
mark(<<"no-store">>, <<"urn:xmpp:hints">>) -> no;
mark(<<"no-permanent-store">>, <<"urn:xmpp:hints">>) -> no;
mark(_, <<"urn:xmpp:carbons:2">>) -> no;
mark(_, <<"urn:xmpp:forward:0">>) -> no;
mark(_, <<"urn:xmpp:mam:2">>) -> no;
mark(_, <<"urn:offhook:notice:0">>) -> no;
mark(_, ?HELD) -> no;
mark(_, _) -> neutral.

bare(Written) ->
    try jid:tolower(jid:remove_resource(jid:decode(Written))) catch _:_ -> none end.

%% A mistake here must cost nobody a message.
safely(What) ->
    try What()
    catch Class:Reason -> error_logger:error_msg("mod_offhook: ~p:~p~n", [Class, Reason])
    end.
