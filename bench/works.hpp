#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::bench {

/// How much of a work is to be done.
struct Order {
  std::uint64_t count = 0;    ///< messages, actors or rounds: what the work's figure is divided by
  std::uint32_t workers = 0;  ///< 0: one a core
};

/// One work of this library. `run` prints its figure, and ends the program where the work went
/// wrong.
struct Work {
  std::string_view name;
  void (*run)(const Order& order);
};

// flood.cpp
void flood(const Order& order);
void flood_window(const Order& order);
void fan_in_8(const Order& order);
void fan_in_64(const Order& order);
// ring.cpp
void ping_pong(const Order& order);
void ring_100(const Order& order);
void ring_1000(const Order& order);
// ask.cpp
void ask_1(const Order& order);
void ask_64(const Order& order);
// lives.cpp
void spawn(const Order& order);
void idle(const Order& order);
void skynet(const Order& order);
// savina_*.cpp
void fork_join(const Order& order);
void chameneos_meet(const Order& order);
void big(const Order& order);
void philosophers_dine(const Order& order);
void bounded_buffer(const Order& order);
// tail.cpp
void tail(const Order& order);
// channel.cpp
void channel_stream(const Order& order);
void channel_ping_pong(const Order& order);
// floor.cpp
void floor_1_thread(const Order& order);
void floor_2_threads(const Order& order);

inline constexpr Work works[] = {
    {"flood", &flood},
    {"flood-window", &flood_window},
    {"fan-in-8", &fan_in_8},
    {"fan-in-64", &fan_in_64},
    {"ping-pong", &ping_pong},
    {"ring-100", &ring_100},
    {"ring-1000", &ring_1000},
    {"ask-1", &ask_1},
    {"ask-64", &ask_64},
    {"spawn", &spawn},
    {"idle", &idle},
    {"skynet", &skynet},
    {"fork-join", &fork_join},
    {"chameneos", &chameneos_meet},
    {"big", &big},
    {"philosophers", &philosophers_dine},
    {"bounded-buffer", &bounded_buffer},
    {"tail", &tail},
    {"channel-stream", &channel_stream},
    {"channel-ping-pong", &channel_ping_pong},
    {"floor-1-thread", &floor_1_thread},
    {"floor-2-threads", &floor_2_threads},
};

}  // namespace troupe::bench
