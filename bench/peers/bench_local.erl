%% Erlang: ping-pong, flood, flood-windowed.
%% erl -noshell -pa DIR -run bench_local main WORK MESSAGES
-module(bench_local).
-export([main/1]).

main([Work, Count]) ->
    Messages = list_to_integer(Count),
    case Work of
        "ping-pong" -> ping_pong(Messages div 2 * 2);
        "flood" -> flood(Messages, 0);
        "flood-windowed" -> flood(Messages, 10000)
    end,
    halt(0).

value_of(Number) -> (Number * 2654435761) band 16#FFFFFF.

%% Two processes send each other one ball.

ping_pong(Messages) ->
    Self = self(),
    First = spawn(fun() -> begin_player(Messages - 1, Self) end),
    Second = spawn(fun() -> begin_player(Messages - 2, Self) end),
    First ! {against, Second},
    Second ! {against, First},
    Began = erlang:monotonic_time(nanosecond),
    First ! {ball, Messages - 1},
    receive done -> ok end,
    Ended = erlang:monotonic_time(nanosecond),
    io:format("ping-pong ~f ns~n", [(Ended - Began) / Messages]).

begin_player(Next, Main) ->
    receive {against, Other} -> play(Next, Other, Main) end.

play(Next, Other, Main) ->
    receive
        {ball, 0} when Next =:= 0 -> Main ! done;
        {ball, Left} ->
            Left = Next,
            Other ! {ball, Left - 1},
            play(Next - 2, Other, Main)
    end.

%% One process sends, one receives.

flood(Messages, Window) ->
    Self = self(),
    Sink = spawn(fun() -> sink(0, 0, Messages, Window, Self) end),
    Source = spawn(fun() -> receive go -> source(0, Messages, Window, Window, Sink) end end),
    Began = erlang:monotonic_time(nanosecond),
    Source ! go,
    Sum = receive {done, Total} -> Total end,
    Ended = erlang:monotonic_time(nanosecond),
    Sum = expected(0, Messages, 0),
    io:format("flood ~f M/s~n", [Messages * 1000 / (Ended - Began)]).

sink(Messages, Sum, Messages, _Window, Main) -> Main ! {done, Sum};
sink(Received, Sum, Messages, Window, Main) ->
    receive
        {Source, Received, Value} ->
            case Window > 0 andalso (Received + 1) rem (Window div 2) =:= 0 of
                true -> Source ! ack;
                false -> ok
            end,
            sink(Received + 1, Sum + Value, Messages, Window, Main)
    end.

source(Messages, Messages, _Limit, _Window, _Sink) -> ok;
source(Sent, Messages, Limit, Window, Sink) when Window > 0, Sent =:= Limit ->
    receive ack -> source(Sent, Messages, Limit + Window div 2, Window, Sink) end;
source(Sent, Messages, Limit, Window, Sink) ->
    Sink ! {self(), Sent, value_of(Sent)},
    source(Sent + 1, Messages, Limit, Window, Sink).

expected(Messages, Messages, Sum) -> Sum;
expected(Number, Messages, Sum) -> expected(Number + 1, Messages, Sum + value_of(Number)).
