#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "actors/stress/garden.hpp"

namespace troupe::actors::stress {

struct Feed {
  TROUPE_MESSAGE(Feed)
};

/// Brings messages in, keeps so many under way, and makes trouble: failures, stops, handovers,
/// other sizes. What it asks is answered by callbacks, which must come.
class Feeder final : public Actor {
 public:
  using Protocol = actors::Protocol<Feed>;
  explicit Feeder(World* world)
      : world_(*world), me_(static_cast<std::uint32_t>(world->options.actors)) {}

  void on_start() override;
  void on(const Feed&);

 private:
  void feed_crowd();
  void feed_pools();
  void ask_pool(std::size_t pool);
  void make_trouble();
  void exchange_values();
  [[nodiscard]] Stamp stamp_for(std::uint32_t place) { return {me_, life_, place, ++sent_}; }

  World& world_;
  const std::uint32_t me_;
  std::uint32_t life_ = 0;
  std::uint32_t sent_ = 0;
};

/// Plain threads beside the actors: two that tell, ask and wait for answers, one at each of the
/// two channels. The threads are joined by join(), once is_done(), after the world is over and its
/// channels are closed.
class Outsiders {
 public:
  explicit Outsiders(World& world);
  ~Outsiders() { join(); }
  Outsiders(const Outsiders&) = delete;
  Outsiders& operator=(const Outsiders&) = delete;

  [[nodiscard]] bool is_done() const { return running_.load(std::memory_order_acquire) == 0; }
  void join();

 private:
  void ask_around(std::uint32_t number, base::Random random);
  void send_values();
  void receive_values();

  World& world_;
  std::atomic<std::uint32_t> running_{0};
  std::vector<std::thread> threads_;
};

/// A value came out of a channel.
void note_received(World& world, std::uint64_t value);

}  // namespace troupe::actors::stress
