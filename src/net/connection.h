// Connection: the server's side of one HTTP/1.1 connection, on one loop (it may move between
// requests). Its coroutine reads a request, awaits the handler, writes the answer, and so on in
// order. Owned by the server's list of the loop; an operation in flight keeps its Wire. Only net/
// includes this.
#pragma once

#include "net/http_parser.h"
#include "net/peer.h"
#include "net/tls_context.h"
#include "net/wire.h"

namespace pileus::net {

class Connection;

// What the connections of one listener share.
struct Listener {
  HttpServer::ListenerId id = 0;
  Handler handler;
  HttpServer::ListenOptions options;
  std::unique_ptr<TlsNames> tls_names;  // outlives `tls`
  TlsContext tls;                       // null: plain text only
  std::string address;                  // as bound, for logs
  std::string unix_path;                // to be unlinked
  bool own_namespace = true;            // made by us, so the kernel's socket table shows its peers
  std::atomic<std::size_t> open = 0;
  std::atomic<bool> closed = false;
};

// What one loop's connections share.
struct ConnectionShelf {
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections;
  std::int64_t date_second = -1;
  std::string date;  // "Date: …\r\n"
};

// The server as its connections see it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void ended(Connection& connection) = 0;  // on its loop; destroys it
  virtual const RealTime& real_time() const = 0;
  virtual bool draining() const = 0;
  virtual bool aborting() const = 0;
  virtual ConnectionShelf& shelf_of(const EventLoop& loop) = 0;
};

class Connection {
 public:
  Connection(EventLoop& loop, int fd, std::shared_ptr<Listener> listener,
             std::shared_ptr<ConnectionOwner> owner, ConnectionShelf& shelf,
             std::shared_ptr<Peer> peer);
  ~Connection();
  void start();
  void drain();  // ends at once when idle, else after the answer in flight
  void abort();  // stops the handler and closes
  const Listener& listener() const { return *listener_; }

 private:
  friend class ServerBody;
  friend class StreamWriter;
  friend class UpgradedStream;
  enum class Next { kRequest, kClose, kLinger };
  struct Watched;
  struct Move;

  Task<void> run();
  Task<void> serve();
  Task<bool> secure();
  Task<bool> read_request();
  Task<Next> answer(Response response);
  Task<Next> stream(Response& response, bool keep_alive, bool no_body);
  Task<void> upgrade(Response& response);
  Task<bool> discard_body();
  Task<void> refuse(int status);
  Task<void> linger();
  Task<bool> send_large(std::string_view body);

  void prepare_request();
  Response failed(const char* what);
  void write_head(const Response& response, bool keep_alive, std::optional<std::uint64_t> length,
                  bool chunked);
  void append_fields(const Response& response, bool drop_length);
  void settle(EventLoop& loop, std::unique_ptr<Connection> self);
  void append_date();
  void watch();
  Next after(bool keep_alive) const;

  EventLoop* loop_;
  std::shared_ptr<Listener> listener_;  // shared by the listener's connections
  const ServerLimits& limits_;
  std::shared_ptr<ConnectionOwner> owner_;  // shared by the connections, which may end after it
  ConnectionShelf* shelf_;                  // of the loop
  std::shared_ptr<Peer> peer_;              // shared with requests
  std::shared_ptr<Wire> wire_;              // shared with its operations in flight
  RequestParser parser_;
  Request request_;
  std::string head_;        // of the answer, kept for its memory
  StopSource stop_;         // of the handlers
  int body_failure_ = 0;    // the status that a broken body asks for
  bool continued_ = false;  // "100 Continue" was sent
  bool idle_ = true;
  bool draining_ = false;
  std::optional<Task<void>> task_;
};

// A field name is a token and a value has no line ends or NUL.
bool valid_field(std::string_view name, std::string_view value);

}  // namespace pileus::net
