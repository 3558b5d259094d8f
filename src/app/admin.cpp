// The administration interface, /_pileus/…: JSON over HTTP, the owner's alone (but for health).
#include "app/cloud.h"
#include "aws/guard.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "gen/logs/client.h"
#include "net/server.h"
#include "sandbox/process_driver.h"
#include "services/iam/service.h"
#include "services/lambda/service.h"
#include "services/logs/service.h"
#include "services/sts/service.h"

namespace pileus::app {

namespace {

constexpr std::string_view kPrefix = "/_pileus/";
constexpr std::size_t kMaxAdminBody = 64 * 1024;

net::Response json_response(int status, const Json& json) {
  net::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.body = to_text(json) + "\n";
  return response;
}

Json error_json(const Error& error) {
  JsonObject object;
  object["error"] = error.code();
  object["message"] = error.message();
  return object;
}

Json lambda_json(const services::lambda::Status& status) {
  JsonObject json;
  json["functions"] = status.functions;
  json["environments"] = status.environments;
  json["busy"] = status.busy;
  json["frozen"] = status.frozen;
  json["prewarmed"] = status.prewarmed;
  json["waiting invocations"] = status.waiting;
  json["invocations"] = status.invocations;
  json["cold starts"] = status.cold_starts;
  json["errors"] = status.errors;
  json["timeouts"] = status.timeouts;
  json["throttles"] = status.throttles;
  json["events waiting"] = status.events_waiting;
  json["events running"] = status.events_running;
  json["events accepted"] = status.events_accepted;
  json["events succeeded"] = status.events_succeeded;
  json["events retried"] = status.events_retried;
  json["events dropped"] = status.events_dropped;
  if (!status.last_dropped_event.empty()) json["last dropped event"] = status.last_dropped_event;
  json["log lines"] = status.log_lines;
  json["log lines dropped"] = status.log_lines_dropped;
  json["log lines undelivered"] = status.log_lines_undelivered;
  if (!status.last_log_failure.empty()) json["last log failure"] = status.last_log_failure;
  return json;
}

std::string parameter(std::string_view query, std::string_view name, std::string_view fallback) {
  for (const auto pair : split(query, '&'))
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return percent_decode(pair.substr(name.size() + 1), Plus::kSpace).value_or("");
  return std::string(fallback);
}

}  // namespace

bool Cloud::is_owner(const net::Request& request) const {
  if (!request.listener || !request.listener->loopback) return false;
  const auto uid = net::peer_uid(request);
  return uid && (*uid == 0 || *uid == owner_uid_);
}

Task<net::Response> Cloud::admin(net::Request& request) {
  const std::string path(request.path().substr(kPrefix.size()));
  if (path == "health" && request.method == "GET") {
    JsonObject health;
    health["status"] = "ok";
    health["version"] = kVersion;
    co_return json_response(200, health);
  }
  // The token in the path is the right to that code (Code.Location of GetFunction).
  if (request.path().starts_with(services::lambda::LambdaService::kCodePath))
    co_return co_await lambda_->serve_code(request);
  if (auto refusal =
          aws::refuse_foreign(request.headers, options_.allowed_hosts, options_.allowed_origins))
    co_return json_response(403, error_json(*refusal));
  if (!is_owner(request))
    co_return json_response(
        403, error_json(Error("AccessDenied",
                              "Only the user who runs this server, or root, may administer "
                              "it, over its loopback listener.")));
  auto body = co_await request.body->read_all(kMaxAdminBody);
  if (!body) co_return json_response(413, error_json(body.error()));
  auto answer =
      co_await admin_answer(request.method, path, std::string(request.query()), std::move(*body));
  if (!answer) co_return json_response(answer.error().status(), error_json(answer.error()));
  co_return json_response(200, *answer);
}

Task<Result<Json>> Cloud::admin_answer(std::string method, std::string path, std::string query,
                                       std::string body) {
  const bool get = method == "GET", post = method == "POST";
  if (path == "status" && get) co_return co_await status();
  if (path == "reset" && post) co_return co_await reset();
  if (path == "clock" && get) co_return clock_now();
  if (path == "clock" && post) {
    CO_TRY_ASSIGN(const Json wanted, parse_json(body));
    co_return co_await advance(find_int(wanted, "by_us"));
  }
  if (path == "debug" && post) {
    CO_TRY_ASSIGN(const Json wanted, parse_json(body));
    co_return co_await debug(wanted);
  }
  const std::string account = parameter(query, "account", options_.account);
  const std::string region = parameter(query, "region", options_.region);
  if (path == "bill" && get) co_return co_await bill(account, region);
  if (path == "wait-for-logs" && get) {
    const auto seen = parse_int(parameter(query, "seen", "0")).value_or(0);
    co_return co_await wait_for_logs(account, region, parameter(query, "group", ""),
                                     static_cast<std::uint64_t>(std::max<std::int64_t>(seen, 0)));
  }
  if (path == "runtimes" && get) {
    CO_TRY(co_await lambda_->refresh_runtimes());
    CO_TRY_ASSIGN(const auto lambda, co_await lambda_->status());
    JsonArray list;
    for (const auto& name : lambda.runtimes) list.emplace_back(name);
    JsonObject answer;
    answer["runtimes"] = std::move(list);
    co_return answer;
  }
  co_return fail("NotFound",
                 str("There is no ", method, " ", kPrefix, path,
                     ". There are: GET health, status, clock, bill, "
                     "runtimes, wait-for-logs; POST reset, clock, debug."),
                 404);
}

Json Cloud::clock_now() const {
  JsonObject answer;
  answer["now"] = iso8601_millis(clock_->now());
  answer["now_ms"] = to_millis(clock_->now());
  answer["kind"] = manual_clock_ ? "manual" : "real";
  return answer;
}

Task<Result<Json>> Cloud::advance(std::int64_t by_us) {
  if (!manual_clock_)
    co_return fail("InvalidRequest",
                   "The cloud's time runs with the machine's. To move it by hand, start the server "
                   "with --clock manual.",
                   400);
  constexpr std::int64_t kMost = 366LL * 86400 * 1'000'000;
  if (by_us <= 0 || by_us > kMost)
    co_return fail("InvalidRequest", "Time moves forward only, by at most 366 days at once.", 400);
  if (advancing_.exchange(true))
    co_return fail("Conflict", "The clock is being moved already.", 409);
  // The new time is kept first: whatever fires may record it, and time never goes back.
  auto kept = keep_clock(manual_clock_->now() + Duration(by_us));
  if (kept) co_await manual_clock_->advance(Duration(by_us));
  advancing_ = false;
  if (!kept) co_return fail(std::move(kept.error()));
  co_return clock_now();
}

Task<Result<Json>> Cloud::reset() {
  const auto began = real_.monotonic();
  CO_TRY(co_await lambda_->reset());
  CO_TRY(co_await records_->reset());
  CO_TRY(co_await journals_->reset());
  CO_TRY(co_await blobs_->reset());
  logs_->reset();
  iam_->reset();
  sts_->reset();
  authorizer_->forget();
  door_->forget();
  JsonObject answer;
  answer["took_ms"] = static_cast<double>((real_.monotonic() - began).count()) / 1e6;
  co_return answer;
}

Task<Result<Json>> Cloud::wait_for_logs(std::string account, std::string region, std::string group,
                                        std::uint64_t seen) {
  auto waited = co_await with_deadline<std::uint64_t>(
      std::chrono::seconds(20), logs_->wait_for_events(account, region, group, seen));
  if (!waited && !waited.error().is(errc::kDeadline)) co_return fail(std::move(waited.error()));
  JsonObject answer;
  answer["seen"] = waited.value_or(seen);
  co_return answer;
}

Task<Result<Json>> Cloud::debug(Json wanted) {
  const std::string account(find_string(wanted, "account", options_.account));
  const std::string region(find_string(wanted, "region", options_.region));
  const std::string function(find_string(wanted, "function"));
  const Json* stop = find(wanted, "stop");
  JsonObject answer;
  if (stop && stop->is_bool() && stop->get_bool()) {
    CO_TRY(co_await lambda_->stop_debugging(account, region, function));
    co_return answer;
  }
  const auto port = find_int(wanted, "port");
  if (port < 0 || port > 65535)
    co_return fail("InvalidRequest", "A port is a number from 0 to 65535.", 400);
  CO_TRY_ASSIGN(answer["port"], co_await lambda_->debug(account, region, function,
                                                        static_cast<std::uint16_t>(port)));
  co_return answer;
}

// What the account used over the last year of cloud time.
Task<Result<Json>> Cloud::bill(std::string account, std::string region) {
  const Time until = clock_->now() + std::chrono::days(1);
  CO_TRY_ASSIGN(const auto bill,
                co_await services::billing::compute(*journals_, prices_, account, region,
                                                    until - std::chrono::days(366), until));
  JsonArray lines;
  for (const auto& line : bill.lines) {
    JsonObject item;
    item["day"] = line.day;
    item["function"] = line.function.substr(line.function.rfind(':') + 1);
    item["arn"] = line.function;
    item["architecture"] = line.architecture;
    item["requests"] = line.requests;
    item["failed"] = line.failed;
    item["billed_ms"] = line.billed_ms;
    item["gb_seconds"] = line.gb_seconds;
    item["storage_gb_seconds"] = line.storage_gb_seconds;
    item["provisioned_gb_seconds"] = line.provisioned_gb_seconds;
    item["streamed_gb"] = line.streamed_gb;
    item["request_cost"] = line.request_cost;
    item["duration_cost"] = line.duration_cost;
    item["storage_cost"] = line.storage_cost;
    item["provisioned_cost"] = line.provisioned_cost;
    item["streaming_cost"] = line.streaming_cost;
    item["cost"] = line.total();
    lines.emplace_back(std::move(item));
  }
  JsonObject answer;
  answer["currency"] = bill.currency;
  answer["lines"] = std::move(lines);
  answer["list_total"] = bill.list_total;
  answer["free_tier"] = bill.free_tier;
  answer["free_tier_applies"] = bill.free_tier_applies;
  answer["total"] = bill.total;
  co_return answer;
}

Task<Result<Json>> Cloud::status() {
  JsonObject server;
  server["version"] = kVersion;
  JsonArray listening;
  for (const auto& address : addresses_) listening.emplace_back(address);
  server["listens on"] = std::move(listening);
  server["data"] = data_->path();
  server["account"] = options_.account;
  server["region"] = options_.region;
  server["clock"] = str(iso8601_millis(clock_->now()), manual_clock_ ? " (moved by hand)" : "");
  server["up_seconds"] =
      static_cast<std::int64_t>((real_.monotonic() - started_).count() / 1'000'000'000);
  const auto& able = driver_->capabilities();
  JsonObject may;
  may["isolation"] = able.isolation;
  may["seccomp"] = able.seccomp;
  may["cgroups"] = able.cgroup;
  may["memory limits"] = able.memory_limit;
  may["cpu limits"] = able.cpu_limit;
  may["process limits"] = able.process_limit;
  may["freezing"] = able.freezer;
  may["outbound network"] = able.outbound;
  JsonArray missing;
  for (const auto& sentence : able.missing) missing.emplace_back(sentence);
  may["missing"] = std::move(missing);
  CO_TRY_ASSIGN(const auto lambda, co_await lambda_->status());
  JsonArray runtimes;
  for (const auto& name : lambda.runtimes) runtimes.emplace_back(name);
  may["runtimes"] = std::move(runtimes);
  JsonObject answer;
  answer["server"] = std::move(server);
  answer["sandbox"] = std::move(may);
  answer["lambda"] = lambda_json(lambda);
  co_return answer;
}

}  // namespace pileus::app
