// actors-stress --messages N --seed S [--actors A] [--workers W] [--steps 1] [--slack_ms L]
// [--stall_s T]: a random crowd of actors, of many tempers and in a random tree of supervisors,
// that stop, crash, are restarted, killed and replaced, ask and give up, until N messages were
// handled. Then everything must agree: the ledger, the order of each pair, the end of each ask, one
// notice a watch, and nothing may be left. Exits with 1 and says what does not; also when nothing
// goes on.
//
// The seed decides what is drawn: the topology, the tempers, each actor's dice. On threads it does
// not decide their interleaving, so equal seeds are similar runs, not equal ones. With --steps 1 it
// does: one thread and a clock moved by hand, and the digest of two runs is the same.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "actors/step_scheduler.hpp"
#include "actors/stress/trouble.hpp"
#include "actors/timer_thread.hpp"
#include "actors/worker_pool.hpp"
#include "base/log.hpp"

namespace troupe::actors::stress {
namespace {

using Condition = std::function<bool()>;

/// A run from its first message to its last check. Subclasses say how time passes and who works.
class Run {
 public:
  Run(const StressOptions& options, const base::Clock& clock, Scheduler& scheduler)
      : world_(options, clock),
        system_({.seed = options.seed, .own_threads = world_.has_threads()}, clock, scheduler) {}
  virtual ~Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// In numbered steps; false if something does not agree.
  bool run() {
    // 1. All is there, and works until enough messages were handled.
    const std::vector<AnyRef> planted = plant_garden(world_, system_);
    const AnyRef feeder = system_.spawn<Feeder>({}, &world_).value();
    start();
    bool went_on = await([&] { return world_.is_over(); }, "messages are handled");
    // 2. Who waits at a channel is let go, and plain threads end.
    world_.from_actors.close();
    world_.to_actors.close();
    went_on = went_on && await([&] { return are_outsiders_done(); }, "plain threads end");
    // 3. The crowd ends, and each of its ends is heard of.
    system_.stop(feeder);
    for (const AnyRef& root : planted) {
      system_.stop(root);
    }
    const Evidence& evidence = world_.evidence;
    went_on = went_on && await([&] { return evidence.lives_begun == evidence.lives_ended; },
                               "watched actors end");
    // 4. The rest ends; asks end by their deadlines, and their timers with them.
    auto stopped = std::make_shared<std::atomic<bool>>(false);
    system_.stop_all([stopped] { *stopped = true; });
    went_on = went_on && await([&] { return stopped->load(); }, "all actors end");
    went_on = went_on && await([&] { return evidence.open_questions == 0; }, "asks end") &&
              await([&] { return evidence.open_sends == 0; }, "sends end") &&
              await([&] { return system_.timers().size() == 0; }, "timers are done");
    if (!went_on) {
      print();
      std::fflush(stdout);
      std::_Exit(1);  // threads that are stuck cannot be joined
    }
    finish();
    check_end();
    print();
    return evidence.findings.empty();
  }

 protected:
  virtual void start() = 0;
  /// False: the condition does not become true, and nothing moves any more.
  virtual bool await(const Condition& condition, std::string_view what) = 0;
  [[nodiscard]] virtual bool are_outsiders_done() const = 0;
  /// No more turns.
  virtual void finish() = 0;
  /// For a person: who keeps a worker.
  virtual void print_stuck() const {}

  /// Grows while anything goes on.
  [[nodiscard]] std::uint64_t progress() const {
    const LedgerSnapshot ledger = system_.ledger();
    const Evidence& evidence = world_.evidence;
    return ledger.delivered + evidence.lives_begun + evidence.lives_ended + evidence.restarts +
           evidence.sends_ended + evidence.questions_given_up + evidence.ends[0] +
           evidence.ends[1] + evidence.ends[2] + evidence.ends[3];
  }
  void look(base::Duration overslept) {
    Evidence& evidence = world_.evidence;
    evidence.check_ledger(system_.ledger());
    evidence.findings.check(evidence.lateness.judge(overslept),
                            "an ask or a send ended long after its deadline");
  }
  void stands_still(std::string_view what) const {
    const Evidence& evidence = world_.evidence;
    std::printf(
        "WRONG: nothing goes on, and this does not come true: %.*s\n"
        "open: %llu asks (%u requests), %llu sends, %zu timers, %u actors, %llu lives\n",
        static_cast<int>(what.size()), what.data(),
        static_cast<unsigned long long>(evidence.open_questions.load()),
        system_.requests().open_count(),
        static_cast<unsigned long long>(evidence.open_sends.load()),
        const_cast<ActorSystem&>(system_).timers().size(), system_.actor_count(),
        static_cast<unsigned long long>(evidence.lives_begun - evidence.lives_ended));
    print_stuck();
  }

  World world_;
  ActorSystem system_;

 private:
  void check_end() {
    Evidence& evidence = world_.evidence;
    const LedgerSnapshot ledger = system_.ledger();
    while (const auto value = world_.from_actors.try_receive()) {
      note_received(world_, *value);
    }
    while (const auto value = world_.to_actors.try_receive()) {
      note_received(world_, *value);
    }
    evidence.check_values();
    Findings& findings = evidence.findings;
    findings.check(ledger.is_balanced(), "the ledger does not add up at the end");
    findings.check(ledger.in_flight == 0, "messages are left in mailboxes");
    findings.check(system_.requests().open_count() == 0, "requests are open at the end");
    findings.check(system_.actor_count() == 0, "actors are left");
    std::uint64_t ended = evidence.questions_given_up;
    for (const auto& ends : evidence.ends) {
      ended += ends;
    }
    findings.check(ended == evidence.questions.count(), "asks were begun that have not ended");
  }

  void print() const {
    const Evidence& evidence = world_.evidence;
    const auto number = [](const auto& n) { return static_cast<unsigned long long>(n); };
    std::printf("%s\n", system_.ledger().text().c_str());
    std::printf("%llu lives, %llu restarts, %llu crashes, %llu stops, %llu links\n",
                number(evidence.lives_begun), number(evidence.restarts), number(evidence.crashes),
                number(evidence.stops), number(evidence.links));
    std::printf(
        "%llu asks: %llu answered, %llu not_run, %llu may_have_run, %llu refused, %llu "
        "given up; at most %.1f ms late\n",
        number(evidence.questions.count()), number(evidence.ends[0]), number(evidence.ends[1]),
        number(evidence.ends[2]), number(evidence.ends[3]), number(evidence.questions_given_up),
        static_cast<double>(evidence.lateness.worst().count()) / 1e6);
    std::printf("%llu sends, %llu messages stashed, %llu streams (%llu whole), %llu values\n",
                number(evidence.sends_ended), number(evidence.stashed), number(evidence.streams),
                number(evidence.streams_whole), number(evidence.values.count()));
    if (evidence.is_exact) {
      std::printf("digest %016llx\n", number(evidence.digest));
    }
    std::printf("%s", evidence.findings.text().c_str());
  }
};

/// What outlives the system of a run on threads.
struct Workers {
  explicit Workers(const StressOptions& options)
      : pool({.workers = static_cast<std::uint32_t>(options.workers), .backlog_min = 2}) {}
  base::SteadyClock clock;
  WorkerPool pool;
};

/// On workers, with plain threads beside them.
class ThreadedRun final : private Workers, public Run {
 public:
  explicit ThreadedRun(const StressOptions& options)
      : Workers(options),
        Run(options, clock, pool),
        timer_(std::make_unique<TimerThread>(system_.timers(), clock)) {}

 private:
  void start() override {
    pool.start();
    outsiders_ = std::make_unique<Outsiders>(world_);
  }

  bool await(const Condition& condition, std::string_view what) override {
    constexpr base::Duration interval = 100ms;
    const auto looks_max = static_cast<std::uint64_t>(1s / interval) * world_.options.stall_s;
    std::uint64_t before = 0;
    // By looks and not by the clock: a process that is halted stands still without a fault.
    for (std::uint64_t quiet = 0; !condition(); ++quiet) {
      const base::TimePoint planned = clock.now() + interval;
      {
        base::MutexLock lock{mutex_};
        tick_.wait_for(lock, condition() ? base::Duration{0} : interval);
      }
      look(std::max(clock.now() - planned, base::Duration{0}));
      if (const std::uint64_t after = progress(); after != before) {
        before = after;
        quiet = 0;
      }
      if (quiet >= looks_max) {
        stands_still(what);
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool are_outsiders_done() const override { return outsiders_->is_done(); }

  void finish() override {
    outsiders_.reset();
    timer_.reset();
    pool.stop();
  }

  void print_stuck() const override {
    for (std::uint32_t worker = 0; worker < pool.workers(); ++worker) {
      const WorkerPool::CurrentTurn turn = pool.current_turn(worker);
      const ActorCell* cell = turn.runnable != nullptr ? system_.cell_of(turn.runnable) : nullptr;
      if (cell != nullptr) {
        std::printf("worker %u runs actor %llu\n", worker,
                    static_cast<unsigned long long>(cell->id().value));
      }
    }
  }

  std::unique_ptr<TimerThread> timer_;
  std::unique_ptr<Outsiders> outsiders_;
  base::Mutex mutex_;
  std::condition_variable_any tick_;
};

struct Steps {
  explicit Steps(const StressOptions& options) : scheduler(base::Random{options.seed}) {}
  base::ManualClock clock;
  StepScheduler scheduler;
};

/// On this thread, turn by turn, in an order that follows from the seed.
class SteppedRun final : private Steps, public Run {
 public:
  explicit SteppedRun(const StressOptions& options)
      : Steps(options), Run(options, clock, scheduler) {}

 private:
  void start() override {}

  bool await(const Condition& condition, std::string_view what) override {
    constexpr std::uint64_t steps_a_look = 4'096;
    const base::Duration quiet_max = world_.options.stall_s * 1s;
    std::uint64_t before = progress();
    base::TimePoint last_progress = clock.now();
    for (std::uint64_t steps = 1; !condition(); ++steps) {
      const bool is_busy = scheduler.step();
      const base::TimePoint due = system_.timers().next_due();
      // A turn takes a little; where all wait, time goes on to what they wait for.
      const base::TimePoint now = clock.now();
      clock.set(is_busy ? now + 5us : std::max(now, std::min(due, now + 100ms)));
      system_.timers().run_due(clock.now());
      if (steps % steps_a_look != 0 && is_busy) {
        continue;
      }
      if (steps % steps_a_look == 0) {
        look(base::Duration{0});
      }
      if (const std::uint64_t after = progress(); after != before) {
        before = after;
        last_progress = clock.now();
      }
      if (clock.now() - last_progress > quiet_max) {
        stands_still(what);
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool are_outsiders_done() const override { return true; }
  void finish() override { look(base::Duration{0}); }
};

bool run(const StressOptions& options) {
  return options.steps != 0 ? SteppedRun{options}.run() : ThreadedRun{options}.run();
}

}  // namespace
}  // namespace troupe::actors::stress

int main(int argc, char** argv) {
  troupe::actors::stress::StressOptions options;
  if (const char* seed = std::getenv("TROUPE_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 0);
  }
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    std::uint64_t* option = name == "--messages"   ? &options.messages
                            : name == "--seed"     ? &options.seed
                            : name == "--actors"   ? &options.actors
                            : name == "--workers"  ? &options.workers
                            : name == "--steps"    ? &options.steps
                            : name == "--slack_ms" ? &options.slack_ms
                            : name == "--stall_s"  ? &options.stall_s
                                                   : nullptr;
    if (option == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "unknown option, or no value: %s\n", argv[i]);
      return 2;
    }
    *option = std::strtoull(argv[i + 1], nullptr, 0);
  }
  troupe::base::Log::configure(troupe::base::LogLevel::off, troupe::base::LogFormat::text,
                               "stress");
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("%s: %s --messages %llu --seed %llu --actors %llu --workers %llu --steps %llu\n",
              options.steps != 0 ? "replay with" : "the same draws, in another interleaving",
              argv[0], number(options.messages), number(options.seed), number(options.actors),
              number(options.workers), number(options.steps));
  std::fflush(stdout);
  return troupe::actors::stress::run(options) ? 0 : 1;
}
