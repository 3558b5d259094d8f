#include "net/http_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/status.hpp>

#include "base/text.h"

namespace pileus::net {

namespace http = boost::beast::http;

namespace detail {

template <bool kRequest>
void BeastParser<kRequest>::refuse(int status, const char* why, Error& error) {
  wrong_status = status;
  wrong = why;
  error = http::error::bad_field;
}

// Beast joins folded lines in a buffer of its own, or skips to a second line: both show.
template <bool kRequest>
bool BeastParser<kRequest>::folded(View name, View value) const {
  const char* const end = input.data() + input.size();
  if (value.data() < input.data() || value.data() > end) return true;
  const char* const gap = name.data() + name.size();
  return std::find(gap, value.data(), '\r') != value.data();
}

template <bool kRequest>
void BeastParser<kRequest>::on_request_impl(http::verb, View method, View target, int v,
                                            Error& error) {
  error = {};
  version = v;
  head.method.assign(method.data(), method.size());
  head.target.assign(target.data(), target.size());
}

template <bool kRequest>
void BeastParser<kRequest>::on_response_impl(int status, View, int v, Error& error) {
  error = {};
  version = v;
  head.status = status;
}

template <bool kRequest>
void BeastParser<kRequest>::field(http::field known, View name, View value, Error& error) {
  const std::string_view text(value.data(), value.size());
  switch (known) {
    case http::field::content_length:
      if (has_length) return refuse(400, "more than one Content-Length", error);
      has_length = true;
      if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return refuse(400, "Content-Length is not a number", error);
      break;
    case http::field::transfer_encoding:
      if (has_coding) return refuse(400, "more than one Transfer-Encoding", error);
      has_coding = true;
      if (version < 11) return refuse(400, "Transfer-Encoding needs HTTP/1.1", error);
      if (!iequals(text, "chunked"))
        return refuse(501, "the only transfer coding spoken here is chunked", error);
      break;
    case http::field::host:
      ++hosts;
      break;
    case http::field::expect:
      if (version < 11) break;
      (iequals(text, "100-continue") ? expect_continue : expect_other) = true;
      break;
    default:
      break;
  }
  head.headers.add(std::string(name.data(), name.size()), std::string(text));
}

template <bool kRequest>
void BeastParser<kRequest>::on_field_impl(http::field known, View name, View value, Error& error) {
  error = {};
  if (folded(name, value)) return refuse(400, "folded header fields are not accepted", error);
  if (!in_trailers) return field(known, name, value, error);
  const std::size_t size = name.size() + value.size() + 4;
  if (size > trailer_bytes_left) return refuse(431, "the trailers are too large", error);
  trailer_bytes_left -= size;
  // Framing and routing fields in trailers mean nothing: they are dropped.
  if (known == http::field::host || known == http::field::trailer) return;
  trailers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
}

// origin-form and "*" stay; of absolute-form the authority replaces Host (RFC 9112, 3.2.2).
template <bool kRequest>
void BeastParser<kRequest>::request_target(Error& error) {
  std::string& target = head.target;
  if (target.front() == '/' || (target == "*" && head.method == "OPTIONS") ||
      head.method == "CONNECT")
    return;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!iequals(std::string_view(target).substr(0, scheme.size()), scheme)) continue;
    const std::size_t start = scheme.size();
    std::size_t end = target.find_first_of("/?", start);
    if (end == std::string::npos) end = target.size();
    if (end == start) break;
    head.headers.set("Host", target.substr(start, end - start));
    target.erase(0, end);
    if (target.empty() || target.front() != '/') target.insert(0, "/");
    return;
  }
  refuse(400, "the request target is neither a path nor a URL", error);
}

template <bool kRequest>
void BeastParser<kRequest>::on_header_impl(Error& error) {
  error = {};
  if constexpr (kRequest) {
    if (hosts > 1) return refuse(400, "more than one Host", error);
    if (hosts == 0 && version >= 11) return refuse(400, "Host is missing", error);
    request_target(error);
  }
}

template <bool kRequest>
std::size_t BeastParser<kRequest>::on_body_impl(View body, Error& error) {
  error = {};
  body_out->append(body.data(), body.size());
  return body.size();
}

template <bool kRequest>
void BeastParser<kRequest>::on_chunk_header_impl(std::uint64_t size, View, Error& error) {
  error = {};
  if (size == 0) in_trailers = true;
}

template <bool kRequest>
std::size_t BeastParser<kRequest>::on_chunk_body_impl(std::uint64_t, View body, Error& error) {
  return on_body_impl(body, error);
}

template class BeastParser<true>;
template class BeastParser<false>;

}  // namespace detail

template <bool kRequest>
void MessageParser<kRequest>::reset(ParserLimits limits) {
  limits_ = limits;
  head.clear();
  trailers.clear();
  beast_.emplace(head, trailers, limits.head_bytes);
  head_bytes_ = 0;
  body_bytes_ = length_ = 0;
}

template <bool kRequest>
Parsed MessageParser<kRequest>::wrong(int status, std::string why) {
  status_ = status;
  why_ = std::move(why);
  return Parsed::kWrong;
}

template <bool kRequest>
int MessageParser<kRequest>::status_of(boost::beast::error_code error, std::string_view in) const {
  if (beast_->wrong_status != 0) return beast_->wrong_status;
  // A well-formed request line with a version that is not spoken here is another thing than
  // nonsense.
  if (error == http::error::bad_version) {
    const std::string_view line = in.substr(0, in.find('\r'));
    const auto at = line.rfind(" HTTP/");
    const bool one_of_ours = line.ends_with("1.0") || line.ends_with("1.1");
    if (at != std::string_view::npos && line.size() == at + 9 && line[at + 7] == '.' &&
        !one_of_ours)
      return 505;
  }
  return 400;
}

template <bool kRequest>
Parsed MessageParser<kRequest>::put(std::string_view in, std::size_t& consumed) {
  boost::beast::error_code error;
  beast_->input = in;
  consumed += beast_->put(boost::asio::const_buffer(in.data(), in.size()), error);
  if (error == http::error::need_more) return Parsed::kMore;
  if (error) return wrong(status_of(error, in), beast_->wrong ? beast_->wrong : error.message());
  return Parsed::kDone;
}

template <bool kRequest>
Parsed MessageParser<kRequest>::parse_head(std::string_view in, std::size_t& consumed) {
  consumed = 0;
  if (kRequest && !beast_->got_some()) {
    // Empty lines before a request are left over from old clients (RFC 9112, 2.2).
    while (in.starts_with("\r\n")) {
      in.remove_prefix(2);
      consumed += 2;
    }
    if (in == "\r") return Parsed::kMore;
  }
  if (in.empty()) return Parsed::kMore;
  std::size_t taken = 0;
  const Parsed parsed = put(in, taken);
  consumed += taken;
  head_bytes_ += taken;
  if (parsed == Parsed::kWrong) return parsed;
  const bool done = parsed == Parsed::kDone && beast_->is_header_done();
  if (head_bytes_ + (done ? 0 : in.size() - taken) > limits_.head_bytes) {
    const bool first_line =
        kRequest && (head.method.empty() || head.target.size() > limits_.head_bytes / 2);
    return wrong(first_line ? 414 : 431, "the request head is too large");
  }
  if (!done) return Parsed::kMore;
  beast_->eager(true);
  if (const auto length = beast_->content_length()) {
    length_ = *length;
    if (length_ > limits_.body_bytes) return wrong(413, "the body is too large");
  }
  return Parsed::kDone;
}

template <bool kRequest>
Parsed MessageParser<kRequest>::parse_body(std::string_view in, std::size_t& consumed,
                                           std::string& out) {
  consumed = 0;
  if (beast_->is_done()) return Parsed::kDone;
  if (in.empty()) return Parsed::kMore;
  const std::size_t before = out.size();
  beast_->body_out = &out;
  const Parsed parsed = put(in, consumed);
  if (parsed == Parsed::kWrong) return parsed;
  body_bytes_ += out.size() - before;
  if (body_bytes_ > limits_.body_bytes) return wrong(413, "the body is too large");
  if (beast_->is_done()) return Parsed::kDone;
  // What is left is an unfinished chunk line or the trailers: bounded like a head.
  if (in.size() - consumed > limits_.head_bytes)
    return wrong(431, "a chunk line or the trailers are too large");
  return Parsed::kMore;
}

template <bool kRequest>
Parsed MessageParser<kRequest>::end_of_input() {
  boost::beast::error_code error;
  if (beast_->is_done()) return Parsed::kDone;
  if (!beast_->is_header_done()) return wrong(400, "the message ends within its head");
  beast_->put_eof(error);
  if (error) return wrong(400, "the message ends within its body");
  return Parsed::kDone;
}

template class MessageParser<true>;
template class MessageParser<false>;

std::string_view reason_phrase(int status) {
  const auto phrase = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {phrase.data(), phrase.size()};
}

}  // namespace pileus::net
