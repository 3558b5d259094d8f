// HTTP messages as the floors above see them. Bodies are streams; small ones are read whole.
// Everything here belongs to the loop of its connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/completion.h"
#include "base/task_function.h"

namespace pileus::net {

// Header fields in order of arrival; names compare without case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  std::optional<std::string_view> find(std::string_view name) const;  // the first of that name
  std::string_view get(std::string_view name, std::string_view fallback = {}) const;
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void set(std::string_view name, std::string value);  // replaces all of that name
  void remove(std::string_view name);
  void clear() { fields_.clear(); }
  const std::vector<Field>& fields() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

// The incoming body. Reading past the end gives "".
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Some bytes, at least one, or "" at the end.
  virtual Task<Result<std::string>> read_some() = 0;
  // The whole rest. errc::kLimit as soon as it is known to be larger than `limit_bytes`.
  virtual Task<Result<std::string>> read_all(std::size_t limit_bytes) = 0;
  // Trailing fields of a chunked body; complete only after the end was read.
  virtual const Headers& trailers() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
};

// The outgoing body of a streamed message (chunked).
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Task<Result<Unit>> write(std::string bytes) = 0;
  virtual void add_trailer(std::string name, std::string value) = 0;  // before the producer ends
};
using BodyProducer = TaskFunction<Task<Result<Unit>>(BodyWriter&)>;

// Where a request came in; who made the listener decides what that means.
struct ListenerInfo {
  std::string name;       // "public", "sandbox:<id>:runtime", …
  bool loopback = false;  // bound to a loopback address of the host; set by listen()
  std::uint64_t tag = 0;  // the owner's own number
};

class Peer;  // what net/ knows of the other end; asked through peer_uid()

struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent: path and query, still percent-encoded ("*" for OPTIONS; of an
                       // absolute target the path, its authority becomes Host)
  Headers headers;
  std::unique_ptr<BodyReader> body;  // never null
  const ListenerInfo* listener = nullptr;
  std::string peer_address;  // "127.0.0.1"
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  bool tls = false;
  std::shared_ptr<Peer> peer;  // null in requests made by hand

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const {
    const auto at = target.find('?');
    return at == std::string::npos ? std::string_view() : std::string_view(target).substr(at + 1);
  }
};

// The bare connection after a protocol switch: WebSocket, CONNECT.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual Task<Result<std::string>> read_some() = 0;        // "" at the end
  virtual Task<Result<Unit>> write(std::string bytes) = 0;  // waits while the peer is slow
};
using Upgrade = TaskFunction<Task<void>(ByteStream&)>;

// Transfer-Encoding, Connection and Date are the server's. Content-Length is the server's too, but
// counts where the server cannot know it: with `stream` (then sent plain with that length instead
// of chunked; a producer that gives another length breaks the connection) and in answers to HEAD
// that have no body.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  BodyProducer stream;  // when set, sent instead of `body`, as it is produced
  bool close = false;   // close the connection afterwards
  Upgrade upgrade;      // with status 101 (or 200 to CONNECT): speaks on after the head was sent;
                        // `headers` carry Upgrade, the server adds "Connection: Upgrade"
};

// Awaited on the connection's loop. `request` lives until the answer is sent to its end. The task
// is stopped when the client goes away (an end of its sending side counts, as in other servers).
using Handler = TaskFunction<Task<Response>(Request& request)>;

}  // namespace pileus::net
