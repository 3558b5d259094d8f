#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "net/test_support.h"

namespace pileus::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::as_unit;
using test::RawClient;
using test::run_on;
using test::TestServer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

Task<Response> hello(Request&) {
  Response response;
  response.body = "hello";
  co_return response;
}

// The whole body, then "|name=value" of each trailer.
Task<Response> echo(Request& request) {
  Response response;
  auto body = co_await request.body->read_all(1 << 30);
  if (!body) {
    response.status = 599;  // the server knows better: see the tests of broken bodies
    co_return response;
  }
  response.body = std::move(*body);
  for (const auto& [name, value] : request.body->trailers())
    response.body += "|" + name + "=" + value;
  co_return response;
}

HttpServer::ListenOptions with_limits(ServerLimits limits) {
  HttpServer::ListenOptions options;
  options.limits = limits;
  return options;
}

// ---- messages

TEST(Server, Requests_on_one_connection_are_answered_in_order) {
  TestServer server(hello);
  RawClient client(server.address);
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    const auto answer = client.read_answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(answer, HasSubstr(" GMT\r\nContent-Length: 5\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  }
}

Task<Response> slow_first(Request& request) {
  if (request.path() == "/slow") (void)co_await sleep_for(milliseconds(20));
  Response response;
  response.body = request.target + ";";
  co_return response;
}

TEST(Server, Pipelined_requests_are_answered_in_order) {
  TestServer server(slow_first);
  RawClient client(server.address);
  std::string all;
  for (const char* path : {"/slow", "/a", "/b?c=d", "/slow", "/e"})
    all += std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(all + "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_to_end();
  std::size_t at = 0;
  for (const char* body : {"/slow;", "/a;", "/b?c=d;", "/slow;", "/e;", "/last;"}) {
    at = answers.find(std::string("\r\n\r\n") + body, at);
    ASSERT_NE(at, std::string::npos) << body << " in " << answers;
  }
}

TEST(Server, A_chunked_body_arrives_with_its_trailers) {
  TestServer server(echo);
  RawClient client(server.address);
  client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nError-Type: Boom\r\n\r\n");
  EXPECT_THAT(client.read_answer(), EndsWith("\r\n\r\nabcde|Error-Type=Boom"));
}

TEST(Server, A_request_may_arrive_byte_by_byte) {
  TestServer server(echo);
  RawClient client(server.address);
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: "
      "u\r\n\r\n";
  for (int round = 0; round < 2; ++round) {
    for (const char byte : bytes) client.send({&byte, 1});
    EXPECT_THAT(client.read_answer(), EndsWith("\r\n\r\nabc|T=u"));
  }
}

TEST(Server, A_large_body_passes_both_ways) {
  TestServer server(echo);
  RawClient client(server.address);
  std::string body(8 << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 253);
  auto sent = std::async(std::launch::async, [&] {
    return client.send(
               str("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n")) &&
           client.send(body);
  });
  client.read_until("\r\n\r\n");
  EXPECT_TRUE(client.read_exactly(body.size()) == body);
  EXPECT_TRUE(sent.get());
}

Task<Result<Unit>> three_pieces(BodyWriter& out) {
  CO_TRY(co_await out.write("one"));
  (void)co_await sleep_for(milliseconds(1));
  CO_TRY(co_await out.write(""));
  CO_TRY(co_await out.write(std::string(20, '2')));
  out.add_trailer("X-Sum", "23");
  co_return Unit{};
}
Task<Response> streamed(Request&) {
  Response response;
  response.stream = three_pieces;
  co_return response;
}
Task<Response> streamed_with_length(Request& request) {
  Response response;
  response.headers.add("Content-Length", std::string(request.query()));
  response.stream = three_pieces;
  co_return response;
}

TEST(Server, A_streamed_answer_is_chunked_with_trailers) {
  TestServer server(streamed);
  RawClient client(server.address);
  client.send(kGet);
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"),
            "3\r\none\r\n14\r\n22222222222222222222\r\n0\r\nX-Sum: 23\r\n\r\n");
  client.send(kGet);  // the connection stays
  EXPECT_THAT(client.read_until("0\r\nX-Sum: 23\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(Server, A_streamed_answer_of_known_length_is_sent_plain) {
  TestServer server(streamed_with_length);
  RawClient client(server.address);
  client.send("GET /?23 HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 23\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(answer, EndsWith("one" + std::string(20, '2')));
}

TEST(Server, A_stream_that_breaks_its_length_breaks_the_connection) {
  TestServer server(streamed_with_length);
  for (const char* length : {"24", "22"}) {
    RawClient client(server.address);
    client.send(str("GET /?", length, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const auto answer = client.read_to_end();
    EXPECT_LT(answer.size() - answer.find("\r\n\r\n") - 4, std::stoul(length));
  }
}

Task<Result<Unit>> breaks(BodyWriter& out) {
  CO_TRY(co_await out.write("part"));
  co_return fail(std::string(errc::kIo), "the source ended");
}
Task<Response> broken_stream(Request&) {
  Response response;
  response.stream = breaks;
  co_return response;
}

TEST(Server, A_stream_that_fails_has_no_last_chunk) {
  TestServer server(broken_stream);
  RawClient client(server.address);
  client.send(kGet);
  EXPECT_THAT(client.read_to_end(), EndsWith("4\r\npart\r\n"));
}

TEST(Server, HTTP_1_0_gets_a_plain_stream_and_a_close) {
  TestServer server(streamed);
  RawClient client(server.address);
  client.send("GET / HTTP/1.0\r\n\r\n");
  const auto answer = client.read_to_end();
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\none" + std::string(20, '2')));
}

TEST(Server, HTTP_1_0_may_keep_its_connection) {
  TestServer server(hello);
  RawClient client(server.address);
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_answer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\nhello"));
}

Task<Response> describes(Request& request) {
  Response response;
  if (request.path() == "/given") response.headers.add("Content-Length", "12345");
  if (request.path() == "/body") response.body = "hello";
  if (request.path() == "/none") response.status = 204;
  if (request.path() == "/same") response.status = 304;
  co_return response;
}

TEST(Server, HEAD_has_the_length_but_no_body) {
  TestServer server(describes);
  RawClient client(server.address);
  client.send("HEAD /given HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("\r\nContent-Length: 12345\r\n"));
  client.send("HEAD /body HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("\r\nContent-Length: 5\r\n"));
  client.send("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 204 "), Not(HasSubstr("Content-Length"))));
  client.send("GET /same HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 304 "), Not(HasSubstr("Content-Length"))));
  client.send("GET /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\nhello"));
}

TEST(Server, Continue_is_said_when_the_body_is_wanted) {
  TestServer server(echo);
  RawClient client(server.address);
  client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_THAT(client.read_answer(), EndsWith("\r\n\r\nabc"));
}

TEST(Server, Continue_is_not_said_when_nobody_reads) {
  TestServer server(hello);
  RawClient client(server.address);
  client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(client.read_to_end(),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Connection: close")));
}

TEST(Server, Other_expectations_fail) {
  TestServer server(hello);
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 417 "));
}

TEST(Server, An_unread_body_is_read_away) {
  TestServer server(hello);
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  client.send(std::string(100000, 'x') + std::string(kGet));
  EXPECT_THAT(client.read_answer(), EndsWith("hello"));
  EXPECT_THAT(client.read_answer(), EndsWith("hello"));
}

TEST(Server, A_large_unread_body_ends_the_connection_after_the_answer) {
  TestServer server(hello);
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  EXPECT_TRUE(client.send(std::string(8'000'000, 'x')))
      << "reset: the answer may be lost on its way";
  EXPECT_THAT(client.read_answer(), EndsWith("hello"));
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, Requests_know_where_they_came_from) {
  HttpServer::ListenOptions options;
  options.info = {"public", false, 7};
  TestServer server(
      [](Request& request) -> Task<Response> {
        Response response;
        response.body =
            str(request.method, " ", request.path(), " ", request.query(), " ",
                request.listener->name, " ", request.listener->tag, " ",
                int{request.listener->loopback}, " ", request.peer_address, " ", request.local_port,
                " ", request.headers.get("x-a"), " ", int{request.tls}, " ", request.peer_port);
        co_return response;
      },
      std::move(options));
  RawClient client(server.address);
  client.send("PATCH /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A:  v \r\n\r\n");
  sockaddr_in mine{};
  socklen_t size = sizeof mine;
  ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&mine), &size);
  EXPECT_THAT(client.read_answer(),
              EndsWith(str("PATCH /a%20b c=d public 7 1 127.0.0.1 ", server.address.substr(10),
                           " v 0 ", ntohs(mine.sin_port))));
}

// ---- what is refused

TEST(Server, Malformed_requests_are_refused_and_the_connection_closed) {
  TestServer server(echo);
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    RawClient client(server.address);
    client.send(bytes);
    const auto answer = client.read_to_end();
    EXPECT_THAT(answer, StartsWith(str("HTTP/1.1 ", status, " "))) << bytes;
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << bytes;
    EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos) << bytes;
  }
}

TEST(Server, A_head_of_exactly_the_buffer_and_no_end_is_a_431) {
  for (const std::size_t limit : {64u * 1024, 100u * 1024}) {
    TestServer server(echo, with_limits({.header_bytes = limit}));
    RawClient client(server.address);
    const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
    client.send(begin + std::string(limit - begin.size() + 1, 'a'));
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 431 "));
  }
}

TEST(Server, Limits_have_their_statuses) {
  TestServer server(echo, with_limits({.header_bytes = 1000, .body_bytes = 1000}));
  const std::string a(2000, 'a');
  const std::pair<std::string, int> cases[] = {
      {"GET /" + a + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: " + a + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + a, 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + a +
           "\r\n0\r\n\r\n",
       413},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + a + "\r\n\r\n",
       431},
  };
  for (const auto& [bytes, status] : cases) {
    RawClient client(server.address);
    client.send(bytes);
    EXPECT_THAT(client.read_to_end(), StartsWith(str("HTTP/1.1 ", status, " ")))
        << bytes.substr(0, 80);
  }
}

Task<Response> small_only(Request& request) {
  Response response;
  const auto body = co_await request.body->read_all(10);
  response.status = body ? 200 : body.error().status();
  response.body = body ? *body : body.error().code();
  co_return response;
}

TEST(Server, A_handler_sets_a_tighter_limit) {
  TestServer server(small_only);
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890");
  EXPECT_THAT(client.read_answer(), AllOf(StartsWith("HTTP/1.1 413"), EndsWith("BoundReached")));
  client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_answer(), AllOf(StartsWith("HTTP/1.1 413"), EndsWith("BoundReached")));
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789");
  EXPECT_THAT(client.read_answer(), EndsWith("0123456789"));
}

TEST(Server, Connections_beyond_the_limit_wait) {
  TestServer server(hello, with_limits({.connections = 2}));
  auto one = std::make_unique<RawClient>(server.address);
  RawClient two(server.address), three(server.address);
  for (RawClient* client : {one.get(), &two}) {
    client->send(kGet);
    EXPECT_THAT(client->read_answer(), EndsWith("hello"));
  }
  three.send(kGet);
  pollfd waits{three.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waits, 1, 50), 0) << "a third connection was served";
  one.reset();
  EXPECT_THAT(three.read_answer(), EndsWith("hello"));
}

// ---- handlers that fail

Task<Response> throws(Request& request) {
  if (request.path() == "/late") (void)co_await sleep_for(Duration(100));
  if (request.path() == "/odd") throw 7;
  if (request.path() != "/fine") throw std::runtime_error("a bug of a test");
  co_return Response{};
}

TEST(Server, An_exception_of_a_handler_is_a_500) {
  TestServer server(throws);
  RawClient client(server.address);
  for (const char* path : {"/", "/late", "/odd"}) {
    client.send(str("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_THAT(client.read_answer(), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("bug"))));
  }
  client.send("GET /fine HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 "));
}

Task<Response> splits(Request& request) {
  Response response;
  if (request.path() == "/value") response.headers.add("Location", "/a\r\nSet-Cookie: evil");
  if (request.path() == "/name") response.headers.add("Bad Name", "x");
  if (request.path() == "/status") response.status = 7;
  co_return response;
}

TEST(Server, Header_fields_of_a_handler_cannot_split_the_answer) {
  TestServer server(splits);
  RawClient client(server.address);
  for (const char* path : {"/value", "/name", "/status"}) {
    client.send(str("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_THAT(client.read_answer(), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("evil"))));
  }
}

// ---- slow clients

TEST(Server, A_slow_header_is_a_408) {
  TestServer server(hello, with_limits({.header_timeout = milliseconds(30)}));
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHo");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, A_trickling_header_does_not_buy_time) {
  TestServer server(hello, with_limits({.header_timeout = milliseconds(50)}));
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n");
  const auto start = std::chrono::steady_clock::now();
  pollfd waits{client.fd(), POLLIN, 0};
  while (::poll(&waits, 1, 10) == 0 && client.send("A: b\r\n")) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, An_idle_connection_is_closed_without_a_word) {
  TestServer server(hello, with_limits({.idle_timeout = milliseconds(30)}));
  RawClient fresh(server.address);
  EXPECT_EQ(fresh.read_to_end(), "");
  RawClient used(server.address);
  used.send(kGet);
  EXPECT_THAT(used.read_answer(), EndsWith("hello"));
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(Server, A_stalled_body_is_a_408) {
  TestServer server(echo, with_limits({.body_stall_timeout = milliseconds(30)}));
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 408 "));
}

std::promise<std::string> g_stream_ended;  // one test at a time
std::atomic<std::size_t> g_produced;
Task<Result<Unit>> endless(BodyWriter& out) {
  for (;;) {
    auto written = co_await out.write(std::string(100'000, 'x'));
    if (written) {
      g_produced += 100'000;
      continue;
    }
    g_stream_ended.set_value(written.error().code());
    co_return fail(written.error());
  }
}
Task<Response> endless_stream(Request&) {
  Response response;
  response.stream = endless;
  co_return response;
}

TEST(Server, A_client_that_stops_reading_is_let_go) {
  g_stream_ended = {};
  g_produced = 0;
  TestServer server(endless_stream, with_limits({.body_stall_timeout = milliseconds(100)}));
  RawClient client(server.address);
  client.send(kGet);
  auto ended = g_stream_ended.get_future();
  EXPECT_EQ(ended.get(), errc::kDeadline);
  EXPECT_LT(g_produced, 64u << 20) << "no back-pressure: the producer was not held back";
}

TEST(Server, A_stream_hears_that_the_client_is_gone) {
  g_stream_ended = {};
  TestServer server(endless_stream);
  auto client = std::make_unique<RawClient>(server.address);
  client->send(kGet);
  EXPECT_TRUE(client->receive());
  client.reset();
  EXPECT_THAT(g_stream_ended.get_future().get(), testing::AnyOf(errc::kIo, errc::kCancelled));
}

// ---- cancellation and ends

struct Gate {
  std::promise<void> entered;
  std::promise<std::string> left;
  Completion<Unit> held;
  Completer<Unit> release = held.completer();

  Task<Response> handle(Request&) {
    entered.set_value();
    auto result = co_await held;
    left.set_value(result ? "released" : result.error().code());
    Response response;
    response.body = "done";
    co_return response;
  }
  Handler handler() {
    return [this] [[clang::coro_wrapper]] (Request & request) { return handle(request); };
  }
};

TEST(Server, A_handler_is_stopped_when_its_client_goes_away) {
  Gate gate;
  TestServer server(gate.handler());
  auto client = std::make_unique<RawClient>(server.address);
  client->send(kGet);
  gate.entered.get_future().wait();
  client.reset();
  EXPECT_EQ(gate.left.get_future().get(), errc::kCancelled);
}

TEST(Server, A_handler_is_stopped_also_when_more_was_sent_before) {
  Gate gate;
  TestServer server(gate.handler());
  auto client = std::make_unique<RawClient>(server.address);
  client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\n");
  gate.entered.get_future().wait();
  client.reset();
  EXPECT_EQ(gate.left.get_future().get(), errc::kCancelled);
}

TEST(Server, Draining_lets_a_request_in_flight_finish) {
  Gate gate;
  TestServer server(gate.handler());
  RawClient busy(server.address), idle(server.address);
  busy.send(kGet);
  gate.entered.get_future().wait();
  auto drained = std::async(std::launch::async, [&] {
    run_on(server.loops.at(0), as_unit(server.server->drain(seconds(20))));
  });
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(drained.wait_for(milliseconds(0)), std::future_status::timeout);
  gate.release.complete(Unit{});
  EXPECT_THAT(busy.read_to_end(), AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("done")));
  drained.get();
  EXPECT_THROW(RawClient(server.address), std::runtime_error);
}

TEST(Server, Draining_ends_when_patience_does) {
  Gate gate;
  TestServer server(gate.handler());
  RawClient busy(server.address);
  busy.send(kGet);
  gate.entered.get_future().wait();
  run_on(server.loops.at(1), as_unit(server.server->drain(milliseconds(20))));
  EXPECT_EQ(gate.left.get_future().get(), errc::kCancelled);
  EXPECT_EQ(busy.read_to_end(), "");
}

TEST(Server, Destroying_it_stops_handlers_and_waits_for_them) {
  Gate gate;
  auto left = gate.left.get_future();
  TestServer server(gate.handler());
  RawClient busy(server.address);
  busy.send(kGet);
  gate.entered.get_future().wait();
  server.server.reset();
  EXPECT_EQ(left.wait_for(milliseconds(0)), std::future_status::ready);
  EXPECT_EQ(busy.read_to_end(), "");
}

TEST(Server, Loops_may_end_under_a_handler) {
  Gate gate;
  TestServer server(gate.handler());
  RawClient busy(server.address);
  busy.send(kGet);
  gate.entered.get_future().wait();
  server.loops.stop();
  server.server.reset();
  EXPECT_EQ(busy.read_to_end(), "");
}

TEST(Server, Closing_one_listener_leaves_the_others) {
  TestServer server(hello);
  const auto second = server.server->listen("127.0.0.1:0", hello, {});
  ASSERT_TRUE(second);
  RawClient first_client(server.address), second_client(*second);
  for (RawClient* client : {&first_client, &second_client}) {
    client->send(kGet);
    EXPECT_THAT(client->read_answer(), EndsWith("hello"));
  }
  server.server->close(server.listener);
  EXPECT_EQ(first_client.read_to_end(), "");
  second_client.send(kGet);
  EXPECT_THAT(second_client.read_answer(), EndsWith("hello"));
}

// ---- listeners

TEST(Server, An_address_in_use_is_an_error_with_a_remedy) {
  TestServer server(hello);
  const auto second = server.server->listen(server.address, hello, {});
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(errc::kIo));
  EXPECT_THAT(second.error().message(),
              AllOf(HasSubstr(server.address), HasSubstr("another program")));
  const auto nonsense = server.server->listen("example.com", hello, {});
  ASSERT_FALSE(nonsense);
  EXPECT_TRUE(nonsense.error().is(errc::kInvalid));
}

TEST(Server, Many_loops_share_the_connections_of_one_listener) {
  std::mutex mutex;
  std::set<Loop*> seen;
  TestServer server([&](Request&) -> Task<Response> {
    {
      std::lock_guard lock(mutex);
      seen.insert(Loop::current());
    }
    co_return Response{};
  });
  for (int i = 0; i < 4; ++i) {
    RawClient client(server.address);
    client.send(kGet);
    client.read_answer();
  }
  EXPECT_EQ(seen.size(), 2u);
}

TEST(Server, A_listener_may_have_one_loop) {
  std::set<Loop*> seen;
  TestServer server(hello);
  HttpServer::ListenOptions options;
  options.loop = &server.loops.at(1);
  const auto address = server.server->listen(
      "127.0.0.1:0",
      [&](Request&) -> Task<Response> {
        seen.insert(Loop::current());
        co_return Response{};
      },
      std::move(options));
  for (int i = 0; i < 4; ++i) {
    RawClient client(*address);
    client.send(kGet);
    client.read_answer();
  }
  EXPECT_EQ(seen, std::set<Loop*>{&server.loops.at(1)});
}

// Moving: "/0" and "/1" are at home on loop 0 and 1.
Task<Response> tells_loop(Request& request) {
  auto body = co_await request.body->read_all(100);
  (void)co_await sleep_for(Duration(10));
  Response response;
  response.body =
      str(Loop::current() == co_await current_loop() ? "loop " : "lost ", body ? *body : "", " ");
  co_return response;
}

TEST(Server, A_connection_moves_to_the_loop_of_what_it_uses) {
  TestServer server(hello);
  std::vector<Loop*> seen;
  HttpServer::ListenOptions options;
  options.place = [&](const Request& request) {
    return &server.loops.at(request.path() == "/1" ? 1 : 0);
  };
  struct Room {
    std::vector<Loop*>& seen;
    Task<Response> handle(Request& request) {
      seen.push_back(Loop::current());
      co_return co_await tells_loop(request);
    }
  } room{seen};
  const auto address = server.server->listen(
      "127.0.0.1:0",
      [&room] [[clang::coro_wrapper]] (Request & request) { return room.handle(request); },
      std::move(options));
  RawClient client(*address);
  std::vector<Loop*> expected;
  for (int i = 0; i < 20; ++i) {
    const int home = (i / 2) % 2;
    expected.push_back(&server.loops.at(static_cast<std::size_t>(home)));
    const std::string post =
        str("POST /", home, " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
    client.send(i % 3 ? post + "abc" : post);
    if (i % 3 == 0) client.send("abc");
    ASSERT_THAT(client.read_answer(), EndsWith("loop abc "));
  }
  EXPECT_EQ(seen, expected);
}

TEST(Server, A_moved_connection_is_still_stopped_and_closed) {
  Gate gate;
  TestServer server(hello);
  HttpServer::ListenOptions options;
  std::atomic<std::size_t> home = 0;
  options.place = [&](const Request&) { return &server.loops.at(home++ % 2); };
  const auto address = server.server->listen("127.0.0.1:0", gate.handler(), std::move(options));
  auto client = std::make_unique<RawClient>(*address);
  client->send(kGet);
  gate.entered.get_future().wait();
  client.reset();
  EXPECT_EQ(gate.left.get_future().get(), errc::kCancelled);
}

TEST(Server, Moving_connections_survive_a_server_that_ends) {
  for (int round = 0; round < 20; ++round) {
    TestServer server(hello);
    HttpServer::ListenOptions options;
    std::atomic<std::size_t> home = 0;
    options.place = [&](const Request&) { return &server.loops.at(home++ % 2); };
    const auto address = server.server->listen("127.0.0.1:0", hello, std::move(options));
    RawClient client(*address);
    std::string many;
    for (int i = 0; i < 200; ++i) many += kGet;
    client.send(many);
    client.receive();
    server.server.reset();
  }
}

TEST(Server, A_listening_descriptor_made_elsewhere_is_taken_over) {
  TestServer server(hello);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  EXPECT_FALSE(server.server->listen_fd(fd, hello, {})) << "it does not listen";
  ASSERT_EQ(::listen(fd, 10), 0);
  socklen_t size = sizeof in;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
  ASSERT_TRUE(server.server->listen_fd(fd, hello, {}));
  RawClient client(str("127.0.0.1:", ntohs(in.sin_port)));
  client.send(kGet);
  EXPECT_THAT(client.read_answer(), EndsWith("hello"));
}

TEST(Server, A_unix_socket_replaces_what_a_killed_server_left_and_is_removed) {
  char folder[] = "/tmp/net_test.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/s";
  {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    path.copy(un.sun_path, sizeof un.sun_path - 1);
    const int left_over = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(left_over, reinterpret_cast<sockaddr*>(&un), sizeof un), 0);
    ::close(left_over);
  }
  {
    TestServer server(hello, {}, 2, "unix:" + path);
    EXPECT_EQ(server.address, "unix:" + path);
    EXPECT_FALSE(server.server->listen("unix:" + path, hello, {})) << "one that is served stays";
    RawClient client(server.address);
    client.send(kGet);
    EXPECT_THAT(client.read_answer(), EndsWith("hello"));
    run_on(server.loops.at(0), as_unit(server.server->drain(seconds(5))));
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  std::filesystem::remove_all(folder);
}

// ---- switching protocols

Task<void> shout(ByteStream& bytes) {
  for (;;) {
    auto got = co_await bytes.read_some();
    if (!got || got->empty()) co_return;
    for (char& c : *got) c = static_cast<char>(std::toupper(c));
    if (!co_await bytes.write(std::move(*got))) co_return;
  }
}
Task<Response> upgrades(Request& request) {
  Response response;
  response.status = 101;
  response.headers.add("Upgrade", std::string(request.headers.get("upgrade")));
  response.upgrade = shout;
  co_return response;
}

TEST(Server, A_connection_may_switch_to_another_protocol) {
  TestServer server(upgrades);
  RawClient client(server.address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nearly ");
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                    HasSubstr("\r\nConnection: Upgrade\r\nUpgrade: shout\r\n"),
                    Not(HasSubstr("Content-Length"))));
  client.send("late");
  EXPECT_EQ(client.read_exactly(10), "EARLY LATE");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

}  // namespace
}  // namespace pileus::net
