#include "services/lambda/runtime_api.h"

#include "base/text.h"
#include "services/lambda/environment.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kBase = "/2018-06-01/runtime/";
constexpr std::size_t kMaxErrorBody = 1 << 20;

net::Response json(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}
net::Response accepted() { return json(202, "{\"status\":\"OK\"}\n"); }
net::Response refusal(int status, std::string_view type, std::string_view message) {
  return json(status, error_body(type, message));
}
net::Response wrong_state(std::string_view what) {
  return refusal(403, "InvalidStateTransition",
                 str("Transition from the current state to ", what, " is not allowed"));
}
net::Response unknown_request() { return refusal(400, "InvalidRequestID", "Invalid request ID"); }

net::Response event_response(Environment& environment, Invocation& event) {
  net::Response response = json(200, std::move(event.payload));
  auto& headers = response.headers;
  headers.add("Lambda-Runtime-Aws-Request-Id", event.id);
  headers.add("Lambda-Runtime-Deadline-Ms", std::to_string(to_millis(environment.deadline())));
  headers.add("Lambda-Runtime-Invoked-Function-Arn", event.invoked_arn);
  headers.add("Lambda-Runtime-Trace-Id", event.trace);
  if (!event.client_context.empty())
    headers.add("Lambda-Runtime-Client-Context", event.client_context);
  return response;
}

Task<net::Response> next(std::shared_ptr<Environment> environment) {
  if (!environment->may_poll()) co_return wrong_state("RuntimeReady");
  Completion<Unit> event;
  const auto number = environment->poll(event.completer());
  auto woken = co_await std::move(event);
  Invocation* handed = woken ? environment->hand_over() : nullptr;
  if (handed) co_return event_response(*environment, *handed);
  environment->poll_lost(number);
  co_return refusal(410, "Runtime.Closed", "This environment has ended");
}

// A function's error in the runtime's own words, or a body that says at least its type.
Answer error_answer(std::string body, std::string_view type) {
  Answer answer;
  answer.failed = true;
  answer.payload = body.empty() ? error_body(type.empty() ? "Unhandled" : type, "Unknown error")
                                : std::move(body);
  return answer;
}

Task<net::Response> response(std::shared_ptr<Environment> environment, net::Request& request,
                             std::string id) {
  if (!environment->expects(id)) co_return unknown_request();
  auto body = co_await request.body->read_all(kMaxSyncPayload);
  if (!environment->expects(id)) co_return unknown_request();  // it timed out meanwhile
  if (!body && body.error().is(errc::kLimit)) {
    auto failure = response_too_large();
    environment->answer(error_answer(failure.body, ""), failure.type);
    auto refused = refusal(413, "RequestEntityTooLarge",
                           "Exceeded maximum allowed payload size (6291556 bytes).");
    refused.close = true;
    co_return refused;
  }
  if (!body) co_return refusal(400, "InvalidRequest", body.error().message());
  // A streamed answer can fail after its first bytes: then its trailers say so.
  const auto late = request.body->trailers().find("Lambda-Runtime-Function-Error-Type");
  if (late) {
    auto text = from_base64(request.body->trailers().get("Lambda-Runtime-Function-Error-Body"));
    const std::string type(*late);
    environment->answer(error_answer(text.value_or(""), type), type);
    co_return accepted();
  }
  Answer answer;
  answer.payload = std::move(*body);
  environment->answer(std::move(answer), "");
  co_return accepted();
}

Task<net::Response> invocation_error(std::shared_ptr<Environment> environment,
                                     net::Request& request, std::string id) {
  if (!environment->expects(id)) co_return unknown_request();
  auto body = co_await request.body->read_all(kMaxSyncPayload);
  if (!environment->expects(id)) co_return unknown_request();
  if (!body) co_return refusal(413, "RequestEntityTooLarge", body.error().message());
  std::string type(request.headers.get("Lambda-Runtime-Function-Error-Type"));
  if (type.empty()) type = error_type(*body, "Unhandled");
  environment->answer(error_answer(std::move(*body), type), type);
  co_return accepted();
}

Task<net::Response> init_error(std::shared_ptr<Environment> environment, net::Request& request) {
  auto body = co_await request.body->read_all(kMaxErrorBody);
  if (environment->state() != Environment::State::kInit) co_return wrong_state("InitError");
  if (!body) co_return refusal(413, "RequestEntityTooLarge", body.error().message());
  Failure failure;
  failure.type = request.headers.get("Lambda-Runtime-Function-Error-Type");
  if (failure.type.empty()) failure.type = error_type(*body, "Runtime.Unknown");
  failure.body = body->empty() ? error_body(failure.type, "Unknown error") : std::move(*body);
  environment->init_error(std::move(failure));
  co_return accepted();
}

}  // namespace

Task<net::Response> serve_runtime_api(std::shared_ptr<Environment> environment,
                                      net::Request& request) {
  if (!environment) co_return refusal(410, "Runtime.Closed", "This environment has ended");
  std::string_view path = request.path();
  if (!path.starts_with(kBase))
    co_return refusal(404, "NotFound", "No such path in the Runtime API");
  path.remove_prefix(kBase.size());
  const bool post = request.method == "POST";
  if (path == "invocation/next" && request.method == "GET") co_return co_await next(environment);
  if (path == "init/error" && post) co_return co_await init_error(environment, request);
  const auto parts = split(path, '/');
  if (parts.size() == 3 && parts[0] == "invocation" && post) {
    if (parts[2] == "response")
      co_return co_await response(environment, request, std::string(parts[1]));
    if (parts[2] == "error")
      co_return co_await invocation_error(environment, request, std::string(parts[1]));
  }
  co_return refusal(404, "NotFound", "No such path in the Runtime API");
}

}  // namespace pileus::services::lambda
