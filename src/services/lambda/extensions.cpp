#include "services/lambda/extensions.h"

#include <algorithm>

#include "base/text.h"
#include "services/lambda/report.h"

namespace pileus::services::lambda {
namespace {

std::unexpected<Error> refused(std::string type, std::string message) {
  return fail(std::move(type), std::move(message), 403);
}

std::unexpected<Error> wrong_state(const Extension& extension, std::string_view wanted) {
  return refused("Extension.InvalidExtensionState",
                 str("State transition from ", state_name(extension.state), " to ", wanted,
                     " failed for extension ", extension.name,
                     ". Error: State transition is not "
                     "allowed"));
}

}  // namespace

std::string_view state_name(Extension::State state) {
  switch (state) {
    case Extension::State::kStarted:
      return "Started";
    case Extension::State::kRegistered:
      return "Registered";
    case Extension::State::kReady:
      return "Ready";
    case Extension::State::kRunning:
      return "Running";
    case Extension::State::kFailed:
      return "ExitError";
    case Extension::State::kEnded:
      return "Exited";
  }
  return "";
}

std::vector<std::string> Extension::events() const {
  std::vector<std::string> out;
  if (on_invoke) out.emplace_back("INVOKE");
  if (on_shutdown) out.emplace_back("SHUTDOWN");
  return out;
}

void Extensions::started(std::string name, int process) {
  Extension extension;
  extension.name = std::move(name);
  extension.external = true;
  extension.process = process;
  extensions_.push_back(std::move(extension));
}

Extension* Extensions::by_name(std::string_view name, bool external) {
  for (auto& extension : extensions_)
    if (extension.name == name && extension.external == external) return &extension;
  return nullptr;
}

Result<Extension*> Extensions::enroll(std::string_view name,
                                      const std::vector<std::string>& events) {
  if (name.empty()) return refused("Extension.InvalidExtensionName", "Empty extension name");
  Extension* extension = by_name(name, true);
  const bool external = extension != nullptr;
  if (extension && extension->state != Extension::State::kStarted)
    return wrong_state(*extension, "Registered");
  if (!extension) {
    if (const Extension* known = by_name(name, false)) return wrong_state(*known, "Registered");
    if (closed_)
      return refused("Extension.RegistrationClosed", "Extension registration closed already");
    if (extensions_.size() >= kMaxExtensions)
      return refused("Extension.TooManyExtensions",
                     str("Extension limit (", kMaxExtensions, ") reached"));
  }
  for (const auto& event : events) {
    const bool known = event == "INVOKE" || (event == "SHUTDOWN" && external);
    if (!known)
      return refused("Extension.InvalidEventType",
                     event == "SHUTDOWN"
                         ? str("SHUTDOWN: internal extensions cannot register for this event")
                         : str(event, ": invalid event type"));
  }
  if (!extension) {
    extension = &extensions_.emplace_back();
    extension->name = name;
  }
  extension->id = uuid(random_);
  for (const auto& event : events)
    (event == "INVOKE" ? extension->on_invoke : extension->on_shutdown) = true;
  extension->state = Extension::State::kRegistered;
  return extension;
}

Result<Extension*> Extensions::find(std::string_view id) {
  if (id.empty())
    return refused("Extension.MissingHeader", "Missing Lambda-Extension-Identifier header");
  const bool well_formed =
      id.size() == 36 && id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
  if (!well_formed)
    return refused("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier");
  for (auto& extension : extensions_)
    if (!extension.id.empty() && iequals(extension.id, id)) return &extension;
  return refused("Extension.UnknownExtensionIdentifier", str("Unknown extension ", id));
}

Result<std::uint64_t> Extensions::next(Extension& extension, Completer<std::string> completer) {
  using State = Extension::State;
  if (extension.state == State::kFailed || extension.state == State::kEnded)
    return wrong_state(extension, "Ready");
  const auto number = ++extension.poll_number;
  if (!extension.waiting.empty()) {
    completer.complete(std::move(extension.waiting.front()));
    extension.waiting.pop_front();
    extension.state = State::kRunning;
    return number;
  }
  extension.state = State::kReady;
  extension.poll = std::move(completer);
  return number;
}

void Extensions::poll_lost(std::string_view id, std::uint64_t number) {
  for (auto& extension : extensions_)
    if (extension.id == id && extension.poll_number == number) extension.poll = {};
}

Result<Unit> Extensions::failed(Extension& extension, Stage stage, std::string error_type) {
  using State = Extension::State;
  const bool allowed = stage == Stage::kExit
                           ? extension.state != State::kFailed && extension.state != State::kEnded
                           : extension.state == State::kRegistered;
  if (!allowed) return wrong_state(extension, stage == Stage::kInit ? "InitError" : "ExitError");
  extension.state = State::kFailed;
  extension.error_type = std::move(error_type);
  return Unit{};
}

Extension* Extensions::of_process(int process) {
  for (auto& extension : extensions_)
    if (extension.external && extension.process == process) return &extension;
  return nullptr;
}

bool Extensions::enrolled() const {
  return std::ranges::none_of(
      extensions_, [](const auto& each) { return each.state == Extension::State::kStarted; });
}

bool Extensions::settled() const {
  return std::ranges::all_of(extensions_, [](const auto& each) {
    return each.state == Extension::State::kReady && each.waiting.empty();
  });
}

void Extensions::give(Extension& extension, std::string event) {
  if (extension.poll) {
    extension.state = Extension::State::kRunning;
    std::exchange(extension.poll, {}).complete(std::move(event));
  } else {
    extension.waiting.push_back(std::move(event));  // its connection was lost: it asks again
  }
}

void Extensions::invoke(const std::string& event) {
  for (auto& extension : extensions_)
    if (extension.on_invoke) give(extension, event);
}

std::vector<int> Extensions::shutdown(const std::string& event) {
  std::vector<int> rest;
  for (auto& extension : extensions_) {
    if (!extension.external || !extension.alive()) continue;
    if (extension.on_shutdown) {
      extension.waiting.clear();
      give(extension, event);
    } else {
      rest.push_back(extension.process);
    }
  }
  return rest;
}

bool Extensions::any() const {
  return std::ranges::any_of(extensions_, [](const auto& each) { return !each.id.empty(); });
}
bool Extensions::any_external() const {
  return std::ranges::any_of(extensions_, [](const auto& each) { return each.external; });
}
bool Extensions::ended() const {
  return std::ranges::none_of(extensions_,
                              [](const auto& each) { return each.external && each.alive(); });
}

void Extensions::clear() {
  extensions_.clear();
  closed_ = false;
}

std::string invoke_event(const InvokeFacts& facts, Time deadline) {
  return str(R"({"eventType":"INVOKE","deadlineMs":)", to_millis(deadline), R"(,"requestId":")",
             facts.request_id, R"(","invokedFunctionArn":)", quoted(facts.arn),
             R"(,"tracing":{"type":"X-Amzn-Trace-Id","value":)", quoted(facts.trace), "}}");
}

std::string shutdown_event(ShutdownReason reason, Time deadline) {
  const std::string_view name = reason == ShutdownReason::kSpindown  ? "spindown"
                                : reason == ShutdownReason::kTimeout ? "timeout"
                                                                     : "failure";
  return str(R"({"eventType":"SHUTDOWN","shutdownReason":")", name, R"(","deadlineMs":)",
             to_millis(deadline), "}");
}

}  // namespace pileus::services::lambda
