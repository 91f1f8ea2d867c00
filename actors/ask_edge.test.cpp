#include "actors/ask_edge.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <thread>
#include <vector>

namespace troupe::actors {
namespace {

TEST(AskEdge, OneAtLeastOfTheThreadsThatCloseARingSeesIt) {
  constexpr std::size_t threads_count = 3;
  constexpr std::size_t rings = 3'000;
  constexpr std::size_t rings_between_barriers = 64;  // which bring the threads together again
  std::vector<BasicAskEdge<>> edges(rings * threads_count);
  std::vector<BasicRequestHolder<>> holders(edges.size());
  std::vector<std::atomic<bool>> is_seen(rings);
  const AskGraph graph{[&](base::ActorId actor) { return &edges[actor.value - 1]; },
                       [&](base::ActorId request, base::ActorId target) {
                         return holders[request.value - 1].holder_of(request, target);
                       }};
  std::barrier together{threads_count};
  const auto take_part = [&](std::size_t thread, std::size_t ring) {
    const std::size_t own = ring * threads_count + thread;
    // A request has the number of its actor.
    const base::ActorId self{own + 1};
    const base::ActorId next{ring * threads_count + (thread + 1) % threads_count + 1};
    // Every other request was sent to its actor itself, who forwards it.
    const bool is_forwarded = ring % 2 == 0;
    edges[own].begin(self, {is_forwarded ? self : next, self, {self.value}});
    if (is_forwarded) {
      holders[own].forward(self, next);
    }
    std::vector<BasicAskEdge<>::View> found;
    if (graph.find_ring(next, self, found)) {
      is_seen[ring].store(true, std::memory_order_relaxed);
      EXPECT_EQ(found.size(), threads_count - 1);
    }
    for (const auto& seen : found) {
      EXPECT_EQ(seen.request.value, seen.name[0]);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < threads_count; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t ring = 0; ring < rings; ++ring) {
        if (ring % rings_between_barriers == 0) {
          together.arrive_and_wait();
        }
        take_part(thread, ring);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (std::size_t ring = 0; ring < rings; ++ring) {
    EXPECT_TRUE(is_seen[ring].load()) << ring;
  }
}

}  // namespace
}  // namespace troupe::actors
