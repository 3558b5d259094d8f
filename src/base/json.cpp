#include "base/json.h"

#include <boost/json/parse_options.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>
#include <cmath>

namespace pileus {

Result<Json> parse_json(std::string_view text, std::size_t max_depth) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::stream_parser parser({}, options);
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(text, ec);
  if (!ec && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    return fail(std::string(errc::kInvalid),
                "unexpected text after the JSON value at byte " + std::to_string(used));
  if (!ec) parser.finish(ec);
  if (ec)
    return fail(std::string(errc::kInvalid), ec.message() + " near byte " + std::to_string(used));
  return parser.release();
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[(c >> 4) & 0xf];
          out += kHex[c & 0xf];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

namespace {
void write(std::string& out, const Json& value, int indent, int depth) {
  const auto line = [&](int level) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent * level), ' ');
  };
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case boost::json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case boost::json::kind::double_:
      append_json_number(out, value.get_double());
      break;
    case boost::json::kind::string:
      append_json_string(out, value.get_string());
      break;
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : value.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        line(depth + 1);
        write(out, item, indent, depth + 1);
      }
      if (!first) line(depth);
      out += ']';
      break;
    }
    case boost::json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.get_object()) {
        if (!std::exchange(first, false)) out += ',';
        line(depth + 1);
        append_json_string(out, key);
        out += indent ? ": " : ":";
        write(out, item, indent, depth + 1);
      }
      if (!first) line(depth);
      out += '}';
      break;
    }
  }
}
}  // namespace

std::string to_text(const Json& value) {
  std::string out;
  write(out, value, 0, 0);
  return out;
}
std::string to_pretty_text(const Json& value) {
  std::string out;
  write(out, value, 2, 0);
  return out;
}

const Json* find(const Json& object, std::string_view key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}
std::string_view find_string(const Json& object, std::string_view key, std::string_view fallback) {
  const Json* member = find(object, key);
  return member && member->is_string() ? std::string_view(member->get_string()) : fallback;
}
std::int64_t find_int(const Json& object, std::string_view key, std::int64_t fallback) {
  const Json* member = find(object, key);
  if (!member) return fallback;
  if (member->is_int64()) return member->get_int64();
  if (member->is_double()) return static_cast<std::int64_t>(member->get_double());
  return fallback;
}

}  // namespace pileus
