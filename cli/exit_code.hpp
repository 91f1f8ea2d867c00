#pragma once

namespace troupe::cli {

/// What a script can rely on; the numbers from 64 up follow sysexits.h where it has one.
enum class ExitCode : int {
  done = 0,
  negative = 1,       ///< the answer is no: a refusal, not ready, not balanced
  partly_done = 2,    ///< some of it: lines that failed, messages left behind by a drain
  usage = 64,         ///< the command line itself
  payload = 65,       ///< JSON that does not fit the message
  input_file = 66,    ///< @file or standard input cannot be read
  unknown = 68,       ///< no such actor, node, kind or message
  unreachable = 69,   ///< nobody answers, or no quorum
  internal = 70,      ///< a bug of Troupe
  try_again = 75,     ///< timeout, full mailbox, lost node
  version = 76,       ///< no common version of the protocol
  not_allowed = 77,   ///< the node does not allow it
  configuration = 78  ///< environment or cluster name
};

}  // namespace troupe::cli
