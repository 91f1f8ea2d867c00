%% Erlang's distribution between two processes over loopback TCP, without epmd. The receiving node:
%%   erl -noshell -pa DIR -name r@127.0.0.1 -start_epmd false -erl_epmd_port PORT -run bench_remote receive_items MESSAGES
%% The sending one, which prints the figure and ends both:
%%   erl -noshell -pa DIR -name s@127.0.0.1 -start_epmd false -erl_epmd_port PORT -dist_listen false
%%       -run bench_remote send_items MESSAGES
-module(bench_remote).
-export([receive_items/1, send_items/1]).

value_of(Number) -> (Number * 2654435761) band 16#FFFFFF.

receive_items([Count]) ->
    Messages = list_to_integer(Count),
    register(sink, self()),
    io:format("ready~n"),
    Sender = receive {begin_with, Source} -> Source end,
    sink(0, 0, Messages, Sender),
    %% The sender has its sum when it goes.
    Monitor = monitor(process, Sender),
    receive {'DOWN', Monitor, process, Sender, _} -> ok end,
    halt(0).

sink(Messages, Sum, Messages, Source) -> Source ! {done, Sum};
sink(Received, Sum, Messages, Source) ->
    receive
        {item, Received, Value, Text} when byte_size(Text) =:= 48 ->
            sink(Received + 1, Sum + Value, Messages, Source)
    end.

send_items([Count]) ->
    Messages = list_to_integer(Count),
    pong = net_adm:ping('r@127.0.0.1'),
    Sink = rpc:call('r@127.0.0.1', erlang, whereis, [sink]),
    true = is_pid(Sink),
    Sink ! {begin_with, self()},
    Text = list_to_binary(lists:duplicate(48, $x)),
    Began = erlang:monotonic_time(nanosecond),
    source(0, Messages, Text, Sink),
    Sum = receive {done, Total} -> Total end,
    Ended = erlang:monotonic_time(nanosecond),
    Sum = expected(0, Messages, 0),
    io:format("remote-flood ~f M/s~n", [Messages * 1000 / (Ended - Began)]),
    halt(0).

%% The distribution suspends a sender whose connection is full.
source(Messages, Messages, _Text, _Sink) -> ok;
source(Sent, Messages, Text, Sink) ->
    Sink ! {item, Sent, value_of(Sent), Text},
    source(Sent + 1, Messages, Text, Sink).

expected(Messages, Messages, Sum) -> Sum;
expected(Number, Messages, Sum) -> expected(Number + 1, Messages, Sum + value_of(Number)).
