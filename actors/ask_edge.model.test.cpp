#include "actors/ask_edge.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ExplorerOptions;
using testing::ModelAtomic;
using testing::ModelAtomics;

constexpr std::size_t actors_max = 4;
using Edge = BasicAskEdge<ModelAtomics>;

struct Wait {
  std::size_t waiter;
  std::size_t target;
};

/// Actors, each with one request at most, and who has found a ring.
struct World {
  static base::ActorId id_of(std::size_t actor) { return {actor + 1}; }
  static base::ActorId request_of(std::size_t waiter) { return {100 + waiter}; }

  auto graph() const {
    return AskGraph{[this](base::ActorId actor) { return &edges[actor.value - 1]; },
                    [this](base::ActorId request, base::ActorId target) {
                      const std::size_t waiter = request.value - request_of(0).value;
                      return is_open[waiter].load() ? holders[waiter].holder_of(request, target)
                                                    : base::ActorId{};
                    }};
  }
  /// As OpenAsk::closes_ring() does.
  void wait(Wait wait, bool looks_too_early = false) {
    const base::ActorId waiter = id_of(wait.waiter);
    const base::ActorId target = id_of(wait.target);
    const base::ActorId request = request_of(wait.waiter);
    const Edge::View begun{target, request, {waiter.value}};
    if (!looks_too_early) {
      edges[wait.waiter].begin(waiter, begun);
    }
    const base::ActorId holder = graph().holder_of(request, target);
    if (holder && finds_ring(holder, waiter) && graph().holder_of(request, target) == holder) {
      found.push_back(wait.waiter);
    }
    if (looks_too_early) {
      edges[wait.waiter].begin(waiter, begun);
    }
  }
  /// As ReplyRight's forwarding does: of the request of `waiter`.
  void forward(std::size_t waiter, std::size_t to) {
    holders[waiter].forward(request_of(waiter), id_of(to));
    const Edge::View seen = graph().wait_of(id_of(waiter), request_of(waiter));
    if (!seen.target) {
      return;
    }
    Explorer::expect(seen.name[0] == id_of(waiter).value, "the name is another one's");
    const base::ActorId holder = graph().holder_of(seen.request, seen.target);
    if (holder && finds_ring(holder, id_of(waiter))) {
      found.push_back(to);
    }
  }
  bool finds_ring(base::ActorId at, base::ActorId waiter) const {
    std::vector<Edge::View> ring;
    const bool is_found = graph().find_ring(at, waiter, ring);
    for (const Edge::View& seen : ring) {
      Explorer::expect(seen.request == request_of(seen.name[0] - 1),
                       "name and request are of two waits");
    }
    return is_found;
  }

  std::array<Edge, actors_max> edges;
  std::array<BasicRequestHolder<ModelAtomics>, actors_max> holders;
  std::array<ModelAtomic<bool>, actors_max> is_open{true, true, true, true};
  std::vector<std::size_t> found;
};

Explorer::Result explore(const std::vector<Wait>& waits, bool is_ring,
                         bool looks_too_early = false) {
  return Explorer{}.explore([=](Explorer::Case& made) {
    const auto world = std::make_shared<World>();
    for (const Wait& wait : waits) {
      made.thread("actor " + std::to_string(wait.waiter),
                  [=] { world->wait(wait, looks_too_early); });
    }
    made.at_end([=] {
      Explorer::expect(!world->found.empty() || !is_ring, "nobody saw the ring");
      Explorer::expect(world->found.empty() || is_ring, "a ring was seen where there is none");
    });
  });
}

void expect_right(const Explorer::Result& result) {
  EXPECT_EQ(result.failure, "") << result.trace;
  EXPECT_TRUE(result.is_complete) << result.schedules;
  EXPECT_GT(result.schedules, 1U);
}

TEST(AskEdgeModel, OneAtLeastSeesTheRingThatAllCloseTogether) {
  expect_right(explore({{0, 1}, {1, 0}}, true));
  expect_right(explore({{0, 1}, {1, 2}, {2, 0}}, true));
  expect_right(explore({{0, 1}, {1, 2}, {2, 3}, {3, 1}}, true));
}

TEST(AskEdgeModel, NobodySeesARingInAChain) {
  expect_right(explore({{0, 1}, {1, 2}, {2, 3}}, false));
}

/// The first waits for the third, which forwards its request to the second, which waits for the
/// first: one of them sees it, if not the one that forwards.
TEST(AskEdgeModel, OneAtLeastSeesTheRingThatForwardingCloses) {
  expect_right(Explorer{}.explore([](Explorer::Case& made) {
    const auto world = std::make_shared<World>();
    made.thread("first", [=] { world->wait({0, 2}); });
    made.thread("second", [=] { world->wait({1, 0}); });
    made.thread("third", [=] { world->forward(0, 1); });
    made.at_end([=] { Explorer::expect(!world->found.empty(), "nobody saw the ring"); });
  }));
}

/// The second answers the first before it waits for the third, which waits for the first: each of
/// the waits is there while the third follows the chain, but never all of them at once.
TEST(AskEdgeModel, NobodySeesARingOfWaitsThatWereNotThereAtOnce) {
  expect_right(Explorer{}.explore([](Explorer::Case& made) {
    const auto world = std::make_shared<World>();
    made.thread("first", [=] {
      world->wait({0, 1});
      world->is_open[0].wait_until([](bool is) { return !is; });
      world->edges[0].end();
    });
    made.thread("second", [=] {
      world->is_open[0].store(false);
      world->wait({1, 2});
    });
    made.thread("third", [=] { world->wait({2, 0}); });
    made.at_end([=] { Explorer::expect(world->found.empty(), "a ring that never was"); });
  }));
}

TEST(AskEdgeModel, FindsWhoLooksBeforeItWaits) {
  EXPECT_EQ(explore({{0, 1}, {1, 0}}, true, true).failure, "nobody saw the ring");
  EXPECT_EQ(explore({{0, 1}, {1, 2}, {2, 0}}, true, true).failure, "nobody saw the ring");
}

}  // namespace
}  // namespace troupe::actors
