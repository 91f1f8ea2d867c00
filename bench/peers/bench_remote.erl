%% Erlang's distribution between two virtual machines over loopback TCP, without epmd:
%%   erl -noshell -pa DIR -run bench_remote main MESSAGES
%% starts both and prints the figure of the sender.
-module(bench_remote).
-export([main/1, receive_items/1, send_items/1]).
-include("bench.hrl").

main([Count]) ->
    {ok, Probe} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Number} = inet:port(Probe),
    ok = gen_tcp:close(Probe),
    Port = integer_to_list(Number),
    Receiver = start(["-name", "r@127.0.0.1", "-erl_epmd_port", Port,
                      "-run", "bench_remote", "receive_items", Count]),
    receive {Receiver, {data, {eol, "ready"}}} -> ok end,
    Sender = start(["-name", "s@127.0.0.1", "-erl_epmd_port", Port, "-dist_listen", "false",
                    "-run", "bench_remote", "send_items", Count]),
    receive {Sender, {data, {eol, Figure}}} -> io:format("~s~n", [Figure]) end,
    [receive {Node, {exit_status, 0}} -> ok end || Node <- [Sender, Receiver]],
    halt(0).

start(Words) ->
    open_port({spawn_executable, os:find_executable("erl")},
              [{args, ["-noshell", "-noinput", "-start_epmd", "false",
                       "-pa", filename:dirname(code:which(?MODULE)) | Words]},
               {line, 200}, exit_status]).

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
    Sum = sum_of_values(Messages),
    rate("remote-flood", Messages, fun() ->
        source(0, Messages, Text, Sink),
        receive {done, Sum} -> ok end
    end),
    halt(0).

%% The distribution suspends a sender whose connection is full.
source(Messages, Messages, _Text, _Sink) -> ok;
source(Sent, Messages, Text, Sink) ->
    Sink ! {item, Sent, value_of(Sent), Text},
    source(Sent + 1, Messages, Text, Sink).
