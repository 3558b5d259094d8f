// What launcher, init and a zygote say to each other, as plain structures: the zygote's side is
// built without the C++ library. Every packet begins with the byte 0 that channel.h puts there.
#pragma once

#include "sandbox/enter.h"

namespace pileus::sandbox {

inline constexpr const char* kZygoteLibrary = "/run/pileus/enter.so";  // in a zygote's root
inline constexpr int kZygoteSocket = 3;
inline constexpr std::size_t kMaxGroups = 8;
inline constexpr std::size_t kMaxFilter = 1024;  // instructions

// Launcher → zygote. Descriptors: the pidfd of the runner whose place is taken, the socket to init,
// the v2 group when there is one, the other groups.
struct ForkRequest {
  std::uint64_t handle = 0;
  std::uint32_t groups = 0;
  std::uint32_t into_unified = 0;  // 1: the first group is v2's, to be born in
};
// Zygote → launcher. The first one, with handle 0, says that it is ready.
struct ForkReply {
  std::uint64_t handle = 0;
  std::int32_t pid = -1;  // a child of the launcher
  std::int32_t error = 0;
};
// Fork → init: it has entered. The pid is the sandbox's.
struct Entered {
  std::int32_t pid = -1;
};
// Init → fork, with output and [hold pipe]; `count` instructions of the filter follow.
struct EnterOrder {
  ProgramLimits limits;
  std::uint32_t hold = 0;
  std::uint32_t count = 0;
};

}  // namespace pileus::sandbox
