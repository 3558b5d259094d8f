// Cross-origin requests to function URLs: what the platform answers and adds, by the URL's Cors
// setting. Pure. Source: Lambda Developer Guide, "Cross-origin resource sharing (CORS)".
#pragma once

#include "net/http.h"
#include "services/lambda/url_records.h"

namespace pileus::services::lambda {

// A browser that asks beforehand: answered by the platform, whatever its origin.
bool is_preflight(std::string_view method, const net::Headers& headers);
net::Response preflight_answer(const UrlCors& cors, const net::Headers& request);
// Sets the headers of an answer to a request that has an Origin; those of the function go.
void add_cors(const UrlCors& cors, const net::Headers& request, net::Response& response);

}  // namespace pileus::services::lambda
