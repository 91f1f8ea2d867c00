#include "actors/testing/test_system.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "actors/testing/probe.hpp"

namespace troupe::testing {

namespace {

constexpr std::size_t losses_shown_max = 5;

}  // namespace

TestSystem::TestSystem(TestSystemOptions options)
    : options_(options),
      scheduler_(base::Random{options.seed}),
      system_({.seed = options.seed, .own_threads = false}, clock_, scheduler_),
      exceptions_(std::uncaught_exceptions()) {}

TestSystem::~TestSystem() {
  if (std::uncaught_exceptions() > exceptions_) {
    return;
  }
  try {
    finish();
  } catch (const Failure& failure) {
    detail::report(failure.what());
    return;
  }
  if (detail::test_has_failed()) {
    std::fprintf(stderr, "seed %llu; %s\n", static_cast<unsigned long long>(seed()),
                 detail::replay_text(seed()).c_str());
  }
}

Probe TestSystem::probe(std::string name) {
  return Probe{*this, std::move(name)};
}

void TestSystem::stop(const actors::AnyRef& actor, actors::ExitReason reason) {
  system_.stop(actor, reason);
  run_until_idle();
}

void TestSystem::run_until_idle() {
  if (scheduler_.run_until_idle(options_.turns_max) == options_.turns_max &&
      scheduler_.runnables() > 0) {
    fail(std::to_string(options_.turns_max) +
         " turns, and no end: actors keep each other, or themselves, busy for ever");
  }
}

bool TestSystem::advance_to_next_timer(base::TimePoint end) {
  const base::TimePoint due = system_.timers().next_due();
  if (due > end || due == base::time_never) {
    return false;
  }
  clock_.set(std::max(clock_.now(), due));
  system_.timers().run_due(clock_.now());
  run_until_idle();
  return true;
}

void TestSystem::advance(base::Duration by) {
  const base::TimePoint end = base::later(clock_.now(), by);
  run_until_idle();
  while (advance_to_next_timer(end)) {
  }
  clock_.set(end);
  run_until_idle();
}

void TestSystem::finish() {
  if (std::exchange(is_finished_, true)) {
    return;
  }
  const auto stopped = std::make_shared<bool>(false);
  system_.stop_all([stopped] { *stopped = true; });
  const base::TimePoint end = base::later(now(), options_.stop_timeout);
  run_until_idle();
  while (!*stopped && advance_to_next_timer(end)) {
  }
  // Who did not end in its stop_timeout was let go of: that is no end.
  if (!*stopped || system_.actor_count() > 0) {
    fail("the actors have not stopped: " + std::to_string(system_.actor_count()) + " are left");
  }
  // What is left now are deadlines: of asks that nobody answered, of sends that still wait.
  while (system_.requests().open_count() > 0 && advance_to_next_timer(end)) {
  }
  check_books();
}

void TestSystem::check_books() const {
  const actors::LedgerSnapshot ledger = system_.ledger();
  if (!ledger.is_balanced()) {
    fail("the ledger does not add up: " + ledger.text());
  }
  if (ledger.in_flight > 0) {
    fail("messages are in mailboxes that nobody empties: " + ledger.text());
  }
  if (system_.requests().open_count() > 0) {
    fail(std::to_string(system_.requests().open_count()) + " asks have not ended");
  }
}

std::string TestSystem::explain(std::string_view text) const {
  std::string all{text};
  const auto losses = system_.recent_dead_letters();
  for (std::size_t i = losses.size() - std::min(losses.size(), losses_shown_max); i < losses.size();
       ++i) {
    all += "\n  dead letter: " + losses[i].message + ", " +
           std::string{base::to_string(losses[i].reason)};
  }
  return all + "\n  seed " + std::to_string(seed()) + "; " + detail::replay_text(seed());
}

void TestSystem::fail(std::string_view text) const {
  throw Failure{explain(text)};
}

}  // namespace troupe::testing
