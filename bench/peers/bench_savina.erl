%% Savina's works with Erlang's processes; bench_local calls them.
-module(bench_savina).
-export([main/2]).
-include("bench.hrl").

main("fork-join", Count) -> fork_join(Count div ?FORK_JOIN_ACTORS);
main("big", Count) -> big(Count div 2 div ?BIG_ACTORS);
main("chameneos", Count) -> chameneos(Count);
main("philosophers", Count) -> philosophers(Count div ?PHILOSOPHERS);
main("bounded-buffer", Count) -> bounded_buffer(Count div ?PRODUCERS).

%% Sums up what so many processes say that they have done.
sum_done(0, Sum) -> Sum;
sum_done(Left, Sum) -> receive {done, Pieces} -> sum_done(Left - 1, Sum + Pieces) end.

%% Fork-join (throughput).

fork_join(Each) ->
    Self = self(),
    rate("fork-join", Each * ?FORK_JOIN_ACTORS, fun() ->
        spawn(fun() ->
            Master = self(),
            Workers = [spawn(fun() -> worker(0, Each, Master) end)
                       || _ <- lists:seq(1, ?FORK_JOIN_ACTORS)],
            give_out(Each, Workers),
            Self ! {pieces, sum_done(?FORK_JOIN_ACTORS, 0)}
        end),
        Pieces = Each * ?FORK_JOIN_ACTORS,
        receive {pieces, Pieces} -> ok end
    end).

give_out(0, _Workers) -> ok;
give_out(Left, Workers) ->
    [Worker ! {piece, 37.2} || Worker <- Workers],
    give_out(Left - 1, Workers).

worker(Each, Each, Master) -> Master ! {done, Each};
worker(Done, Each, Master) ->
    receive
        {piece, Angle} ->
            Sine = math:sin(Angle),
            true = Sine * Sine > 0,
            worker(Done + 1, Each, Master)
    end.

%% Big.

below(State, Bound) ->
    Next = (State * 69069 + 1) band 16#7FFFFFFF,
    {(Next bsr 8) rem Bound, Next}.

big(Each) ->
    Self = self(),
    All = [spawn(fun() -> begin_big(Number, Each, Self) end)
           || Number <- lists:seq(0, ?BIG_ACTORS - 1)],
    Everybody = list_to_tuple(All),
    [One ! {all, Everybody} || One <- All],
    rate("big", 2 * Each * ?BIG_ACTORS, fun() ->
        [One ! go || One <- All],
        Pings = Each * ?BIG_ACTORS,
        Pings = sum_done(?BIG_ACTORS, 0)
    end).

begin_big(Number, Each, Main) ->
    receive {all, All} -> ok end,
    receive go -> ping(Number, 0, Each, Number, All, Main) end.

ping(Number, Answered, Each, Choice, All, Main) ->
    {Asked, Next} = below(Choice, ?BIG_ACTORS),
    element(Asked + 1, All) ! {ping, Number},
    big(Number, Asked, Answered, Each, Next, All, Main).

big(Number, Asked, Answered, Each, Choice, All, Main) ->
    receive
        {ping, From} ->
            element(From + 1, All) ! {pong, Number},
            big(Number, Asked, Answered, Each, Choice, All, Main);
        {pong, From} ->
            From = Asked,
            case Answered + 1 of
                Each ->
                    Main ! {done, Each},
                    big(Number, none, Each, Each, Choice, All, Main);
                More -> ping(Number, More, Each, Choice, All, Main)
            end
    end.

%% Chameneos.

chameneos(Meetings) ->
    Self = self(),
    rate("chameneos", Meetings, fun() ->
        Mall = spawn(fun() -> mall(Meetings, none, Self) end),
        [spawn(fun() -> enter(Number rem 3, 0, Mall) end)
         || Number <- lists:seq(0, ?CHAMENEOS - 1)],
        Met = 2 * Meetings,
        receive {pieces, Met} -> ok end
    end).

mall(0, _Waiting, Main) ->
    Main ! {pieces, say_goodbye(?CHAMENEOS, 0)};
mall(Meetings, none, Main) ->
    receive {enter, _Colour, Who} -> mall(Meetings, Who, Main) end;
mall(Meetings, Waiting, Main) ->
    receive
        {enter, Colour, Who} ->
            Waiting ! {meet, Colour, Who},
            mall(Meetings - 1, none, Main)
    end.

say_goodbye(0, Sum) -> Sum;
say_goodbye(Left, Sum) ->
    receive
        {enter, _Colour, Who} -> Who ! leave, say_goodbye(Left, Sum);
        {done, Meetings} -> say_goodbye(Left - 1, Sum + Meetings)
    end.

complement(Mine, Mine) -> Mine;
complement(Mine, Other) -> 3 - Mine - Other.

enter(Colour, Meetings, Mall) ->
    Mall ! {enter, Colour, self()},
    receive
        {meet, Other, Who} ->
            Mine = complement(Colour, Other),
            Who ! {change, Mine},
            enter(Mine, Meetings + 1, Mall);
        {change, Mine} when Mine < 3 -> enter(Mine, Meetings + 1, Mall);
        leave -> Mall ! {done, Meetings}
    end.

%% Dining philosophers.

philosophers(Each) ->
    Self = self(),
    rate("philosophers", Each * ?PHILOSOPHERS, fun() ->
        Arbitrator = spawn(fun() ->
            arbitrate(erlang:make_tuple(?PHILOSOPHERS, false), 0, 0, Self)
        end),
        [spawn(fun() -> hunger(Seat, Each, Arbitrator) end)
         || Seat <- lists:seq(0, ?PHILOSOPHERS - 1)],
        Meals = Each * ?PHILOSOPHERS,
        receive {pieces, Meals} -> ok end
    end).

hunger(Seat, Meals, Arbitrator) ->
    Arbitrator ! {hungry, Seat, self()},
    receive
        denied -> hunger(Seat, Meals, Arbitrator);
        eat when Meals =:= 1 -> Arbitrator ! {sated, Seat, true};
        eat ->
            Arbitrator ! {sated, Seat, false},
            hunger(Seat, Meals - 1, Arbitrator)
    end.

arbitrate(_Taken, Meals, ?PHILOSOPHERS, Main) -> Main ! {pieces, Meals};
arbitrate(Taken, Meals, Left, Main) ->
    receive
        {hungry, Seat, Who} ->
            Next = (Seat + 1) rem ?PHILOSOPHERS,
            case element(Seat + 1, Taken) orelse element(Next + 1, Taken) of
                true ->
                    Who ! denied,
                    arbitrate(Taken, Meals, Left, Main);
                false ->
                    Who ! eat,
                    arbitrate(set_forks(Seat, Next, true, Taken), Meals, Left, Main)
            end;
        {sated, Seat, Leaves} ->
            Next = (Seat + 1) rem ?PHILOSOPHERS,
            true = element(Seat + 1, Taken) andalso element(Next + 1, Taken),
            Gone = case Leaves of true -> Left + 1; false -> Left end,
            arbitrate(set_forks(Seat, Next, false, Taken), Meals + 1, Gone, Main)
    end.

set_forks(Seat, Next, Taken, Forks) ->
    setelement(Seat + 1, setelement(Next + 1, Forks, Taken), Taken).

%% Bounded buffer.

bounded_buffer(Each) ->
    Self = self(),
    Items = Each * ?PRODUCERS,
    Sum = ?PRODUCERS * sum_of_values(Each),
    rate("bounded-buffer", Items, fun() ->
        Buffer = spawn(fun() ->
            buffer(Items + ?PRODUCERS, 0, queue:new(), 0, queue:new(), queue:new(), Self)
        end),
        [begin
             spawn(fun() -> consume(0, Buffer) end),
             spawn(fun() -> produce(0, Each, Buffer) end) ! produce
         end || _ <- lists:seq(1, ?PRODUCERS)],
        receive {pieces, Sum} -> ok end
    end).

produce(Number, Each, Buffer) ->
    receive
        produce when Number =:= Each -> ok;
        produce ->
            Buffer ! {item, value_of(Number), self()},
            produce(Number + 1, Each, Buffer)
    end.

consume(Consumed, Buffer) ->
    Buffer ! {idle, Consumed, self()},
    receive {consume, Value} -> consume(Value, Buffer) end.

buffer(Left, Sum, Items, Size, Idle, Waiting, Main) ->
    receive
        {item, Value, Producer} ->
            {NewItems, NewSize, NewIdle} = case queue:out(Idle) of
                {empty, _} -> {queue:in(Value, Items), Size + 1, Idle};
                {{value, Consumer}, Others} ->
                    Consumer ! {consume, Value},
                    {Items, Size, Others}
            end,
            case NewSize + ?PRODUCERS > ?BUFFER_ITEMS of
                true ->
                    buffer(Left, Sum, NewItems, NewSize, NewIdle, queue:in(Producer, Waiting), Main);
                false ->
                    Producer ! produce,
                    buffer(Left, Sum, NewItems, NewSize, NewIdle, Waiting, Main)
            end;
        {idle, Consumed, _Consumer} when Left =:= 1 -> Main ! {pieces, Sum + Consumed};
        {idle, Consumed, Consumer} when Size =:= 0 ->
            buffer(Left - 1, Sum + Consumed, Items, 0, queue:in(Consumer, Idle), Waiting, Main);
        {idle, Consumed, Consumer} when Size =< ?BUFFER_ITEMS ->
            {{value, Value}, NewItems} = queue:out(Items),
            Consumer ! {consume, Value},
            NewWaiting = case queue:out(Waiting) of
                {empty, _} -> Waiting;
                {{value, Producer}, Others} -> Producer ! produce, Others
            end,
            buffer(Left - 1, Sum + Consumed, NewItems, Size - 1, Idle, NewWaiting, Main)
    end.
