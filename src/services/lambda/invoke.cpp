// Invoke: now (RequestResponse), later (Event), or not at all (DryRun).
#include <algorithm>

#include "base/text.h"
#include "gen/lambda/Invoke.h"
#include "services/lambda/impl.h"
#include "services/lambda/json_check.h"

namespace pileus::services::lambda {
namespace {

Error too_large(std::size_t limit) {
  return Error(
             "RequestTooLargeException",
             str("Request must be smaller than ", limit, " bytes for the InvokeFunction operation"),
             413)
      .with("Type", "User");
}

Result<Unit> check_payload(std::string& payload, std::size_t limit) {
  if (payload.size() > limit) return fail(too_large(limit));
  if (payload.empty()) {
    payload = "{}";
    return Unit{};
  }
  const auto fault = json_fault(payload);
  if (!fault) return Unit{};
  return fail(
      Error("InvalidRequestContentException",
            "Could not parse request body into json: Could not parse payload into json: " + *fault)
          .with("Type", "User"));
}

// As received, or one of our own: its digits are those of the request id, which are as random.
std::string trace_of(const aws::Context& context) {
  if (!context.trace_header.empty()) return context.trace_header;
  std::string digits;
  for (const char c : context.request_id())
    if (c != '-') digits += c;
  digits.resize(32, '0');
  char seconds[16];
  std::snprintf(seconds, sizeof seconds, "%08llx",
                static_cast<unsigned long long>(to_millis(context.now()) / 1000));
  return str("Root=1-", seconds, "-", digits.substr(0, 24), ";Parent=", digits.substr(16, 16),
             ";Sampled=0");
}

// The caller's context object travels base64; runtimes want it plain.
Result<std::string> client_context_of(const std::optional<std::string>& given) {
  if (!given || given->empty()) return std::string();
  auto text = from_base64(*given);
  if (!text || json_fault(*text))
    return fail(Error("InvalidRequestContentException",
                      "Client context must be a valid Base64-encoded JSON object.")
                    .with("Type", "User"));
  return std::move(*text);
}

Error as_service_error(Error error) {
  if (!error.is(errc::kCancelled)) return error;
  return Error("ServiceException", "The server is stopping; the function was not run to its end.",
               500)
      .with("Type", "Server");
}

}  // namespace

// POST /2015-03-31/functions/<name in any form>/invocations
Loop* LambdaService::place(const net::Request& request) {
  constexpr std::string_view before = "/2015-03-31/functions/", after = "/invocations";
  std::string_view name = request.path();
  if (request.method != "POST" || !name.starts_with(before) || !name.ends_with(after))
    return nullptr;
  name.remove_prefix(before.size());
  if (name.size() < after.size()) return nullptr;
  name.remove_suffix(after.size());
  auto plain = percent_decode(name);
  if (!plain) return nullptr;
  const auto pieces = split(*plain, ':');
  const auto word = std::find(pieces.begin(), pieces.end(), std::string_view("function"));
  const bool prefixed = word != pieces.end() && word + 1 != pieces.end();
  return &impl_->given.loops.home(prefixed ? *(word + 1) : pieces.front());
}

Task<Result<gen::lambda::InvokeOutput>> LambdaService::invoke(aws::Context& context,
                                                              gen::lambda::InvokeInput in) {
  CO_TRY_ASSIGN(const FunctionRef ref, parse_function(context, in.function_name, in.qualifier));
  CO_TRY(co_await impl_->authorize(context, ref, "lambda:InvokeFunction"));
  const std::string type = in.invocation_type.value_or("RequestResponse");
  std::string payload = std::move(in.payload).value_or("");
  gen::lambda::InvokeOutput out;

  if (type == "DryRun") {
    CO_TRY(co_await impl_->engine.check(ref));
    out.status_code = 204;
    co_return out;
  }
  if (type == "Event") {
    CO_TRY(check_payload(payload, kMaxAsyncPayload));
    CO_TRY(co_await impl_->engine.check(ref));
    AsyncEvent event;
    event.id = context.request_id();
    event.function = ref.name;
    event.qualifier = ref.qualifier;
    event.payload = std::move(payload);
    event.trace = trace_of(context);
    event.accepted = event.due = impl_->given.clock.now();
    CO_TRY(co_await impl_->events.accept(ref, std::move(event)));
    out.status_code = 202;
    co_return out;
  }

  CO_TRY(check_payload(payload, kMaxSyncPayload));
  auto invocation = std::make_unique<Invocation>();
  invocation->id = context.request_id();
  invocation->payload = std::move(payload);
  invocation->invoked_arn = ref.qualified_arn();
  invocation->qualifier = ref.qualifier;
  CO_TRY_ASSIGN(invocation->client_context, client_context_of(in.client_context));
  invocation->trace = trace_of(context);
  invocation->tail = in.log_type == "Tail";
  auto answer = co_await impl_->engine.invoke(ref, std::move(invocation));
  if (!answer) co_return fail(as_service_error(std::move(answer).error()));
  out.status_code = 200;
  out.payload = std::move(answer->payload);
  out.executed_version = std::move(answer->version);
  if (answer->failed) out.function_error = "Unhandled";
  if (in.log_type == "Tail") out.log_result = to_base64(answer->log_tail);
  co_return out;
}

}  // namespace pileus::services::lambda
