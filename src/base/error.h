// Error and Result: what a caller can cause is a value, never an exception.
// An Error carries AWS's error code, a message that names the thing and the remedy, and the extra
// members of the modelled error shape. Its HTTP status comes from the service model at the Door;
// `status` is what is used when the model has no such shape. One pointer wide.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pileus {

class Error {
 public:
  struct Body {
    std::string code;     // AWS's code, e.g. "ResourceNotFoundException"
    std::string message;  // for people
    int status = 400;     // HTTP status where the model names none
    std::vector<std::pair<std::string, std::string>> members;  // further members of the error shape
  };

  Error(std::string code, std::string message, int status = 400)
      : body_(std::make_unique<Body>(Body{std::move(code), std::move(message), status, {}})) {}
  Error(const Error& other) : body_(std::make_unique<Body>(*other.body_)) {}
  Error& operator=(const Error& other) {
    if (this != &other) body_ = std::make_unique<Body>(*other.body_);
    return *this;
  }
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;

  const std::string& code() const { return body_->code; }
  const std::string& message() const { return body_->message; }
  int status() const { return body_->status; }
  const std::vector<std::pair<std::string, std::string>>& members() const { return body_->members; }

  // Adds a modelled member, e.g. with("Reason",
  // "ReservedFunctionConcurrentInvocationLimitExceeded").
  Error with(std::string name, std::string value) && {
    body_->members.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
  bool is(std::string_view code) const { return body_->code == code; }

 private:
  std::unique_ptr<Body> body_;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }
inline std::unexpected<Error> fail(std::string code, std::string message, int status = 400) {
  return std::unexpected<Error>(Error(std::move(code), std::move(message), status));
}

// Codes of Pileus' own lower floors (never shown to a client as they are; the Door maps them to a
// service's internal error unless a room has translated them).
namespace errc {
inline constexpr std::string_view kCancelled = "Cancelled";  // the task was stopped
inline constexpr std::string_view kDeadline = "DeadlineExceeded";
inline constexpr std::string_view kConflict = "Conflict";  // a store condition did not hold
inline constexpr std::string_view kNotFound = "NotFound";
inline constexpr std::string_view kIo = "IoError";          // the machine refused
inline constexpr std::string_view kLimit = "BoundReached";  // a named bound; no AWS code says it so
inline constexpr std::string_view kInvalid = "Invalid";     // malformed input
}  // namespace errc

#define PILEUS_CONCAT_(a, b) a##b
#define PILEUS_CONCAT(a, b) PILEUS_CONCAT_(a, b)

// TRY(expr): returns the error of a Result from the enclosing function. CO_TRY: from a coroutine.
#define TRY(expr) \
  if (auto try_result = (expr); !try_result) return ::std::unexpected(std::move(try_result).error())
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_IMPL_(PILEUS_CONCAT(try_value_, __LINE__), decl, expr)
#define TRY_ASSIGN_IMPL_(tmp, decl, expr)                     \
  auto tmp = (expr);                                          \
  if (!tmp) return ::std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
#define CO_TRY(expr)                         \
  if (auto try_result = (expr); !try_result) \
  co_return ::std::unexpected(std::move(try_result).error())
#define CO_TRY_ASSIGN(decl, expr) \
  CO_TRY_ASSIGN_IMPL_(PILEUS_CONCAT(try_value_, __LINE__), decl, expr)
#define CO_TRY_ASSIGN_IMPL_(tmp, decl, expr)                     \
  auto tmp = (expr);                                             \
  if (!tmp) co_return ::std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)

}  // namespace pileus
