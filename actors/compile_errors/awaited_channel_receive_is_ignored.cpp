// error: ignoring nodiscard
#include "actors/channel.hpp"
#include "actors/task.hpp"

troupe::actors::Task<> pass(troupe::actors::Channel<int>& numbers) {
  co_await numbers.receive();
}
