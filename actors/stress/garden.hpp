#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "actors/stress/crowd.hpp"
#include "actors/stress/world.hpp"

namespace troupe::actors::stress {

/// A supervisor in the topology: of members of the crowd, and of other branches.
class Branch final : public Supervisor {
 public:
  using Protocol = BranchProtocol;
  Branch(World* world, std::uint32_t branch);

  void on_start() override;
  [[noreturn]] void on(const Fail&);
  /// Starts a child that ended for good.
  void on(const Regrow& m);

 private:
  World& world_;
  const std::uint32_t branch_;
};

/// Has the branches that no other branch has, and plants them again when they end.
class Gardener final : public Actor {
 public:
  using Protocol = actors::Protocol<Fail>;
  explicit Gardener(World* world) : world_(*world) {}

  void on_start() override;
  void on(const Terminated& ending);
  void on(const Fail&) {}

 private:
  void plant(std::uint32_t branch);

  World& world_;
  std::unordered_map<std::uint64_t, std::uint32_t> branch_of_;
};

struct Sweep {
  TROUPE_MESSAGE(Sweep)
};

/// What a warden must not forget when it crashes. Touched by its handlers only.
struct WardenBook {
  std::unordered_map<std::uint64_t, std::uint32_t> place_of;
  std::vector<std::uint32_t> empty_places;
};

/// Watches a part of the crowd, each life once, and has empty places filled. It crashes, too, and
/// yet hears of each end exactly once.
class Warden final : public Actor {
 public:
  using Protocol = actors::Protocol<Born, Sweep, Fail>;
  Warden(World* world, std::shared_ptr<WardenBook> book) : world_(*world), book_(std::move(book)) {}

  void on_start() override { every(5ms, Sweep{}); }
  void on(const Born& m);
  void on(const Terminated& ending);
  void on(const Sweep&);
  [[noreturn]] void on(const Fail&);

 private:
  World& world_;
  std::shared_ptr<WardenBook> book_;
};

/// A pool's worker.
class Laborer : public Actor {
 public:
  using Protocol = LaborerProtocol;
  Laborer(World* world, bool is_by_key) : world_(*world), is_by_key_(is_by_key) {}

  void on(const Work&);
  void on(const Keyed& m);
  void on(const Query& m, ReplyTo<std::uint64_t> reply);
  [[nodiscard]] std::uint64_t on(const Lookup& m);
  void on(const AnswerLater&);
  [[noreturn]] void on(const Fail&);

 private:
  void begin();
  [[noreturn]] void crash();

  World& world_;
  const bool is_by_key_;
  std::vector<std::uint64_t> owed_;
  std::vector<ReplyTo<std::uint64_t>> replies_;
};

/// Spawns all but the crowd's feeder, into the system's root. What can be stopped in order comes
/// back.
[[nodiscard]] std::vector<AnyRef> plant_garden(World& world, ActorSystem& system);

}  // namespace troupe::actors::stress
