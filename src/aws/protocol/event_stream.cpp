#include "aws/protocol/event_stream.h"

#include <zlib.h>
#include <pugixml.hpp>

#include "aws/event_stream.h"
#include "aws/protocol/cbor.h"
#include "aws/protocol/errors.h"
#include "aws/protocol/json.h"
#include "aws/protocol/xml.h"
#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

using Type = EventHeader::Type;

constexpr std::size_t kPrelude = 12;             // total length, length of the headers, their sum
constexpr std::size_t kOverhead = kPrelude + 4;  // and the sum of the message

void append_big(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xff);
}

std::uint64_t big(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

std::uint32_t crc(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

// Bytes of a value of fixed length; 0 for those that have none or say their own.
int width(Type type) {
  switch (type) {
    case Type::kByte:
      return 1;
    case Type::kShort:
      return 2;
    case Type::kInteger:
      return 4;
    case Type::kLong:
    case Type::kTimestamp:
      return 8;
    default:
      return 0;
  }
}

Result<Unit> append_header(std::string& out, const EventHeader& header) {
  if (header.name.empty() || header.name.size() > 255 || header.text.size() > 32'767)
    return fail(std::string(errc::kLimit), "an event's header is too long: " + header.name);
  out += static_cast<char>(header.name.size());
  out += header.name;
  out += static_cast<char>(header.type);
  if (const int bytes = width(header.type)) {
    append_big(out, static_cast<std::uint64_t>(header.number), bytes);
  } else if (header.type == Type::kBytes || header.type == Type::kString) {
    append_big(out, header.text.size(), 2);
    out += header.text;
  } else if (header.type == Type::kUuid) {
    std::string sixteen = header.text;
    sixteen.resize(16);
    out += sixteen;
  }
  return Unit{};
}

std::unexpected<Error> broken(std::string_view what) {
  return fail(std::string(errc::kInvalid), str("The stream of events is broken: ", what, "."));
}

Result<Unit> read_headers(std::string_view in, std::vector<EventHeader>& out) {
  const auto take = [&](std::size_t count) {
    const auto taken = in.substr(0, count);
    in.remove_prefix(std::min(count, in.size()));
    return taken;
  };
  while (!in.empty()) {
    EventHeader header;
    const auto length = static_cast<std::size_t>(big(take(1)));
    if (length == 0 || in.size() < length + 1) return broken("a header's name is cut short");
    header.name = take(length);
    const auto type = big(take(1));
    if (type > static_cast<std::uint64_t>(Type::kUuid)) return broken("a header of unknown type");
    header.type = static_cast<Type>(type);
    if (const int bytes = width(header.type)) {
      const auto text = take(static_cast<std::size_t>(bytes));
      if (text.size() < static_cast<std::size_t>(bytes)) return broken("a header is cut short");
      const auto unused = static_cast<unsigned>(64 - 8 * bytes);  // sign-extends
      header.number = static_cast<std::int64_t>(big(text) << unused) >> unused;
    } else if (header.type == Type::kBytes || header.type == Type::kString) {
      if (in.size() < 2) return broken("a header is cut short");
      const auto size = static_cast<std::size_t>(big(take(2)));
      if (in.size() < size) return broken("a header is cut short");
      header.text = take(size);
    } else if (header.type == Type::kUuid) {
      if (in.size() < 16) return broken("a header is cut short");
      header.text = take(16);
    }
    out.push_back(std::move(header));
  }
  return Unit{};
}

// --- events --------------------------------------------------------------------------------------

std::string_view body_type(Protocol protocol) {
  if (protocol == Protocol::kRpcV2Cbor) return "application/cbor";
  if (protocol == Protocol::kRestXml || protocol == Protocol::kQuery || protocol == Protocol::kEc2)
    return "text/xml";
  return "application/json";
}

void write_structure(const Service& service, Protocol protocol, const Shape& shape,
                     const void* value, std::string& out) {
  if (protocol == Protocol::kRpcV2Cbor) return write_cbor(out, shape, value);
  if (body_type(protocol) != "text/xml") return write_json(out, shape, nullptr, value);
  write_xml(protocol, out, shape.xml_name ? shape.xml_name : shape.name, shape, nullptr, value,
            service.xml_namespace);
}

Result<Unit> read_structure(const Reading& reading, const Shape& shape, const std::string& in,
                            void* out) {
  if (in.empty()) return Unit{};
  if (reading.protocol == Protocol::kRpcV2Cbor) {
    Seen seen;
    return read_cbor(reading, shape, in, out, Path{}, seen);
  }
  if (body_type(reading.protocol) == "text/xml") {
    XmlText xml;
    if (!xml.parse(in)) return broken("an event is not well-formed XML");
    return read_xml(reading, shape, nullptr, xml.root(), out, Path{});
  }
  JsonText json;
  const Json* root = json.parse(in);
  if (!root) return broken("an event is not JSON: " + json.error());
  return read_json(reading, shape, nullptr, *root, out, Path{});
}

EventHeader header_of(const Member& member, const void* value) {
  EventHeader header;
  header.name = member.wire_name;
  switch (member.shape->kind) {
    case Kind::kBoolean:
      header.type = *static_cast<const bool*>(value) ? Type::kTrue : Type::kFalse;
      break;
    case Kind::kInteger:
      header.type = member.shape->bits == 8    ? Type::kByte
                    : member.shape->bits == 16 ? Type::kShort
                                               : Type::kInteger;
      header.number = *static_cast<const std::int32_t*>(value);
      break;
    case Kind::kLong:
      header.type = Type::kLong;
      header.number = *static_cast<const std::int64_t*>(value);
      break;
    case Kind::kTimestamp:
      header.type = Type::kTimestamp;
      header.number = to_millis(*static_cast<const Time*>(value));
      break;
    case Kind::kBlob:
      header.type = Type::kBytes;
      [[fallthrough]];
    default:
      header.text = *static_cast<const std::string*>(value);
  }
  return header;
}

void read_header(const Member& member, const EventHeader& header, void* value) {
  switch (member.shape->kind) {
    case Kind::kBoolean:
      *static_cast<bool*>(value) = header.type == Type::kTrue;
      break;
    case Kind::kInteger:
      *static_cast<std::int32_t*>(value) = static_cast<std::int32_t>(header.number);
      break;
    case Kind::kLong:
      *static_cast<std::int64_t*>(value) = header.number;
      break;
    case Kind::kTimestamp:
      *static_cast<Time*>(value) =
          time_from_seconds(static_cast<double>(header.number) / 1000.0).value_or(Time{});
      break;
    default:
      *static_cast<std::string*>(value) = header.text;
  }
}

const Member* payload_of(const Shape& event) {
  for (const auto& member : event.members)
    if (member.event_payload) return &member;
  return nullptr;
}
bool all_headers(const Shape& event) {
  return std::all_of(event.members.begin(), event.members.end(),
                     [](const Member& member) { return member.event_header; });
}

Error said_error(const EventMessage& message) {
  std::string text;
  if (const auto json = parse_json(message.payload)) {
    text = find_string(*json, "message");
    if (text.empty()) text = find_string(*json, "Message");
  }
  return Error("", std::move(text));
}

}  // namespace

std::string_view EventMessage::header(std::string_view name) const {
  for (const auto& header : headers)
    if (header.name == name && header.type == Type::kString) return header.text;
  return {};
}

void EventMessage::add(std::string name, std::string value) {
  headers.push_back({std::move(name), Type::kString, std::move(value), 0});
}

Result<std::string> encode(const EventMessage& message) {
  std::string headers;
  for (const auto& header : message.headers) TRY(append_header(headers, header));
  if (headers.size() > kMaxEventHeaders || message.payload.size() > kMaxEventPayload)
    return fail(std::string(errc::kLimit), "an event is too large for its stream");
  std::string out;
  out.reserve(kOverhead + headers.size() + message.payload.size());
  append_big(out, kOverhead + headers.size() + message.payload.size(), 4);
  append_big(out, headers.size(), 4);
  append_big(out, crc(out), 4);
  out += headers;
  out += message.payload;
  append_big(out, crc(out), 4);
  return out;
}

void EventDecoder::feed(std::string_view bytes) {
  if (used_ > 0) buffer_.erase(0, std::exchange(used_, 0));
  buffer_ += bytes;
}

Result<std::optional<EventMessage>> EventDecoder::next() {
  const auto rest = std::string_view(buffer_).substr(used_);
  if (rest.size() < kPrelude) return std::optional<EventMessage>();
  const auto total = static_cast<std::size_t>(big(rest.substr(0, 4)));
  const auto headers = static_cast<std::size_t>(big(rest.substr(4, 4)));
  if (crc(rest.substr(0, 8)) != big(rest.substr(8, 4)))
    return broken("the sum of a prelude is wrong");
  if (headers > kMaxEventHeaders || total > kMaxEventHeaders + kMaxEventPayload ||
      total < kOverhead + headers)
    return broken("a message has an impossible length");
  if (rest.size() < total) return std::optional<EventMessage>();
  if (crc(rest.substr(0, total - 4)) != big(rest.substr(total - 4, 4)))
    return broken("the sum of a message is wrong");
  EventMessage message;
  TRY(read_headers(rest.substr(kPrelude, headers), message.headers));
  message.payload = rest.substr(kPrelude + headers, total - kOverhead - headers);
  used_ += total;
  return message;
}

Result<std::string> write_event(const Service& service, Protocol protocol, const Shape& events,
                                const void* event) {
  for (const auto& member : events.members) {
    const void* value = value_of(event, member);
    if (!value) continue;
    EventMessage message;
    message.add(":message-type", "event");
    message.add(":event-type", member.wire_name);
    const Shape& shape = *member.shape;
    for (const auto& inner : shape.members)
      if (const void* item = inner.event_header ? value_of(value, inner) : nullptr)
        message.headers.push_back(header_of(inner, item));
    if (const Member* payload = payload_of(shape)) {
      const Kind kind = payload->shape->kind;
      const bool bytes = kind == Kind::kBlob;
      message.add(":content-type", bytes                   ? "application/octet-stream"
                                   : kind == Kind::kString ? "text/plain"
                                                           : std::string(body_type(protocol)));
      if (const void* item = value_of(value, *payload)) {
        if (bytes || kind == Kind::kString)
          message.payload = *static_cast<const std::string*>(item);
        else
          write_structure(service, protocol, *payload->shape, item, message.payload);
      }
    } else if (!all_headers(shape)) {
      message.add(":content-type", std::string(body_type(protocol)));
      write_structure(service, protocol, shape, value, message.payload);
    }
    return encode(message);
  }
  return fail(std::string(errc::kInvalid), "an event without a kind", 500);
}

std::string write_event_error(const Service& service, Protocol protocol, const Shape& events,
                              const Error& error) {
  EventMessage message;
  for (const auto& member : events.members) {
    if (!error.is(member.shape->name) && !error.is(member.wire_name)) continue;
    message.add(":message-type", "exception");
    message.add(":exception-type", member.wire_name);
    message.add(":content-type", std::string(body_type(protocol)));
    WireResponse wire = write_error(service, protocol, nullptr, error, "");
    message.payload = std::move(wire.body);
    if (auto bytes = encode(message)) return std::move(*bytes);
    return {};
  }
  message.add(":message-type", "error");
  message.add(":error-code", error.code().substr(0, 1000));
  message.add(":error-message", error.message().substr(0, 10'000));
  auto bytes = encode(message);
  return bytes ? std::move(*bytes) : std::string();
}

Result<std::string> write_initial_response(const Service&, Protocol protocol, const Shape& output,
                                           const void* value) {
  if (is_rest(protocol)) return std::string();
  EventMessage message;
  message.add(":message-type", "event");
  message.add(":event-type", "initial-response");
  message.add(":content-type", std::string(body_type(protocol)));
  if (protocol == Protocol::kRpcV2Cbor)
    write_cbor(message.payload, output, value);
  else
    write_json_body(message.payload, output, value);
  return encode(message);
}

Result<Read> read_event(const Service& service, Protocol protocol, const Shape& events,
                        const EventMessage& message, void* event, const Shape& output,
                        void* output_value) {
  const auto kind = message.header(":message-type");
  if (kind == "error")
    return fail(std::string(message.header(":error-code")),
                std::string(message.header(":error-message")));
  const Reading reading{protocol, true, nullptr};
  if (kind == "exception") {
    const auto type = message.header(":exception-type");
    const Member* member = events.member(type);
    const Error said = said_error(message);
    const std::string code(member ? member->shape->name : type);
    const auto* shape = service.error(code);
    return fail(code, said.message(), shape ? shape->status : 400);
  }
  const auto type = message.header(":event-type");
  if (type == "initial-response") {
    if (is_rest(protocol)) return Read::kUnknown;
    Seen seen;
    if (protocol == Protocol::kRpcV2Cbor) {
      TRY(read_cbor(reading, output, message.payload, output_value, Path{}, seen));
      return Read::kInitialResponse;
    }
    JsonText json;
    const Json* root = json.parse(message.payload);
    if (!root) return broken("the first event is not JSON");
    TRY(read_json_body(reading, output, *root, output_value, Path{}, seen));
    return Read::kInitialResponse;
  }
  const auto found = std::find_if(events.members.begin(), events.members.end(),
                                  [&](const Member& m) { return type == m.wire_name; });
  if (kind != "event" || found == events.members.end()) return Read::kUnknown;
  const Shape& shape = *found->shape;
  void* value = make_value(event, *found);
  if (const Member* payload = payload_of(shape)) {
    const Kind payload_kind = payload->shape->kind;
    if (payload_kind == Kind::kBlob || payload_kind == Kind::kString)
      *static_cast<std::string*>(make_value(value, *payload)) = message.payload;
    else
      TRY(read_structure(reading, *payload->shape, message.payload, make_value(value, *payload)));
  } else if (!all_headers(shape)) {
    TRY(read_structure(reading, shape, message.payload, value));
  }
  for (const auto& member : shape.members)
    for (const auto& header : message.headers)
      if (member.event_header && header.name == member.wire_name)
        read_header(member, header, make_value(value, member));
  return Read::kEvent;
}

}  // namespace pileus::aws::protocol
