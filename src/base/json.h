// Json: Boost.JSON's value, with parsing that is bounded and errors that are values.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pileus {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

inline constexpr std::size_t kJsonMaxDepth = 100;

// Parses exactly one JSON text (UTF-8, RFC 8259, no trailing bytes). errc::kInvalid says where.
Result<Json> parse_json(std::string_view text, std::size_t max_depth = kJsonMaxDepth);
// Compact JSON; whole doubles as 5.0 → "5.0", never "5E0".
std::string to_text(const Json& value);
// Indented by two spaces, for people.
std::string to_pretty_text(const Json& value);
void append_json_string(std::string& out, std::string_view text);  // quoted and escaped
void append_json_number(std::string& out, double value);           // shortest that reads back equal

// Member look-ups that answer nullptr where there is none of that kind.
const Json* find(const Json& object, std::string_view key);
std::string_view find_string(const Json& object, std::string_view key,
                             std::string_view fallback = {});
std::int64_t find_int(const Json& object, std::string_view key, std::int64_t fallback = 0);

}  // namespace pileus
