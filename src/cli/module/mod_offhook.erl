%% mod_offhook: hands messages that cannot reach a person now over to Offhook, which phones that person.
%%
%%   modules:
%%     mod_offhook:
%%       component: phone.example.org   # a component of this server
%%       receipt_wait: 0   # seconds; over 0: also what an awake client does not acknowledge by a receipt in time
%%
%% For ejabberd 23.01 and newer. Nothing is taken away: offline store, archive and sessions work as without this module,
%% also while the component is away or something in here fails. What the component gets, from the host itself, with an id:
%%
%%   <message><held xmlns='urn:offhook:held:0' user='bob@example.org' reason='offline|hibernating|unacked|unreceipted'>
%%     <forwarded xmlns='urn:xmpp:forward:0'><delay .../><message xmlns='jabber:client' .../></forwarded></held></message>
%%   <!-- and contact='true' on <held/>, if the sender is in bob's roster, with a subscription in either direction -->
%%   <message><awake xmlns='urn:offhook:held:0' user='bob@example.org'/></message>
%%   <!-- both with blocking='true': whom bob has blocked here is kept from their address at the component, too -->
%%
%% Licence: GPL-3.0-or-later

-module(mod_offhook).
-behaviour(gen_mod).
-behaviour(gen_server).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
-export([message_offline/1, stanza_sent/3, client_asleep/1, client_gone/2, client_resumed/1, client_said/1,
         stanza_routed/1]).

-include_lib("kernel/include/logger.hrl").

%% As in fxml.hrl, whose folder is called differently from distribution to distribution.
-record(xmlel, {name, attrs = [], children = []}).

-define(HELD, <<"urn:offhook:held:0">>).
-define(PEOPLE_MAX, 10000).
-define(MESSAGES_MAX, 100).
-define(WAITS_MAX, 10000).

%%% The module and its options.

start(Host, Opts) ->
    ejabberd_hooks:add(filter_packet, ?MODULE, stanza_routed, 50), % One for all hosts: it is added once.
    [ejabberd_hooks:add(Hook, Host, ?MODULE, Function, Place) || {Hook, Function, Place} <- hooks()],
    gen_mod:start_child(?MODULE, Host, Opts).

stop(Host) ->
    gen_mod:is_loaded_elsewhere(Host, ?MODULE) orelse
        ejabberd_hooks:delete(filter_packet, ?MODULE, stanza_routed, 50),
    [ejabberd_hooks:delete(Hook, Host, ?MODULE, Function, Place) || {Hook, Function, Place} <- hooks()],
    gen_mod:stop_child(?MODULE, Host).

reload(_Host, _New, _Old) -> ok. % They are read each time.

depends(_Host, _Opts) -> [].

mod_options(_Host) -> [component, {receipt_wait, 0}].

mod_opt_type(component) -> econf:domain();
mod_opt_type(receipt_wait) -> econf:non_neg_int().

mod_doc() -> #{desc => <<"Hands messages that cannot reach a person now over to the component Offhook.">>}.

hooks() ->
    [{offline_message_hook, message_offline, 56}, % after the archive (49) and mod_offline (50)
     {c2s_handle_send, stanza_sent, 51},
     {c2s_session_pending, client_asleep, 50},
     {c2s_terminated, client_gone, 49}, % before mod_stream_mgmt (50) sends on what was not acknowledged
     {c2s_session_resumed, client_resumed, 51},
     {user_send_packet, client_said, 50}].

%%% What happens to stanzas and clients. A hook gives back what it got.

%% Only what was stored: of the rest the sender is told by the server.
message_offline({Done, Packet} = Acc) when Done == offlined; Done == archived ->
    safely(fun() -> hand_over(xmpp:get_to(Packet), offline, os:timestamp(), Packet) end),
    Acc;
message_offline(Acc) -> Acc.

stanza_sent(#{jid := Jid, mgmt_state := pending} = State, Packet, _Result) when element(1, Packet) == message ->
    safely(fun() -> has_awake_client(Jid) orelse hand_over(Jid, hibernating, os:timestamp(), Packet) end),
    State;
stanza_sent(#{jid := Jid, lserver := Host} = State, Packet, ok) when element(1, Packet) == message ->
    safely(fun() -> option(Host, receipt_wait) > 0 andalso wait_for_receipt(Jid, Packet) end),
    State;
stanza_sent(State, _Packet, _Result) -> State.

%% The mark stays with the session, where every node of a cluster sees it, and goes with it: a resumed one is a new one.
client_asleep(#{jid := Jid} = State) ->
    safely(fun() ->
                   {User, Host, Resource} = jid:tolower(Jid),
                   ejabberd_sm:set_user_info(User, Host, Resource, offhook_asleep, true),
                   hand_over_queue(State)
           end),
    State.

%% A connection that cannot be resumed, or was not for too long. When the server itself goes, clients will be back.
client_gone(#{mgmt_state := Mgmt} = State, _Reason) when Mgmt == active; Mgmt == pending; Mgmt == timeout ->
    safely(fun() ->
                   case init:get_status() of
                       {stopping, _} -> ok;
                       _ -> hand_over_queue(State)
                   end
           end),
    State;
client_gone(State, _Reason) -> State.

client_resumed(#{jid := Jid} = State) ->
    safely(fun() -> shows_life(Jid) end),
    State.

%% Only a client has a `sid`: components may send in a person's name (XEP-0356), which is no sign of life.
client_said({Packet, #{sid := _, jid := Jid}} = Acc) when element(1, Packet) == message; element(1, Packet) == presence ->
    safely(fun() ->
                   case {element(1, Packet), xmpp:get_type(Packet)} of
                       {message, error} -> ok;
                       {message, _} ->
                           shows_life(Jid),
                           end_waiting(Jid, Packet);
                       {presence, available} ->
                           IsToAll = bare(xmpp:get_to(Packet)) == bare(Jid),
                           IsToAll andalso priority(xmpp:encode(Packet)) >= 0 andalso shows_life(Jid);
                       _ -> ok
                   end
           end),
    Acc;
client_said(Acc) -> Acc.

%% Every stanza comes by. Of an address at the component no block list knows whom it stands for, so the list is asked
%% here about both names that the sender has. Where it cannot be asked, the sender is told the same.
stanza_routed(Packet) when is_tuple(Packet) ->
    To = xmpp:get_to(Packet),
    case whose_address(To) of
        none -> Packet;
        Person ->
            case safely(fun() -> is_blocked(Person, xmpp:get_from(Packet), Packet, To) end) of
                false -> Packet;
                _ -> refuse(element(1, Packet), xmpp:get_type(Packet), Packet)
            end
    end;
stanza_routed(Packet) -> Packet.

%% The person of a host with this module for whom an address at its component stands.
whose_address({jid, _, _, _, <<_, _/binary>> = Node, Domain, _}) ->
    case binary:match(Node, <<"\\40">>) of
        nomatch -> none;
        _ ->
            try jid:decode(unescaped(Node)) of
                {jid, _, _, _, <<>>, _, _} -> none;
                Person ->
                    {_, Host, _} = jid:tolower(Person),
                    case gen_mod:is_loaded(Host, ?MODULE) andalso option(Host, component) == Domain of
                        true -> Person;
                        false -> none
                    end
            catch _:_ -> none
            end
    end;
whose_address(_) -> none.

is_blocked(Person, From, Packet, Component) ->
    {_, Host, _} = jid:tolower(Person),
    Shown = jid:make(escaped(bare(From)), domain(Component)),
    lists:any(fun(Sender) ->
                      Asked = xmpp:set_from_to(Packet, Sender, Person),
                      ejabberd_hooks:run_fold(privacy_check_packet, Host, allow, [Person, Asked, in]) == deny
              end, [From, Shown]).

domain(Jid) -> {_, Domain, _} = jid:tolower(Jid), Domain.

refuse(message, Type, Packet) when Type == chat; Type == normal -> refuse(Packet);
refuse(iq, Type, Packet) when Type == get; Type == set -> refuse(Packet);
refuse(_, _, _) -> drop.

refuse(Packet) ->
    ejabberd_router:route_error(Packet, xmpp:err_service_unavailable()),
    drop.

%% XEP-0106.
unescaped(<<$\\, High, Low, Rest/binary>>) ->
    case lists:keyfind(<<High, Low>>, 1, escapes()) of
        {_, Char} -> <<Char, (unescaped(Rest))/binary>>;
        false -> <<$\\, (unescaped(<<High, Low, Rest/binary>>))/binary>>
    end;
unescaped(<<Char, Rest/binary>>) -> <<Char, (unescaped(Rest))/binary>>;
unescaped(<<>>) -> <<>>.

escaped(Bare) ->
    << <<(case lists:keyfind(Char, 2, escapes()) of
              {_, $\\} -> <<Char>>;
              {Code, _} -> <<$\\, Code/binary>>;
              false -> <<Char>>
          end)/binary>> || <<Char>> <= Bare >>.

escapes() ->
    [{<<"20">>, $\s}, {<<"22">>, $"}, {<<"26">>, $&}, {<<"27">>, $'}, {<<"2f">>, $/}, {<<"3a">>, $:},
     {<<"3c">>, $<}, {<<"3e">>, $>}, {<<"40">>, $@}, {<<"5c">>, $\\}].

%% A mistake here must cost nobody a message.
safely(Work) ->
    try Work()
    catch Class:Reason:Stack ->
        ?LOG_ERROR("Nothing is handed over: ~p", [{Class, Reason, Stack}])
    end.

hand_over_queue(#{jid := Jid, mgmt_queue := Queue}) ->
    has_awake_client(Jid) orelse
        [hand_over(Jid, unacked, Time, Packet)
         || {_, Time, Packet} <- p1_queue:to_list(Queue), element(1, Packet) == message].

%%% To the one process that remembers.

hand_over(Jid, Reason, Time, Packet) ->
    Message = message(Packet),
    is_written(Message, Jid) andalso remember(Jid, {hand_over, bare(Jid), Reason, Time, Message}).

wait_for_receipt(Jid, Packet) ->
    Message = message(Packet),
    attribute(Message, <<"id">>) /= <<>> andalso has(Message, <<"request">>, <<"urn:xmpp:receipts">>)
        andalso is_written(Message, Jid)
        andalso remember(Jid, {wait, bare(Jid), bare(xmpp:get_from(Packet)), os:timestamp(), Message}).

end_waiting(Jid, Packet) ->
    Which = case fxml:get_subtag_with_xmlns(message(Packet), <<"received">>, <<"urn:xmpp:receipts">>) of
                false -> all;
                Receipt -> attribute(Receipt, <<"id">>)
            end,
    remember(Jid, {end_waiting, bare(Jid), bare(xmpp:get_to(Packet)), Which}).

shows_life(Jid) -> remember(Jid, {life, bare(Jid)}).

remember(Jid, What) ->
    {_, Host, _} = jid:tolower(Jid),
    gen_server:cast(gen_mod:get_module_proc(Host, ?MODULE), What).

%%% Which clients, which stanzas.

%% Of the session whose process asks it is known that it is not.
has_awake_client(Jid) ->
    {User, Host, _} = jid:tolower(Jid),
    lists:any(fun({_Resource, Info}) ->
                      Priority = proplists:get_value(priority, Info),
                      is_integer(Priority) andalso Priority >= 0
                          andalso not proplists:get_bool(offhook_asleep, Info)
                          andalso proplists:get_value(pid, Info) /= self()
              end, ejabberd_sm:get_user_info(User, Host)).

%% Whether one person wrote this to another, to be read.
is_written(#xmlel{children = Children} = Message, Jid) ->
    {_, Host, _} = jid:tolower(Jid),
    From = jid:decode(attribute(Message, <<"from">>)),
    {Node, Domain, _} = jid:tolower(From),
    Marks = [mark(Name, fxml:get_attr_s(<<"xmlns">>, Attrs), Child)
             || #xmlel{name = Name, attrs = Attrs} = Child <- Children],
    lists:member(attribute(Message, <<"type">>), [<<>>, <<"normal">>, <<"chat">>])
        %% What the component passes on for somebody has a node; what it says itself has none.
        andalso (Node /= <<>> orelse not lists:member(Domain, [Host, option(Host, component)]))
        andalso bare(From) /= bare(Jid)
        andalso not lists:member(never, Marks)
        andalso (lists:member(text, Marks)
                 orelse lists:member(encrypted, Marks) andalso not lists:member(keys, Marks)).

mark(<<"body">>, _, Child) -> case fxml:get_tag_cdata(Child) of <<>> -> none; _ -> text end;
mark(<<"replace">>, <<"urn:xmpp:message-correct:0">>, _) -> text;
mark(<<"retract">>, <<"urn:xmpp:message-retract:1">>, _) -> text;
mark(<<"apply-to">>, <<"urn:xmpp:fasten:0">>, Child) -> inner(Child, <<"retract">>, text, none);
mark(<<"encrypted">>, <<"eu.siacs.conversations.axolotl">>, Child) -> inner(Child, <<"payload">>, encrypted, keys);
mark(<<"encrypted">>, <<"urn:xmpp:omemo:", _/binary>>, Child) -> inner(Child, <<"payload">>, encrypted, keys);
mark(_, <<"jabber:x:encrypted">>, _) -> encrypted;
mark(_, <<"urn:xmpp:openpgp:", _/binary>>, _) -> encrypted;
mark(_, <<"urn:xmpp:eme:", _/binary>>, _) -> encrypted;
mark(<<"no-store">>, <<"urn:xmpp:hints">>, _) -> never;
mark(<<"no-permanent-store">>, <<"urn:xmpp:hints">>, _) -> never;
mark(<<"received">>, <<"urn:xmpp:carbons:2">>, _) -> never;
mark(<<"sent">>, <<"urn:xmpp:carbons:2">>, _) -> never;
mark(<<"result">>, <<"urn:xmpp:mam:2">>, _) -> never;
mark(<<"x">>, <<"http://jabber.org/protocol/muc#user">>, Child) -> inner(Child, <<"invite">>, never, none);
mark(_, <<"urn:offhook:", _/binary>>, _) -> never;
mark(_, _, _) -> none.

inner(Child, Name, Yes, No) ->
    case fxml:get_subtag(Child, Name) of false -> No; _ -> Yes end.

%% The stanza as it would stand alone.
message(Packet) ->
    #xmlel{attrs = Attrs} = El = xmpp:encode(Packet),
    El#xmlel{attrs = lists:keystore(<<"xmlns">>, 1, Attrs, {<<"xmlns">>, <<"jabber:client">>})}.

bare(Jid) -> jid:encode(jid:remove_resource(jid:tolower(Jid))).

attribute(El, Name) -> fxml:get_tag_attr_s(Name, El).

priority(Presence) ->
    try binary_to_integer(fxml:get_path_s(Presence, [{elem, <<"priority">>}, cdata]))
    catch error:badarg -> 0
    end.

has(El, Name, Xmlns) -> fxml:get_subtag_with_xmlns(El, Name, Xmlns) /= false.

option(Host, Name) -> gen_mod:get_module_opt(Host, ?MODULE, Name).

%%% The one process: what was handed over since somebody's last sign of life, and whose receipts are waited for.

init([Host, _Opts]) -> {ok, #{host => Host, held => #{}, waits => #{}, waiting => 0}}.

handle_call(_Request, _From, State) -> {reply, ok, State}.

handle_cast({hand_over, User, Reason, Time, Message}, State) ->
    {noreply, tell_of(User, Reason, Time, Message, State)};
handle_cast({life, User}, #{host := Host, held := Held} = State) ->
    is_map_key(User, Held) andalso
        tell(Host, #xmlel{name = <<"awake">>,
                          attrs = [{<<"xmlns">>, ?HELD}, {<<"user">>, User}, {<<"blocking">>, <<"true">>}]}),
    {noreply, State#{held := maps:remove(User, Held)}};
handle_cast({wait, User, Sender, Time, Message}, #{host := Host, waits := Waits, waiting := Waiting} = State)
  when Waiting < ?WAITS_MAX ->
    {Key, Id} = {{User, Sender}, attribute(Message, <<"id">>)},
    case maps:get(Key, Waits, #{}) of
        #{Id := _} -> {noreply, State}; % It went to another client of the same person, too.
        Awaited ->
            erlang:send_after(timer:seconds(option(Host, receipt_wait)), self(), {unreceipted, Key, Id}),
            {noreply, State#{waits := Waits#{Key => Awaited#{Id => {Time, Message}}}, waiting := Waiting + 1}}
    end;
handle_cast({end_waiting, User, Sender, all}, #{waits := Waits} = State) ->
    {noreply, State#{waits := maps:remove({User, Sender}, Waits)}};
handle_cast({end_waiting, User, Sender, Id}, #{waits := Waits} = State) ->
    {_, Left} = take({User, Sender}, Id, Waits),
    {noreply, State#{waits := Left}};
handle_cast(_, State) -> {noreply, State}.

handle_info({unreceipted, {User, _} = Key, Id}, #{waits := Waits, waiting := Waiting} = State0) ->
    {Found, Left} = take(Key, Id, Waits),
    State = State0#{waits := Left, waiting := Waiting - 1},
    case Found of
        none -> {noreply, State};
        {Time, Message} -> {noreply, tell_of(User, unreceipted, Time, Message, State)}
    end;
handle_info(_, State) -> {noreply, State}.

take(Key, Id, Waits) ->
    Awaited = maps:get(Key, Waits, #{}),
    Found = maps:get(Id, Awaited, none),
    case maps:remove(Id, Awaited) of
        Rest when map_size(Rest) == 0 -> {Found, maps:remove(Key, Waits)};
        Rest -> {Found, Waits#{Key => Rest}}
    end.

%% A message may come by more than once: to two sleeping phones, or first unacked, then offline.
tell_of(User, Reason, Time, Message, #{host := Host, held := Held} = State) ->
    Body = fxml:get_path_s(Message, [{elem, <<"body">>}, cdata]),
    Fingerprint = erlang:md5([attribute(Message, <<"from">>), 0, attribute(Message, <<"id">>), 0, Body]),
    Known = maps:get(User, Held, []),
    case lists:member(Fingerprint, Known) of
        true -> State;
        false ->
            tell(Host, held(User, Reason, Time, Message, is_contact(User, Host, Message))),
            State#{held := (make_room(User, Held))#{User => lists:sublist([Fingerprint | Known], ?MESSAGES_MAX)}}
    end.

make_room(User, Held) when map_size(Held) >= ?PEOPLE_MAX, not is_map_key(User, Held) ->
    {Somebody, _, _} = maps:next(maps:iterator(Held)),
    maps:remove(Somebody, Held);
make_room(_User, Held) -> Held.

is_contact(User, Host, Message) ->
    {Node, _, _} = jid:tolower(jid:decode(User)),
    Sender = jid:remove_resource(jid:decode(attribute(Message, <<"from">>))),
    Info = ejabberd_hooks:run_fold(roster_get_jid_info, Host, {none, none, []}, [Node, Host, Sender]),
    element(1, Info) /= none.

held(User, Reason, Time, Message, IsContact) ->
    Stamp = xmpp_util:encode_timestamp(Time),
    Delay = #xmlel{name = <<"delay">>, attrs = [{<<"xmlns">>, <<"urn:xmpp:delay">>}, {<<"stamp">>, Stamp}]},
    Forwarded = #xmlel{name = <<"forwarded">>, attrs = [{<<"xmlns">>, <<"urn:xmpp:forward:0">>}],
                       children = [Delay, Message]},
    #xmlel{name = <<"held">>,
           attrs = [{<<"xmlns">>, ?HELD}, {<<"user">>, User}, {<<"reason">>, atom_to_binary(Reason, utf8)},
                    {<<"blocking">>, <<"true">>}]
               ++ [{<<"contact">>, <<"true">>} || IsContact],
           children = [Forwarded]}.

%% The name of a component that is not connected would lead to another server, whoever has that name.
tell(Host, Child) ->
    safely(fun() ->
                   Component = option(Host, component),
                   Message = #xmlel{name = <<"message">>,
                                    attrs = [{<<"from">>, Host}, {<<"to">>, Component}, {<<"id">>, p1_rand:get_string()}],
                                    children = [Child]},
                   ejabberd_router:is_my_route(Component) andalso
                       ejabberd_router:route(xmpp:decode(Message, <<"jabber:client">>, [ignore_els]))
           end).
