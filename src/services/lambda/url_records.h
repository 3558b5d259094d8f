// What function URLs keep, under "<account>/<region>":
//   lambda/url/<function>/<alias, or $LATEST>   FunctionUrl
//   lambda/url-id/<id>                          UrlOwner: whose URL that is
// Both are written and removed together. An id tells its account (url_host.h), so that a request
// finds the partition by its Host alone.
#pragma once

#include <optional>
#include <vector>

#include "services/lambda/records.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kUrlPrefix = "lambda/url/";
inline constexpr std::string_view kUrlIdPrefix = "lambda/url-id/";

struct UrlCors {
  std::optional<bool> allow_credentials;
  std::optional<std::vector<std::string>> allow_headers, allow_methods, allow_origins,
      expose_headers;
  std::optional<int> max_age;
  PILEUS_FIELDS(UrlCors, allow_credentials, allow_headers, allow_methods, allow_origins,
                expose_headers, max_age)
};

struct FunctionUrl {
  std::string id, function;
  std::string qualifier;                 // an alias, or "": $LATEST
  std::string auth_type;                 // "AWS_IAM" or "NONE"
  std::string invoke_mode = "BUFFERED";  // or "RESPONSE_STREAM"
  std::optional<UrlCors> cors;
  Time created{}, modified{};
  PILEUS_FIELDS(FunctionUrl, id, function, qualifier, auth_type, invoke_mode, cors, created,
                modified)
};
struct UrlOwner {
  std::string function, qualifier;
  PILEUS_FIELDS(UrlOwner, function, qualifier)
};

inline std::string url_prefix(std::string_view function) {
  return std::string(kUrlPrefix).append(function).append("/");
}
inline std::string url_key(std::string_view function, std::string_view qualifier) {
  return url_prefix(function).append(qualifier.empty() ? kLatest : qualifier);
}
inline std::string url_id_key(std::string_view id) { return std::string(kUrlIdPrefix).append(id); }

}  // namespace pileus::services::lambda
