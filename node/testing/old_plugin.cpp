// A plugin that was built for a version of the interface that never was.
namespace troupe::node {
class Kinds;
}

extern "C" __attribute__((visibility("default"))) int troupe_plugin_abi() {
  return -1;
}
extern "C" __attribute__((visibility("default"))) void troupe_plugin_register(
    troupe::node::Kinds&) {
  __builtin_trap();
}
