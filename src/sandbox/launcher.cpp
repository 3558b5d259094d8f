#include "sandbox/launcher.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>

#include "sandbox/sys.h"

namespace pileus::sandbox {

Result<std::unique_ptr<Launcher>> Launcher::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return sys_fail("socketpair");
  std::unique_ptr<Launcher> launcher(new Launcher);
  launcher->pid_ = ::fork();
  if (launcher->pid_ < 0) return sys_fail("fork the launcher");
  if (launcher->pid_ == 0) {
    ::close(ends[0]);
    run_launcher(ends[1]);
  }
  ::close(ends[1]);
  launcher->socket_.reset(ends[0]);
  // Room for a burst of starts; the launcher reads fast.
  const int size = 4 << 20;
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  return launcher;
}

Launcher::~Launcher() {
  socket_.reset();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void LauncherOptions::encode(Writer& out) const {
  out.put(folder)
      .put(pool)
      .put(pool_most)
      .put(zygote_bytes)
      .put(tmp_bytes)
      .put(cgroups)
      .put(outbound)
      .put(tmp_images);
}

LauncherOptions LauncherOptions::decode(Reader& in) {
  LauncherOptions options;
  options.folder = in.text();
  options.pool = in.get<std::uint32_t>();
  options.pool_most = in.get<std::uint32_t>();
  options.zygote_bytes = in.get<std::uint64_t>();
  options.tmp_bytes = in.get<std::uint64_t>();
  options.cgroups = in.get<CgroupChoice>();
  options.outbound = in.get<bool>();
  options.tmp_images = in.get<bool>();
  return options;
}

void encode_sources(Writer& out, const std::vector<Source>& sources) {
  out.put(static_cast<std::uint32_t>(sources.size()));
  for (const auto& source : sources) out.put(source.path).put(source.read_only);
}

std::vector<Source> decode_sources(Reader& in) {
  std::vector<Source> sources;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Source source;
    source.path = in.text();
    source.read_only = in.get<bool>();
    sources.push_back(std::move(source));
  }
  return sources;
}

void encode_capabilities(Writer& out, const Capabilities& capabilities) {
  out.put(capabilities.isolation).put(capabilities.memory_limit).put(capabilities.cpu_limit);
  out.put(capabilities.process_limit)
      .put(capabilities.freezer)
      .put(capabilities.outbound)
      .put(capabilities.seccomp);
  out.put(capabilities.cgroup).put(capabilities.missing);
}

Capabilities decode_capabilities(Reader& in) {
  Capabilities capabilities;
  for (bool* each : {&capabilities.isolation, &capabilities.memory_limit, &capabilities.cpu_limit,
                     &capabilities.process_limit, &capabilities.freezer, &capabilities.outbound,
                     &capabilities.seccomp})
    *each = in.get<bool>();
  capabilities.cgroup = in.text();
  capabilities.missing = in.list();
  return capabilities;
}

}  // namespace pileus::sandbox
