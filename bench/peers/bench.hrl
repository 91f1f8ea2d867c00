%% What the works consist of besides their count: the same numbers as in bench/sizes.hpp.
-define(WINDOW, 10000).
-define(SPAWNED_A_TURN, 1000).
-define(IDLE_STATE_BYTES, 64).
-define(FLOODING_PAIRS, 4).
-define(TAIL_MILLISECONDS, 5000).
-define(FORK_JOIN_ACTORS, 60).
-define(CHAMENEOS, 100).
-define(BIG_ACTORS, 120).
-define(PHILOSOPHERS, 20).
-define(PRODUCERS, 40).
-define(BUFFER_ITEMS, 50).

%% The contents by which works are checked, as in bench/figure.hpp.
value_of(Number) -> (Number * 2654435761) band 16#FFFFFF.

sum_of_values(Count) -> sum_of_values(Count, 0).
sum_of_values(0, Sum) -> Sum;
sum_of_values(Count, Sum) -> sum_of_values(Count - 1, Sum + value_of(Count - 1)).

%% Runs the work and prints what is done a microsecond: millions a second.
rate(Work, Count, Run) -> io:format("~s ~f M/s~n", [Work, Count / time(Run)]).

%% The microseconds that the work takes.
time(Run) ->
    Began = erlang:monotonic_time(nanosecond),
    Run(),
    (erlang:monotonic_time(nanosecond) - Began) / 1000.
