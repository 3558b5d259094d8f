#include "services/lambda/debug_port.h"

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kInside = "/var/debug";  // where the folder is mounted

// Stands in for the handler's module: starts the debugger, then loads the real one.
constexpr std::string_view kPythonModule =
    R"py("""Loads the handler under a debugger (pileus debug)."""
import importlib
import os

handler_name = os.environ["_HANDLER"] = os.environ.pop("PILEUS_DEBUG_HANDLER")
try:
    import debugpy
except ImportError:
    raise ImportError("to debug it, put debugpy into the function or one of its layers") from None
debugpy.listen(("127.0.0.1", int(os.environ["PILEUS_DEBUG_PORT"])))
debugpy.wait_for_client()
module_name, _, name = handler_name.rpartition(".")
handler = getattr(importlib.import_module(module_name.replace("/", ".")), name)
)py";

std::string name_of(std::size_t index) { return str("debug", index); }
std::string folder_in(const std::string& state_directory) { return state_directory + "/debug"; }

// The variable, made if missing.
std::string& variable(sandbox::Assignment& what, std::string_view name) {
  for (auto& [known, value] : what.environment)
    if (known == name) return value;
  return what.environment.emplace_back(name, "").second;
}

}  // namespace

Result<std::shared_ptr<DebugPort>> DebugPort::open(std::uint16_t port, std::uint32_t owner) {
  TRY_ASSIGN(auto relay, net::TcpRelay::listen(port, owner));
  return std::shared_ptr<DebugPort>(new DebugPort(std::move(relay)));
}

Result<Unit> DebugPort::make_folder(const std::string& state_directory) {
  const std::string folder = folder_in(state_directory);
  std::error_code why;
  std::filesystem::create_directories(folder, why);
  std::filesystem::permissions(folder, std::filesystem::perms(0755), why);
  std::ofstream(folder + "/pileus_debug.py") << kPythonModule;
  std::filesystem::permissions(folder + "/pileus_debug.py", std::filesystem::perms(0644), why);
  if (why) return fail(std::string(errc::kIo), str("cannot write ", folder, ": ", why.message()));
  return Unit{};
}

void DebugPort::add_to(sandbox::Spec& spec, const std::string& state_directory) {
  for (std::size_t i = 0; i < kDebugSockets; ++i)
    spec.listeners.push_back(
        {name_of(i), "127.0.0.1", static_cast<std::uint16_t>(kFirstDebugSocket + i)});
  spec.mounts.push_back({folder_in(state_directory), std::string(kInside), true});
}

void DebugPort::attach(sandbox::Sandbox& sandbox) {
  std::vector<int> sockets;
  for (std::size_t i = 0; i < kDebugSockets; ++i)
    if (const int fd = sandbox.listener_fd(name_of(i)); fd >= 0) sockets.push_back(fd);
  relay_->connect_through(std::move(sockets), kDebuggerPort);
}

void DebugPort::prepare(const Runtime& runtime, sandbox::Assignment& what) {
  variable(what, "PILEUS_DEBUG_PORT") = std::to_string(kDebuggerPort);
  if (runtime.kind == RuntimeKind::kNode) {
    std::string& options = variable(what, "NODE_OPTIONS");
    // The flags, for inspector.open() crashes now and then when its client leaves. Node.js 18 knows
    // only the one that stops at the first line as well.
    options += str(options.empty() ? "" : " ",
                   runtime.name.starts_with("nodejs18") ? "--inspect-brk" : "--inspect-wait",
                   "=127.0.0.1:", kDebuggerPort);
  } else {
    const std::string handler = variable(what, "_HANDLER");
    variable(what, "PILEUS_DEBUG_HANDLER") = handler;
    variable(what, "_HANDLER") = "pileus_debug.handler";
    std::string& path = variable(what, "PYTHONPATH");
    path += str(path.empty() ? "" : ":", kInside);
  }
}

}  // namespace pileus::services::lambda
