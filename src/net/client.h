// The HTTP client: pooled keep-alive connections per origin and loop, time-outs, TLS with
// verification against the system's roots or given ones.
#pragma once

#include "net/server.h"

namespace pileus::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http://host:port/path?query, https://…, unix:/socket:/path?query
  Headers headers;  // Host and Content-Length are the client's
  std::string body;
  Duration connect_timeout = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(60);  // from sending to the last byte of the answer
  std::size_t body_limit = 256ull << 20;
  // https: where no trusted root vouches for the server, a certificate that it sends with one of
  // these SHA-1 thumbprints (lower-case hex) is taken for one.
  std::vector<std::string> thumbprints;
};
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

class HttpClient {
 public:
  struct Options {
    std::size_t idle_per_origin = 64;  // pooled connections kept per origin and loop
    std::string extra_roots_pem;       // certificate authorities to trust besides the system's
  };
  HttpClient(Loops& loops, Options options);
  explicit HttpClient(Loops& loops) : HttpClient(loops, Options{}) {}
  ~HttpClient();
  // Must be awaited on one of the loops. An idle connection that turns out closed is replaced once
  // for a request whose bytes have not been answered and whose method is idempotent.
  Task<Result<ClientResponse>> send(ClientRequest request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with connections that finish after the client
};

}  // namespace pileus::net
