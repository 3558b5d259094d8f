#include "services/lambda/url_event.h"

#include <map>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

using Joined = std::map<std::string, std::string>;

void join(Joined& values, std::string name, std::string_view value) {
  auto [at, fresh] = values.try_emplace(std::move(name), value);
  if (!fresh) at->second.append(",").append(value);
}

std::string object(const Joined& values) {
  std::string out = "{";
  for (const auto& [name, value] : values)
    out += str(out.size() > 1 ? "," : "", quoted(name), ":", quoted(value));
  return out + "}";
}

Joined headers_of(const UrlRequest& request) {
  Joined out;
  for (const auto& [name, value] : request.http.headers) {
    const std::string lower = to_lower(name);
    if (lower == "cookie" || lower == "x-amzn-trace-id" || lower.starts_with("x-forwarded-"))
      continue;  // cookies have a place of their own; the rest is the platform's to say
    join(out, lower, value);
  }
  out["x-amzn-trace-id"] = request.trace.substr(0, request.trace.find(';'));
  out["x-forwarded-for"] = request.http.peer_address;
  out["x-forwarded-port"] = std::to_string(request.http.local_port);
  out["x-forwarded-proto"] = request.http.tls ? "https" : "http";
  return out;
}

std::string cookies_of(const net::Headers& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    if (!iequals(name, "cookie")) continue;
    for (const auto cookie : split(value, ';')) {
      const auto text = trim(cookie);
      if (!text.empty()) out += (out.empty() ? "" : ",") + quoted(text);
    }
  }
  return out;
}

Joined query_of(std::string_view query) {
  Joined out;
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    const auto plain = [](std::string_view text) {
      auto decoded = percent_decode(text, Plus::kSpace);
      return decoded ? std::move(*decoded) : std::string(text);
    };
    join(out, plain(pair.substr(0, equals)), plain(value));
  }
  return out;
}

// 12/Mar/2020:19:03:58 +0000
std::string common_log_time(Time time) {
  const std::string http = http_date(time);  // Thu, 12 Mar 2020 19:03:58 GMT
  return str(http.substr(5, 2), "/", http.substr(8, 3), "/", http.substr(12, 4), ":",
             http.substr(17, 8), " +0000");
}

std::string authorizer(const aws::Identity& caller) {
  return str(R"("authorizer":{"iam":{"accessKey":)", quoted(caller.access_key_id),
             R"(,"accountId":)", quoted(caller.account), R"(,"callerId":)", quoted(caller.user_id),
             R"(,"cognitoIdentity":null,"principalOrgId":null,"userArn":)", quoted(caller.arn),
             R"(,"userId":)", quoted(caller.user_id), "}},");
}

std::string request_context(const UrlRequest& request) {
  const auto& http = request.http;
  return str(R"({"accountId":)", quoted(request.caller ? request.caller->account : "anonymous"),
             R"(,"apiId":)", quoted(request.host.id), ",",
             request.caller ? authorizer(*request.caller) : std::string(), R"("domainName":)",
             quoted(request.host.domain), R"(,"domainPrefix":)", quoted(request.host.id),
             R"(,"http":{"method":)", quoted(http.method), R"(,"path":)", quoted(http.path()),
             R"(,"protocol":"HTTP/1.1","sourceIp":)", quoted(http.peer_address), R"(,"userAgent":)",
             quoted(http.headers.get("user-agent")), R"(},"requestId":)",
             quoted(request.request_id), R"(,"routeKey":"$default","stage":"$default","time":)",
             quoted(common_log_time(request.now)), R"(,"timeEpoch":)", to_millis(request.now), "}");
}

}  // namespace

bool is_text_body(const net::Headers& headers, std::string_view body) {
  const auto encoding = trim(headers.get("content-encoding"));
  if (!encoding.empty() && !iequals(encoding, "identity")) return false;
  const auto given = headers.get("content-type");
  const std::string type = to_lower(trim(given.substr(0, given.find(';'))));
  const bool text = type.starts_with("text/") || type == "application/json" ||
                    type == "application/xml" || type == "application/javascript";
  return text && is_utf8(body);
}

std::string url_event(const UrlRequest& request) {
  std::string out =
      str(R"({"version":"2.0","routeKey":"$default","rawPath":)", quoted(request.http.path()),
          R"(,"rawQueryString":)", quoted(request.http.query()));
  if (const auto cookies = cookies_of(request.http.headers); !cookies.empty())
    out += str(R"(,"cookies":[)", cookies, "]");
  out += str(R"(,"headers":)", object(headers_of(request)));
  if (const auto query = query_of(request.http.query()); !query.empty())
    out += str(R"(,"queryStringParameters":)", object(query));
  out += str(R"(,"requestContext":)", request_context(request));
  const bool text = request.body.empty() || is_text_body(request.http.headers, request.body);
  if (!request.body.empty())
    out += str(R"(,"body":)", quoted(text ? std::string(request.body) : to_base64(request.body)));
  return str(out, R"(,"isBase64Encoded":)", text ? "false" : "true", "}");
}

}  // namespace pileus::services::lambda
