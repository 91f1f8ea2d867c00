#pragma once

// For handlers that await Asio's operations; installed as <troupe/asio.hpp>, with troupe::asio to
// link. Apart from <troupe/troupe.hpp>, so that who does not use Asio does not compile it.

#include "actors/asio_executor.hpp"

namespace troupe {

using actors::ActorExecutor;
using actors::use_troupe;

}  // namespace troupe
