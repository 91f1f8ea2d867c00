#pragma once

// The public face of Troupe; installed as <troupe/troupe.hpp>.

#include "actors/actor_system.hpp"
#include "actors/ask_with_retry.hpp"
#include "actors/behaviour.hpp"
#include "actors/channel.hpp"
#include "actors/circuit_breaker.hpp"
#include "actors/gather.hpp"
#include "actors/pipeline.hpp"
#include "actors/pool.hpp"
#include "actors/rate_limiter.hpp"
#include "actors/reply_stream.hpp"
#include "actors/retry.hpp"
#include "actors/supervisor.hpp"
#include "actors/throttle.hpp"
#include "actors/topic.hpp"
#include "node/config.hpp"
#include "node/node.hpp"
#include "node/plugin.hpp"

namespace troupe {

using actors::Actor;
using actors::ActorRef;
using actors::AnyRef;
using actors::Ask;
using actors::ask_all;
using actors::ask_with_retry;
using actors::AskError;
using actors::AskResult;
using actors::AutoShutdown;
using actors::Behaviour;
using actors::Channel;
using actors::child_spec;
using actors::ChildSpec;
using actors::CircuitBreaker;
using actors::EventStream;
using actors::ExitReason;
using actors::first_of;
using actors::gather;
using actors::Missed;
using actors::OnCrash;
using actors::pipeline_from;
using actors::PoolOptions;
using actors::PoolRef;
using actors::Protocol;
using actors::RateLimit;
using actors::RateLimiter;
using actors::ReceiveTimeout;
using actors::Refusal;
using actors::ReplyTo;
using actors::Restart;
using actors::RestartPolicy;
using actors::RetryPolicy;
using actors::Routing;
using actors::spawn_event_stream;
using actors::spawn_pool;
using actors::spawn_topic;
using actors::SpawnOptions;
using actors::Strategy;
using actors::Stream;
using actors::StreamReader;
using actors::StreamWriter;
using actors::Supervisor;
using actors::SupervisorOptions;
using actors::Task;
using actors::Terminated;
using actors::throttle;
using actors::Topic;
using base::Bytes;
using base::Duration;
using base::Errc;
using base::Error;
using base::Outcome;
using base::Result;
using base::TimePoint;
using base::to_string;
using node::Config;
using node::NameOptions;
using node::Node;

}  // namespace troupe
