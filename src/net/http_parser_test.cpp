#include "net/http_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace pileus::net {
namespace {

struct Outcome {
  Parsed parsed = Parsed::kMore;
  int status = 0;
  std::string method, target, body;
  std::string fields, trailers;
  std::size_t left = 0;  // bytes after the message
  bool operator==(const Outcome&) const = default;
};

std::string text_of(const Headers& headers) {
  std::string out;
  for (const auto& [name, value] : headers) out += str(name, "=", value, ";");
  return out;
}

// Feeds `pieces` one after the other, as a connection would.
template <bool kRequest>
Outcome feed(const std::vector<std::string_view>& pieces, ParserLimits limits = {}) {
  MessageParser<kRequest> parser;
  parser.reset(limits);
  Outcome out;
  std::string held;
  bool head_done = false;
  for (const std::string_view piece : pieces) {
    held += piece;
    if (out.parsed != Parsed::kMore) continue;
    std::size_t consumed = 0;
    if (!head_done) {
      const Parsed parsed = parser.parse_head(held, consumed);
      held.erase(0, consumed);
      if (parsed == Parsed::kWrong) out.parsed = parsed;
      head_done = parsed == Parsed::kDone;
    }
    if (head_done) {
      out.parsed = parser.parse_body(held, consumed, out.body);
      held.erase(0, consumed);
    }
  }
  out.status = out.parsed == Parsed::kWrong ? parser.status() : parser.head.status;
  if (out.parsed == Parsed::kWrong) return out;
  out.method = parser.head.method;
  out.target = parser.head.target;
  out.fields = text_of(parser.head.headers);
  out.trailers = text_of(parser.trailers);
  out.left = held.size();
  return out;
}
Outcome request(std::string_view bytes, ParserLimits limits = {}) {
  return feed<true>({bytes}, limits);
}

constexpr std::string_view kChunked =
    "POST /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"
    "5\r\nhello\r\n6;name=\"v\\\"\";b\r\n world\r\n0\r\nLambda-Runtime-Function-Error-Type: "
    "T\r\nB: \r\n\r\n";

TEST(Parser, A_chunked_request_gives_its_body_and_trailers) {
  const Outcome out = request(kChunked);
  EXPECT_EQ(out.parsed, Parsed::kDone);
  EXPECT_EQ(out.method, "POST");
  EXPECT_EQ(out.target, "/a?b=c");
  EXPECT_EQ(out.body, "hello world");
  EXPECT_EQ(out.fields, "Host=x;Transfer-Encoding=chunked;X-Two=1;X-Two=2;");
  EXPECT_EQ(out.trailers, "Lambda-Runtime-Function-Error-Type=T;B=;");
  EXPECT_EQ(out.left, 0u);
}

TEST(Parser, Bytes_may_be_split_anywhere) {
  const Outcome whole = request(kChunked);
  for (std::size_t i = 0; i <= kChunked.size(); ++i) {
    for (std::size_t j = i; j <= kChunked.size(); ++j) {
      const auto out =
          feed<true>({kChunked.substr(0, i), kChunked.substr(i, j - i), kChunked.substr(j)});
      ASSERT_EQ(out, whole) << "split at " << i << " and " << j;
    }
  }
}

TEST(Parser, Bytes_may_come_one_by_one) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < kChunked.size(); ++i) pieces.push_back(kChunked.substr(i, 1));
  EXPECT_EQ(feed<true>(pieces), request(kChunked));
}

TEST(Parser, What_follows_a_message_is_left_alone) {
  const Outcome out =
      request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\n");
  EXPECT_EQ(out.body, "ok");
  EXPECT_EQ(out.left, std::string_view("GET / HTTP/1.1\r\n").size());
}

TEST(Parser, Empty_lines_before_a_request_are_skipped) {
  EXPECT_EQ(request("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").parsed, Parsed::kDone);
  EXPECT_EQ(feed<true>({"\r", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"}).parsed, Parsed::kDone);
}

TEST(Parser, An_absolute_target_replaces_host) {
  const Outcome out = request("GET http://real:8/p?q HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(out.target, "/p?q");
  EXPECT_EQ(out.fields, "Host=real:8;");
  EXPECT_EQ(request("GET http://real?q HTTP/1.1\r\nHost: x\r\n\r\n").target, "/?q");
  EXPECT_EQ(request("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").target, "*");
}

struct Wrong {
  const char* what;
  std::string bytes;
  int status;
};
class Refused : public testing::TestWithParam<Wrong> {};

TEST_P(Refused, with_its_status) {
  const Outcome out = request(GetParam().bytes);
  EXPECT_EQ(out.parsed, Parsed::kWrong) << GetParam().what;
  EXPECT_EQ(out.status, GetParam().status) << GetParam().what;
}

std::string head(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}
std::string chunks(const std::string& body) {
  return head("Transfer-Encoding: chunked\r\n") + body;
}

INSTANTIATE_TEST_SUITE_P(
    Parser, Refused,
    testing::Values(
        Wrong{"length and coding",
              head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
        Wrong{"coding and length",
              head("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "0\r\n\r\n", 400},
        Wrong{"two lengths", head("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
        Wrong{"the same length twice", head("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
        Wrong{"a list of lengths", head("Content-Length: 3, 3\r\n"), 400},
        Wrong{"a signed length", head("Content-Length: +3\r\n"), 400},
        Wrong{"a negative length", head("Content-Length: -3\r\n"), 400},
        Wrong{"a hexadecimal length", head("Content-Length: 0x3\r\n"), 400},
        Wrong{"an empty length", head("Content-Length: \r\n"), 400},
        Wrong{"a length beyond 64 bits", head("Content-Length: 18446744073709551616\r\n"), 400},
        Wrong{"a length beyond the limit", head("Content-Length: 18446744073709551615\r\n"), 413},
        Wrong{"two codings", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
              400},
        Wrong{"an unknown coding", head("Transfer-Encoding: gzip\r\n"), 501},
        Wrong{"a coding before chunked", head("Transfer-Encoding: gzip, chunked\r\n"), 501},
        Wrong{"chunked not last", head("Transfer-Encoding: chunked, identity\r\n"), 501},
        Wrong{"chunked in disguise",
              head("Transfer-Encoding: \x0b"
                   "chunked\r\n"),
              400},
        Wrong{"chunked with quotes", head("Transfer-Encoding: \"chunked\"\r\n"), 501},
        Wrong{"coding in HTTP/1.0",
              "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Wrong{"space before the colon", head("Content-Length : 3\r\n"), 400},
        Wrong{"a name with a space", head("Bad Name: 3\r\n"), 400},
        Wrong{"a name with a bracket", head("Bad(Name: 3\r\n"), 400},
        Wrong{"an empty name", head(": 3\r\n"), 400}, Wrong{"no colon", head("Something\r\n"), 400},
        Wrong{"NUL in a value", head(std::string("A: b\0c\r\n", 8)), 400},
        Wrong{"NUL in a name", head(std::string("A\0b: c\r\n", 8)), 400},
        Wrong{"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 29), 400},
        Wrong{"a bare LF in a value", head("A: b\nContent-Length: 3\r\n"), 400},
        Wrong{"a bare LF after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
        Wrong{"a bare CR in a value", head("A: b\rc\r\n"), 400},
        Wrong{"a folded value", head("A: b\r\n c\r\n"), 400},
        Wrong{"a value folded with a tab", head("A: b\r\n\tc\r\n"), 400},
        Wrong{"a value folded before its start", head("A:\r\n b\r\n"), 400},
        Wrong{"a fold of nothing", head("A: b\r\n \r\n"), 400},
        Wrong{"an empty folded value", head("A:\r\n \r\n"), 400},
        Wrong{"a fold right after the request line", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
        Wrong{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        Wrong{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        Wrong{"a relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Wrong{"an asterisk for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Wrong{"a target with a space", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Wrong{"no version", "GET /\r\nHost: x\r\n\r\n", 400},
        Wrong{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        Wrong{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
        Wrong{"HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505},
        Wrong{"HTTP in lower case", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
        Wrong{"a method with a control character", "G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        Wrong{"TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
        Wrong{"a chunk without a size", chunks("\r\nabc\r\n0\r\n\r\n"), 400},
        Wrong{"a chunk size with 0x", chunks("0x3\r\nabc\r\n0\r\n\r\n"), 400},
        Wrong{"a signed chunk size", chunks("+3\r\nabc\r\n0\r\n\r\n"), 400},
        Wrong{"a chunk size beyond 64 bits", chunks("10000000000000000\r\nabc\r\n"), 400},
        Wrong{"a chunk longer than its size", chunks("3\r\nabcd\r\n0\r\n\r\n"), 400},
        Wrong{"a chunk line ended by LF", chunks("3\nabc\r\n0\r\n\r\n"), 400},
        Wrong{"a chunk ended by LF", chunks("3\r\nabc\n0\r\n\r\n"), 400},
        Wrong{"a chunk extension with a bare CR", chunks("3;a\rb\r\nabc\r\n0\r\n\r\n"), 400},
        Wrong{"a length in the trailers", chunks("0\r\nContent-Length: 3\r\n\r\n"), 400},
        Wrong{"a coding in the trailers", chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        Wrong{"a folded trailer", chunks("0\r\nA: b\r\n c\r\n\r\n"), 400}));

TEST(Parser, Heads_are_bounded_whole_not_by_line) {
  const ParserLimits limits{.head_bytes = 100};
  EXPECT_EQ(request("GET /" + std::string(100, 'a'), limits).status, 414);
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(100, 'a'), limits).status,
            431);
  // Many complete short fields, piece by piece.
  std::vector<std::string_view> pieces{"GET / HTTP/1.1\r\nHost: x\r\n"};
  for (int i = 0; i < 20; ++i) pieces.push_back("A: bcdef\r\n");
  EXPECT_EQ(feed<true>(pieces, limits).status, 431);
  const std::string fits =
      "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(100 - 32, 'a') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), 100u);
  EXPECT_EQ(request(fits, limits).parsed, Parsed::kDone);
  EXPECT_EQ(request(fits, {.head_bytes = 99}).status, 431);
}

TEST(Parser, Bodies_and_trailers_are_bounded) {
  EXPECT_EQ(request(head("Content-Length: 11\r\n"), {.body_bytes = 10}).status, 413);
  EXPECT_EQ(request(chunks("6\r\nabcdef\r\n5\r\nabcde\r\n"), {.body_bytes = 10}).status, 413);
  EXPECT_EQ(request(chunks("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n"), {.body_bytes = 10}).parsed,
            Parsed::kDone);
  const ParserLimits limits{.head_bytes = 100};
  EXPECT_EQ(request(chunks("0\r\nA: " + std::string(200, 'a')), limits).status, 431);
  EXPECT_EQ(request(chunks("1;" + std::string(200, 'a')), limits).status, 431);
  EXPECT_EQ(request(chunks("0\r\nA: " + std::string(200, 'a') + "\r\n\r\n"), limits).status, 431);
}

TEST(Parser, Hop_fields_of_trailers_are_dropped) {
  EXPECT_EQ(request(chunks("0\r\nHost: y\r\nA: b\r\n\r\n")).trailers, "A=b;");
}

TEST(Parser, An_answer_may_end_with_the_connection) {
  AnswerParser parser;
  parser.reset({});
  std::size_t consumed = 0;
  std::string body;
  std::string_view bytes = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest";
  ASSERT_EQ(parser.parse_head(bytes, consumed), Parsed::kDone);
  bytes.remove_prefix(consumed);
  EXPECT_EQ(parser.parse_body(bytes, consumed, body), Parsed::kMore);
  EXPECT_EQ(body, "rest");
  EXPECT_EQ(parser.end_of_input(), Parsed::kDone);
  EXPECT_FALSE(parser.keep_alive());
}

TEST(Parser, An_answer_cut_short_is_wrong) {
  AnswerParser parser;
  parser.reset({});
  std::size_t consumed = 0;
  std::string body;
  std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nrest";
  ASSERT_EQ(parser.parse_head(bytes, consumed), Parsed::kDone);
  bytes.remove_prefix(consumed);
  parser.parse_body(bytes, consumed, body);
  EXPECT_EQ(parser.end_of_input(), Parsed::kWrong);
}

TEST(Parser, Answers_without_body_end_after_their_head) {
  EXPECT_EQ(feed<false>({"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\nHTTP"}).left, 4u);
  EXPECT_EQ(feed<false>({"HTTP/1.1 204 No Content\r\n\r\n"}).parsed, Parsed::kDone);
}

}  // namespace
}  // namespace pileus::net
