#include "aws/protocol/errors.h"

#include <pugixml.hpp>

#include "aws/protocol/cbor.h"
#include "aws/protocol/json.h"
#include "aws/protocol/rest.h"
#include "aws/protocol/xml.h"
#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

const ErrorShape* shape_of(const Service& service, const Operation* operation,
                           std::string_view code) {
  if (operation)
    for (const auto* shape : operation->errors)
      if (shape->code == code || shape->shape == code) return shape;
  if (const auto* shape = service.error(code)) return shape;
  for (const auto* shape : service.errors)
    if (shape->query_code && shape->query_code == code) return shape;
  return nullptr;
}

bool is_message(const Member& member) { return iequals(member.name, "message"); }

// The error's struct, filled from the error's members; empty where the shape has none.
class Structure {
 public:
  Structure(const ErrorShape* shape) : shape_(shape && shape->structure ? shape : nullptr) {
    if (shape_) memory_ = shape_->make();
  }
  Structure(const Structure&) = delete;
  Structure& operator=(const Structure&) = delete;
  ~Structure() {
    if (shape_) shape_->drop(memory_);
  }
  explicit operator bool() const { return shape_ != nullptr; }
  const Shape& shape() const { return *shape_->structure; }
  void* get() const { return memory_; }

  void fill(const Error& error, int status) {
    for (const auto& member : shape().members) {
      if (is_message(member)) {
        if (!error.message().empty())
          *static_cast<std::string*>(make_value(memory_, member)) = error.message();
        continue;
      }
      const auto given = std::find_if(error.members().begin(), error.members().end(),
                                      [&](const auto& m) { return m.first == member.name; });
      if (given != error.members().end()) {
        set(member, given->second);
      } else if (std::string_view(member.name) == "Type" && member.shape->kind == Kind::kString) {
        // Lambda's errors say whose fault they are.
        *static_cast<std::string*>(make_value(memory_, member)) = status < 500 ? "User" : "Service";
      }
    }
  }
  // Members besides the message, as an Error holds them: scalars as text, the rest as JSON.
  std::vector<std::pair<std::string, std::string>> members() const {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& member : shape().members) {
      const void* value = is_message(member) ? nullptr : value_of(memory_, member);
      if (!value) continue;
      std::string text;
      if (is_scalar(*member.shape))
        append_scalar(text, *member.shape, TimestampFormat::kIso8601, value);
      else
        text = to_text(to_json(*member.shape, value));
      out.emplace_back(member.name, std::move(text));
    }
    return out;
  }

 private:
  void set(const Member& member, const std::string& text) {
    const Reading reading{Protocol::kRestJson, true, nullptr};
    if (is_scalar(*member.shape)) {
      (void)read_scalar(reading, *member.shape, TimestampFormat::kIso8601, text,
                        make_value(memory_, member));
    } else if (const auto json = parse_json(text)) {
      (void)from_json(*member.shape, *json, make_value(memory_, member));
    }
  }

  const ErrorShape* shape_;
  void* memory_ = nullptr;
};

// What an error is on the wire, whatever the protocol.
struct Wire {
  const ErrorShape* shape;
  std::string code;
  int status;
  bool fault;
};

Wire wire_of(const Service& service, Protocol protocol, const Operation* operation,
             const Error& error) {
  const auto* shape = shape_of(service, operation, error.code());
  if (!shape) return {nullptr, error.code(), error.status(), error.status() >= 500};
  const bool query = protocol == Protocol::kQuery || protocol == Protocol::kEc2;
  return {shape, query && shape->query_code ? shape->query_code : shape->code, shape->status,
          shape->fault};
}

std::string json_error(const Wire& wire, const Error& error, const Structure& structure,
                       bool typed) {
  std::string extra;
  const auto add = [&](std::string_view name, std::string_view text) {
    if (!extra.empty()) extra += ',';
    append_json_string(extra, name);
    extra += ':';
    append_json_string(extra, text);
  };
  if (typed) add("__type", wire.code);
  const bool own_message = structure && std::any_of(structure.shape().members.begin(),
                                                    structure.shape().members.end(), is_message);
  if (!own_message && !error.message().empty())
    add(wire.shape ? wire.shape->message_name : "message", error.message());
  std::string body;
  if (structure)
    write_json_body(body, structure.shape(), structure.get(), extra);
  else
    body = str("{", extra, "}");
  return body;
}

std::string cbor_error(const Wire& wire, const Error& error, const Structure& structure) {
  std::vector<std::pair<std::string, std::string>> extra{{"__type", wire.code}};
  const bool own_message = structure && std::any_of(structure.shape().members.begin(),
                                                    structure.shape().members.end(), is_message);
  if (!own_message && !error.message().empty())
    extra.emplace_back(wire.shape ? wire.shape->message_name : "message", error.message());
  static constexpr Shape kNothing = {.name = "Error", .kind = Kind::kStructure};
  std::string body;
  write_cbor(body, structure ? structure.shape() : kNothing, structure ? structure.get() : nullptr,
             extra);
  return body;
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out += str("<", name, ">");
  append_xml_text(out, text);
  out += str("</", name, ">");
}

// <Code>, <Message> and the modelled members.
void append_xml_error(std::string& out, Protocol protocol, const Wire& wire, const Error& error,
                      const Structure& structure) {
  append_element(out, "Code", wire.code);
  append_element(out, "Message", error.message());
  if (!structure) return;
  std::string members;
  write_xml_members(protocol, members, structure.shape(), structure.get());
  for (const auto& member : structure.shape().members) {  // the message has been said
    if (!is_message(member)) continue;
    std::string said;
    append_element(said, member.wire_name, error.message());
    members = replace_all(members, said, "");
  }
  out += members;
}

std::string xml_error(const Service& service, Protocol protocol, const Wire& wire,
                      const Error& error, const Structure& structure, std::string_view request_id) {
  std::string out;
  if (protocol == Protocol::kEc2) {
    out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>";
    append_xml_error(out, protocol, wire, error, structure);
    return str(out, "</Error></Errors><RequestID>", request_id, "</RequestID></Response>");
  }
  if (protocol == Protocol::kRestXml && service.bare_xml_errors) {
    out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>";
    append_xml_error(out, protocol, wire, error, structure);
    for (const auto& [name, value] : error.members())
      if (!structure) append_element(out, name, value);
    return str(out, "<RequestId>", request_id, "</RequestId></Error>");
  }
  out = "<ErrorResponse";
  if (*service.xml_namespace) {
    out += " xmlns=\"";
    append_xml_attribute(out, service.xml_namespace);
    out += '"';
  }
  out += str("><Error><Type>", wire.fault ? "Receiver" : "Sender", "</Type>");
  append_xml_error(out, protocol, wire, error, structure);
  return str(out, "</Error><RequestId>", request_id, "</RequestId></ErrorResponse>");
}

// "aws.protocoltests#FooError:http://…" → "FooError"
std::string bare_code(std::string_view text) {
  text = trim(text.substr(0, text.find(':')));
  const auto hash = text.find('#');
  return std::string(hash == text.npos ? text : text.substr(hash + 1));
}

// What an answer says of its error, before the model is asked.
struct Said {
  std::string code;
  std::string message;
};

Said said_in_json(const WireResponse& response, const Json* root) {
  Said said{bare_code(response.headers.get("x-amzn-errortype")), {}};
  if (!root) return said;
  if (said.code.empty()) said.code = bare_code(find_string(*root, "__type"));
  if (said.code.empty()) said.code = bare_code(find_string(*root, "code"));
  for (const char* name : {"message", "Message", "errorMessage"})
    if (said.message.empty()) said.message = std::string(find_string(*root, name));
  return said;
}

pugi::xml_node error_element(const pugi::xml_node& root) {
  if (std::string_view(root.name()) == "Error") return root;
  const auto errors = child(root, "Errors");
  return child(errors ? errors : root, "Error");
}

}  // namespace

std::string_view content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::kJson10:
      return "application/x-amz-json-1.0";
    case Protocol::kJson11:
      return "application/x-amz-json-1.1";
    case Protocol::kRestJson:
      return "application/json";
    case Protocol::kRestXml:
      return "application/xml";
    case Protocol::kQuery:
      return "text/xml";
    case Protocol::kEc2:
      return "text/xml;charset=UTF-8";
    case Protocol::kRpcV2Cbor:
      return "application/cbor";
  }
  return "";
}

WireResponse write_error(const Service& service, Protocol protocol, const Operation* operation,
                         const Error& error, std::string_view request_id) {
  const Wire wire = wire_of(service, protocol, operation, error);
  Structure structure(wire.shape);
  if (structure) structure.fill(error, wire.status);
  WireResponse response;
  response.status = wire.status;
  response.headers.set("Content-Type", std::string(content_type(protocol)));
  response.headers.set(service.bare_xml_errors ? "x-amz-request-id" : "x-amzn-RequestId",
                       std::string(request_id));
  if (is_rest(protocol) && structure)
    write_rest_response(structure.shape(), structure.get(), response);
  switch (protocol) {
    case Protocol::kRestJson:
      response.headers.set("x-amzn-ErrorType", wire.code);
      [[fallthrough]];
    case Protocol::kJson10:
    case Protocol::kJson11:
      response.body = json_error(wire, error, structure, protocol != Protocol::kRestJson);
      break;
    case Protocol::kRpcV2Cbor:
      response.headers.set("Smithy-Protocol", "rpc-v2-cbor");
      response.body = cbor_error(wire, error, structure);
      break;
    default:
      response.body = xml_error(service, protocol, wire, error, structure, request_id);
  }
  if (service.query_compatible && (protocol == Protocol::kJson10 || protocol == Protocol::kJson11 ||
                                   protocol == Protocol::kRpcV2Cbor)) {
    const char* code =
        wire.shape && wire.shape->query_code ? wire.shape->query_code : wire.code.c_str();
    response.headers.set("x-amzn-query-error", str(code, ";", wire.fault ? "Receiver" : "Sender"));
  }
  return response;
}

Error read_error(const Service& service, Protocol protocol, const Operation& operation,
                 const WireResponse& response) {
  Said said;
  JsonText json;
  XmlText xml;
  const Json* root = nullptr;
  pugi::xml_node element;
  if (protocol == Protocol::kRpcV2Cbor) {
    said.code = bare_code(cbor_text(response.body, "__type"));
    for (const char* name : {"message", "Message"})
      if (said.message.empty()) said.message = cbor_text(response.body, name);
  } else if (protocol == Protocol::kRestXml || protocol == Protocol::kQuery ||
             protocol == Protocol::kEc2) {
    if (xml.parse(response.body)) element = error_element(xml.root());
    said.code = text_of(child(element, "Code"));
    said.message = text_of(child(element, "Message"));
    if (said.message.empty()) said.message = text_of(child(element, "message"));
  } else {
    root = json.parse(response.body);
    said = said_in_json(response, root);
  }
  if (said.code.empty()) said.code = std::to_string(response.status);
  const auto* shape = shape_of(service, &operation, said.code);
  Error error(shape ? shape->shape : said.code, said.message, response.status);
  Structure structure(shape);
  if (!structure) return error;
  const Reading reading{protocol, true, nullptr};
  Seen seen;
  if (is_rest(protocol))
    (void)read_rest_response(reading, structure.shape(), response, structure.get(), seen);
  if (protocol == Protocol::kRpcV2Cbor)
    (void)read_cbor(reading, structure.shape(), response.body, structure.get(), Path{}, seen);
  else if (element)
    (void)read_xml_body(reading, structure.shape(), element, structure.get(), Path{}, seen);
  else if (root)
    (void)read_json_body(reading, structure.shape(), *root, structure.get(), Path{}, seen);
  for (auto& [name, value] : structure.members())
    error = std::move(error).with(std::move(name), std::move(value));
  return error;
}

}  // namespace pileus::aws::protocol
