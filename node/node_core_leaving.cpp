#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "node/node_core.hpp"

// How a node leaves the cluster and ends.

namespace troupe::node {

using base::LogLevel;

namespace {

constexpr std::uint32_t linger_ms = 1000;
/// The others learn the new holders within a round trip; what they had sent here by then has come,
/// been passed on and been acknowledged after this.
constexpr base::Duration arrivals_wait = std::chrono::milliseconds{100};
/// How long a leaving node waits for answers to what it passed on.
constexpr base::Duration answers_wait_max = std::chrono::seconds{5};
constexpr base::Duration answers_poll = std::chrono::milliseconds{5};

}  // namespace

void NodeCore::leave(Left done) {
  loop_.post([=, this] {
    left_.push_back(done);
    if (has_left_) {
      finish_leave(0);
      return;
    }
    if (left_.size() > 1) {
      return;
    }
    {
      base::MutexLock lock{mutex_};
      leaving_ = true;
    }
    leave_since_ = clock_.now();
    const auto records = cluster_->names();
    held_at_leave_ = static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(), [&](const registry::Record& record) {
          return record.holder == id_ && record.respawn;
        }));
    base::log(LogLevel::info, "node", "leaving; {} names to hand over", held_at_leave_);
    (void)system_.timers().add(leave_since_ + config_.drain_timeout, [this] { finish_leave(0); });
    apply(cluster_->leave(leave_since_));
  });
}

void NodeCore::on_drained(std::uint64_t moved) {
  (void)system_.timers().add(clock_.now() + (moved > 0 ? arrivals_wait : base::Duration{0}),
                             [this, moved] { await_answers(moved); });
}

/// What was passed on to where the names are now is answered through here: not before that is done.
void NodeCore::await_answers(std::uint64_t moved) {
  const base::Duration wait_max = std::min(answers_wait_max, config_.drain_timeout / 2);
  const bool is_done = router_.open_requests() == 0 && names_.parked() == 0;
  if (is_done || clock_.now() >= leave_since_ + wait_max) {
    finish_leave(static_cast<std::uint32_t>(moved));
    return;
  }
  (void)system_.timers().add(clock_.now() + answers_poll, [this, moved] { await_answers(moved); });
}

void NodeCore::finish_leave(std::uint32_t moved) {
  if (left_.empty()) {
    return;
  }
  const base::TimePoint now = clock_.now();
  const auto members = cluster_->members();
  const bool is_last = std::none_of(members.begin(), members.end(), [&](const auto& member) {
    return member.id != id_ && registry::is_live(member);
  });
  control::DrainReply reply;
  reply.node = id_.name;
  reply.moved = is_last ? 0 : moved;
  reply.lost = static_cast<std::uint32_t>(
      !is_last && held_at_leave_ > moved && !has_left_ ? held_at_leave_ - moved : 0);
  reply.duration_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now - leave_since_).count());
  base::log(LogLevel::info, "node", "left: {} names moved, {} left behind", reply.moved,
            reply.lost);
  if (!has_left_) {
    apply(cluster_->depart(now));
    has_left_ = true;
  }
  const std::vector<Left> waiting = std::exchange(left_, {});
  for (const Left& done : waiting) {
    done(reply);
  }
}

void NodeCore::stop_actors(std::function<void()> done) {
  loop_.post([this, done = std::move(done)] {
    ending_ = true;
    while (!releasing_.empty()) {
      proceed(std::string{releasing_.begin()->first});
    }
    system_.stop_all(done);
  });
}

void NodeCore::stop_transport() { transport_.stop(linger_ms); }

void NodeCore::set_end_request(std::function<void(const std::string&)> end) {
  base::MutexLock lock{mutex_};
  end_request_ = std::move(end);
}

void NodeCore::request_end(const std::string& reason) {
  std::function<void(const std::string&)> end;
  {
    base::MutexLock lock{mutex_};
    end = end_request_;
  }
  if (end) {
    end(reason);
  }
}

}  // namespace troupe::node
