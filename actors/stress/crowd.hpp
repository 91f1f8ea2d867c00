#pragma once

#include <memory>
#include <vector>

#include "actors/gather.hpp"
#include "actors/stress/world.hpp"

namespace troupe::actors::stress {

/// One of the crowd: works, asks, gives up, crashes and stops as the dice say, and checks what it
/// sees. It may be a parent of others.
class Crowd : public Actor {
 public:
  using Protocol = CrowdProtocol;
  Crowd(World* world, std::uint32_t place)
      : world_(*world), spec_(world->topology.places[place]), place_(place) {}

  void on_start() override;

  void on(const Work& m);
  void on(const Parcel& m);
  void on(const Urgent& m);
  void on(const News& m);
  Task<void> on(Visit m);
  void on(const Query& m, ReplyTo<std::uint64_t> reply);
  [[nodiscard]] std::uint64_t on(const Lookup& m);
  Task<void> on(Count m, StreamWriter<std::uint64_t> to);
  void on(const AnswerLater&);
  [[noreturn]] void on(const Fail&);
  void on(const Regrow& m);
  void on(const Terminated& ending);
  void on(const ReceiveTimeout&);

 private:
  /// While a handler runs: no other may.
  class Handling {
   public:
    explicit Handling(Crowd& actor);
    ~Handling() { life_.is_inside.store(false, std::memory_order_release); }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

   private:
    Life& life_;
  };
  /// While a coroutine handler is there; where the actor is not reentrant, no message may come.
  class Holding {
   public:
    explicit Holding(Life& life) : life_(life) { ++life_.holders; }
    ~Holding() { --life_.holders; }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;

   private:
    Life& life_;
  };

  /// A message came: counts it, and checks its place in the order of its pair.
  void begin(const Stamp& stamp, std::uint32_t lane = Life::plain);
  /// True: it was put aside before, and is not to be counted again.
  [[nodiscard]] bool is_replay(const Stamp& stamp);
  [[nodiscard]] std::uint32_t someone();
  [[nodiscard]] Stamp stamp_for(std::uint32_t place) {
    return {place_, life_->number, place, ++life_->sent};
  }
  [[noreturn]] void crash(const char* why);

  void play(std::uint64_t dice);
  void meddle(std::uint64_t dice);
  void pass_on();
  void ask_and_give_up();
  void ask_with_pipe();
  void ask_with_callback();
  void tell_pool();
  void grow(std::uint32_t place);

  // What a visit does.
  Task<void> ask_one();
  Task<void> send_one();
  Task<void> ask_several(bool is_hedged);
  Task<void> ask_again();
  Task<void> give_up_later();
  Task<void> read_stream();
  Task<void> use_channels();

  World& world_;
  const PlaceSpec& spec_;
  const std::uint32_t place_;
  std::shared_ptr<Life> life_;
  /// Of those that this object spawned.
  std::unordered_map<std::uint64_t, std::uint32_t> place_of_child_;
  struct Owed {
    std::uint64_t question;
    ReplyTo<std::uint64_t> reply;
  };
  std::vector<Owed> owed_;
};

/// Goes on with other messages while it waits, and hears of the ends of those it is linked to.
class ReentrantCrowd final : public Crowd {
 public:
  static constexpr bool reentrant = true;
  static constexpr bool traps_exits = true;
  using Crowd::Crowd;
};

/// One of the crowd as a supervisor's child, and as a parent's.
[[nodiscard]] ChildSpec child_of_branch(World& world, std::uint32_t place);

}  // namespace troupe::actors::stress
