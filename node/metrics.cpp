#include "node/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "base/outcome.hpp"

namespace troupe::node {

namespace {

using Label = prometheus::ClientMetric::Label;

/// Builds the families in the order in which they are read.
class Families {
 public:
  void gauge(std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), prometheus::MetricType::Gauge, {}});
  }
  void counter(std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), prometheus::MetricType::Counter, {}});
  }
  /// One value of the family begun last.
  void value(double value, std::vector<Label> labels = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    metric.counter.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void value(std::uint64_t number, std::vector<Label> labels = {}) {
    value(static_cast<double>(number), std::move(labels));
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer{}.Serialize(families_);
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

void add_node(Families& to, const MetricsSnapshot& from) {
  to.gauge("troupe_info", "Always 1; the labels say what runs.");
  to.value(1.0, {{"cluster", from.cluster}, {"node", from.node}, {"version", from.version}});
  to.gauge("troupe_uptime_seconds", "Time since the node started.");
  to.value(std::chrono::duration<double>(from.uptime).count());
  to.gauge("troupe_ready", "1 if the node is part of a cluster and takes work.");
  to.value(from.is_ready ? 1.0 : 0.0);
  to.gauge("troupe_members", "Members of the cluster as this node sees them.");
  for (const auto& [state, count] : from.members) {
    to.value(count, {{"state", state}});
  }
  to.gauge("troupe_names_held", "Names whose actor runs on this node.");
  to.value(from.names_held);
}

void add_actors(Families& to, const MetricsSnapshot& from) {
  to.gauge("troupe_actors", "Actors alive on this node.");
  to.value(from.actors);
  to.gauge("troupe_asks_open", "Requests from this node that wait for their reply.");
  to.value(from.open_asks);
  to.counter("troupe_messages_sent_total", "Messages that were sent on this node.");
  to.value(from.ledger.sent);
  to.counter("troupe_messages_delivered_total",
             "Messages handed to a handler, or to the link towards another node.");
  to.value(from.ledger.delivered);
  to.gauge("troupe_messages_in_flight", "Messages that wait in mailboxes.");
  to.value(from.ledger.in_flight);
  to.counter("troupe_dead_letters_total", "Messages that nobody handled, by reason.");
  for (std::uint8_t i = 0; i < base::outcome_count; ++i) {
    const auto reason = static_cast<base::Outcome>(i);
    if (reason != base::Outcome::accepted) {
      to.value(from.ledger.dead[i], {{"reason", std::string{base::to_string(reason)}}});
    }
  }
}

void add_transport(Families& to, const transport::TransportCounters& from) {
  using Counters = transport::TransportCounters;
  struct Row {
    std::string_view name;
    std::string_view help;
    std::uint64_t Counters::*figure;
  };
  static constexpr Row rows[] = {
      {"frames_sent", "Frames written to other nodes, without repetitions.",
       &Counters::frames_sent},
      {"frames_received", "Frames that arrived.", &Counters::frames_received},
      {"sent_bytes", "Bytes of the frames written.", &Counters::bytes_sent},
      {"received_bytes", "Bytes of the frames that arrived.", &Counters::bytes_received},
      {"records_sent", "Records (messages, replies, notices) inside sent frames.",
       &Counters::records_sent},
      {"records_received", "Records inside received frames.", &Counters::records_received},
      {"records_undelivered", "Records whose peer was lost before it acknowledged them.",
       &Counters::records_undelivered},
      {"frames_resent", "Frames written again after a broken connection.",
       &Counters::frames_resent},
      {"frames_duplicate", "Frames that arrived again and were dropped.",
       &Counters::frames_duplicate},
      {"frames_after_gap", "Frames dropped because an earlier one was missing.",
       &Counters::frames_after_gap},
      {"frames_stale", "Frames of another session, dropped.", &Counters::frames_stale},
      {"frames_malformed", "Frames that do not follow the protocol, dropped.",
       &Counters::frames_malformed},
      {"connections_refused", "Connections refused: another cluster, version or secret.",
       &Counters::connections_refused},
  };
  for (const Row& row : rows) {
    to.counter("troupe_transport_" + std::string{row.name} + "_total", std::string{row.help});
    to.value(from.*row.figure);
  }
}

}  // namespace

std::string metrics_text(const MetricsSnapshot& snapshot) {
  Families families;
  add_node(families, snapshot);
  add_actors(families, snapshot);
  add_transport(families, snapshot.transport);
  return families.text();
}

}  // namespace troupe::node
