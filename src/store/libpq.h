// PostgreSQL's client library, opened when a postgresql:// URL is given (linking it would bring
// Kerberos and LDAP into every process). A connection belongs to one thread; it stays in pipeline
// mode: send() queues prepared statements, finish() waits for all their results in one round trip.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/completion.h"

struct pg_conn;
struct pg_result;

namespace pileus::store {

// Parameters of a statement, in PostgreSQL's binary form.
class PgParams {
 public:
  PgParams& bytes(std::string_view value);
  PgParams& integer(std::int64_t value);
  PgParams& bytes_array(const std::vector<std::optional<std::string_view>>& values);
  PgParams& integer_array(const std::vector<std::int64_t>& values);
  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

class PgResult {
 public:
  explicit PgResult(pg_result* result) : result_(result) {}
  PgResult(PgResult&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
  PgResult& operator=(PgResult&&) = delete;
  ~PgResult();
  int rows() const;
  std::string_view bytes(int row, int column) const;
  std::optional<std::string_view> maybe_bytes(int row, int column) const;
  std::int64_t integer(int row, int column) const;

 private:
  pg_result* result_;
};

class PgConnection {
 public:
  struct Prepared {
    const char* name;
    const char* sql;
  };
  // Connects, runs `setup`, prepares the statements.
  static Result<std::unique_ptr<PgConnection>> connect(const std::string& url,
                                                       const std::vector<std::string>& setup,
                                                       std::span<const Prepared> statements);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // At most kPipelineBytes of parameters before finish(), unless the results are small.
  static constexpr std::size_t kPipelineBytes = 32 << 10;
  void send(const char* name, const PgParams& params = {});
  // The results of everything sent, in order. errc::kConflict where PostgreSQL aborted for the sake
  // of another transaction, else errc::kIo.
  Result<std::vector<PgResult>> finish();
  bool lost() const;
  int socket() const;
  // Payloads of notifications that have arrived.
  std::vector<std::string> notifications();

 private:
  explicit PgConnection(pg_conn* connection) : connection_(connection) {}
  Result<Unit> exec(const std::string& sql);
  std::unexpected<Error> failed(std::string_view doing);
  pg_conn* connection_;
  std::size_t sent_ = 0;
  bool send_failed_ = false;
};

}  // namespace pileus::store
