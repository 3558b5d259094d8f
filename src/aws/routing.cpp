#include "aws/routing.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::aws {

namespace {
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

// The value of a parameter in a form body or query string, or "".
std::string_view parameter(std::string_view form, std::string_view name) {
  for (const auto pair : split(form, '&'))
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  return {};
}
std::string_view form_parameter(const protocol::WireRequest& request, std::string_view name) {
  const auto in_query = parameter(request.query, name);
  if (!in_query.empty() || !request.headers.get("content-type").starts_with(kForm)) return in_query;
  return parameter(request.body, name);
}

bool named_by_request(const Service& service, const protocol::WireRequest& request) {
  const auto target = request.headers.get("x-amz-target");
  if (!target.empty()) return target.substr(0, target.rfind('.')) == service.target_prefix;
  if (request.path.starts_with("/service/"))
    return std::string_view(request.path)
        .substr(9)
        .starts_with(str(service.rpc_name, "/operation/"));
  const auto version = form_parameter(request, "Version");
  if (!version.empty()) return version == service.api_version;
  return true;
}
}  // namespace

const Service* find_service(std::span<const Service* const> services,
                            std::string_view scope_service, const protocol::WireRequest& request) {
  const Service* only = nullptr;
  std::size_t same_scope = 0;
  for (const auto* service : services) {
    if (scope_service.empty() ? false : service->signing_name != scope_service) continue;
    if (!scope_service.empty()) {
      only = service;
      ++same_scope;
    }
  }
  if (same_scope == 1) return only;
  if (same_scope > 1) {
    for (const auto* service : services)
      if (service->signing_name == scope_service && named_by_request(*service, request))
        return service;
    return only;
  }
  if (!scope_service.empty()) return nullptr;
  // Not signed: what the request names, else the first label of its host.
  const bool names_one = !request.headers.get("x-amz-target").empty() ||
                         request.path.starts_with("/service/") ||
                         !form_parameter(request, "Version").empty();
  for (const auto* service : services)
    if (names_one && named_by_request(*service, request)) return service;
  const auto host = request.headers.get("host");
  const auto label = host.substr(0, host.find_first_of(".:"));
  for (const auto* service : services)
    if (label == service->endpoint_prefix || label == service->signing_name) return service;
  for (const auto* service : services)
    for (const auto candidate : service->protocols)
      if (candidate == Protocol::kRestJson || candidate == Protocol::kRestXml) {
        protocol::UriLabels labels;
        if (protocol::route(*service, candidate, request, &labels)) return service;
      }
  return nullptr;
}

Protocol likely_protocol(std::string_view scope_service, const protocol::WireRequest& request) {
  if (!request.headers.get("x-amz-target").empty()) return Protocol::kJson11;
  if (!request.headers.get("smithy-protocol").empty()) return Protocol::kRpcV2Cbor;
  if (request.headers.get("content-type").starts_with(kForm)) return Protocol::kQuery;
  if (scope_service.starts_with("s3")) return Protocol::kRestXml;
  return Protocol::kRestJson;
}

}  // namespace pileus::aws
