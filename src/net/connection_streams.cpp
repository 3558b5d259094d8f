#include "net/connection_streams.h"

#include <charconv>

#include "base/text.h"

namespace pileus::net {

namespace {
constexpr std::size_t kMostReserved = 16ull
                                      << 20;  // before the bytes of an announced body are here

std::unexpected<Error> too_large(std::size_t limit) {
  return fail(std::string(errc::kLimit), str("the body is larger than ", limit, " bytes"), 413);
}
}  // namespace

Task<Result<std::string>> ServerBody::read_some() {
  std::string out;
  auto more = co_await read_into(out);
  if (!more) co_return fail(std::move(more).error());
  co_return out;
}

Task<Result<std::string>> ServerBody::read_all(std::size_t limit_bytes) {
  const std::uint64_t announced = content_length().value_or(0);
  if (announced > limit_bytes) co_return too_large(limit_bytes);
  std::string out;
  out.reserve(std::min<std::size_t>(announced, kMostReserved));
  for (;;) {
    auto more = co_await read_into(out);
    if (!more) co_return fail(std::move(more).error());
    if (out.size() > limit_bytes) co_return too_large(limit_bytes);
    if (!*more) co_return out;
  }
}

Task<Result<bool>> ServerBody::read_into(std::string& out) {
  if (c_.parser_.body_done()) co_return false;
  if (c_.parser_.expect_continue() && !c_.continued_ && c_.wire_->buffered().empty()) {
    c_.wire_->send("HTTP/1.1 100 Continue\r\n\r\n");
    c_.continued_ = true;
  }
  const std::size_t before = out.size();
  for (;;) {
    std::size_t consumed = 0;
    const Parsed parsed = c_.parser_.parse_body(c_.wire_->buffered(), consumed, out);
    c_.wire_->consume(consumed);
    if (parsed == Parsed::kWrong) co_return broken(c_.parser_.status(), c_.parser_.why());
    if (out.size() > before) co_return true;
    if (parsed == Parsed::kDone) co_return false;
    const auto event = co_await c_.wire_->more(c_.limits_.body_stall_timeout);
    c_.watch();
    switch (event) {
      case Wire::Event::kReady:
        break;
      case Wire::Event::kStopped:
        co_return fail(cancelled_error());
      case Wire::Event::kTimeout:
        co_return broken(408, "the body stopped arriving");
      case Wire::Event::kClosed:
        co_return broken(400, "the client went away within the body");
    }
  }
}

std::unexpected<Error> ServerBody::broken(int status, const std::string& why) {
  c_.body_failure_ = status;
  const auto code = status == 413 ? errc::kLimit : status == 408 ? errc::kDeadline : errc::kInvalid;
  return fail(std::string(code), why, status);
}

Task<Result<Unit>> StreamWriter::write(std::string bytes) {
  if (bytes.empty()) co_return Unit{};
  if (framing_ == Framing::kLength && bytes.size() > left_)
    co_return fail(std::string(errc::kInvalid), "the body is longer than its Content-Length", 500);
  left_ -= std::min<std::uint64_t>(bytes.size(), left_);
  if (framing_ == Framing::kChunked) {
    char size[16];
    const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
    c_.head_.append(size, end).append("\r\n");
  }
  c_.wire_->send(c_.head_, bytes, framing_ == Framing::kChunked ? "\r\n" : "");
  c_.head_.clear();
  switch (co_await c_.wire_->sent(kUnsentInFlight, c_.limits_.body_stall_timeout)) {
    case Wire::Event::kReady:
      co_return Unit{};
    case Wire::Event::kStopped:
      co_return fail(cancelled_error());
    case Wire::Event::kTimeout:
      c_.wire_->close();
      co_return fail(std::string(errc::kDeadline), "the client stopped reading", 504);
    case Wire::Event::kClosed:
      break;
  }
  co_return fail(std::string(errc::kIo), "the client went away", 503);
}

void StreamWriter::add_trailer(std::string name, std::string value) {
  if (valid_field(name, value)) trailers_.add(std::move(name), std::move(value));
}

void StreamWriter::finish() {
  if (framing_ == Framing::kChunked) {
    c_.head_.append("0\r\n");
    for (const auto& [name, value] : trailers_)
      c_.head_.append(name).append(": ").append(value).append("\r\n");
    c_.head_.append("\r\n");
  }
  c_.wire_->send(c_.head_);
  c_.head_.clear();
}

Task<Result<std::string>> UpgradedStream::read_some() {
  for (;;) {
    const std::string_view held = c_.wire_->buffered();
    if (!held.empty()) {
      std::string out(held);
      c_.wire_->consume(held.size());
      co_return out;
    }
    switch (co_await c_.wire_->more(Wire::kForever)) {
      case Wire::Event::kReady:
        break;
      case Wire::Event::kStopped:
        co_return fail(cancelled_error());
      default:
        if (c_.wire_->buffered().empty()) co_return std::string();
    }
  }
}

Task<Result<Unit>> UpgradedStream::write(std::string bytes) {
  c_.wire_->send(bytes);
  const auto event = co_await c_.wire_->sent(kUnsentInFlight, c_.limits_.body_stall_timeout);
  if (event == Wire::Event::kReady) co_return Unit{};
  if (event == Wire::Event::kStopped) co_return fail(cancelled_error());
  co_return fail(std::string(errc::kIo), "the peer went away or stopped reading", 503);
}

}  // namespace pileus::net
