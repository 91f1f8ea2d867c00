#pragma once

#include <cstdint>

// What the works consist of besides their count; the same for all contestants. The peers in Erlang
// hold the same numbers in peers/bench.hrl.
namespace troupe::bench {

inline constexpr std::uint32_t mailbox_messages = 10'000;  ///< and of a window
inline constexpr std::uint64_t spawned_a_turn = 1'000;
inline constexpr std::uint64_t idle_state_bytes = 64;
inline constexpr std::uint32_t flooding_pairs = 4;
inline constexpr std::uint64_t tail_items_seen = 10'000;
inline constexpr double tail_seconds = 5;

// Savina (Imam and Sarkar 2014), with its default numbers of actors.
inline constexpr std::uint32_t fork_join_actors = 60;
inline constexpr std::uint32_t chameneos = 100;
inline constexpr std::uint32_t big_actors = 120;
inline constexpr std::uint32_t philosophers = 20;
inline constexpr std::uint32_t producers = 40;  ///< and consumers
inline constexpr std::uint32_t buffer_items = 50;

inline constexpr std::uint32_t channel_values = 1'000;

}  // namespace troupe::bench
