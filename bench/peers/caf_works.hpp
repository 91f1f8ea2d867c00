#pragma once

#include <atomic>
#include <cstdint>
#include <future>

#include "bench/figure.hpp"
#include "bench/sizes.hpp"
#include "caf/all.hpp"

namespace troupe::bench {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

using Go = caf::atom_constant<caf::atom("go")>;
using Ack = caf::atom_constant<caf::atom("ack")>;
using Done = caf::atom_constant<caf::atom("done")>;
using Sum = caf::atom_constant<caf::atom("sum")>;

inline actor sender_of(event_based_actor& self) {
  return caf::actor_cast<actor>(self.current_sender());
}

// The works of troupe-bench with CAF's event-based actors; each prints its figure.

// caf_messages.cpp
void flood(caf::actor_system& system, std::uint64_t count);
void flood_window(caf::actor_system& system, std::uint64_t count);
void fan_in_8(caf::actor_system& system, std::uint64_t count);
void fan_in_64(caf::actor_system& system, std::uint64_t count);
void ping_pong(caf::actor_system& system, std::uint64_t count);
void ring_100(caf::actor_system& system, std::uint64_t count);
void ring_1000(caf::actor_system& system, std::uint64_t count);
void ask_1(caf::actor_system& system, std::uint64_t count);
void ask_64(caf::actor_system& system, std::uint64_t count);
// caf_lives.cpp
void spawn(caf::actor_system& system, std::uint64_t count);
void idle(caf::actor_system& system, std::uint64_t count);
void skynet(caf::actor_system& system, std::uint64_t count);
void tail(caf::actor_system& system, std::uint64_t count);
// caf_savina.cpp
void fork_join(caf::actor_system& system, std::uint64_t count);
void chameneos_meet(caf::actor_system& system, std::uint64_t count);
void big(caf::actor_system& system, std::uint64_t count);
void philosophers_dine(caf::actor_system& system, std::uint64_t count);
void bounded_buffer(caf::actor_system& system, std::uint64_t count);

}  // namespace troupe::bench
