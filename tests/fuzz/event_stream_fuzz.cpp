// Any bytes as a stream of events: what decodes must encode to the same bytes, in pieces of any
// size alike, and reads as an event or an error. The input also is an event's payload, which must
// come back.
#include <cstdlib>

#include "aws/protocol/event_stream.h"
#include "gen/lambda/InvokeWithResponseStream.h"
#include "gen/lambda/interface.h"

using namespace pileus;
using namespace pileus::aws;
using namespace pileus::aws::protocol;

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

using Event = gen::lambda::InvokeWithResponseStreamResponseEvent;

void read(const EventMessage& message) {
  const Operation& operation = *gen::lambda::kService.operation("InvokeWithResponseStream");
  for (const auto protocol :
       {Protocol::kRestJson, Protocol::kRestXml, Protocol::kRpcV2Cbor, Protocol::kJson11}) {
    Event event;
    gen::lambda::InvokeWithResponseStreamOutput output;
    (void)read_event(gen::lambda::kService, protocol, *operation.output->events->shape, message,
                     &event, *operation.output, &output);
  }
}

// The messages up to the end or the first fault.
std::string decoded(std::string_view input, std::size_t step, bool& fine) {
  EventDecoder decoder;
  std::string again;
  fine = true;
  for (std::size_t at = 0; at < input.size() && fine; at += step) {
    decoder.feed(input.substr(at, step));
    for (;;) {
      auto message = decoder.next();
      fine = message.has_value();
      if (!fine || !*message) break;
      read(**message);
      auto bytes = encode(**message);
      check(bytes.has_value());
      again += *bytes;
    }
  }
  return again;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  bool whole = false, pieces = false;
  const std::string one = decoded(input, std::max<std::size_t>(size, 1), whole);
  const std::string other = decoded(input, 7, pieces);
  check(one == other && whole == pieces);
  check(input.starts_with(one));

  Event event;
  event.payload_chunk.emplace().payload = std::string(input);
  const Operation& operation = *gen::lambda::kService.operation("InvokeWithResponseStream");
  auto bytes = write_event(gen::lambda::kService, Protocol::kRestJson,
                           *operation.output->events->shape, &event);
  check(bytes.has_value());
  EventDecoder decoder;
  decoder.feed(*bytes);
  auto message = decoder.next();
  check(message && *message && (*message)->payload == input);
  return 0;
}
