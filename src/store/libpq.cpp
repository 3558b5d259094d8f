#include "store/libpq.h"

#include <dlfcn.h>

#include <bit>

#include "base/text.h"

namespace pileus::store {
namespace {

// From libpq-fe.h, whose values are part of its ABI.
enum { kConnectionOk = 0 };
enum { kCommandOk = 1, kTuplesOk = 2, kPipelineSync = 10, kPipelineAborted = 11 };
constexpr int kSqlState = 'C';
struct PgNotify {
  char* channel;
  int process;
  char* payload;
  PgNotify* next;
};

struct Libpq {
  pg_conn* (*connectdb_params)(const char* const*, const char* const*, int);
  int (*status)(const pg_conn*);
  char* (*error_message)(const pg_conn*);
  void (*finish)(pg_conn*);
  pg_result* (*exec)(pg_conn*, const char*);
  pg_result* (*prepare)(pg_conn*, const char*, const char*, int, const unsigned*);
  int (*send_query_prepared)(pg_conn*, const char*, int, const char* const*, const int*, const int*,
                             int);
  pg_result* (*get_result)(pg_conn*);
  int (*result_status)(const pg_result*);
  char* (*result_error_message)(const pg_result*);
  char* (*result_error_field)(const pg_result*, int);
  int (*ntuples)(const pg_result*);
  char* (*getvalue)(const pg_result*, int, int);
  int (*getlength)(const pg_result*, int, int);
  int (*getisnull)(const pg_result*, int, int);
  void (*clear)(pg_result*);
  int (*socket)(const pg_conn*);
  int (*consume_input)(pg_conn*);
  PgNotify* (*notifies)(pg_conn*);
  void (*freemem)(void*);
  int (*enter_pipeline_mode)(pg_conn*);
  int (*pipeline_sync)(pg_conn*);
  std::string missing;  // why it cannot be used
};

template <class Function>
void look_up(void* library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (!function) missing = str("libpq.so.5 has no ", name, "; version 14 or later is needed");
}

Libpq load() {
  Libpq pq{};
  void* library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    pq.missing = "PostgreSQL's client library is not installed (Debian: apt install libpq5)";
    return pq;
  }
  const auto get = [&](const char* name, auto& function) {
    look_up(library, name, function, pq.missing);
  };
  get("PQconnectdbParams", pq.connectdb_params);
  get("PQstatus", pq.status);
  get("PQerrorMessage", pq.error_message);
  get("PQfinish", pq.finish);
  get("PQexec", pq.exec);
  get("PQprepare", pq.prepare);
  get("PQsendQueryPrepared", pq.send_query_prepared);
  get("PQgetResult", pq.get_result);
  get("PQresultStatus", pq.result_status);
  get("PQresultErrorMessage", pq.result_error_message);
  get("PQresultErrorField", pq.result_error_field);
  get("PQntuples", pq.ntuples);
  get("PQgetvalue", pq.getvalue);
  get("PQgetlength", pq.getlength);
  get("PQgetisnull", pq.getisnull);
  get("PQclear", pq.clear);
  get("PQsocket", pq.socket);
  get("PQconsumeInput", pq.consume_input);
  get("PQnotifies", pq.notifies);
  get("PQfreemem", pq.freemem);
  get("PQenterPipelineMode", pq.enter_pipeline_mode);
  get("PQpipelineSync", pq.pipeline_sync);
  return pq;
}
const Libpq& libpq() {
  static const Libpq pq = load();
  return pq;
}

template <class Integer>
void put_big(std::string& out, Integer value) {
  value = std::endian::native == std::endian::little ? [](Integer v) {
    if constexpr (sizeof v == 4)
      return static_cast<Integer>(__builtin_bswap32(std::uint32_t(v)));
    else
      return static_cast<Integer>(__builtin_bswap64(std::uint64_t(v)));
  }(value)
                                                     : value;
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
std::string array_head(std::size_t size, std::int32_t element_type, bool nulls) {
  std::string out;
  put_big(out, std::int32_t{size == 0 ? 0 : 1});  // dimensions
  put_big(out, std::int32_t{nulls});
  put_big(out, element_type);
  if (size == 0) return out;
  put_big(out, static_cast<std::int32_t>(size));
  put_big(out, std::int32_t{1});  // the first index
  return out;
}
constexpr std::int32_t kBytea = 17;
constexpr std::int32_t kInt8 = 20;

}  // namespace

PgParams& PgParams::bytes(std::string_view value) {
  values_.emplace_back(value);
  return *this;
}
PgParams& PgParams::integer(std::int64_t value) {
  put_big(values_.emplace_back(), value);
  return *this;
}
PgParams& PgParams::bytes_array(const std::vector<std::optional<std::string_view>>& values) {
  auto& out = values_.emplace_back(array_head(values.size(), kBytea, true));
  for (const auto& value : values) {
    put_big(out, value ? static_cast<std::int32_t>(value->size()) : std::int32_t{-1});
    if (value) out += *value;
  }
  return *this;
}
PgParams& PgParams::integer_array(const std::vector<std::int64_t>& values) {
  auto& out = values_.emplace_back(array_head(values.size(), kInt8, false));
  for (const auto value : values) {
    put_big(out, std::int32_t{8});
    put_big(out, value);
  }
  return *this;
}

PgResult::~PgResult() {
  if (result_) libpq().clear(result_);
}
int PgResult::rows() const { return libpq().ntuples(result_); }
std::string_view PgResult::bytes(int row, int column) const {
  return {libpq().getvalue(result_, row, column),
          static_cast<std::size_t>(libpq().getlength(result_, row, column))};
}
std::optional<std::string_view> PgResult::maybe_bytes(int row, int column) const {
  if (libpq().getisnull(result_, row, column)) return std::nullopt;
  return bytes(row, column);
}
std::int64_t PgResult::integer(int row, int column) const {
  std::uint64_t value = 0;
  for (const char byte : bytes(row, column)) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

Result<std::unique_ptr<PgConnection>> PgConnection::connect(const std::string& url,
                                                            const std::vector<std::string>& setup,
                                                            std::span<const Prepared> statements) {
  const auto& pq = libpq();
  if (!pq.missing.empty()) return fail(std::string(errc::kIo), pq.missing, 500);
  // What the URL says about these counts for more: it comes last.
  const char* const keywords[] = {"connect_timeout", "tcp_user_timeout",
                                  "fallback_application_name", "dbname", nullptr};
  const char* const values[] = {"5", "10000", "pileus", url.c_str(), nullptr};
  std::unique_ptr<PgConnection> made(new PgConnection(pq.connectdb_params(keywords, values, 1)));
  if (pq.status(made->connection_) != kConnectionOk) return made->failed("connect to PostgreSQL");
  for (const auto& sql : setup) TRY(made->exec(sql));
  for (const auto& statement : statements) {
    pg_result* result = pq.prepare(made->connection_, statement.name, statement.sql, 0, nullptr);
    const bool fine = pq.result_status(result) == kCommandOk;
    pq.clear(result);
    if (!fine) return made->failed(str("prepare ", statement.name));
  }
  if (pq.enter_pipeline_mode(made->connection_) != 1) return made->failed("enter pipeline mode");
  return made;
}

PgConnection::~PgConnection() { libpq().finish(connection_); }

std::unexpected<Error> PgConnection::failed(std::string_view doing) {
  return fail(std::string(errc::kIo),
              str("cannot ", doing, ": ", trim(libpq().error_message(connection_))), 500);
}

Result<Unit> PgConnection::exec(const std::string& sql) {
  pg_result* result = libpq().exec(connection_, sql.c_str());
  const int status = libpq().result_status(result);
  libpq().clear(result);
  if (status != kCommandOk && status != kTuplesOk) return failed(sql.substr(0, 40));
  return Unit{};
}

void PgConnection::send(const char* name, const PgParams& params) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& value : params.values()) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(values.size(), 1);
  if (libpq().send_query_prepared(connection_, name, static_cast<int>(values.size()), values.data(),
                                  lengths.data(), formats.data(), 1) != 1)
    send_failed_ = true;
  else
    ++sent_;
}

Result<std::vector<PgResult>> PgConnection::finish() {
  const auto& pq = libpq();
  std::vector<PgResult> results;
  std::optional<Error> error;
  if (pq.pipeline_sync(connection_) != 1) return failed("send to PostgreSQL");
  const std::size_t wanted = std::exchange(sent_, 0);
  for (std::size_t n = 0; n < wanted;) {
    pg_result* result = pq.get_result(connection_);
    if (!result) {  // the end of one statement's results, or the connection is gone
      if (lost()) return failed("read from PostgreSQL");
      continue;
    }
    ++n;
    const int status = pq.result_status(result);
    if (status == kCommandOk || status == kTuplesOk) {
      results.emplace_back(result);
      continue;
    }
    if (!error && status != kPipelineAborted) {
      const char* state = pq.result_error_field(result, kSqlState);
      const std::string_view code = state ? state : "";
      const bool yielded = code == "40001" || code == "40P01";  // serialization, deadlock
      error = Error(std::string(yielded ? errc::kConflict : errc::kIo),
                    str("PostgreSQL: ", trim(pq.result_error_message(result))), 500);
    }
    pq.clear(result);
  }
  for (;;) {  // up to the synchronization point
    pg_result* result = pq.get_result(connection_);
    if (!result && lost()) return failed("read from PostgreSQL");
    if (!result) continue;
    const bool end = pq.result_status(result) == kPipelineSync;
    pq.clear(result);
    if (end) break;
  }
  if (std::exchange(send_failed_, false)) return failed("send a statement to PostgreSQL");
  if (error) return fail(std::move(*error));
  return results;
}

bool PgConnection::lost() const { return libpq().status(connection_) != kConnectionOk; }
int PgConnection::socket() const { return libpq().socket(connection_); }

std::vector<std::string> PgConnection::notifications() {
  std::vector<std::string> payloads;
  libpq().consume_input(connection_);
  while (PgNotify* notify = libpq().notifies(connection_)) {
    payloads.emplace_back(notify->payload);
    libpq().freemem(notify);
  }
  return payloads;
}

}  // namespace pileus::store
