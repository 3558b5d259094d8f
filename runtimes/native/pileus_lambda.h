// pileus_lambda.h: a Lambda runtime client for `provided.*` functions in C++17 and newer. One
// header, plain sockets, no dependency; link statically and ship one file named `bootstrap`.
//
//   #include "pileus_lambda.h"
//   int main() {
//     return pileus_lambda::run([](const pileus_lambda::Invocation& in) {
//       return pileus_lambda::success("{\"bytes\":" + std::to_string(in.body.size()) + "}");
//     });
//   }
//
// A handler that answers piece by piece (for InvokeWithResponseStream and function URLs):
//
//   return pileus_lambda::run_streaming([](const pileus_lambda::Invocation&, pileus_lambda::Stream& out) {
//     out.http(200, "{\"content-type\":\"text/plain\"}");  // for function URLs; else out.content_type("…")
//     out.write("first");
//     out.write("second");
//   });
//
// One thread, one event at a time. A handler's exception becomes an error answer; what cannot be
// sent ends the process, and the platform reports it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pileus_lambda {

struct Invocation {
  std::string body;                 // the event
  std::string request_id;
  std::string function_arn;
  std::string trace_id;             // also in _X_AMZN_TRACE_ID
  std::string client_context;       // JSON, or ""
  std::string cognito_identity;     // JSON, or ""
  std::string tenant_id;
  std::int64_t deadline_ms = 0;     // since the epoch

  std::int64_t remaining_ms() const {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return deadline_ms > now.count() ? deadline_ms - now.count() : 0;
  }
};

struct Answer {
  bool ok = true;
  std::string body;
  std::string content_type = "application/json";
  std::string error_type;  // of a failure
};
inline Answer success(std::string body, std::string content_type = "application/json") {
  return {true, std::move(body), std::move(content_type), {}};
}

// Text as a JSON string, quoted.
inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline Answer failure(std::string error_type, std::string_view message) {
  std::string body = "{\"errorMessage\":" + json_string(message) +
                     ",\"errorType\":" + json_string(error_type) + ",\"stackTrace\":[]}";
  return {false, std::move(body), "application/json", std::move(error_type)};
}

using Handler = std::function<Answer(const Invocation&)>;

namespace detail {
class Connection;
}

// An answer on its way: what is written reaches the caller at once. A slow reader makes write()
// wait. An exception of the handler, before or after the first byte, ends it as an error.
class Stream {
 public:
  Stream(detail::Connection& api, const std::string& request_id) : api_(api), request_id_(request_id) {}
  void content_type(std::string type) { type_ = std::move(type); }  // before the first write
  // Status, headers (a JSON object) and cookies (a JSON array) of a function URL's answer; first.
  void http(int status, const std::string& headers = "{}", const std::string& cookies = "[]") {
    type_ = "application/vnd.awslambda.http-integration-response";
    write("{\"statusCode\":" + std::to_string(status) + ",\"headers\":" + headers + ",\"cookies\":" + cookies +
          "}" + std::string(8, '\0'));
  }
  inline void write(std::string_view bytes);
  inline void end(const Answer* failure);  // the runtime's

 private:
  inline void begin();
  detail::Connection& api_;
  const std::string& request_id_;
  std::string type_ = "application/octet-stream";
  bool begun_ = false;
};
using StreamHandler = std::function<void(const Invocation&, Stream&)>;

namespace detail {

constexpr const char* kApi = "/2018-06-01/runtime/";

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

class Lost : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// HTTP/1.1 over one kept-alive socket.
class Connection {
 public:
  explicit Connection(std::string address) : address_(std::move(address)) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view data) {
    if (socket_ < 0) connect();
    while (!data.empty()) {
      const ssize_t sent = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) throw Lost("the Runtime API cannot be written to");
      data.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  Response receive() {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) more();
    Response response;
    parse_head(std::string_view(buffer_).substr(0, end), response);
    buffer_.erase(0, end + 4);
    if (response.status == 100) return receive();
    if (response.header("transfer-encoding").find("chunked") != std::string_view::npos) {
      read_chunks(response.body);
    } else {
      const auto length = response.header("content-length");
      response.body = take(length.empty() ? 0 : std::strtoull(std::string(length).c_str(), nullptr, 10));
    }
    if (response.header("connection") == "close") close();
    return response;
  }

  bool open() const { return socket_ >= 0; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    buffer_.clear();
  }
  const std::string& address() const { return address_; }

 private:
  void connect() {
    const auto colon = address_.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address_.c_str() + colon + 1)));
    const std::string host = address_.substr(0, colon);
    if (inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &to.sin_addr) != 1)
      throw std::runtime_error("AWS_LAMBDA_RUNTIME_API is not an IPv4 address and port: " + address_);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      close();
      throw std::runtime_error("the Runtime API at " + address_ + " does not answer");
    }
  }

  static void parse_head(std::string_view head, Response& response) {
    const auto space = head.find(' ');
    response.status = std::atoi(std::string(head.substr(space + 1, 3)).c_str());
    for (auto at = head.find("\r\n"); at != std::string_view::npos;) {
      const auto begin = at + 2;
      at = head.find("\r\n", begin);
      const auto line = head.substr(begin, at == std::string_view::npos ? at : at - begin);
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      std::string name(line.substr(0, colon));
      for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      auto value = line.substr(colon + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      response.headers.emplace_back(std::move(name), std::string(value));
    }
  }

  void more() {
    char chunk[65536];
    ssize_t size;
    while ((size = ::recv(socket_, chunk, sizeof chunk, 0)) < 0 && errno == EINTR) {
    }
    if (size <= 0) throw Lost("the Runtime API closed the connection");
    buffer_.append(chunk, static_cast<std::size_t>(size));
  }

  std::string take(std::size_t length) {
    while (buffer_.size() < length) more();
    std::string out = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return out;
  }

  std::string take_line() {
    std::size_t end;
    while ((end = buffer_.find("\r\n")) == std::string::npos) more();
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
  }

  void read_chunks(std::string& body) {
    for (;;) {
      const auto size = std::strtoull(take_line().c_str(), nullptr, 16);
      if (size == 0) break;
      body += take(size);
      take_line();
    }
    while (!take_line().empty()) {  // trailers
    }
  }

  std::string address_;
  int socket_ = -1;
  std::string buffer_;  // received and not used yet
};

inline std::string base64(std::string_view in) {
  static const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < in.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i)
      three = three << 8 | (at + i < in.size() ? static_cast<unsigned char>(in[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i <= in.size() ? kDigits[three >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

inline std::string post_request(const std::string& address, const std::string& path,
                                const Answer& answer) {
  std::string out = "POST ";
  out.append(kApi).append(path).append(" HTTP/1.1\r\nHost: ").append(address);
  out.append("\r\nContent-Type: ").append(answer.content_type);
  if (!answer.error_type.empty())
    out.append("\r\nLambda-Runtime-Function-Error-Type: ").append(answer.error_type);
  out.append("\r\nContent-Length: ").append(std::to_string(answer.body.size())).append("\r\n\r\n");
  return out.append(answer.body);
}

inline Invocation to_invocation(Response response) {
  Invocation in;
  in.request_id = response.header("lambda-runtime-aws-request-id");
  in.function_arn = response.header("lambda-runtime-invoked-function-arn");
  in.trace_id = response.header("lambda-runtime-trace-id");
  in.client_context = response.header("lambda-runtime-client-context");
  in.cognito_identity = response.header("lambda-runtime-cognito-identity");
  in.tenant_id = response.header("lambda-runtime-aws-tenant-id");
  in.deadline_ms = std::atoll(std::string(response.header("lambda-runtime-deadline-ms")).c_str());
  in.body = std::move(response.body);
  return in;
}

// Sends `answer`, if any, together with the wait for the next event; gives that event.
inline Response next(Connection& api, const std::string& answer) {
  const std::string ask = std::string("GET ") + kApi + "invocation/next HTTP/1.1\r\nHost: " +
                          api.address() + "\r\n\r\n";
  bool asked = false;
  if (!answer.empty()) {
    Response posted;
    try {
      api.send(answer + ask);
      posted = api.receive();
    } catch (const Lost&) {  // whether it arrived is unknown; the platform refuses a second answer
      api.close();
      api.send(answer + ask);
      posted = api.receive();
    }
    if (posted.status >= 300)
      std::fprintf(stderr, "The Runtime API refused the answer: %d %s\n", posted.status, posted.body.c_str());
    asked = api.open();
  }
  for (int attempt = 0;; ++attempt) {
    try {
      if (!asked) api.send(ask);
      return api.receive();
    } catch (const Lost&) {
      if (attempt == 3) throw;
      api.close();
      asked = false;
    }
  }
}

inline Answer call(const Handler& handler, const Invocation& in) {
  try {
    return handler(in);
  } catch (const std::exception& error) {
    return failure("Runtime.UnhandledException", error.what());
  } catch (...) {
    return failure("Runtime.UnhandledException", "the handler threw something that is no exception");
  }
}

}  // namespace detail

inline void Stream::begin() {
  if (begun_) return;
  begun_ = true;
  api_.send(std::string("POST ") + detail::kApi + "invocation/" + request_id_ + "/response HTTP/1.1\r\nHost: " +
            api_.address() + "\r\nContent-Type: " + type_ +
            "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n" +
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n");
}

inline void Stream::write(std::string_view bytes) {
  begin();
  if (bytes.empty()) return;
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  api_.send(size + std::string(bytes) + "\r\n");
}

inline void Stream::end(const Answer* failure) {
  begin();
  std::string last = "0\r\n";
  if (failure)
    last += "Lambda-Runtime-Function-Error-Type: " + failure->error_type +
            "\r\nLambda-Runtime-Function-Error-Body: " + detail::base64(failure->body) + "\r\n";
  api_.send(last + "\r\n");
  const detail::Response posted = api_.receive();
  if (posted.status >= 300)
    std::fprintf(stderr, "The Runtime API refused the answer: %d %s\n", posted.status, posted.body.c_str());
}

// Tells the platform that the function cannot start; exit with a status other than 0 afterwards.
inline void report_init_error(const std::string& error_type, std::string_view message) {
  const char* address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (!address) return;
  detail::Connection api(address);
  api.send(detail::post_request(address, "init/error", failure(error_type, message)));
  api.receive();
}

namespace detail {

// Serves events; `answer` gives what is to be sent with the wait for the next one.
inline int serve(const std::function<std::string(Connection&, const Invocation&)>& answer) {
  const char* address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (!address) {
    std::fprintf(stderr, "AWS_LAMBDA_RUNTIME_API is not set: this program runs as a Lambda function\n");
    return 1;
  }
  try {
    Connection api(address);
    std::string posted;
    for (;;) {
      Response response = next(api, posted);
      if (response.status != 200) {
        std::fprintf(stderr, "The Runtime API gave no event: %d %s\n", response.status, response.body.c_str());
        return 1;
      }
      const Invocation in = to_invocation(std::move(response));
      if (in.trace_id.empty()) ::unsetenv("_X_AMZN_TRACE_ID");
      else ::setenv("_X_AMZN_TRACE_ID", in.trace_id.c_str(), 1);
      posted = answer(api, in);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace detail

// Serves events until the process is ended. Returns only when it cannot go on.
inline int run(const Handler& handler) {
  return detail::serve([&](detail::Connection& api, const Invocation& in) {
    const Answer result = detail::call(handler, in);
    std::fflush(stdout);
    return detail::post_request(api.address(), "invocation/" + in.request_id + (result.ok ? "/response" : "/error"), result);
  });
}

// The same for a handler that writes its answer.
inline int run_streaming(const StreamHandler& handler) {
  return detail::serve([&](detail::Connection& api, const Invocation& in) {
    Stream out(api, in.request_id);
    const Answer result = detail::call([&](const Invocation& event) { handler(event, out); return success(""); }, in);
    std::fflush(stdout);
    out.end(result.ok ? nullptr : &result);
    return std::string();
  });
}

}  // namespace pileus_lambda
