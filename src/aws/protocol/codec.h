// The wire protocols of AWS, both directions, driven by the tables of aws/shape.h: json 1.0 and
// 1.1, rest-json, rest-xml, query, ec2, rpc-v2-cbor. Inputs and outputs are the generated structs.
// Stateless; any thread. Bounds: nesting kMaxDepth; sizes are the caller's (the body is read
// whole). Malformed input is a Result in the protocol's own words, never a crash.
#pragma once

#include "aws/service.h"
#include "base/json.h"
#include "base/random.h"
#include "net/http.h"

namespace pileus::aws::protocol {

inline constexpr int kMaxDepth = 100;  // of structures, lists and maps in one message

struct WireRequest {
  std::string method;
  std::string path;   // as sent, still percent-encoded: "/2015-03-31/functions/f"
  std::string query;  // as sent, without '?'
  net::Headers headers;
  std::string body;
  std::string host_prefix;  // client side only: "account." where the model asks for one
};
struct WireResponse {
  int status = 200;
  net::Headers headers;
  std::string body;
};

// Label and raw (still percent-encoded) text of the path, views into the request and the tables.
using UriLabels = std::vector<std::pair<std::string_view, std::string_view>>;

// ---- server side ----

// Which of the service's protocols the request is in: by Smithy-Protocol, X-Amz-Target and content
// type; the service's first where nothing says otherwise. nullopt: in one the service does not
// speak.
std::optional<Protocol> detect_protocol(const Service& service, const WireRequest& request);

// The operation asked for, or nullptr. rest: by method and URI template (greedy labels and query
// literals included; the most specific template wins), and fills `labels`. Others: by X-Amz-Target,
// Action, or /service/…/operation/…. The operation may be one that is not spoken().
const Operation* route(const Service& service, Protocol protocol, const WireRequest& request,
                       UriLabels* labels);

// The name the request asked for where it names one (rpc protocols), for UnknownOperation errors.
std::string_view requested_name(Protocol protocol, const WireRequest& request);

// Fills `input` (operation.input's struct, freshly made). Takes request.body where it is a blob
// payload. Required members that are absent are left at their default and listed in
// `missing_required` by AWS's path ("code", "tags.1.member.key"); validation words them.
Result<Unit> parse_request(const Service& service, Protocol protocol, const Operation& operation,
                           WireRequest& request, const UriLabels& labels, void* input,
                           std::vector<std::string>* missing_required);

// `output` is not changed, but for a blob payload, which is moved into the answer.
WireResponse write_response(const Service& service, Protocol protocol, const Operation& operation,
                            void* output, std::string_view request_id);
// Status and wire code from the service's error shape of that code, else from the error itself.
// `operation` may be null (the error came before routing).
WireResponse write_error(const Service& service, Protocol protocol, const Operation* operation,
                         const Error& error, std::string_view request_id);

// ---- client side ----

// Idempotency tokens that are absent are made from `random`; without one they are left out.
Result<WireRequest> write_request(const Service& service, Protocol protocol,
                                  const Operation& operation, const void* input, Random* random);
// A status of 300 or more becomes an Error with code, message, status and members.
Result<Unit> parse_response(const Service& service, Protocol protocol, const Operation& operation,
                            WireResponse& response, void* output);

// ---- neutral form, for tests and debugging ----

// Model names as keys; blobs in base64, timestamps as microseconds since 1970, NaN and infinities
// as strings.
Json to_json(const Shape& shape, const void* value);
Result<Unit> from_json(const Shape& shape, const Json& json, void* value);

}  // namespace pileus::aws::protocol
