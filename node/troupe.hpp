#pragma once

// The public face of Troupe; installed as <troupe/troupe.hpp>.

#include "actors/actor_system.hpp"
#include "actors/channel.hpp"
#include "actors/rate_limiter.hpp"
#include "actors/retry.hpp"
#include "node/config.hpp"
#include "node/node.hpp"
#include "node/plugin.hpp"

namespace troupe {

using actors::Actor;
using actors::ActorRef;
using actors::AnyRef;
using actors::Ask;
using actors::AskError;
using actors::AskResult;
using actors::Channel;
using actors::ExitReason;
using actors::Protocol;
using actors::Refusal;
using actors::ReplyTo;
using actors::Restart;
using actors::RestartPolicy;
using actors::SpawnOptions;
using actors::Task;
using actors::Terminated;
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
