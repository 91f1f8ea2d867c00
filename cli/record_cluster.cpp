#include "cli/record_cluster.hpp"

#include <poll.h>

#include <algorithm>

#include "base/message.hpp"
#include "cli/duration.hpp"

namespace troupe::cli {

namespace {

/// The node answers at the deadline what became of the request; that answer may still be under way.
constexpr base::Duration grace = std::chrono::milliseconds{500};

struct FailureBody {
  std::uint8_t kind = 0;
  std::uint8_t outcome = 0;
  std::string reason;
  TROUPE_MESSAGE(FailureBody, kind, outcome, reason)
};
struct ReceiptBody {
  std::uint8_t outcome = 0;
  TROUPE_MESSAGE(ReceiptBody, outcome)
};

Failure unreadable(const std::string& what) {
  return {FailureKind::may_have_run, base::Outcome::undecodable,
          "the answer cannot be read: " + what};
}

Answer answer_of(const base::Record& record) {
  if (record.kind == base::RecordKind::reply) {
    return base::Bytes{record.body.begin(), record.body.end()};
  }
  if (record.kind == base::RecordKind::receipt) {
    const auto receipt = base::from_wire<ReceiptBody>(record.body);
    return receipt.ok() ? Answer{static_cast<base::Outcome>(receipt->outcome)}
                        : Answer{unreadable(receipt.error().context)};
  }
  const auto failure = base::from_wire<FailureBody>(record.body);
  if (!failure.ok()) {
    return unreadable(failure.error().context);
  }
  const auto kind = static_cast<FailureKind>(failure->kind);
  if (kind != FailureKind::not_run && kind != FailureKind::may_have_run &&
      kind != FailureKind::refusal) {
    return unreadable("failure of kind " + std::to_string(failure->kind));
  }
  return Failure{kind, static_cast<base::Outcome>(failure->outcome), failure->reason};
}

bool answers(const base::Record& record, std::uint64_t number) {
  return record.target == number &&
         (record.kind == base::RecordKind::reply || record.kind == base::RecordKind::receipt ||
          record.kind == base::RecordKind::failure);
}

/// Each node has a control service from its start until it leaves.
bool is_leaving(const Request& request, const Answer& answer) {
  const auto* failure = std::get_if<Failure>(&answer);
  return failure != nullptr && request.target.starts_with("system/") &&
         failure->kind == FailureKind::not_run &&
         (failure->outcome == base::Outcome::stopped ||
          failure->outcome == base::Outcome::no_such_actor);
}

}  // namespace

base::Result<void> RecordCluster::ensure_open(base::Duration timeout) {
  if (channel_) {
    return {};
  }
  auto opened = open_(timeout);
  if (!opened.ok()) {
    return opened.error();
  }
  channel_ = std::move(*opened);
  return {};
}

base::Result<Answer> RecordCluster::request(const Request& request) {
  auto answer = request_once(request);
  for (std::size_t tried = 1; tried < servers_ && answer.ok() && is_leaving(request, *answer);
       ++tried) {
    channel_.reset();
    auto next = request_once(request);
    if (!next.ok()) {
      break;  // nobody else can be reached: the first answer says more
    }
    answer = std::move(next);
  }
  return answer;
}

base::Result<Answer> RecordCluster::request_once(const Request& request) {
  if (request.target.empty() || request.target.size() > base::record_name_bytes_max) {
    return base::Error{base::Errc::invalid_argument, "a name has 1 to 255 letters"};
  }
  const base::TimePoint start = clock_.now();
  const bool was_open = channel_ != nullptr;
  const auto open = ensure_open(request.timeout);
  if (!open.ok()) {
    return open.error();
  }
  const base::Duration left = std::max(request.timeout - (clock_.now() - start),
                                       base::Duration{std::chrono::milliseconds{1}});
  const std::uint64_t number = ++last_request_;
  base::Bytes record;
  base::encode_record({.by_name = true,
                       .wants_receipt = request.wants_receipt,
                       .type = request.type,
                       .request = number,
                       .deadline_us = static_cast<std::uint64_t>(
                           std::chrono::duration_cast<std::chrono::microseconds>(left).count()),
                       .name = request.target,
                       .body = request.body},
                      record);
  auto sent = channel_->send(record);
  if (!sent.ok() && sent.error().code == base::Errc::unavailable && was_open) {
    // The connection broke since the last request; this one has not left yet.
    channel_.reset();
    const auto again = ensure_open(left);
    if (!again.ok()) {
      return again.error();
    }
    sent = channel_->send(record);
  }
  if (!sent.ok()) {
    channel_.reset();
    return sent.error();
  }
  return wait_for_answer(number, left);
}

Answer RecordCluster::wait_for_answer(std::uint64_t number, base::Duration timeout) {
  const base::TimePoint deadline = clock_.now() + timeout + grace;
  while (true) {
    const auto bytes = channel_->receive(deadline);
    if (!bytes.ok()) {
      if (bytes.error().code == base::Errc::timed_out) {
        return Failure{FailureKind::may_have_run, base::Outcome::expired,
                       "no answer came in " + duration_text(timeout)};
      }
      channel_.reset();
      return Failure{FailureKind::may_have_run, base::Outcome::node_lost,
                     "the connection broke: " + bytes.error().context};
    }
    const auto record = base::decode_record(*bytes);
    if (!record.ok()) {
      return unreadable(record.error().context);
    }
    if (answers(*record, number)) {
      return answer_of(*record);
    }
  }
}

void RecordCluster::pause(base::Duration duration) {
  const base::TimePoint until = clock_.now() + duration;
  while (channel_) {
    const auto late = channel_->receive(until);
    if (!late.ok()) {
      if (late.error().code == base::Errc::timed_out) {
        return;
      }
      channel_.reset();
    }
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.now());
  if (left.count() > 0) {
    poll(nullptr, 0, static_cast<int>(left.count()));
  }
}

}  // namespace troupe::cli
