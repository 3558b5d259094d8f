#include "services/lambda/url_response.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kSeparator = 8;  // NUL bytes

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(static_cast<char>(c)) ==
               std::string_view::npos;
  });
}
bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

// What the connection says by itself.
bool is_platforms(std::string_view name) {
  for (const auto ours : {"connection", "transfer-encoding", "content-length", "date", "keep-alive",
                          "upgrade", "trailer", "te"})
    if (iequals(name, ours)) return true;
  return false;
}

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  if (value.is_bool() || value.is_number()) return to_text(value);
  return std::nullopt;
}

std::optional<int> status_of(const Json& value) {
  std::optional<std::int64_t> status;
  if (value.is_int64()) status = value.get_int64();
  if (value.is_string()) status = parse_int(value.get_string());
  if (!status || *status < 200 || *status > 599) return std::nullopt;
  return static_cast<int>(*status);
}

// Status, headers and cookies, which both forms say alike.
bool read_head(const Json& in, net::Response& out) {
  if (const Json* headers = find(in, "headers"); headers && !headers->is_null()) {
    if (!headers->is_object()) return false;
    for (const auto& [name, value] : headers->get_object()) {
      const auto text = text_of(value);
      if (!text || !is_field_name(name) || !is_field_value(*text)) return false;
      if (!is_platforms(name)) out.headers.add(std::string(name), *text);
    }
  }
  if (const Json* cookies = find(in, "cookies"); cookies && !cookies->is_null()) {
    if (!cookies->is_array()) return false;
    for (const auto& cookie : cookies->get_array()) {
      if (!cookie.is_string() || !is_field_value(cookie.get_string())) return false;
      out.headers.add("Set-Cookie", std::string(std::string_view(cookie.get_string())));
    }
  }
  return true;
}

void default_type(net::Response& response, std::string_view type) {
  if (!response.headers.find("content-type"))
    response.headers.add("Content-Type", std::string(type));
}

}  // namespace

std::optional<net::Response> infer_response(const std::string& payload) {
  const auto json = parse_json(payload);
  if (!json) return std::nullopt;
  net::Response response;
  const Json* status = json->is_object() ? find(*json, "statusCode") : nullptr;
  if (!status) {
    response.headers.add("Content-Type", "application/json");
    response.body = payload;
    return response;
  }
  const auto number = status_of(*status);
  if (!number || !read_head(*json, response)) return std::nullopt;
  response.status = *number;
  default_type(response, "application/json");
  const Json* body = find(*json, "body");
  if (!body || body->is_null()) return response;
  if (!body->is_string()) return std::nullopt;
  response.body = std::string_view(body->get_string());
  const Json* encoded = find(*json, "isBase64Encoded");
  if (!encoded || !encoded->is_bool() || !encoded->get_bool()) return response;
  auto bytes = from_base64(response.body);
  if (!bytes) return std::nullopt;
  response.body = std::move(*bytes);
  return response;
}

PreludeReader::State PreludeReader::feed(std::string_view bytes) {
  const std::size_t from = seen_.size() < kSeparator ? 0 : seen_.size() - kSeparator + 1;
  seen_ += bytes;
  const auto end = seen_.find(std::string(kSeparator, '\0'), from);
  if (end == std::string::npos)
    return seen_.size() > kMaxPrelude ? State::kMalformed : State::kMore;
  const auto json = parse_json(std::string_view(seen_).substr(0, end));
  if (!json || !json->is_object() || !read_head(*json, prelude_.head)) return State::kMalformed;
  if (const Json* status = find(*json, "statusCode"); status && !status->is_null()) {
    const auto number = status_of(*status);
    if (!number) return State::kMalformed;
    prelude_.head.status = *number;
  }
  default_type(prelude_.head, "application/octet-stream");
  prelude_.rest = seen_.substr(end + kSeparator);
  return State::kDone;
}

net::Response plain_error(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace pileus::services::lambda
