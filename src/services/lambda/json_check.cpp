#include "services/lambda/json_check.h"

#include <boost/json/basic_parser_impl.hpp>

#include "base/json.h"
#include "base/text.h"

namespace pileus::services::lambda {
namespace {

namespace json = boost::json;

// Takes every event of the parser and keeps nothing.
struct Ignore {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using error_code = json::error_code;
  using string_view = json::string_view;
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(string_view, std::size_t, error_code&) { return true; }
  bool on_key(string_view, std::size_t, error_code&) { return true; }
  bool on_string_part(string_view, std::size_t, error_code&) { return true; }
  bool on_string(string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, string_view, error_code&) { return true; }
  bool on_double(double, string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

constexpr std::size_t kMaxDepth = 1000;  // as Jackson, which AWS uses

}  // namespace

std::optional<std::string> json_fault(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<Ignore> parser(options);
  json::error_code why;
  const auto read = parser.write_some(false, text.data(), text.size(), why);
  if (why) return str("byte ", read, ": ", why.message());
  const auto rest = text.substr(read).find_first_not_of(" \t\r\n");
  if (rest != std::string_view::npos) return str("byte ", read + rest, ": more than one value");
  return std::nullopt;
}

}  // namespace pileus::services::lambda
