// application/vnd.amazon.eventstream: messages of headers and a payload, each guarded by two CRC-32
// sums; and the events of an answer in them, both directions. Pure; any thread.
// Source: Smithy, "Amazon Event Stream Specification".
#pragma once

#include "aws/protocol/codec.h"

namespace pileus::aws::protocol {

inline constexpr std::string_view kEventStreamType = "application/vnd.amazon.eventstream";
inline constexpr std::size_t kMaxEventHeaders = 128 * 1024;
inline constexpr std::size_t kMaxEventPayload = 24 << 20;

struct EventHeader {
  enum class Type : std::uint8_t {
    kTrue,
    kFalse,
    kByte,
    kShort,
    kInteger,
    kLong,
    kBytes,
    kString,
    kTimestamp,
    kUuid
  };
  std::string name;
  Type type = Type::kString;
  std::string text;         // kBytes, kString, kUuid (16 bytes)
  std::int64_t number = 0;  // integers; kTimestamp: milliseconds since 1970
};

struct EventMessage {
  std::vector<EventHeader> headers;
  std::string payload;

  std::string_view header(std::string_view name) const;  // a string's value, else ""
  void add(std::string name, std::string value);
};

// errc::kLimit where a bound does not hold.
Result<std::string> encode(const EventMessage& message);

// Messages out of bytes that arrive in pieces of any size. After an error it gives no more.
class EventDecoder {
 public:
  void feed(std::string_view bytes);
  // The next whole message; nothing while it is not all there. errc::kInvalid: sums or lengths are
  // wrong.
  Result<std::optional<EventMessage>> next();
  bool at_boundary() const { return used_ == buffer_.size(); }  // nothing of a message is left over

 private:
  std::string buffer_;
  std::size_t used_ = 0;  // of the buffer, given out already
};

// An event of `events` (the shape of the stream's member), as a whole message on the wire.
Result<std::string> write_event(const Service& service, Protocol protocol, const Shape& events,
                                const void* event);
// How a stream ends that could not go on: a modelled exception, or an error of that code.
std::string write_event_error(const Service& service, Protocol protocol, const Shape& events,
                              const Error& error);
// The answer's own members, before the first event: rpc protocols only, "" for others.
Result<std::string> write_initial_response(const Service& service, Protocol protocol,
                                           const Shape& output, const void* value);

enum class Read { kEvent, kInitialResponse, kUnknown };
// Fills `event`, or `output` from the initial response. Exceptions and errors are Errors; kinds of
// events that the model does not know are to be skipped.
Result<Read> read_event(const Service& service, Protocol protocol, const Shape& events,
                        const EventMessage& message, void* event, const Shape& output,
                        void* output_value);

}  // namespace pileus::aws::protocol
