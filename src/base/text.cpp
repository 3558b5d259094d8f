#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace pileus {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    const auto at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  if (text.empty() || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char c : bytes) {
    out += kDigits[c >> 4];
    out += kDigits[c & 0xf];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

namespace {
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr auto kBase64Values = [] {
  std::array<signed char, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kBase64.size(); ++i)
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<signed char>(i);
  return values;
}();
}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  const auto at = [&](std::size_t k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k]));
  };
  for (; i + 2 < bytes.size(); i += 3) {
    const std::uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out += kBase64[v >> 18];
    out += kBase64[v >> 12 & 63];
    out += kBase64[v >> 6 & 63];
    out += kBase64[v & 63];
  }
  if (i < bytes.size()) {
    const bool two = i + 1 < bytes.size();
    const std::uint32_t v = at(i) << 16 | (two ? at(i + 1) << 8 : 0);
    out += kBase64[v >> 18];
    out += kBase64[v >> 12 & 63];
    out += two ? kBase64[v >> 6 & 63] : '=';
    out += '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t pad =
        last ? (text[i + 3] == '=') + (text[i + 2] == '=' && text[i + 3] == '=') : 0;
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int value = k >= 4 - pad ? 0 : kBase64Values[static_cast<unsigned char>(text[i + k])];
      if (value < 0) return std::nullopt;
      v = v << 6 | static_cast<std::uint32_t>(value);
    }
    out += static_cast<char>(v >> 16);
    if (pad < 2) out += static_cast<char>(v >> 8);
    if (pad < 1) out += static_cast<char>(v);
  }
  return out;
}

std::string percent_encode(std::string_view text, Slash slash) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool keep = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~' ||
                      (c == '/' && slash == Slash::kKeep);
    if (keep) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 0xf];
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kSpace) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace {
// Length of the valid UTF-8 sequence at `i`, or 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(i + k) & 0xc0) != 0x80) return 0;
  const unsigned char second = byte(i + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
    return 0;
  return length;
}
}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = sequence_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::size_t utf8_length(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

namespace {
using namespace std::chrono;

struct Civil {
  year_month_day day;
  hh_mm_ss<microseconds> time;
};
Civil civil(Time time) {
  const auto day = floor<days>(time);
  return {year_month_day(day), hh_mm_ss<microseconds>(time - day)};
}
template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char buffer[64];
  const int length = std::snprintf(buffer, sizeof buffer, format, arguments...);
  return std::string(buffer, static_cast<std::size_t>(length));
}
std::string date_and_time(const Civil& c) {
  return formatted("%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(c.day.year()),
                   static_cast<unsigned>(c.day.month()), static_cast<unsigned>(c.day.day()),
                   static_cast<int>(c.time.hours().count()),
                   static_cast<int>(c.time.minutes().count()),
                   static_cast<int>(c.time.seconds().count()));
}
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads `count` digits at `at`, moving it on; -1 where they are not digits.
int digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i, ++at) {
    if (text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}
std::optional<Time> assemble(int y, int mo, int d, int h, int mi, int s, microseconds fraction) {
  const year_month_day day{year(y), month(static_cast<unsigned>(mo)),
                           std::chrono::day(static_cast<unsigned>(d))};
  if (y < 0 || mo < 1 || d < 1 || !day.ok() || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 ||
      s > 60)
    return std::nullopt;
  return Time(sys_days(day)) + hours(h) + minutes(mi) + seconds(s) + fraction;
}
}  // namespace

std::string iso8601(Time time) {
  const auto c = civil(time);
  std::string out = date_and_time(c);
  auto fraction = c.time.subseconds().count();
  if (fraction != 0) {
    std::string part = formatted(".%06d", static_cast<int>(fraction));
    while (part.back() == '0') part.pop_back();
    out += part;
  }
  return out + 'Z';
}

std::string iso8601_millis(Time time) {
  const auto c = civil(time);
  return date_and_time(c) +
         formatted(".%03dZ", static_cast<int>(c.time.subseconds().count() / 1000));
}

std::string basic_iso8601(Time time) {
  const auto c = civil(time);
  return formatted("%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(c.day.year()),
                   static_cast<unsigned>(c.day.month()), static_cast<unsigned>(c.day.day()),
                   static_cast<int>(c.time.hours().count()),
                   static_cast<int>(c.time.minutes().count()),
                   static_cast<int>(c.time.seconds().count()));
}

std::string http_date(Time time) {
  const auto c = civil(time);
  const weekday wd(floor<days>(time));
  std::string out = formatted(
      "%s, %02u %s %04d %02d:%02d:%02d", kDays[wd.c_encoding()], static_cast<unsigned>(c.day.day()),
      kMonths[static_cast<unsigned>(c.day.month()) - 1], static_cast<int>(c.day.year()),
      static_cast<int>(c.time.hours().count()), static_cast<int>(c.time.minutes().count()),
      static_cast<int>(c.time.seconds().count()));
  const auto fraction = c.time.subseconds().count();
  if (fraction != 0) {
    std::string part = formatted(".%06d", static_cast<int>(fraction));
    while (part.back() == '0') part.pop_back();
    out += part;
  }
  return out + " GMT";
}

std::optional<Time> parse_iso8601(std::string_view text) {
  std::size_t at = 0;
  const auto expect = [&](char c) {
    return at < text.size() && text[at] == c ? (++at, true) : false;
  };
  const int y = digits(text, at, 4);
  if (!expect('-')) return std::nullopt;
  const int mo = digits(text, at, 2);
  if (!expect('-')) return std::nullopt;
  const int d = digits(text, at, 2);
  if (at == text.size()) return assemble(y, mo, d, 0, 0, 0, microseconds(0));
  if (!expect('T') && !expect('t')) return std::nullopt;
  const int h = digits(text, at, 2);
  if (!expect(':')) return std::nullopt;
  const int mi = digits(text, at, 2);
  if (!expect(':')) return std::nullopt;
  const int s = digits(text, at, 2);
  microseconds fraction(0);
  if (expect('.')) {
    int scale = 100000;
    bool any = false;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10, any = true)
      fraction += microseconds((text[at] - '0') * scale);
    if (!any) return std::nullopt;
  }
  seconds offset(0);
  if (!expect('Z') && !expect('z')) {
    const bool plus = expect('+');
    if (!plus && !expect('-')) return std::nullopt;
    const int oh = digits(text, at, 2);
    if (!expect(':')) return std::nullopt;
    const int om = digits(text, at, 2);
    if (oh < 0 || om < 0) return std::nullopt;
    offset = (plus ? 1 : -1) * seconds(oh * 3600 + om * 60);
  }
  if (at != text.size()) return std::nullopt;
  auto time = assemble(y, mo, d, h, mi, s, fraction);
  if (time) *time -= offset;
  return time;
}

std::optional<Time> parse_basic_iso8601(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  std::size_t at = 0;
  const int y = digits(text, at, 4), mo = digits(text, at, 2), d = digits(text, at, 2);
  ++at;
  const int h = digits(text, at, 2), mi = digits(text, at, 2), s = digits(text, at, 2);
  return assemble(y, mo, d, h, mi, s, microseconds(0));
}

std::optional<Time> parse_http_date(std::string_view text) {
  // Sun, 25 Jan 2015 08:00:00[.fff] GMT
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  std::size_t at = comma + 2;
  const int d = digits(text, at, 2);
  if (at + 5 > text.size()) return std::nullopt;
  const auto name = text.substr(at + 1, 3);
  int mo = 0;
  for (int i = 0; i < 12; ++i)
    if (name == kMonths[i]) mo = i + 1;
  at += 5;
  const int y = digits(text, at, 4);
  ++at;
  const int h = digits(text, at, 2);
  ++at;
  const int mi = digits(text, at, 2);
  ++at;
  const int s = digits(text, at, 2);
  microseconds fraction(0);
  if (at < text.size() && text[at] == '.') {
    int scale = 100000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      fraction += microseconds((text[at] - '0') * scale);
  }
  if (text.substr(std::min(at, text.size())) != " GMT") return std::nullopt;
  return assemble(y, mo, d, h, mi, s, fraction);
}

}  // namespace pileus
