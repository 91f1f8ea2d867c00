#include "cli/control.hpp"

#include "cli/json_payload.hpp"

namespace troupe::cli {

namespace {

template <class Message>
base::Bytes encode_by_name(const Message& message) {
  base::Bytes out;
  base::WireWriter writer{out};
  writer.by_name = true;
  base::wire_encode(writer, message);
  return out;
}

/// The body of the reply, or what to tell instead.
Checked<base::Bytes> reply_of(const Asking& asking, Request&& request) {
  auto answer = asking.cluster.request(request);
  if (!answer.ok()) {
    return problem_of_connection(answer.error(), asking.servers);
  }
  if (auto* body = std::get_if<base::Bytes>(&*answer)) {
    return std::move(*body);
  }
  if (const auto* failure = std::get_if<Failure>(&*answer)) {
    return problem_of_control_failure(*failure, asking.servers);
  }
  return Problem{ExitCode::internal,
                 "a receipt came instead of the control service's reply",
                 {},
                 "use the troupe program of the cluster's release"};
}

}  // namespace

template <class Message>
Checked<typename Message::Reply> ask_control(const Asking& asking, const Message& message) {
  auto body = reply_of(asking, {.target = control::actor_name,
                                .type = base::fnv1a(Message::troupe_message_name()),
                                .body = encode_by_name(message),
                                .timeout = asking.timeout});
  if (!body.ok()) {
    return body.error();
  }
  auto reply = base::from_wire<typename Message::Reply>(*body);
  if (!reply.ok()) {
    return Problem{ExitCode::internal, "the control service's reply cannot be read",
                   reply.error().context, "use the troupe program of the cluster's release"};
  }
  return std::move(*reply);
}

template <class Message>
Value to_value(const Message& message) {
  return decode_value(encode_by_name(message)).value();
}

template Checked<control::StatusReply> ask_control(const Asking&, const control::Status&);
template Checked<control::ListReply> ask_control(const Asking&, const control::List&);
template Checked<control::TypesReply> ask_control(const Asking&, const control::Types&);
template Checked<control::DescribeReply> ask_control(const Asking&, const control::Describe&);
template Checked<control::WhyReply> ask_control(const Asking&, const control::Why&);
template Checked<control::NameRow> ask_control(const Asking&, const control::Spawn&);
template Checked<control::NameRow> ask_control(const Asking&, const control::Stop&);
template Checked<control::DrainReply> ask_control(const Asking&, const control::Drain&);
template Checked<control::LedgerReply> ask_control(const Asking&, const control::Ledger&);
template Checked<control::HealthReply> ask_control(const Asking&, const control::Health&);

template Value to_value(const control::StatusReply&);
template Value to_value(const control::NameRow&);
template Value to_value(const control::ListReply&);
template Value to_value(const control::WhyReply&);
template Value to_value(const control::TypesReply&);
template Value to_value(const control::DrainReply&);
template Value to_value(const control::LedgerReply&);
template Value to_value(const control::HealthReply&);

}  // namespace troupe::cli
