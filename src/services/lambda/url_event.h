// The event that a request to a function URL becomes: payload format 2.0. Pure.
// Source: Lambda Developer Guide, "Request and response payloads" of function URLs.
#pragma once

#include "aws/identity.h"
#include "net/http.h"
#include "services/lambda/url_host.h"

namespace pileus::services::lambda {

struct UrlRequest {
  const net::Request& http;
  std::string_view body;
  const UrlHost& host;
  const aws::Identity* caller = nullptr;  // of a signed request (AWS_IAM)
  std::string request_id, trace;
  Time now{};
};
std::string url_event(const UrlRequest& request);  // JSON

// Whether a body goes into the event as it is; else it goes in base64.
bool is_text_body(const net::Headers& headers, std::string_view body);

}  // namespace pileus::services::lambda
