#include "services/lambda/extension_api.h"

#include "base/json.h"
#include "base/text.h"
#include "services/lambda/environment.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kExtension = "/2020-01-01/extension/";
constexpr std::string_view kTelemetry = "/2022-07-01/telemetry";
constexpr std::string_view kLogs = "/2020-08-15/logs";
constexpr std::size_t kMaxBody = 256 * 1024;

net::Response json(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}
net::Response accepted() { return json(202, "{\"status\":\"OK\"}\n"); }
net::Response refusal(const Error& error) {
  return json(error.status(), error_body(error.code(), error.message()));
}
net::Response refusal(int status, std::string_view type, std::string_view message) {
  return json(status, error_body(type, message));
}

// --- extensions ----------------------------------------------------------------------------------

Task<net::Response> enroll(std::shared_ptr<Environment> environment, net::Request& request) {
  const std::string name(request.headers.get("Lambda-Extension-Name"));
  const std::string features(request.headers.get("Lambda-Extension-Accept-Feature"));
  auto body = co_await request.body->read_all(kMaxBody);
  if (!body) co_return refusal(413, "RequestEntityTooLarge", body.error().message());
  const auto parsed = parse_json(body->empty() ? std::string_view("{}") : *body);
  const Json* listed = parsed ? find(*parsed, "events") : nullptr;
  if (!parsed || !parsed->is_object() || (listed && !listed->is_array()))
    co_return refusal(403, "InvalidRequestFormat", "Request body is not {\"events\": [...]}");
  std::vector<std::string> events;
  if (listed)
    for (const auto& event : listed->get_array())
      events.push_back(event.is_string() ? std::string(event.get_string()) : to_text(event));
  if (environment->state() != Environment::State::kInit)
    co_return refusal(403, "Extension.RegistrationClosed", "Extension registration closed already");
  auto made = environment->extensions().enroll(name, events);
  if (!made) co_return refusal(made.error());
  const Configuration& function = environment->configuration();
  std::string answer = str(R"({"functionName":)", quoted(function.name), R"(,"functionVersion":)",
                           quoted(function.version), R"(,"handler":)", quoted(function.handler));
  if (features.find("accountId") != std::string::npos)
    answer += str(R"(,"accountId":)", quoted(environment->account()));
  auto response = json(200, answer + "}");
  response.headers.add("Lambda-Extension-Identifier", (*made)->id);
  environment->enrolled();
  co_return response;
}

Task<net::Response> next(std::shared_ptr<Environment> environment, std::string id) {
  auto found = environment->extensions().find(id);
  if (!found) co_return refusal(found.error());
  Completion<std::string> event;
  const auto number = environment->extensions().next(**found, event.completer());
  if (!number) co_return refusal(number.error());
  environment->extension_waits();  // this may end a phase, and begin the next
  auto given = co_await std::move(event);
  if (!given) {
    environment->extensions().poll_lost(id, *number);
    co_return refusal(410, "Extension.Closed", "This environment has ended");
  }
  auto response = json(200, std::move(*given));
  response.headers.add("Lambda-Extension-Event-Identifier", environment->event_id());
  co_return response;
}

Task<net::Response> report_error(std::shared_ptr<Environment> environment, net::Request& request,
                                 Extensions::Stage stage) {
  const std::string id(request.headers.get("Lambda-Extension-Identifier"));
  const std::string type(request.headers.get("Lambda-Extension-Function-Error-Type"));
  auto body = co_await request.body->read_all(kMaxBody);
  auto found = environment->extensions().find(id);
  if (!found) co_return refusal(found.error());
  if (type.empty())
    co_return refusal(403, "Extension.MissingHeader",
                      "Missing Lambda-Extension-Function-Error-Type header");
  if (!body) co_return refusal(413, "RequestEntityTooLarge", body.error().message());
  const auto noted = environment->extensions().failed(**found, stage, type);
  if (!noted) co_return refusal(noted.error());
  environment->extension_failed(**found);
  co_return accepted();
}

// --- telemetry -----------------------------------------------------------------------------------

Task<net::Response> subscribe(std::shared_ptr<Environment> environment, net::Request& request,
                              TelemetryApi api) {
  const std::string id(request.headers.get("Lambda-Extension-Identifier"));
  auto body = co_await request.body->read_all(kMaxBody);
  auto found = environment->extensions().find(id);
  if (!found) co_return refusal(found.error());
  if (!body) co_return refusal(413, "RequestEntityTooLarge", body.error().message());
  if (!environment->subscribable()) {
    const bool telemetry = api == TelemetryApi::kTelemetry;
    co_return refusal(403, telemetry ? "Telemetry.SubscriptionClosed" : "Logs.SubscriptionClosed",
                      telemetry ? "Telemetry API subscription is closed already"
                                : "Logs API subscription is closed already");
  }
  auto subscription = parse_subscription(api, (*found)->name, *body);
  if (!subscription) co_return refusal(subscription.error());
  environment->subscribe(std::move(*subscription));
  co_return json(200, "\"OK\"");
}

}  // namespace

bool is_extension_path(std::string_view path) {
  return path.starts_with(kExtension) || path.starts_with(kTelemetry) || path.starts_with(kLogs);
}

Task<net::Response> serve_extension_api(std::shared_ptr<Environment> environment,
                                        net::Request& request) {
  if (!environment || environment->state() == Environment::State::kHeld ||
      environment->state() == Environment::State::kDead)
    co_return refusal(410, "Extension.Closed", "This environment has ended");
  const std::string path(request.path());
  const bool post = request.method == "POST";
  if (request.method == "PUT") {
    if (path == kTelemetry || path == str(kTelemetry, '/'))
      co_return co_await subscribe(environment, request, TelemetryApi::kTelemetry);
    if (path == kLogs || path == str(kLogs, '/'))
      co_return co_await subscribe(environment, request, TelemetryApi::kLogs);
  }
  if (path == str(kExtension, "register") && post) co_return co_await enroll(environment, request);
  if (path == str(kExtension, "event/next") && request.method == "GET")
    co_return co_await next(environment,
                            std::string(request.headers.get("Lambda-Extension-Identifier")));
  if (path == str(kExtension, "init/error") && post)
    co_return co_await report_error(environment, request, Extensions::Stage::kInit);
  if (path == str(kExtension, "exit/error") && post)
    co_return co_await report_error(environment, request, Extensions::Stage::kExit);
  co_return refusal(404, "NotFound", "No such path in the Extensions API");
}

}  // namespace pileus::services::lambda
