#include "net/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/random.h"
#include "net/test_support.h"
#include "net/tls.h"
#include "net/url.h"

namespace pileus::net {
namespace {

using std::chrono::milliseconds;
using test::RawClient;
using test::run_on;
using test::TestServer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Task<Response> echo(Request& request) {
  Response response;
  auto body = co_await request.body->read_all(1 << 30);
  response.status = 201;
  response.headers.add("X-Method", request.method);
  response.headers.add("X-Target", request.target);
  response.headers.add("X-Host", std::string(request.headers.get("host")));
  response.headers.add("X-Peer", std::to_string(request.peer_port));
  response.headers.add("X-Tls", std::to_string(int{request.tls}));
  response.body = body ? std::move(*body) : std::string();
  co_return response;
}

Result<ClientResponse> call(Loops& loops, HttpClient& client, ClientRequest request) {
  return run_on(loops.at(0), client.send(std::move(request)));
}

// A server of raw bytes: answers each connection's first request with `answer`, then closes or
// waits.
class RawServer {
 public:
  RawServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof in;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&in), sizeof in) != 0 || ::listen(fd_, 10) != 0)
      std::abort();
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&in), &size);
    url = str("http://127.0.0.1:", ntohs(in.sin_port), "/");
  }
  ~RawServer() { ::close(fd_); }
  int accept() { return ::accept(fd_, nullptr, nullptr); }
  // Reads a head from a connection.
  static std::string head(int fd) {
    std::string out;
    char byte;
    while (!out.ends_with("\r\n\r\n") && ::recv(fd, &byte, 1, 0) == 1) out += byte;
    return out;
  }
  static void say(int fd, std::string_view bytes) {
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  std::string url;

 private:
  int fd_;
};

TEST(Client, Sends_and_receives) {
  TestServer server(echo);
  HttpClient client(server.loops);
  ClientRequest request;
  request.method = "PUT";
  request.url = "http://" + server.address + "/a%20b?c#fragment";
  request.headers.add("X-A", "b");
  request.body = std::string(3 << 20, 'z');
  const std::string body = request.body;
  const auto response = call(server.loops, client, std::move(request));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->headers.get("x-method"), "PUT");
  EXPECT_EQ(response->headers.get("x-target"), "/a%20b?c");
  EXPECT_EQ(response->headers.get("x-host"), server.address);
  EXPECT_TRUE(response->body == body);
}

TEST(Client, Reuses_its_connection) {
  TestServer server(echo);
  HttpClient client(server.loops);
  std::set<std::string> ports;
  for (int i = 0; i < 5; ++i) {
    const auto response = call(server.loops, client, {.url = "http://" + server.address + "/"});
    ASSERT_TRUE(response);
    ports.emplace(response->headers.get("x-peer"));
  }
  EXPECT_EQ(ports.size(), 1u);
}

TEST(Client, Replaces_a_connection_that_was_closed_while_idle) {
  RawServer server;
  Loops loops(1);
  HttpClient client(loops);
  auto serve = std::async(std::launch::async, [&] {
    for (int i = 0; i < 2; ++i) {
      const int fd = server.accept();
      server.head(fd);
      server.say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
      ::close(fd);
    }
  });
  for (int i = 0; i < 2; ++i) {
    const auto response = call(loops, client, {.method = "POST", .url = server.url, .body = "x"});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->body, "a");
  }
}

// The connection is fine when it is taken from the pool, and closes on the second request.
void answer_once_then_close_on_request(RawServer& server, int more) {
  const int fd = server.accept();
  server.head(fd);
  server.say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
  server.head(fd);
  ::close(fd);
  for (int i = 0; i < more; ++i) {
    const int next = server.accept();
    server.head(next);
    server.say(next, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
    ::close(next);
  }
}

TEST(Client, Repeats_an_idempotent_request_once_on_a_fresh_connection) {
  RawServer server;
  Loops loops(1);
  HttpClient client(loops);
  auto serve =
      std::async(std::launch::async, [&] { answer_once_then_close_on_request(server, 1); });
  EXPECT_EQ(call(loops, client, {.url = server.url}).value().body, "a");
  const auto second = call(loops, client, {.url = server.url});
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->body, "b");
}

TEST(Client, Does_not_repeat_a_POST) {
  RawServer server;
  Loops loops(1);
  HttpClient client(loops);
  auto serve =
      std::async(std::launch::async, [&] { answer_once_then_close_on_request(server, 0); });
  EXPECT_TRUE(call(loops, client, {.method = "POST", .url = server.url}));
  const auto second = call(loops, client, {.method = "POST", .url = server.url});
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(errc::kIo));
}

TEST(Client, Understands_all_framings) {
  const std::pair<std::string, std::string> cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: "
       "u\r\n\r\n",
       "abc"},
      {"HTTP/1.1 200 OK\r\n\r\nabc", "abc"},
      {"HTTP/1.0 200 OK\r\n\r\nabc", "abc"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
       "OK\r\nContent-Length: 3\r\n\r\nabc",
       "abc"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
  };
  for (const auto& [bytes, body] : cases) {
    RawServer server;
    Loops loops(1);
    HttpClient client(loops);
    auto serve = std::async(std::launch::async, [&] {
      const int fd = server.accept();
      server.head(fd);
      server.say(fd, bytes);
      ::close(fd);
    });
    const auto response = call(loops, client, {.url = server.url});
    ASSERT_TRUE(response) << response.error().message() << " for " << bytes;
    EXPECT_EQ(response->body, body);
    EXPECT_FALSE(response->headers.find("link"));
  }
}

TEST(Client, A_broken_answer_is_an_error) {
  for (const std::string bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc", "nonsense\r\n\r\n", "",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    RawServer server;
    Loops loops(1);
    HttpClient client(loops);
    auto serve = std::async(std::launch::async, [&] {
      const int fd = server.accept();
      server.head(fd);
      server.say(fd, bytes);
      ::close(fd);
    });
    const auto response = call(loops, client, {.url = server.url});
    ASSERT_FALSE(response) << bytes;
    EXPECT_TRUE(response.error().is(errc::kIo)) << bytes;
    EXPECT_THAT(response.error().message(), StartsWith(server.url));
  }
}

TEST(Client, HEAD_has_no_body_whatever_its_length) {
  RawServer server;
  Loops loops(1);
  HttpClient client(loops);
  auto serve = std::async(std::launch::async, [&] {
    const int fd = server.accept();
    server.head(fd);
    server.say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n");
    ::close(fd);
  });
  const auto response = call(loops, client, {.method = "HEAD", .url = server.url});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->headers.get("content-length"), "300");
}

TEST(Client, Bounds_the_answer) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nabcdefghijk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabcdefghijk"}) {
    RawServer server;
    Loops loops(1);
    HttpClient client(loops);
    auto serve = std::async(std::launch::async, [&] {
      const int fd = server.accept();
      server.head(fd);
      server.say(fd, bytes);
      ::close(fd);
    });
    const auto response = call(loops, client, {.url = server.url, .body_limit = 10});
    ASSERT_FALSE(response) << bytes;
    EXPECT_TRUE(response.error().is(errc::kLimit)) << response.error().message();
  }
}

TEST(Client, Gives_up_at_its_time_out) {
  RawServer server;  // never accepts: the kernel connects, nobody answers
  Loops loops(1);
  HttpClient client(loops);
  const auto response = call(loops, client, {.url = server.url, .timeout = milliseconds(20)});
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().is(errc::kDeadline));
  EXPECT_THAT(response.error().message(), HasSubstr("20 ms"));
}

TEST(Client, Gives_up_connecting_at_its_time_out) {
  RawServer server;  // a TLS handshake that nobody answers
  Loops loops(1);
  HttpClient client(loops);
  const auto response = call(
      loops, client, {.url = "https" + server.url.substr(4), .connect_timeout = milliseconds(20)});
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().is(errc::kDeadline));
}

TEST(Client, Nobody_listening_is_an_io_error) {
  std::string url;
  {
    url = RawServer().url;
  }
  Loops loops(1);
  HttpClient client(loops);
  const auto response = call(loops, client, {.url = url});
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().is(errc::kIo));
  EXPECT_THAT(response.error().message(), HasSubstr("refused"));
}

TEST(Client, Malformed_requests_are_not_sent) {
  Loops loops(1);
  HttpClient client(loops);
  ClientRequest split;
  split.url = "http://127.0.0.1:1/";
  split.headers.add("A", "b\r\nC: d");
  EXPECT_TRUE(call(loops, client, std::move(split)).error().is(errc::kInvalid));
  EXPECT_TRUE(call(loops, client, {.method = "GET /x", .url = "http://127.0.0.1:1/"})
                  .error()
                  .is(errc::kInvalid));
  for (const char* url :
       {"", "ftp://x/", "http://", "http://u:p@x/", "http://x:0/", "http://x:y/", "http://a b/",
        "http://x/\r\nA: b", "unix:", "http://[::1/", "http://::1/"}) {
    EXPECT_TRUE(call(loops, client, {.url = url}).error().is(errc::kInvalid)) << url;
  }
}

TEST(Client, Speaks_over_unix_sockets) {
  char folder[] = "/tmp/net_test.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  TestServer server(echo, {}, 1, std::string("unix:") + folder + "/s");
  HttpClient client(server.loops);
  const auto response = call(server.loops, client, {.url = server.address + ":/path?q"});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->headers.get("x-target"), "/path?q");
  server.server.reset();
  ::rmdir(folder);
}

struct Authority {
  SystemRandom random;
  Time now = SystemTime().now();
  TlsAuthority ca = make_authority("test authority", now, random).value();
  HttpServer::ListenOptions options(const std::vector<std::string>& names) {
    HttpServer::ListenOptions out;
    out.tls = make_leaf(ca, names, now, random).value();
    return out;
  }
};

TEST(Client, TLS_and_plain_text_share_a_port) {
  Authority authority;
  TestServer server(echo, authority.options({"localhost", "*.execute-api.localhost", "127.0.0.1"}));
  HttpClient client(server.loops, {.extra_roots_pem = authority.ca.certificate_pem});
  const std::string port = server.address.substr(server.address.rfind(':'));
  for (const std::string host : {"127.0.0.1", "localhost", "a1b2.execute-api.localhost"}) {
    const std::string body(1 << 20, 'q');
    const auto response =
        call(server.loops, client,
             {.method = "POST", .url = "https://" + host + port + "/", .body = body});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->headers.get("x-tls"), "1");
    EXPECT_TRUE(response->body == body);
  }
  EXPECT_EQ(call(server.loops, client, {.url = "http://" + server.address + "/"})
                .value()
                .headers.get("x-tls"),
            "0");
}

// SHA-1 of the nth certificate of a chain.
std::string thumbprint(const std::string& chain, int n) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
      BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())), &BIO_free_all);
  for (;; --n) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!certificate) return {};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (n == 0 && X509_digest(certificate.get(), EVP_sha1(), digest, &size) == 1)
      return to_hex({reinterpret_cast<const char*>(digest), size});
  }
}

TEST(Client, A_thumbprint_stands_in_for_an_authority) {
  Authority authority;
  auto options = authority.options({"localhost"});
  const std::string chain = options.tls->certificate_chain_pem;
  TestServer server(echo, std::move(options));
  HttpClient client(server.loops);
  const std::string port = server.address.substr(server.address.rfind(':'));
  const auto get = [&](const std::string& host, std::vector<std::string> thumbprints) {
    ClientRequest request;
    request.url = "https://" + host + port + "/";
    request.thumbprints = std::move(thumbprints);
    return call(server.loops, client, std::move(request)).has_value();
  };
  const std::string leaf = thumbprint(chain, 0), root = thumbprint(chain, 1);
  EXPECT_FALSE(get("localhost", {}));
  EXPECT_FALSE(get("localhost", {std::string(40, 'a')}));
  EXPECT_TRUE(get("localhost", {root}));
  EXPECT_TRUE(get("localhost", {std::string(40, 'a'), leaf}));
  EXPECT_FALSE(get("localhost", {})) << "a connection that was trusted so is not another's";
  EXPECT_FALSE(get("127.0.0.1", {leaf})) << "the certificate is for another name";
}

TEST(Client, A_pinned_certificate_must_vouch_for_the_one_that_answers) {
  Authority known, other;
  auto options = other.options({"localhost"});
  options.tls->certificate_chain_pem += known.ca.certificate_pem;  // sent, but signed nothing here
  const std::string pinned = thumbprint(known.ca.certificate_pem, 0);
  TestServer server(echo, std::move(options));
  HttpClient client(server.loops);
  ClientRequest request;
  request.url = "https://localhost" + server.address.substr(server.address.rfind(':')) + "/";
  request.thumbprints = {pinned};
  EXPECT_FALSE(call(server.loops, client, std::move(request)));
}

TEST(Client, Certificates_are_made_for_the_names_that_are_asked_for) {
  Authority authority;
  auto options = authority.options({"localhost"});
  std::atomic<int> made = 0;
  options.tls_by_name = [&](const std::string& name) -> std::optional<TlsIdentity> {
    if (!name.ends_with(".localhost")) return std::nullopt;
    ++made;
    return make_leaf(authority.ca, {name}, authority.now, authority.random).value();
  };
  TestServer server(echo, std::move(options));
  HttpClient client(server.loops, {.extra_roots_pem = authority.ca.certificate_pem});
  const std::string port = server.address.substr(server.address.rfind(':'));
  for (const std::string host :
       {"bucket.localhost", "localhost", "other.localhost", "BUCKET.localhost"}) {
    for (std::size_t i = 0; i < 2; ++i) {
      auto response =
          run_on(server.loops.at(i), client.send({.url = "https://" + host + port + "/"}));
      ASSERT_TRUE(response) << response.error().message();
    }
  }
  EXPECT_EQ(made, 2);
  EXPECT_FALSE(call(server.loops, client, {.url = "https://127.0.0.1" + port + "/"}));
}

TEST(Client, Reuses_TLS_connections) {
  Authority authority;
  TestServer server(echo, authority.options({"127.0.0.1"}));
  HttpClient client(server.loops, {.extra_roots_pem = authority.ca.certificate_pem});
  std::set<std::string> ports;
  for (int i = 0; i < 3; ++i) {
    const auto response = call(server.loops, client, {.url = "https://" + server.address + "/"});
    ASSERT_TRUE(response) << response.error().message();
    ports.emplace(response->headers.get("x-peer"));
  }
  EXPECT_EQ(ports.size(), 1u);
}

TEST(Client, Verifies_the_server) {
  Authority authority;
  TestServer server(echo, authority.options({"localhost"}));
  HttpClient trusting(server.loops, {.extra_roots_pem = authority.ca.certificate_pem});
  const auto other_name = call(server.loops, trusting, {.url = "https://" + server.address + "/"});
  ASSERT_FALSE(other_name);
  EXPECT_THAT(other_name.error().message(), HasSubstr("mismatch"));
  HttpClient stranger(server.loops);
  const std::string port = server.address.substr(server.address.rfind(':'));
  const auto unknown_authority =
      call(server.loops, stranger, {.url = "https://localhost" + port + "/"});
  ASSERT_FALSE(unknown_authority);
  EXPECT_THAT(unknown_authority.error().message(),
              HasSubstr("self-signed certificate in certificate chain"));
}

TEST(Client, A_TLS_server_drops_who_does_not_shake_hands) {
  Authority authority;
  auto options = authority.options({"localhost"});
  options.limits.header_timeout = milliseconds(30);
  options.limits.idle_timeout = milliseconds(30);
  TestServer server(echo, std::move(options));
  RawClient silent(server.address), half(server.address), garbage(server.address);
  EXPECT_EQ(silent.read_to_end(), "");
  half.send("\x16\x03\x01");
  EXPECT_EQ(half.read_to_end(), "");
  garbage.send(std::string("\x16") + std::string(100, 'x'));
  garbage.read_to_end();
}

Task<Result<ClientResponse>> stopped_call(HttpClient& client, std::string url,
                                          std::promise<void>& sent) {
  StopSource stop;
  auto task = client.send({.url = std::move(url)});
  task.set_stop(&stop);
  (*co_await current_loop()).call_after(milliseconds(10), [&] {
    sent.set_value();
    stop.stop();
  });
  co_return co_await std::move(task);
}

TEST(Client, A_stopped_call_ends_at_once) {
  RawServer server;
  Loops loops(1);
  HttpClient client(loops);
  std::promise<void> sent;
  const auto response = run_on(loops.at(0), stopped_call(client, server.url, sent));
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().is(errc::kCancelled));
}

TEST(Client, Many_calls_at_once) {
  TestServer server(echo);
  HttpClient client(server.loops);
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < 4; ++i) {
    running.push_back(std::async(std::launch::async, [&, i] {
      for (int k = 0; k < 50; ++k) {
        const std::string body = str("body ", i, " ", k);
        auto response = run_on(
            server.loops.at(i % 2),
            client.send({.method = "POST", .url = "http://" + server.address + "/", .body = body}));
        ASSERT_TRUE(response) << response.error().message();
        EXPECT_EQ(response->body, body);
      }
    }));
  }
  for (auto& one : running) one.get();
}

TEST(Url, Parts_are_found) {
  const Url url = parse_url("https://[::1]:8443?x=y").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/?x=y");
  EXPECT_EQ(url.host_header, "[::1]:8443");
  EXPECT_EQ(parse_url("http://Example.COM").value().host_header, "Example.COM");
  EXPECT_EQ(parse_url("http://Example.COM:80/").value().origin(), "http:example.com:80");
  EXPECT_EQ(parse_url("unix:/run/a.sock:/v1/x").value().unix_path, "/run/a.sock");
  EXPECT_EQ(parse_url("unix:/run/a.sock").value().target, "/");
}

}  // namespace
}  // namespace pileus::net
