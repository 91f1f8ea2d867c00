%% Erlang's processes in one virtual machine:
%% erl -noshell +P 4000000 -pa DIR -run bench_local main WORK COUNT
-module(bench_local).
-export([main/1]).
-include("bench.hrl").

main([Work, CountText]) ->
    Count = list_to_integer(CountText),
    case Work of
        "flood" -> fan_in(Work, 1, Count);
        "flood-window" -> flood_window(Work, Count);
        "fan-in-8" -> fan_in(Work, 8, Count);
        "fan-in-64" -> fan_in(Work, 64, Count);
        "ping-pong" -> ring(Work, 2, Count);
        "ring-100" -> ring(Work, 100, Count);
        "ring-1000" -> ring(Work, 1000, Count);
        "ask-1" -> ask_1(Work, Count);
        "ask-64" -> ask_many(Work, 64, Count);
        "spawn" -> spawn_all(Work, Count);
        "idle" -> idle(Work, Count);
        "skynet" -> skynet(Work, Count);
        "tail" -> tail(Work, Count);
        _ -> bench_savina:main(Work, Count)
    end,
    halt(0).

%% Flood and fan-in.

fan_in(Work, Sources, Count) ->
    Each = Count div Sources,
    Self = self(),
    Sink = spawn(fun() -> sink(erlang:make_tuple(Sources, 0), Each * Sources, 0, Self) end),
    Senders = [spawn(fun() -> receive go -> source(Number, 0, Each, Sink) end end)
               || Number <- lists:seq(1, Sources)],
    Sum = Sources * sum_of_values(Each),
    rate(Work, Each * Sources, fun() ->
        [Sender ! go || Sender <- Senders],
        receive {done, Sum} -> ok end
    end).

sink(_Next, 0, Sum, Main) -> Main ! {done, Sum};
sink(Next, Left, Sum, Main) ->
    receive
        {Source, Number, Value} ->
            Number = element(Source, Next),
            sink(setelement(Source, Next, Number + 1), Left - 1, Sum + Value, Main)
    end.

source(_Source, Messages, Messages, _Sink) -> ok;
source(Source, Number, Messages, Sink) ->
    Sink ! {Source, Number, value_of(Number)},
    source(Source, Number + 1, Messages, Sink).

%% The same with at most so many on their way.

flood_window(Work, Messages) ->
    Self = self(),
    Sink = spawn(fun() -> window_sink(0, 0, Messages, Self) end),
    Source = spawn(fun() -> receive go -> window_source(0, Messages, ?WINDOW, Sink) end end),
    Sum = sum_of_values(Messages),
    rate(Work, Messages, fun() ->
        Source ! go,
        receive {done, Sum} -> ok end
    end).

window_sink(Messages, Sum, Messages, Main) -> Main ! {done, Sum};
window_sink(Received, Sum, Messages, Main) ->
    receive
        {Source, Received, Value} ->
            case (Received + 1) rem (?WINDOW div 2) of
                0 -> Source ! ack;
                _ -> ok
            end,
            window_sink(Received + 1, Sum + Value, Messages, Main)
    end.

window_source(Messages, Messages, _Limit, _Sink) -> ok;
window_source(Limit, Messages, Limit, Sink) ->
    receive ack -> window_source(Limit, Messages, Limit + ?WINDOW div 2, Sink) end;
window_source(Sent, Messages, Limit, Sink) ->
    Sink ! {self(), Sent, value_of(Sent)},
    window_source(Sent + 1, Messages, Limit, Sink).

%% Ping-pong and rings: one ball that counts down.

ring(Work, Players, Count) ->
    Hops = Count div Players * Players,
    Self = self(),
    All = [spawn(fun() -> begin_player(Players, Hops - 1 - Number, Self) end)
           || Number <- lists:seq(0, Players - 1)],
    lists:foreach(fun({Player, Next}) -> Player ! {pass_to, Next} end,
                  lists:zip(All, tl(All) ++ [hd(All)])),
    Micros = time(fun() ->
        hd(All) ! {ball, Hops - 1},
        receive done -> ok end
    end),
    io:format("~s ~f ns~n", [Work, Micros * 1000 / Hops]).

begin_player(Players, First, Main) ->
    receive {pass_to, Next} -> play(Players, First, Next, Main) end.

play(Players, Expected, Next, Main) ->
    receive
        {ball, 0} when Expected =:= 0 -> Main ! done;
        {ball, Left} ->
            Left = Expected,
            Next ! {ball, Left - 1},
            play(Players, Expected - Players, Next, Main)
    end.

%% Asks: what gen_server does, without its loop; a monitored request with a deadline.

answer() ->
    receive
        {'$gen_call', From, Number} ->
            gen:reply(From, value_of(Number)),
            answer()
    end.

ask_1(Work, Count) ->
    Answerer = spawn(fun answer/0),
    rate(Work, Count, fun() -> ask_in_turn(0, Count, Answerer) end).

ask_in_turn(Count, Count, _Answerer) -> ok;
ask_in_turn(Number, Count, Answerer) ->
    Value = gen_server:call(Answerer, Number),
    Value = value_of(Number),
    ask_in_turn(Number + 1, Count, Answerer).

ask_many(Work, Open, Count) ->
    Answerer = spawn(fun answer/0),
    rate(Work, Count, fun() -> ask_many(0, 0, Open, Count, Answerer, queue:new()) end).

ask_many(_Sent, Count, _Open, Count, _Answerer, _Requests) -> ok;
ask_many(Sent, Answered, Open, Count, Answerer, Requests)
        when Sent < Count, Sent - Answered < Open ->
    Request = gen_server:send_request(Answerer, Sent),
    ask_many(Sent + 1, Answered, Open, Count, Answerer, queue:in(Request, Requests));
ask_many(Sent, Answered, Open, Count, Answerer, Requests) ->
    {{value, Oldest}, Others} = queue:out(Requests),
    {reply, Value} = gen_server:receive_response(Oldest, 5000),
    Value = value_of(Answered),
    ask_many(Sent, Answered + 1, Open, Count, Answerer, Others).

%% Processes that live for one message.

spawn_all(Work, Count) ->
    Self = self(),
    Ended = atomics:new(2, [{signed, false}]),
    rate(Work, Count, fun() ->
        spawn(fun() -> spawn_from(0, Count, Ended, Self) end),
        receive all_ended -> ok end,
        Sum = Count * (Count - 1) div 2,
        Sum = atomics:get(Ended, 2)
    end).

spawn_from(Count, Count, _Ended, _Main) -> ok;
spawn_from(Number, Count, Ended, Main) ->
    spawn(fun() -> live(Count, Ended, Main) end) ! {number, Number},
    spawn_from(Number + 1, Count, Ended, Main).

live(Count, Ended, Main) ->
    receive {number, Number} -> atomics:add(Ended, 2, Number) end,
    case atomics:add_get(Ended, 1, 1) of
        Count -> Main ! all_ended;
        _ -> ok
    end.

%% Processes that live on: resident bytes of each beyond its state.

idle(Work, Count) ->
    Self = self(),
    Before = resident_bytes(),
    All = idle_from(0, Count, Self, []),
    Bytes = resident_bytes() - Before,
    Count = length(All),
    io:format("~s ~f B~n", [Work, Bytes / Count - ?IDLE_STATE_BYTES]).

idle_from(Count, Count, _Main, All) -> All;
idle_from(Number, Count, Main, All) ->
    Until = min(Number + ?SPAWNED_A_TURN, Count),
    Some = [begin
                Process = spawn(fun() -> sleeper({0, 0, 0, 0, 0, 0, 0, Main}) end),
                Process ! {number, One},
                Process
            end || One <- lists:seq(Number, Until - 1)],
    [receive {began, Process} -> ok end || Process <- Some],
    idle_from(Until, Count, Main, Some ++ All).

sleeper(State) ->
    receive
        {number, Number} ->
            At = Number rem 7 + 1,
            element(8, State) ! {began, self()},
            sleeper(setelement(At, State, element(At, State) + Number))
    end.

resident_bytes() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_Total, Resident | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Resident) * 4096.

%% Skynet.

skynet(Work, Count) ->
    Leaves = leaves(1, Count),
    Self = self(),
    Micros = time(fun() ->
        spawn(fun() -> branch(Self) end) ! {grow, 0, Leaves},
        receive {sum, Sum} -> Sum = Leaves * (Leaves - 1) div 2 end
    end),
    io:format("~s ~f ms~n", [Work, Micros / 1000]).

leaves(Leaves, Count) when Leaves * 10 =< Count -> leaves(Leaves * 10, Count);
leaves(Leaves, _Count) -> Leaves.

branch(Parent) ->
    receive
        {grow, First, 1} -> Parent ! {sum, First};
        {grow, First, Leaves} ->
            Self = self(),
            Each = Leaves div 10,
            [spawn(fun() -> branch(Self) end) ! {grow, First + Child * Each, Each}
             || Child <- lists:seq(0, 9)],
            Parent ! {sum, sum_of_children(10, 0)}
    end.

sum_of_children(0, Sum) -> Sum;
sum_of_children(Left, Sum) -> receive {sum, Value} -> sum_of_children(Left - 1, Sum + Value) end.

%% The tail: a quiet process beside four pairs that flood, with a window.

tail(Work, Trips) ->
    Pairs = [begin
                 Sink = spawn(fun() -> tail_sink(0) end),
                 {spawn(fun() -> tail_source(0, ?WINDOW, Sink) end), Sink}
             end || _ <- lists:seq(1, ?FLOODING_PAIRS)],
    [begun(Sink) || {_Source, Sink} <- Pairs],
    Quiet = spawn(fun quiet/0),
    Over = erlang:monotonic_time(millisecond) + ?TAIL_MILLISECONDS,
    Micros = probe(0, Trips, Quiet, Over, []),
    [begin
         Source ! {count, self()},
         Sent = receive {sent, Some} -> Some end,
         Sink ! {count, self()},
         receive {received, Sent} when Sent > 0 -> ok end
     end || {Source, Sink} <- Pairs],
    io:format("~s ~f us~n", [Work, lists:nth(length(Micros) * 99 div 100 + 1, lists:sort(Micros))]).

tail_sink(Received) ->
    receive
        {Source, Received, Value} ->
            Value = value_of(Received),
            case (Received + 1) rem (?WINDOW div 2) of
                0 -> Source ! ack;
                _ -> ok
            end,
            tail_sink(Received + 1);
        {count, Main} ->
            Main ! {received, Received},
            tail_sink(Received)
    end.

tail_source(Sent, Sent, Sink) ->
    receive
        ack -> tail_source(Sent, Sent + ?WINDOW div 2, Sink);
        {count, Main} -> Main ! {sent, Sent}
    end;
tail_source(Sent, Limit, Sink) ->
    Sink ! {self(), Sent, value_of(Sent)},
    tail_source(Sent + 1, Limit, Sink).

begun(Sink) ->
    Sink ! {count, self()},
    receive
        {received, 0} -> begun(Sink);
        {received, _} -> ok
    end.

quiet() ->
    receive {ping, Number, From} -> From ! {pong, Number}, quiet() end.

probe(Trips, Trips, _Quiet, _Over, All) -> All;
probe(Number, Trips, Quiet, Over, All) ->
    case max(Over - erlang:monotonic_time(millisecond), 0) of
        0 -> All;
        Left ->
            Micros = time(fun() ->
                Quiet ! {ping, Number, self()},
                receive {pong, Number} -> ok after Left -> ok end
            end),
            probe(Number + 1, Trips, Quiet, Over, [Micros | All])
    end.
