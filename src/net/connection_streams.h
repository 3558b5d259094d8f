// What handlers see of a connection: the body that comes in, the body that goes out, and the bare
// bytes after a protocol switch. All live within the connection's coroutine. Only net/ includes
// this.
#pragma once

#include "net/connection.h"

namespace pileus::net {

inline constexpr std::size_t kUnsentInFlight = 64 * 1024;  // a producer waits above this

class ServerBody final : public BodyReader {
 public:
  explicit ServerBody(Connection& connection) : c_(connection) {}
  Task<Result<std::string>> read_some() override;
  Task<Result<std::string>> read_all(std::size_t limit_bytes) override;
  const Headers& trailers() const override { return c_.parser_.trailers; }
  std::optional<std::uint64_t> content_length() const override {
    return c_.parser_.content_length();
  }

 private:
  // Appends at least one byte, or gives false at the end.
  Task<Result<bool>> read_into(std::string& out);
  std::unexpected<Error> broken(int status, const std::string& why);
  Connection& c_;
};

class StreamWriter final : public BodyWriter {
 public:
  enum class Framing { kChunked, kLength, kToClose };
  StreamWriter(Connection& connection, Framing framing, std::uint64_t length)
      : c_(connection), framing_(framing), left_(length) {}
  Task<Result<Unit>> write(std::string bytes) override;
  void add_trailer(std::string name, std::string value) override;
  bool complete() const { return framing_ != Framing::kLength || left_ == 0; }
  void finish();  // the last chunk and the trailers

 private:
  Connection& c_;
  Framing framing_;
  std::uint64_t left_;  // of a known length
  Headers trailers_;
};

class UpgradedStream final : public ByteStream {
 public:
  explicit UpgradedStream(Connection& connection) : c_(connection) {}
  Task<Result<std::string>> read_some() override;
  Task<Result<Unit>> write(std::string bytes) override;

 private:
  Connection& c_;
};

}  // namespace pileus::net
