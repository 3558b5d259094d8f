#include "services/lambda/url_cors.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

using Names = std::optional<std::vector<std::string>>;

// "*" within a pattern stands for any text: "https://*", "https://*.example.com".
bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return iequals(pattern, text);
  const auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return text.size() >= before.size() + after.size() &&
         iequals(text.substr(0, before.size()), before) &&
         iequals(text.substr(text.size() - after.size()), after);
}

std::string joined(const Names& names) {
  std::string out;
  for (const auto& name : names.value_or(std::vector<std::string>()))
    out += (out.empty() ? "" : ",") + name;
  return out;
}

// The value of Access-Control-Allow-Origin, or "".
std::string allowed_origin(const UrlCors& cors, std::string_view origin) {
  if (origin.empty() || !cors.allow_origins) return {};
  const auto& all = *cors.allow_origins;
  if (std::none_of(all.begin(), all.end(),
                   [&](const std::string& pattern) { return matches(pattern, origin); }))
    return {};
  const bool any = std::find(all.begin(), all.end(), "*") != all.end();
  return any && !cors.allow_credentials.value_or(false) ? "*" : std::string(origin);
}

// With credentials a browser takes "*" for a name, so what it asked for is said instead.
std::string said(const Names& allowed, const UrlCors& cors, std::string_view asked) {
  const std::string all = joined(allowed);
  return all == "*" && cors.allow_credentials.value_or(false) && !asked.empty() ? std::string(asked)
                                                                                : all;
}

void set(net::Headers& headers, std::string_view name, std::string value) {
  headers.remove(name);
  if (!value.empty()) headers.add(std::string(name), std::move(value));
}

void add_common(const UrlCors& cors, const std::string& origin, net::Headers& headers) {
  set(headers, "Access-Control-Allow-Origin", origin);
  set(headers, "Access-Control-Allow-Credentials",
      !origin.empty() && cors.allow_credentials.value_or(false) ? "true" : "");
  if (origin != "*") set(headers, "Vary", "Origin");
}

}  // namespace

bool is_preflight(std::string_view method, const net::Headers& headers) {
  return method == "OPTIONS" && headers.find("origin") &&
         headers.find("access-control-request-method");
}

net::Response preflight_answer(const UrlCors& cors, const net::Headers& request) {
  net::Response response;
  const std::string origin = allowed_origin(cors, request.get("origin"));
  add_common(cors, origin, response.headers);
  if (origin.empty()) return response;
  set(response.headers, "Access-Control-Allow-Methods",
      said(cors.allow_methods, cors, request.get("access-control-request-method")));
  set(response.headers, "Access-Control-Allow-Headers",
      said(cors.allow_headers, cors, request.get("access-control-request-headers")));
  set(response.headers, "Access-Control-Expose-Headers", joined(cors.expose_headers));
  if (cors.max_age) set(response.headers, "Access-Control-Max-Age", std::to_string(*cors.max_age));
  return response;
}

void add_cors(const UrlCors& cors, const net::Headers& request, net::Response& response) {
  for (const auto name :
       {"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"})
    response.headers.remove(name);
  const auto origin = request.get("origin");
  if (origin.empty()) {
    for (const auto name : {"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
                            "Access-Control-Expose-Headers"})
      response.headers.remove(name);
    return;
  }
  const std::string allowed = allowed_origin(cors, origin);
  add_common(cors, allowed, response.headers);
  set(response.headers, "Access-Control-Expose-Headers",
      allowed.empty() ? "" : joined(cors.expose_headers));
}

}  // namespace pileus::services::lambda
