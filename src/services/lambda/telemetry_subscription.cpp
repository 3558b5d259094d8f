#include "services/lambda/telemetry_subscription.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/text.h"
#include "services/lambda/variables.h"

namespace pileus::services::lambda {
namespace {

struct Bounds {
  const char* name;
  std::int64_t least, most;
};
constexpr Bounds kMaxItems{"maxItems", 1000, 10'000};
constexpr Bounds kMaxBytes{"maxBytes", 262'144, 1'048'576};
constexpr Bounds kTimeout{"timeoutMs", 25, 30'000};
constexpr std::string_view kTelemetrySchemas[] = {"2022-07-01", "2022-12-13", "2025-01-29"};
constexpr std::string_view kLogsSchemas[] = {"2020-08-15", "2021-03-18"};
constexpr std::string_view kHosts[] = {"sandbox.localdomain", "sandbox", "127.0.0.1", "localhost"};

class Complaints {
 public:
  void add(std::string_view what) { text_ += str(text_.empty() ? "" : "; ", what); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::int64_t bounded(const Json* buffering, const Bounds& bounds, std::int64_t fallback,
                     Complaints& wrong) {
  const Json* given = buffering ? find(*buffering, bounds.name) : nullptr;
  if (!given || given->is_null()) return fallback;
  const std::int64_t value = given->is_int64() ? given->get_int64() : -1;
  if (value < bounds.least || value > bounds.most)
    wrong.add(str(bounds.name, " must be between ", bounds.least, " and ", bounds.most));
  return value;
}

void read_types(const Json& body, Subscription& out, Complaints& wrong) {
  const Json* types = find(body, "types");
  if (!types || !types->is_array() || types->get_array().empty())
    return wrong.add("types should not be empty");
  for (const auto& type : types->get_array()) {
    const std::string name = type.is_string() ? std::string(type.get_string()) : to_text(type);
    out.types.push_back(name);
    if (name == "platform")
      out.platform = true;
    else if (name == "function")
      out.function = true;
    else if (name == "extension")
      out.extensions = true;
    else
      wrong.add(str("unknown type ", name, ": types are platform, function and extension"));
  }
}

void read_uri(std::string_view uri, Subscription& out, Complaints& wrong) {
  if (!uri.starts_with("http://")) return wrong.add("URI must begin with http://");
  uri.remove_prefix(7);
  const auto slash = std::min(uri.find('/'), uri.size());
  if (slash < uri.size()) out.path = uri.substr(slash);
  const std::string_view authority = uri.substr(0, slash);
  const auto colon = authority.find(':');
  out.host = authority.substr(0, colon);
  if (std::ranges::find(kHosts, out.host) == std::end(kHosts))
    wrong.add(str("URI host must be sandbox.localdomain or sandbox, not ", out.host));
  if (std::ranges::any_of(out.path, [](char c) { return c <= ' ' || c == '\x7f'; }))
    wrong.add("URI has characters that must be escaped");
  if (colon == std::string_view::npos) return wrong.add("URI port is not provided");
  const auto port = parse_int(authority.substr(colon + 1));
  if (!port || *port < 1 || *port > 65'535)
    wrong.add("URI port must be between 1 and 65535");
  else
    out.port = static_cast<std::uint16_t>(*port);
}

void read_destination(const Json& body, Subscription& out, Complaints& wrong) {
  const Json* destination = find(body, "destination");
  if (!destination || !destination->is_object()) return wrong.add("destination is not provided");
  const auto protocol = find_string(*destination, "protocol");
  out.tcp = protocol == "TCP";
  if (out.tcp) {
    const auto port = find_int(*destination, "port");
    if (port < 1 || port > 65'535)
      wrong.add("port must be between 1 and 65535");
    else
      out.port = static_cast<std::uint16_t>(port);
  } else if (protocol == "HTTP") {
    out.method = find_string(*destination, "method", "POST");
    if (out.method != "POST" && out.method != "PUT") wrong.add("method must be POST or PUT");
    if (find_string(*destination, "encoding", "JSON") != "JSON") wrong.add("encoding must be JSON");
    const auto uri = find_string(*destination, "URI");
    read_uri(uri.empty() ? find_string(*destination, "uri") : uri, out, wrong);
  } else {
    wrong.add("protocol must be HTTP or TCP");
  }
  if (out.port == kRuntimePort || out.port == kAwsPort)
    wrong.add(str("port ", out.port, " is reserved"));
}

}  // namespace

Result<Subscription> parse_subscription(TelemetryApi api, std::string_view extension,
                                        std::string_view text) {
  const auto body = parse_json(text);
  if (!body || !body->is_object())
    return fail("ValidationError", "The request body is not a JSON object", 400);
  Subscription out;
  out.api = api;
  out.extension = extension;
  Complaints wrong;
  const bool telemetry = api == TelemetryApi::kTelemetry;
  const auto schema =
      find_string(*body, "schemaVersion", telemetry ? kTelemetrySchemas[0] : kLogsSchemas[0]);
  const bool known =
      telemetry ? std::ranges::find(kTelemetrySchemas, schema) != std::end(kTelemetrySchemas)
                : std::ranges::find(kLogsSchemas, schema) != std::end(kLogsSchemas);
  if (!known) wrong.add(str("schemaVersion ", schema, " is not supported"));
  out.structured = telemetry && schema != kTelemetrySchemas[0];
  read_types(*body, out, wrong);
  const Json* buffering = find(*body, "buffering");
  out.max_items = static_cast<std::size_t>(bounded(buffering, kMaxItems, 10'000, wrong));
  out.max_bytes = static_cast<std::size_t>(bounded(buffering, kMaxBytes, 262'144, wrong));
  out.timeout = std::chrono::milliseconds(bounded(buffering, kTimeout, 1000, wrong));
  read_destination(*body, out, wrong);
  if (!wrong.text().empty()) return fail("ValidationError", wrong.text(), 400);
  return out;
}

}  // namespace pileus::services::lambda
