#include "aws/protocol/codec.h"

#include <pugixml.hpp>

#include "aws/protocol/cbor.h"
#include "aws/protocol/errors.h"
#include "aws/protocol/event_stream.h"
#include "aws/protocol/json.h"
#include "aws/protocol/query.h"
#include "aws/protocol/rest.h"
#include "aws/protocol/router.h"
#include "aws/protocol/xml.h"
#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

bool is_json(Protocol p) { return p == Protocol::kJson10 || p == Protocol::kJson11; }
bool is_form(Protocol p) { return p == Protocol::kQuery || p == Protocol::kEc2; }

bool is_blank(std::string_view text) { return trim(text).empty(); }

// The body of a rest message, or of a json or cbor one, into the members that are bound to it.
Result<Unit> read_body(const Reading& reading, const Shape& shape, std::string_view body, void* out,
                       Seen& seen) {
  if (reading.protocol == Protocol::kRpcV2Cbor)
    return body.empty() ? Unit{} : read_cbor(reading, shape, body, out, Path{}, seen);
  if (is_blank(body)) return Unit{};
  if (reading.protocol == Protocol::kRestXml) {
    XmlText xml;
    if (!xml.parse(body)) return malformed("The XML you provided was not well-formed");
    return read_xml_body(reading, shape, xml.root(), out, Path{}, seen);
  }
  JsonText json;
  const Json* root = json.parse(body);
  if (!root) return malformed(json.error());
  return read_json_body(reading, shape, *root, out, Path{}, seen);
}

// The member that is the whole body.
Result<Unit> read_payload(const Reading& reading, const Shape& shape, std::string& body, void* out,
                          Seen& seen) {
  const Member& member = *shape.payload;
  if (body.empty()) return Unit{};
  const Path path = Path{}.member(member.name);
  switch (member.shape->kind) {
    case Kind::kBlob:
      *static_cast<std::string*>(make_value(out, member)) = std::move(body);
      break;
    case Kind::kString:
      if (!is_utf8(body)) return malformed("The body is not valid UTF-8");
      *static_cast<std::string*>(make_value(out, member)) = std::move(body);
      break;
    default:
      if (is_blank(body)) return Unit{};
      if (reading.protocol == Protocol::kRestXml) {
        XmlText xml;
        if (!xml.parse(body)) return malformed("The XML you provided was not well-formed");
        TRY(read_xml(reading, *member.shape, &member, xml.root(), make_value(out, member), path));
      } else {
        JsonText json;
        const Json* root = json.parse(body);
        if (!root) return malformed(json.error());
        if (root->is_null()) return Unit{};
        TRY(read_json(reading, *member.shape, &member, *root, make_value(out, member), path));
      }
  }
  seen.set(shape, member);
  return Unit{};
}

bool binds_body(const Shape& shape) { return !shape.payload && has_body_members(shape); }

// Writes the payload member; gives its content type, "" when there is no body.
std::string_view write_payload(const Service& service, Protocol protocol, const Shape& shape,
                               void* value, bool take, std::string& body) {
  const Member& member = *shape.payload;
  const void* item = value_of(value, member);
  const Shape& target = *member.shape;
  if (!item) {
    // An absent structure is an empty one on the wire of rest-json requests.
    if (protocol != Protocol::kRestJson || target.kind != Kind::kStructure || target.is_union ||
        take)
      return "";
    body = "{}";
    return "application/json";
  }
  if (target.kind == Kind::kBlob || target.kind == Kind::kString) {
    auto& text = *static_cast<const std::string*>(item);
    body = take ? std::move(const_cast<std::string&>(text)) : text;
    return target.kind == Kind::kBlob ? "application/octet-stream" : "text/plain";
  }
  if (protocol == Protocol::kRestXml) {
    // A member's own locationName is its element; else the target's name is.
    const bool renamed = std::string_view(member.wire_name) != member.name;
    const char* name = renamed                           ? member.wire_name
                       : target.xml_name                 ? target.xml_name
                       : target.kind == Kind::kStructure ? target.name
                                                         : member.wire_name;
    write_xml(protocol, body, name, target, &member, item, service.xml_namespace);
    return "application/xml";
  }
  write_json(body, target, &member, item);
  return "application/json";
}

void set_default(net::Headers& headers, std::string_view name, std::string_view value) {
  if (!value.empty() && !headers.find(name)) headers.set(name, std::string(value));
}

// Fills absent idempotency tokens of a copy of the input; `input` itself where none is absent.
class WithTokens {
 public:
  WithTokens(const Operation& operation, const void* input, Random* random)
      : operation_(operation), input_(input) {
    if (!random) return;
    for (const auto& member : operation.input->members) {
      if (!member.idempotency_token || value_of(input, member)) continue;
      if (!copy_) {
        copy_ = operation.new_input();
        (void)from_json(*operation.input, to_json(*operation.input, input), copy_);
      }
      *static_cast<std::string*>(make_value(copy_, member)) = uuid(*random);
    }
  }
  WithTokens(const WithTokens&) = delete;
  WithTokens& operator=(const WithTokens&) = delete;
  ~WithTokens() {
    if (copy_) operation_.delete_input(copy_);
  }
  const void* get() const { return copy_ ? copy_ : input_; }

 private:
  const Operation& operation_;
  const void* input_;
  void* copy_ = nullptr;
};

std::string_view operation_of_path(std::string_view path) {
  const auto at = path.rfind("/operation/");
  return at == path.npos ? std::string_view() : path.substr(at + 11);
}

Result<Unit> read_request(const Service&, Protocol protocol, const Operation& operation,
                          WireRequest& request, const UriLabels& labels, void* input,
                          std::vector<std::string>* missing) {
  const Shape& shape = *operation.input;
  const Reading reading{protocol, false, missing};
  if (is_form(protocol)) {
    Parameters parameters;
    TRY(parse_form(request.query, parameters));
    TRY(parse_form(request.body, parameters));
    return read_query(reading, shape, parameters, input);
  }
  Seen seen;
  if (is_rest(protocol)) {
    TRY(read_rest_request(reading, shape, request, labels, input, seen));
    if (shape.payload) {
      TRY(read_payload(reading, shape, request.body, input, seen));
    } else if (has_body_members(shape)) {
      TRY(read_body(reading, shape, request.body, input, seen));
    }
  } else {
    TRY(read_body(reading, shape, request.body, input, seen));
  }
  report_missing(reading, shape, seen, Path{});
  return Unit{};
}

const char* malformed_code(const Service& service, Protocol protocol) {
  if (service.validation.malformed_code) return service.validation.malformed_code;
  switch (protocol) {
    case Protocol::kQuery:
      return "MalformedInput";
    case Protocol::kEc2:
      return "InvalidParameterValue";
    case Protocol::kRestXml:
      return "MalformedXML";
    default:
      return "SerializationException";
  }
}

Result<Unit> read_xml_answer(const Reading& reading, const Operation& operation,
                             std::string_view body, void* output) {
  if (is_blank(body)) return Unit{};
  XmlText xml;
  if (!xml.parse(body)) return malformed("The answer is not well-formed XML");
  pugi::xml_node root = xml.root();
  if (operation.result_wrapper)
    if (const auto inner = child(root, operation.result_wrapper)) root = inner;
  Seen seen;
  return read_xml_body(reading, *operation.output, root, output, Path{}, seen);
}

void write_rest_answer(const Service& service, Protocol protocol, const Operation& operation,
                       void* output, WireResponse& response) {
  const Shape& shape = *operation.output;
  response.status = operation.success_status;
  write_rest_response(shape, output, response);
  if (shape.events) {  // the body is the stream, which the Door sends
    set_default(response.headers, "Content-Type", kEventStreamType);
  } else if (shape.payload) {
    set_default(response.headers, "Content-Type",
                write_payload(service, protocol, shape, output, true, response.body));
  } else if (protocol == Protocol::kRestXml && has_body_members(shape)) {
    write_xml(protocol, response.body, shape.xml_name ? shape.xml_name : shape.name, shape, nullptr,
              output, service.xml_namespace);
  } else if (protocol == Protocol::kRestJson && response.status != 204 &&
             (has_body_members(shape) || operation.output_given)) {
    write_json_body(response.body, shape, output);
  }
  if (!response.body.empty()) set_default(response.headers, "Content-Type", content_type(protocol));
}

std::string query_answer(const Service& service, const Operation& operation, const void* output,
                         std::string_view request_id) {
  std::string body = str("<", operation.name, "Response xmlns=\"");
  append_xml_attribute(body, service.xml_namespace);
  body += "\">";
  if (operation.result_wrapper) {
    body += str("<", operation.result_wrapper, ">");
    write_xml_members(Protocol::kQuery, body, *operation.output, output);
    body += str("</", operation.result_wrapper, ">");
  } else {
    write_xml_members(Protocol::kQuery, body, *operation.output, output);
  }
  return str(body, "<ResponseMetadata><RequestId>", request_id, "</RequestId></ResponseMetadata></",
             operation.name, "Response>");
}

std::string ec2_answer(const Service& service, const Operation& operation, const void* output,
                       std::string_view request_id) {
  std::string body =
      str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<", operation.name, "Response xmlns=\"");
  append_xml_attribute(body, service.xml_namespace);
  body += str("\"><requestId>", request_id, "</requestId>");
  write_xml_members(Protocol::kEc2, body, *operation.output, output);
  return str(body, "</", operation.name, "Response>");
}

}  // namespace

std::optional<Protocol> detect_protocol(const Service& service, const WireRequest& request) {
  const auto speaks = [&](Protocol wanted) {
    return std::find(service.protocols.begin(), service.protocols.end(), wanted) !=
           service.protocols.end();
  };
  const auto first_of = [&](auto matches) -> std::optional<Protocol> {
    for (const Protocol p : service.protocols)
      if (matches(p)) return p;
    return std::nullopt;
  };
  if (service.protocols.size() == 1) return service.protocols.front();
  const auto type = request.headers.get("content-type");
  if (request.headers.find("smithy-protocol"))
    return speaks(Protocol::kRpcV2Cbor) ? std::optional(Protocol::kRpcV2Cbor) : std::nullopt;
  if (request.headers.find("x-amz-target")) return first_of(is_json);
  if (type.starts_with(kForm) || form_value(request.query, "Action")) return first_of(is_form);
  return service.protocols.front();
}

std::string_view requested_name(Protocol protocol, const WireRequest& request) {
  if (is_json(protocol)) {
    const auto target = request.headers.get("x-amz-target");
    const auto dot = target.rfind('.');
    return dot == target.npos ? target : target.substr(dot + 1);
  }
  if (protocol == Protocol::kRpcV2Cbor) return operation_of_path(request.path);
  if (!is_form(protocol)) return {};
  for (const std::string_view form :
       {std::string_view(request.body), std::string_view(request.query)})
    for (const auto pair : split(form, '&'))
      if (pair.starts_with("Action=")) return pair.substr(7);
  return {};
}

const Operation* route(const Service& service, Protocol protocol, const WireRequest& request,
                       UriLabels* labels) {
  if (is_rest(protocol)) return route_rest(service, request, labels);
  return service.operation(requested_name(protocol, request));
}

Result<Unit> parse_request(const Service& service, Protocol protocol, const Operation& operation,
                           WireRequest& request, const UriLabels& labels, void* input,
                           std::vector<std::string>* missing_required) {
  auto result =
      read_request(service, protocol, operation, request, labels, input, missing_required);
  if (result || !result.error().is(kMalformed)) return result;
  return fail(malformed_code(service, protocol),
              str(service.validation.malformed_prefix, result.error().message()));
}

WireResponse write_response(const Service& service, Protocol protocol, const Operation& operation,
                            void* output, std::string_view request_id) {
  WireResponse response;
  response.headers.set(service.bare_xml_errors ? "x-amz-request-id" : "x-amzn-RequestId",
                       std::string(request_id));
  if (is_rest(protocol)) {
    write_rest_answer(service, protocol, operation, output, response);
    return response;
  }
  if (operation.output->events) {
    response.headers.set("Content-Type", std::string(kEventStreamType));
    return response;
  }
  if (protocol == Protocol::kRpcV2Cbor && !operation.output_given) {
    response.headers.set("Smithy-Protocol", "rpc-v2-cbor");
    return response;
  }
  response.headers.set("Content-Type", std::string(content_type(protocol)));
  switch (protocol) {
    case Protocol::kRpcV2Cbor:
      response.headers.set("Smithy-Protocol", "rpc-v2-cbor");
      write_cbor(response.body, *operation.output, output);
      break;
    case Protocol::kQuery:
      response.body = query_answer(service, operation, output, request_id);
      break;
    case Protocol::kEc2:
      response.body = ec2_answer(service, operation, output, request_id);
      break;
    default:
      write_json_body(response.body, *operation.output, output);
  }
  return response;
}

Result<WireRequest> write_request(const Service& service, Protocol protocol,
                                  const Operation& operation, const void* given, Random* random) {
  const WithTokens filled(operation, given, random);
  const void* input = filled.get();
  const Shape& shape = *operation.input;
  WireRequest request;
  request.method = "POST";
  request.path = "/";
  if (operation.host_prefix) {
    TRY_ASSIGN(
        request.host_prefix,
        expand(operation.host_prefix, [&](std::string_view label, bool) -> Result<std::string> {
          const Member* member = shape.member(label);
          const void* value = member ? value_of(input, *member) : nullptr;
          if (!value)
            return fail(std::string(errc::kInvalid),
                        str(operation.name, " needs a value for ", label));
          return *static_cast<const std::string*>(value);
        }));
  }
  if (is_rest(protocol)) {
    request.method = operation.method;
    TRY(write_rest_request(operation, input, request));
    if (shape.payload) {
      set_default(
          request.headers, "Content-Type",
          write_payload(service, protocol, shape, const_cast<void*>(input), false, request.body));
    } else if (binds_body(shape)) {
      if (protocol == Protocol::kRestJson) {
        write_json_body(request.body, shape, input);
      } else {
        std::string members;
        write_xml_members(protocol, members, shape, input);
        if (!members.empty())
          write_xml(protocol, request.body, shape.xml_name ? shape.xml_name : shape.name, shape,
                    nullptr, input, service.xml_namespace);
      }
      if (!request.body.empty())
        set_default(request.headers, "Content-Type", content_type(protocol));
    }
    return request;
  }
  switch (protocol) {
    case Protocol::kRpcV2Cbor:
      request.path = str("/service/", service.rpc_name, "/operation/", operation.name);
      request.headers.set("Smithy-Protocol", "rpc-v2-cbor");
      request.headers.set("Accept", "application/cbor");
      if (!operation.input_given) return request;
      request.headers.set("Content-Type", "application/cbor");
      write_cbor(request.body, shape, input);
      break;
    case Protocol::kQuery:
    case Protocol::kEc2:
      request.headers.set("Content-Type", std::string(kForm));
      request.body = str("Action=", operation.name, "&Version=", service.api_version);
      write_query(protocol, request.body, shape, input);
      break;
    default:
      request.headers.set("Content-Type", std::string(content_type(protocol)));
      request.headers.set("X-Amz-Target", str(service.target_prefix, ".", operation.name));
      if (service.query_compatible) request.headers.set("x-amzn-query-mode", "true");
      write_json_body(request.body, shape, input);
  }
  return request;
}

Result<Unit> parse_response(const Service& service, Protocol protocol, const Operation& operation,
                            WireResponse& response, void* output) {
  if (response.status >= 300) return fail(read_error(service, protocol, operation, response));
  const Shape& shape = *operation.output;
  const Reading reading{protocol, true, nullptr};
  Seen seen;
  if (shape.events && !is_rest(protocol)) return Unit{};  // its members are the first event's
  if (is_form(protocol)) return read_xml_answer(reading, operation, response.body, output);
  if (!is_rest(protocol)) return read_body(reading, shape, response.body, output, seen);
  TRY(read_rest_response(reading, shape, response, output, seen));
  if (shape.events) return Unit{};
  if (shape.payload) return read_payload(reading, shape, response.body, output, seen);
  return has_body_members(shape) ? read_body(reading, shape, response.body, output, seen) : Unit{};
}

}  // namespace pileus::aws::protocol
