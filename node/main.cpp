// The ready-made node: nothing but the configuration and a Node.

#include <utility>

#ifdef TROUPE_MIMALLOC
#include <mimalloc-new-delete.h>
#endif

#include "node/config.hpp"
#include "node/node.hpp"

int main(int argc, char** argv) {
  troupe::node::Node node{troupe::node::Config::from_command_line(argc, argv)};
  return node.run();
}
