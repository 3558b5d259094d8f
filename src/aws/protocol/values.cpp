#include "aws/protocol/values.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace pileus::aws::protocol {

void report_missing(const Reading& reading, const Shape& shape, const Seen& seen,
                    const Path& path) {
  if (!reading.missing) return;
  for (const auto& member : shape.members)
    if (member.required && !seen.has(shape, member))
      reading.missing->push_back(path.member(member.name).text());
}

Result<Unit> check_union(const Reading& reading, const Shape& shape, int set, int unknown) {
  if (!shape.is_union || reading.client || (set == 1 && unknown == 0)) return Unit{};
  return malformed(str("Union ", shape.name, " must have exactly one of its members set"));
}

namespace {
template <class Floating>
void append_floating(std::string& out, Floating value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

constexpr double kFirstSecond = -62135596800.0;  // 0001-01-01
constexpr double kLastSecond = 253402300799.999999;

}  // namespace

void append_float(std::string& out, float value) { append_floating(out, value); }
void append_double(std::string& out, double value) { append_floating(out, value); }

void append_epoch(std::string& out, Time time) {
  const auto millis = to_millis(time);
  auto seconds = millis / 1000, rest = millis % 1000;
  if (rest != 0 && millis < 0) {  // -1.5 s is written so, not as -2 s and 500 ms
    out += '-';
    seconds = -seconds;
    rest = -rest;
  }
  out += std::to_string(seconds);
  if (rest == 0) return;
  char digits[5] = {'.', static_cast<char>('0' + rest / 100),
                    static_cast<char>('0' + rest / 10 % 10), static_cast<char>('0' + rest % 10), 0};
  std::size_t length = 4;
  while (digits[length - 1] == '0') --length;
  out.append(digits, length);
}

std::optional<Time> time_from_seconds(double seconds) {
  if (!(seconds >= kFirstSecond && seconds <= kLastSecond)) return std::nullopt;
  return Time(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

std::optional<double> number_from_text(std::string_view text) {
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || ((digits[0] < '0' || digits[0] > '9') && digits[0] != '.'))
    return std::nullopt;
  return parse_double(text);
}

std::optional<Time> time_from_text(TimestampFormat format, std::string_view text, bool lenient) {
  if (format == TimestampFormat::kEpochSeconds || lenient)
    if (const auto seconds = number_from_text(text)) return time_from_seconds(*seconds);
  std::optional<Time> time;
  if (format == TimestampFormat::kIso8601 || lenient) time = parse_iso8601(text);
  if (!time && (format == TimestampFormat::kHttpDate || lenient)) time = parse_http_date(text);
  return time;
}

std::string time_to_text(TimestampFormat format, Time time) {
  const Time millis = from_millis(to_millis(time));
  if (format == TimestampFormat::kHttpDate) return http_date(millis);
  if (format == TimestampFormat::kIso8601) return iso8601(millis);
  std::string out;
  append_epoch(out, time);
  return out;
}

void append_scalar(std::string& out, const Shape& shape, TimestampFormat format,
                   const void* value) {
  switch (shape.kind) {
    case Kind::kBoolean:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      break;
    case Kind::kInteger:
      out += std::to_string(*static_cast<const std::int32_t*>(value));
      break;
    case Kind::kLong:
      out += std::to_string(*static_cast<const std::int64_t*>(value));
      break;
    case Kind::kFloat:
      append_float(out, *static_cast<const float*>(value));
      break;
    case Kind::kDouble:
      append_double(out, *static_cast<const double*>(value));
      break;
    case Kind::kTimestamp:
      out += time_to_text(format, *static_cast<const Time*>(value));
      break;
    case Kind::kBlob:
      out += to_base64(*static_cast<const std::string*>(value));
      break;
    default:
      out += *static_cast<const std::string*>(value);
  }
}

Result<Unit> read_scalar(const Reading& reading, const Shape& shape, TimestampFormat format,
                         std::string_view text, void* out) {
  const auto refuse = [&](const char* type) {
    return malformed(str("'", text.substr(0, 100), "' can not be converted to ", type));
  };
  switch (shape.kind) {
    case Kind::kBoolean:
      if (text != "true" && text != "false") return refuse("a Boolean");
      *static_cast<bool*>(out) = text == "true";
      return Unit{};
    case Kind::kInteger: {
      const auto number = parse_int(text);
      if (!number || !fits(shape, *number)) return refuse("an Integer");
      *static_cast<std::int32_t*>(out) = static_cast<std::int32_t>(*number);
      return Unit{};
    }
    case Kind::kLong: {
      const auto number = parse_int(text);
      if (!number) return refuse("a Long");
      *static_cast<std::int64_t*>(out) = *number;
      return Unit{};
    }
    case Kind::kFloat:
    case Kind::kDouble: {
      const auto number = number_from_text(text);
      if (!number) return refuse("a number");
      if (shape.kind == Kind::kFloat)
        *static_cast<float*>(out) = static_cast<float>(*number);
      else
        *static_cast<double*>(out) = *number;
      return Unit{};
    }
    case Kind::kTimestamp: {
      const auto time = time_from_text(format, text, reading.client);
      if (!time) return refuse("a Timestamp");
      *static_cast<Time*>(out) = *time;
      return Unit{};
    }
    case Kind::kBlob: {
      auto bytes = from_base64(text);
      if (!bytes) return malformed("A blob is not valid base64");
      *static_cast<std::string*>(out) = std::move(*bytes);
      return Unit{};
    }
    default:
      *static_cast<std::string*>(out) = text;
      return Unit{};
  }
}

}  // namespace pileus::aws::protocol
