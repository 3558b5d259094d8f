#include "services/lambda/invoking.h"

#include "base/text.h"
#include "services/lambda/json_check.h"
#include "services/lambda/lineage.h"

namespace pileus::services::lambda {
namespace {

Error too_large(std::size_t limit) {
  return Error(
             "RequestTooLargeException",
             str("Request must be smaller than ", limit, " bytes for the InvokeFunction operation"),
             413)
      .with("Type", "User");
}

}  // namespace

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

namespace {

// Its digits are those of the request id, which are as random.
std::string own_trace(const aws::Context& context) {
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

}  // namespace

std::string trace_of(const aws::Context& context, const FunctionRef& ref) {
  std::string trace = context.trace_header.empty() ? own_trace(context) : context.trace_header;
  return with_hop(trace, ref.arn());
}

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

}  // namespace pileus::services::lambda
