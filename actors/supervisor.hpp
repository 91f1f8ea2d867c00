#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/actor.hpp"
#include "actors/actor_system.hpp"
#include "actors/maker.hpp"
#include "actors/supervision.hpp"

namespace troupe::actors {

/// One child of a Supervisor: what to start, and when to start it again.
struct ChildSpec {
  /// `name` is unique in the supervisor; `restart.restart` says when the child is started again,
  /// while budget and waits are the supervisor's; `stop_timeout` is the child's time to end.
  SpawnOptions options;
  /// Its end may end the supervisor: see AutoShutdown. Not for permanent children.
  bool significant = false;
  const ActorType* type = nullptr;
  std::function<MakerPtr()> maker;
};

/// An actor class as a child; `args` are copied for every object.
template <class A, class... Args>
[[nodiscard]] ChildSpec child_spec(SpawnOptions options, Args... args) {
  return {std::move(options), false, &actor_type<A>(),
          [args...] { return make_maker<A, Args...>(args...); }};
}

struct SupervisorOptions {
  Strategy strategy = Strategy::one_for_one;
  /// Budget and waits for all children together; one failure counts once, however many are
  /// restarted for it. When the budget is spent the supervisor fails, and its own supervisor
  /// decides.
  RestartPolicy restarts;
  AutoShutdown auto_shutdown = AutoShutdown::never;
  /// In the order of start.
  std::vector<ChildSpec> children;
};

struct ChildInfo {
  std::string name;
  AnyRef actor;
  std::string state;  ///< "running", "restarting" or "ended"
  TROUPE_MESSAGE(ChildInfo, name, actor, state)
};
struct ChildList {
  std::vector<ChildInfo> children;
  TROUPE_MESSAGE(ChildList, children)
};
/// The children in the order of start.
struct WhichChildren {
  using Reply = ChildList;
  TROUPE_MESSAGE(WhichChildren)
};
/// Restarts a child, or starts one that ended; refused if there is none of that name.
struct RestartChild {
  std::string name;
  TROUPE_MESSAGE(RestartChild, name)
};
/// Ends a child and forgets it; refused if there is none of that name.
struct RemoveChild {
  std::string name;
  TROUPE_MESSAGE(RemoveChild, name)
};

/// An actor that starts others in order, answers their failures by a strategy, and stops them in
/// reverse order, each with its time to end. A restarted child keeps its reference and, unless its
/// options say otherwise, its mailbox; one that had to be killed gets a new reference. Children
/// start in order, but the next one does not wait for the on_start() of the one before.
///
/// Derive from it to add children from handlers: `using Supervisor::on` keeps the messages above.
/// After Erlang/OTP's supervisors. Fails when its budget is spent, or a child cannot be started.
class Supervisor : public Actor {
 public:
  using Protocol = actors::Protocol<WhichChildren, RestartChild, RemoveChild>;

  explicit Supervisor(SupervisorOptions options);

  /// Starts the children; who overrides it calls it.
  void on_start() override;

  [[nodiscard]] ChildList on(const WhichChildren&) const;
  [[nodiscard]] base::Result<void> on(const RestartChild& m) { return restart_child(m.name); }
  [[nodiscard]] base::Result<void> on(const RemoveChild& m) { return remove_child(m.name); }

 protected:
  /// Starts one more, behind the others. already_exists if the name is taken. Names may be empty
  /// where the strategy is `dynamic`.
  base::Result<AnyRef> add_child(ChildSpec spec);
  /// not_found if there is none of that name.
  base::Result<void> restart_child(const std::string& name);
  base::Result<void> remove_child(const std::string& name);
  /// Empty if there is none, or while it has ended.
  [[nodiscard]] AnyRef child(const std::string& name) const;
  template <class A>
  [[nodiscard]] ActorRef<A> child_as(const std::string& name) const {
    return ActorRef<A>{child(name)};
  }

 private:
  enum class State : std::uint8_t {
    running,
    halting,  ///< asked to give up its object
    down,     ///< has none
    stopping,
    ended,
  };
  struct Child {
    ChildSpec spec;
    std::uint64_t serial = 0;
    AnyRef ref;
    State state = State::ended;
    bool is_removed = false;
    /// Without waiting for others: a single restart was asked for.
    bool is_wanted_back = false;
  };
  /// Children from `first` on are being stopped, to be restarted together.
  struct Group {
    std::size_t first = 0;
    base::TimePoint restart_at;
    bool waits = false;
  };

  bool on_child_event(const ChildEvent& event) final;
  void failed(Child& child, ExitReason reason, const std::string& text);
  void has_ended(Child& child, ExitReason reason);
  void ended_for_good(Child& child);
  void restart_after_failure(Child& child, ExitReason reason, const std::string& text);
  void go_on_with_group();
  void ask_to_stop(Child& child, bool for_good);
  void kill_if_overdue(std::uint64_t serial, const AnyRef& ref);
  void revive(Child& child);
  base::Result<void> start(Child& child);
  [[nodiscard]] Child* find(const std::string& name);
  [[nodiscard]] Child* find(std::uint64_t serial);
  [[nodiscard]] std::size_t place_of(const Child& child) const;
  void forget(const Child& child);
  void later(base::Duration delay, std::function<void()> function);

  SupervisorOptions options_;
  RestartTracker restarts_;
  std::vector<Child> children_;
  std::uint64_t last_serial_ = 0;
  std::optional<Group> group_;
  /// Functions that run later look whether this object is still there.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace troupe::actors
