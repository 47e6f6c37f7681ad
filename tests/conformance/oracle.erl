%% Runs cases (case.rs has their format) on OTP's own gen_statem and writes their traces.
%%
%%   erlc oracle.erl
%%   erl -noshell -pa . -s oracle main -extra [OPTION..] CASES TRACES
%%
%%   -w N       worker processes; as many as schedulers without it
%%   -keep      keeps the defect that is repaired below
%%   -real MS   the gen_statem of the installation as it is, with real timers; a unit of time is
%%              MS milliseconds. The check of the method: the same cases, without virtual time.
%%
%% Virtual time. gen_statem has no clock to pause, but it touches time in two places only:
%% erlang:start_timer/4 and erlang:cancel_timer/1. The abstract code of the installed module is read,
%% the module renamed to gen_statem_vt, those two calls redirected to this module, and the result
%% compiled in memory. All else that runs is OTP's own code. Used with OTP 25, whose module has its
%% abstract code with it, as Debian packs it.
%%
%% The defect. In OTP 25 and 26, to restart a timeout that is pending with time zero with another
%% time loses it: loop_timeouts_register stores {0,Msg} where {TimerRef,Msg} is meant. OTP 28 is
%% right (erlang/otp#9579). The one token is mended in the abstract code.
-module(oracle).
-behaviour(gen_statem).
-export([main/0]).
-export([callback_mode/0, init/1, handle_event/4, terminate/3]).
-export([start_timer/4, cancel_timer/1]).

-record(machine, {id, enter = false, fuel = 300, state, n = 0, init = [], rules = [], steps = []}).
%% Drives one machine. Timers are sorted by deadline, then by the order in which they were started.
-record(drive, {pid, monitor, now = 0, timers = [], started = 0, trace = [], calls = 0,
                alive = true, real = false, since = 0, unit = 0, gap = 0}).

main() ->
    try options(init:get_plain_arguments(),
                #{workers => erlang:system_info(schedulers_online), mend => true, real => false})
    catch Class:Why:Stack ->
            io:format(standard_error, "oracle: ~p: ~p~n~p~n", [Class, Why, Stack]),
            halt(2)
    end.

options(["-w", N | More], Os) -> options(More, Os#{workers := list_to_integer(N)});
options(["-keep" | More], Os) -> options(More, Os#{mend := false});
options(["-real", Ms | More], Os) -> options(More, Os#{real := list_to_integer(Ms)});
options([Cases, Traces], #{workers := Workers, mend := Mend, real := Real}) ->
    logger:set_primary_config(level, none),
    {ok, Text} = file:read_file(Cases),
    Module = case Real of false -> load(Mend); _ -> gen_statem end,
    %% Real time passes while nobody works, so then many cases wait side by side.
    {Together, AtOnce} = case Real of false -> {50, Workers}; _ -> {1, 200} end,
    Run = fun(Some) -> iolist_to_binary([run(M, Module, Real) || T <- Some, M <- parse(T)]) end,
    ok = file:write_file(Traces, ordered(Run, chunks(split(Text), Together), AtOnce)),
    halt(0).

%% ------------------------------------------------------------------------------- virtual time

load(Mend) ->
    {ok, {_, [{abstract_code, {raw_abstract_v1, Forms}}]}} =
        beam_lib:chunks(code:which(gen_statem), [abstract_code]),
    Redirected = [mend(Mend, Form) || Form <- redirect(Forms)],
    {ok, gen_statem_vt, Beam} = compile:forms(Redirected, [nowarn_unused_record]),
    {module, Module} = code:load_binary(gen_statem_vt, "gen_statem_vt.beam", Beam),
    Module.

redirect({call, L, {remote, L1, {atom, L2, erlang}, {atom, L3, F}}, As})
  when F =:= start_timer; F =:= cancel_timer ->
    {call, L, {remote, L1, {atom, L2, ?MODULE}, {atom, L3, F}}, redirect(As)};
redirect({atom, L, gen_statem}) -> {atom, L, gen_statem_vt};
redirect({attribute, L, module, gen_statem}) -> {attribute, L, module, gen_statem_vt};
redirect(T) when is_tuple(T) -> list_to_tuple(redirect(tuple_to_list(T)));
redirect([H | T]) -> [redirect(H) | redirect(T)];
redirect(X) -> X.

mend(true, {function, L, loop_timeouts_register, 15, Clauses}) ->
    {function, L, loop_timeouts_register, 15, mend_clauses(Clauses)};
mend(_, Form) -> Form.

mend_clauses({map_field_exact, L, K, {tuple, L1, [{integer, L2, 0}, {var, _, 'TimeoutMsg'} = M]}}) ->
    {map_field_exact, L, K, {tuple, L1, [{var, L2, 'TimerRef'}, M]}};
mend_clauses(T) when is_tuple(T) -> list_to_tuple(mend_clauses(tuple_to_list(T)));
mend_clauses([H | T]) -> [mend_clauses(H) | mend_clauses(T)];
mend_clauses(X) -> X.

%% Called by gen_statem_vt in the process of the machine.
start_timer(Time, _Self, Type, Options) ->
    Ref = make_ref(),
    get(driver) ! {start_timer, Ref, Type, Time, Options},
    Ref.

%% "It was running": one timer message is on its way at a time, see settle/1, so a timer that the
%% machine still knows has never fired.
cancel_timer(Ref) ->
    get(driver) ! {cancel_timer, Ref},
    1.

%% ------------------------------------------------------------------------------- the machine

callback_mode() ->
    case get(enter) of
        true -> [handle_event_function, state_enter];
        false -> handle_event_function
    end.

init({Driver, #machine{} = M}) ->
    put(driver, Driver), put(enter, M#machine.enter), put(fuel, M#machine.fuel),
    put(rules, M#machine.rules),
    {Actions, Data} = actions(M#machine.init, undefined, {M#machine.n, []}, []),
    {ok, M#machine.state, Data, Actions}.

handle_event(EventType, Event, State, {N, _} = Data) ->
    From = case EventType of {call, F} -> F; _ -> undefined end,
    Kind = kind(EventType),
    Content = content(EventType, Event),
    tell([<<"H ">>, State, $\s, Kind, $\s, Content, number_of(From), $\s, integer_to_binary(N)]),
    case get(fuel) of
        0 -> {stop, <<"fuel">>};
        Fuel ->
            put(fuel, Fuel - 1),
            {Result, As} = find(get(rules), State, Kind, Content, N),
            {Actions, NewData} = actions(As, From, Data, []),
            result(Result, Actions, NewData)
    end.

terminate(Reason, State, {N, _}) ->
    tell([<<"T ">>, reason(Reason), $\s, State, $\s, integer_to_binary(N)]).

find([{S, K, C, G, Result, As} | Rules], State, Kind, Content, N) ->
    Matches = matches(S, State) andalso matches(K, Kind) andalso matches(C, Content)
        andalso holds(G, N),
    case Matches of
        true -> {Result, As};
        false -> find(Rules, State, Kind, Content, N)
    end;
find([], _, _, _, _) -> {ks, []}.

matches(<<"*">>, _) -> true;
matches(X, Y) -> X =:= Y.

holds(always, _) -> true;
holds({Modulus, Remainder}, N) -> N rem Modulus =:= Remainder.

%% Both shapes of a result, with and without actions, are used.
result(ks, [], _) -> keep_state_and_data;
result(ks, As, _) -> {keep_state_and_data, As};
result({k, D}, [], Data) -> {keep_state, add(D, Data)};
result({k, D}, As, Data) -> {keep_state, add(D, Data), As};
result({ns, S, D}, [], Data) -> {next_state, S, add(D, Data)};
result({ns, S, D}, As, Data) -> {next_state, S, add(D, Data), As};
result(rs, [], _) -> repeat_state_and_data;
result(rs, As, _) -> {repeat_state_and_data, As};
result({r, D}, [], Data) -> {repeat_state, add(D, Data)};
result({r, D}, As, Data) -> {repeat_state, add(D, Data), As};
result({stop, R}, _, _) -> {stop, stop_reason(R)};
result({stopd, R, D}, _, Data) -> {stop, stop_reason(R), add(D, Data)};
result({sar, R}, As, _) -> {stop_and_reply, stop_reason(R), replies(As)};
result({sard, R, D}, As, Data) -> {stop_and_reply, stop_reason(R), replies(As), add(D, Data)};
result(bad, _, _) -> {bad_return, bad};
result(crash, _, _) -> error(crash).

add(D, {N, Saved}) -> {N + D, Saved}.

replies(Actions) -> [A || {reply, _, _} = A <- Actions].

%% The actions of a case as gen_statem takes them; the saved callers are threaded along.
actions([], _, Data, Done) -> {lists:reverse(Done), Data};
actions([save | As], From, {N, Saved}, Done) when From =/= undefined ->
    actions(As, From, {N, Saved ++ [From]}, Done);
actions([{re, V} | As], From, Data, Done) when From =/= undefined ->
    actions(As, From, Data, [{reply, From, V} | Done]);
actions([{rp, V} | As], From, {N, [First | Saved]}, Done) ->
    actions(As, From, {N, Saved}, [{reply, First, V} | Done]);
actions([{insert, call, C} | As], From, Data, Done) when From =/= undefined ->
    actions(As, From, Data, [{next_event, {call, From}, C} | Done]);
actions([{insert, Type, C} | As], From, Data, Done) when Type =/= call ->
    actions(As, From, Data, [{next_event, Type, C} | Done]);
actions([{action, A} | As], From, Data, Done) -> actions(As, From, Data, [A | Done]);
actions([_ | As], From, Data, Done) -> actions(As, From, Data, Done).

tell(Line) -> get(driver) ! {trace, Line}, ok.

kind(cast) -> <<"cast">>;
kind(info) -> <<"info">>;
kind(internal) -> <<"int">>;
kind(enter) -> <<"enter">>;
kind({call, _}) -> <<"call">>;
kind(timeout) -> <<"to">>;
kind(state_timeout) -> <<"st">>;
kind({timeout, Name}) -> <<"gt.", Name/binary>>.

%% With the defect kept a lost timer arrives as a message.
content(info, {timeout, Ref, _}) when is_reference(Ref) -> <<"!stale">>;
content(_, Content) -> Content.

number_of({_, {call_number, I}}) -> [$#, integer_to_binary(I)];
number_of(undefined) -> [].

reason(R) when is_binary(R) -> R;
reason(R) when is_atom(R) -> atom_to_binary(R);
reason({shutdown, R}) -> [<<"shutdown.">>, R];
reason({bad_return_from_state_function, _}) -> <<"!bad_return">>;
reason({bad_state_enter_return_from_state_function, _}) -> <<"!bad_enter_return">>;
reason({bad_state_enter_action_from_state_function, _}) -> <<"!bad_enter_action">>;
reason({bad_action_from_state_function, _}) -> <<"!bad_action">>;
reason({bad_reply_action_from_state_function, _}) -> <<"!bad_reply">>.

stop_reason(<<"normal">>) -> normal;
stop_reason(<<"shutdown">>) -> shutdown;
stop_reason(<<"shutdown.", R/binary>>) -> {shutdown, R};
stop_reason(R) -> R.

%% ------------------------------------------------------------------------------- the script

run(#machine{steps = Steps} = M, Module, Real) ->
    Unit = case Real of false -> 0; _ -> Real end,
    {ok, {Pid, Monitor}} = Module:start_monitor(?MODULE, {self(), scale(Unit, M)}, []),
    Start = #drive{pid = Pid, monitor = Monitor, real = Real =/= false, unit = Unit,
                   gap = Unit * 1000 div (length(Steps) + 2),
                   since = erlang:monotonic_time(microsecond),
                   trace = [[<<"case ">>, M#machine.id, $\n]]},
    #drive{trace = Trace} = finish(steps(Steps, 1, settle(Start))),
    lists:reverse(Trace).

steps(_, _, #drive{alive = false} = D) -> D;
steps([], I, D) -> pace(I, D);
steps([Step | Steps], I, D) ->
    case pace(I, D) of
        #drive{alive = false} = Dead -> Dead;
        #drive{now = Now} = D1 ->
            Line = [<<"@ ">>, integer_to_binary(I), $\s, integer_to_binary(Now)],
            steps(Steps, I + 1, step(Step, write(D1, Line)))
    end.

step({call, C}, #drive{calls = I} = D) ->
    D#drive.pid ! {'$gen_call', {self(), {call_number, I + 1}}, C},
    settle(D#drive{calls = I + 1});
step({cast, C}, D) -> D#drive.pid ! {'$gen_cast', C}, settle(D);
step({info, C}, D) -> D#drive.pid ! C, settle(D);
step({stop, R}, D) -> D#drive.pid ! {system, {self(), sync}, {terminate, R}}, receive_all(D);
step({adv, By}, #drive{real = true, now = Now} = D) -> D#drive{now = Now + By};
step({adv, By}, #drive{now = Now} = D) -> advance(D, Now + By);
step({jmp, By}, #drive{now = Now} = D) -> settle(D#drive{now = Now + By}).

%% Each timer that is due until then fires at its own deadline, and the machine comes to rest.
advance(#drive{alive = true, timers = [{{Due, _}, _, _} | _], now = Now} = D, Until) when Due =< Until ->
    advance(fire(D#drive{now = max(Now, Due)}), Until);
advance(#drive{alive = true} = D, Until) -> D#drive{now = Until};
advance(D, _) -> D.

%% To rest, then the timers that are due already: past times, or after a jump. One at a time, so that
%% none is ever on its way when the machine cancels it.
settle(D) ->
    case sync(D) of
        #drive{alive = true, timers = [{{Due, _}, _, _} | _], now = Now} = D1 when Due =< Now ->
            settle(fire(D1));
        D1 -> D1
    end.

%% Erlang leaves the order of equal deadlines open: the line says that it is used here.
fire(#drive{timers = [{{Due, _}, Ref, Type} | Timers]} = D) ->
    D1 = case Timers of
             [{{Due, _}, _, _} | _] -> write(D, <<"Q tie">>);
             _ -> D
         end,
    D#drive.pid ! {timeout, Ref, Type},
    sync(D1#drive{timers = Timers}).

%% Whoever is asked for its state answers at rest, behind all events.
sync(#drive{alive = false} = D) -> D;
sync(D) -> D#drive.pid ! {system, {self(), sync}, get_state}, receive_all(D).

receive_all(#drive{monitor = Monitor} = D) ->
    receive
        {trace, Line} -> receive_all(write(D, Line));
        {{call_number, I}, V} -> receive_all(write(D, [<<"R ">>, integer_to_binary(I), $\s, V]));
        {start_timer, Ref, Type, Time, Options} ->
            Due = case Options of [{abs, true}] -> Time; _ -> D#drive.now + Time end,
            Order = D#drive.started + 1,
            Timers = lists:keymerge(1, D#drive.timers, [{{Due, Order}, Ref, Type}]),
            receive_all(D#drive{started = Order, timers = Timers});
        {cancel_timer, Ref} ->
            receive_all(D#drive{timers = lists:keydelete(Ref, 2, D#drive.timers)});
        {'DOWN', Monitor, _, _, _} -> D#drive{alive = false};
        {sync, ok} -> receive_all(D);    % the answer to terminate; the end is reported apart
        {sync, _} -> D
    end.

finish(#drive{alive = false} = D) -> write(D, <<"E dead">>);
finish(#drive{pid = Pid, monitor = Monitor} = D) ->
    {status, _, _, [_, _, _, _, Misc]} = sys:get_status(Pid),
    Shown = lists:append([L || {data, L} <- Misc]),
    {_, Postponed} = lists:keyfind("Postponed", 1, Shown),
    {_, {_, Timeouts}} = lists:keyfind("Time-outs", 1, Shown),
    {_, {State, {N, _}}} = lists:keyfind("State", 1, Shown),
    P = [postponed(E) || E <- lists:reverse(Postponed)],
    T = lists:sort([[kind(Type), $:, C, deadline(Type, D)] || {Type, C} <- Timeouts]),
    erlang:demonitor(Monitor, [flush]),
    exit(Pid, kill),
    write(D, [<<"E ">>, State, $\s, integer_to_binary(N), <<" post=">>, join(P), <<" tmr=">>, join(T)]).

postponed({{call, From}, C}) -> [<<"call:">>, C, number_of(From)];
postponed({Type, C}) -> [kind(Type), $:, C].

deadline(_, #drive{real = true}) -> [];
deadline(Type, #drive{timers = Timers}) ->
    case [Due || {{Due, _}, _, T} <- Timers, T =:= Type] of
        [Due] -> [$@, integer_to_binary(Due)];
        _ -> <<"@!lost">>
    end.

join([]) -> <<"-">>;
join(L) -> lists:join($,, L).

write(D, Line) -> D#drive{trace = [[Line, $\n] | D#drive.trace]}.

%% ------------------------------------------------------------------------------- real time

%% Times in units become times in milliseconds.
scale(0, M) -> M;
scale(Unit, #machine{init = Init, rules = Rules} = M) ->
    Now = erlang:monotonic_time(millisecond),
    Scale = fun({action, {T, N, C}}) when is_integer(N) -> {action, {T, N * Unit, C}};
               ({action, {T, N, C, O}}) -> {action, {T, Now + N * Unit, C, O}};
               (A) -> A
            end,
    M#machine{init = lists:map(Scale, Init),
              rules = [{S, K, C, G, R, lists:map(Scale, As)} || {S, K, C, G, R, As} <- Rules]}.

%% Step I comes I gaps after its own time, so that a timer of an earlier step that is due at the same
%% time has fired.
pace(_, #drive{real = false} = D) -> D;
pace(I, #drive{since = Since, unit = Unit, gap = Gap, now = Now} = D) ->
    case Since + Now * Unit * 1000 + I * Gap - erlang:monotonic_time(microsecond) of
        Wait when Wait > 0 -> timer:sleep((Wait + 999) div 1000);
        _ -> ok
    end,
    sync(D).

%% ------------------------------------------------------------------------------- the text

parse(Text) -> parse([words(L) || L <- binary:split(Text, <<"\n">>, [global])], none).

parse([[<<"case">>, Id] | Lines], none) -> parse(Lines, #machine{id = Id});
parse([[<<"end">>] | Lines], #machine{rules = Rules, steps = Steps} = M) ->
    [M#machine{rules = lists:reverse(Rules), steps = lists:reverse(Steps)} | parse(Lines, none)];
parse([[] | Lines], M) -> parse(Lines, M);
parse([[<<"#", _/binary>> | _] | Lines], M) -> parse(Lines, M);
parse([Words | Lines], M) -> parse(Lines, line(Words, M));
parse([], none) -> [].

words(Line) -> binary:split(Line, [<<" ">>, <<"\r">>], [global, trim_all]).
parts(Word) -> binary:split(Word, <<":">>, [global]).
int(Word) -> binary_to_integer(Word).

line([<<"opt">> | Os], M) -> lists:foldl(fun opt/2, M, Os);
line([<<"init">>, S, N | As], M) -> M#machine{state = S, n = int(N), init = [action(A) || A <- As]};
line([<<"on">>, S, K, C, G, R | As], #machine{rules = Rules} = M) ->
    Rule = {S, K, C, guard(G), parsed_result(parts(R)), [action(A) || A <- As]},
    M#machine{rules = [Rule | Rules]};
line([Step, X], #machine{steps = Steps} = M) -> M#machine{steps = [parsed_step(Step, X) | Steps]}.

opt(<<"enter=", V/binary>>, M) -> M#machine{enter = V =:= <<"1">>};
opt(<<"fuel=", V/binary>>, M) -> M#machine{fuel = int(V)}.

parsed_step(<<"call">>, C) -> {call, C};
parsed_step(<<"cast">>, C) -> {cast, C};
parsed_step(<<"info">>, C) -> {info, C};
parsed_step(<<"stop">>, R) -> {stop, stop_reason(R)};
parsed_step(<<"adv">>, By) -> {adv, int(By)};
parsed_step(<<"jmp">>, By) -> {jmp, int(By)}.

guard(<<"-">>) -> always;
guard(G) -> [Modulus, Remainder] = binary:split(G, <<"/">>), {int(Modulus), int(Remainder)}.

parsed_result([<<"ks">>]) -> ks;
parsed_result([<<"k">>, D]) -> {k, int(D)};
parsed_result([<<"ns">>, S, D]) -> {ns, S, int(D)};
parsed_result([<<"rs">>]) -> rs;
parsed_result([<<"r">>, D]) -> {r, int(D)};
parsed_result([<<"stop">>, R]) -> {stop, R};
parsed_result([<<"stopd">>, R, D]) -> {stopd, R, int(D)};
parsed_result([<<"sar">>, R]) -> {sar, R};
parsed_result([<<"sard">>, R, D]) -> {sard, R, int(D)};
parsed_result([<<"bad">>]) -> bad;
parsed_result([<<"crash">>]) -> crash.

action(Word) -> parsed_action(parts(Word)).

parsed_action([<<"pp">>]) -> {action, postpone};
parsed_action([<<"pp">>, <<"0">>]) -> {action, {postpone, false}};
parsed_action([<<"pp">>, <<"1">>]) -> {action, {postpone, true}};
parsed_action([<<"hib">>]) -> {action, hibernate};
parsed_action([<<"save">>]) -> save;
parsed_action([<<"re">>, V]) -> {re, V};
parsed_action([<<"rp">>, V]) -> {rp, V};
parsed_action([<<"nx">>, K, C]) -> {insert, type(K), C};
parsed_action([T, <<"cancel">>]) -> {action, {type(T), cancel}};
parsed_action([T, <<"upd">>, C]) -> {action, {type(T), update, C}};
parsed_action([T, <<"inf">>, C]) -> {action, {type(T), infinity, C}};
parsed_action([T, <<"@", At/binary>>, C]) -> {action, {type(T), int(At), C, [{abs, true}]}};
parsed_action([T, N, C]) -> {action, {type(T), int(N), C}}.

type(<<"call">>) -> call;
type(<<"cast">>) -> cast;
type(<<"info">>) -> info;
type(<<"int">>) -> internal;
type(<<"st">>) -> state_timeout;
type(<<"to">>) -> timeout;
type(<<"gt.", Name/binary>>) -> {timeout, Name}.

%% One text a case; to parse it is left to the workers.
split(Text) ->
    Starts = [P || {P, _} <- binary:matches(<<"\n", Text/binary>>, <<"\ncase ">>)],
    Ends = case Starts of [] -> []; _ -> tl(Starts) ++ [byte_size(Text)] end,
    lists:zipwith(fun(A, B) -> binary:part(Text, A, B - A) end, Starts, Ends).

chunks(L, N) when length(L) =< N -> [L];
chunks(L, N) -> {A, B} = lists:split(N, L), [A | chunks(B, N)].

%% Maps in order, with at most this many processes at a time.
ordered(F, L, AtOnce) ->
    Me = self(),
    Spawn = fun(X) -> spawn_monitor(fun() -> Me ! {self(), F(X)} end) end,
    {First, Later} = lists:split(min(AtOnce, length(L)), L),
    ordered(queue:from_list([Spawn(X) || X <- First]), Later, Spawn, []).

ordered(Running, Later, Spawn, Done) ->
    case queue:out(Running) of
        {empty, _} -> lists:reverse(Done);
        {{value, {Pid, Monitor}}, Rest} ->
            Result = receive
                         {Pid, R} -> erlang:demonitor(Monitor, [flush]), R;
                         {'DOWN', Monitor, _, _, Why} -> error({worker, Why})
                     end,
            case Later of
                [X | Xs] -> ordered(queue:in(Spawn(X), Rest), Xs, Spawn, [Result | Done]);
                [] -> ordered(Rest, [], Spawn, [Result | Done])
            end
    end.
