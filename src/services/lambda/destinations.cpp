#include "services/lambda/destinations.h"

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "services/lambda/json_check.h"

namespace pileus::services::lambda {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// A payload as a JSON value: as it is, or as text where it is none.
std::string value_of(std::string_view payload) {
  if (payload.empty()) return "null";
  return json_fault(payload) ? quoted(payload) : std::string(payload);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t hash) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

}  // namespace

void Destinations::add(std::string service, std::unique_ptr<Destination> destination) {
  all_[std::move(service)] = std::move(destination);
}

Destination* Destinations::find(std::string_view arn) const {
  const auto parts = split(arn, ':');
  if (parts.size() < 6 || parts[0] != "arn") return nullptr;
  const auto found = all_.find(parts[2]);
  return found == all_.end() ? nullptr : found->second.get();
}

Task<Delivered> Destinations::send(Delivery delivery) {
  const std::string arn = delivery.destination;
  Destination* destination = find(arn);
  if (!destination) co_return Delivered::kRefused;
  auto sent = co_await destination->send(std::move(delivery));
  if (sent) co_return Delivered::kDone;
  const Error& error = sent.error();
  const bool refused = error.status() < 500 && error.status() != 429 &&
                       !error.is(errc::kConflict) && !error.is(errc::kIo);
  if (refused)
    log::warn("a destination refused the record of an event",
              {{"destination", arn}, {"code", error.code()}, {"why", error.message()}});
  co_return refused ? Delivered::kRefused : Delivered::kLater;
}

std::string destination_record(const AsyncEvent& event, const FunctionRef& ref,
                               std::string_view request, std::string_view response, Time now,
                               std::size_t limit_bytes) {
  const Settled& settled = *event.settled;
  const bool succeeded = settled.condition == "Success";
  const std::string head =
      str(R"({"version":"1.0","timestamp":")", iso8601_millis(now),
          R"(","requestContext":{"requestId":)", quoted(event.id), R"(,"functionArn":)",
          quoted(str(ref.arn(), ":", event.qualifier.empty() ? kLatest : event.qualifier)),
          R"(,"condition":)", quoted(settled.condition), R"(,"approximateInvokeCount":)",
          event.failures + (succeeded ? 1 : 0), "}");
  std::string answer;
  if (settled.answered)
    answer =
        str(R"(,"responseContext":{"statusCode":200,"executedVersion":)", quoted(settled.version),
            settled.failed ? R"(,"functionError":"Unhandled")" : "", "}");
  std::string out = str(head, R"(,"requestPayload":)", value_of(request), answer);
  if (settled.answered || !response.empty())
    out += str(R"(,"responsePayload":)", value_of(response));
  if (out.size() + 1 > limit_bytes) out = head + answer;
  return out + "}";
}

std::string delivery_id(std::string_view event_id) {
  char text[40];
  const auto high = hash_of(event_id, 14695981039346656037ull);
  const auto low = hash_of(event_id, high ^ 0x9e3779b97f4a7c15ull);
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx",
                static_cast<unsigned>(high >> 32U), static_cast<unsigned>(high >> 16U & 0xffff),
                static_cast<unsigned>(high & 0xfff), static_cast<unsigned>(low >> 52U),
                static_cast<unsigned long long>(low & 0xffff'ffff'ffffull));
  return text;
}

}  // namespace pileus::services::lambda
