// HTTP/1.1 messages from bytes: Beast's basic_parser with what it leaves to its user: refusing
// folded fields, unknown transfer codings, repeated lengths and hosts, and bounds on the head, the
// body and its trailers. No sockets here (tests and the fuzzer feed it directly). Only net/
// includes this.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "net/http.h"

namespace pileus::net {

struct ParserLimits {
  std::size_t head_bytes = 64 * 1024;  // first line and fields; the trailers on their own, too
  std::uint64_t body_bytes = 256ull << 20;
};

// Of a request: what goes into Request. Of an answer: status and fields.
struct MessageHead {
  std::string method;
  std::string target;
  int status = 0;
  Headers headers;
  void clear() {
    method.clear();
    target.clear();
    headers.clear();
    status = 0;
  }
};

enum class Parsed {
  kMore,   // everything usable is consumed; give more bytes
  kDone,   // the head (of parse_head) or the body (of parse_body) is complete
  kWrong,  // see status() and why(); the connection is of no more use
};

namespace detail {
// What both directions share. `kRequest` as in Beast.
template <bool kRequest>
class BeastParser final : public boost::beast::http::basic_parser<kRequest> {
 public:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;

  BeastParser(MessageHead& out, Headers& trailer_fields, std::size_t most_trailer_bytes)
      : head(out), trailers(trailer_fields), trailer_bytes_left(most_trailer_bytes) {
    this->eager(false);
    this->header_limit((std::numeric_limits<std::uint32_t>::max)());
    this->body_limit(boost::none);
  }

  MessageHead& head;
  Headers& trailers;
  std::size_t trailer_bytes_left;
  std::string* body_out = nullptr;
  std::string_view input;  // what put() was given, to tell folded values
  int wrong_status = 0;    // set with an error of our own
  const char* wrong = nullptr;
  bool in_trailers = false;
  bool expect_continue = false;
  bool expect_other = false;
  bool has_length = false, has_coding = false;
  int hosts = 0;
  int version = 11;

 private:
  void refuse(int status, const char* why, Error& error);
  void field(boost::beast::http::field known, View name, View value, Error& error);
  bool folded(View name, View value) const;
  void request_target(Error& error);

  void on_request_impl(boost::beast::http::verb, View method, View target, int v,
                       Error& e) override;
  void on_response_impl(int status, View reason, int v, Error& error) override;
  void on_field_impl(boost::beast::http::field known, View name, View value, Error& e) override;
  void on_header_impl(Error& error) override;
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error& e) override { e = {}; }
  std::size_t on_body_impl(View body, Error& error) override;
  void on_chunk_header_impl(std::uint64_t size, View extension, Error& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, View body, Error& error) override;
  void on_finish_impl(Error& e) override { e = {}; }
};
}  // namespace detail

template <bool kRequest>
class MessageParser {
 public:
  MessageHead head;
  Headers trailers;

  // Ready for the next message.
  void reset(ParserLimits limits);
  // Answers to HEAD have no body whatever their fields say. After reset().
  void expect_no_body() { beast_->skip(true); }

  // Both take bytes from the front of `in`, and say how many in `consumed`.
  Parsed parse_head(std::string_view in, std::size_t& consumed);
  Parsed parse_body(std::string_view in, std::size_t& consumed, std::string& out);
  // The peer has ended: completes a body that ends with the connection.
  Parsed end_of_input();

  bool started() const { return head_bytes_ > 0; }
  bool body_done() const { return beast_->is_done(); }
  bool keep_alive() const { return beast_->keep_alive(); }
  bool chunked() const { return beast_->chunked(); }
  bool http10() const { return beast_->version < 11; }
  bool expect_continue() const { return beast_->expect_continue; }
  bool expect_other() const { return beast_->expect_other; }
  std::optional<std::uint64_t> content_length() const {
    if (!beast_->has_length) return std::nullopt;
    return length_;
  }
  int status() const { return status_; }  // of kWrong
  const std::string& why() const { return why_; }

 private:
  Parsed put(std::string_view in, std::size_t& consumed);
  Parsed wrong(int status, std::string why);
  int status_of(boost::beast::error_code error, std::string_view in) const;

  std::optional<detail::BeastParser<kRequest>> beast_;
  ParserLimits limits_;
  std::size_t head_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t length_ = 0;
  int status_ = 0;
  std::string why_;
};

extern template class MessageParser<true>;
extern template class MessageParser<false>;
using RequestParser = MessageParser<true>;
using AnswerParser = MessageParser<false>;

std::string_view reason_phrase(int status);

}  // namespace pileus::net
