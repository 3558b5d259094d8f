#include "aws/patterns.h"

#include <re2/re2.h>

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "aws/validation.h"
#include "base/text.h"

namespace pileus::aws {

namespace {

// Patterns with look-around, as two that RE2 knows: one that must match, one that must not.
struct ByHand {
  std::string_view java;
  const char* must;
  const char* must_not;
};
constexpr ByHand kByHand[] = {
    {"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "[a-zA-Z0-9_-]+", "[0-9]+"},  // lambda Alias
    {"((?!^\\d+$)^[0-9a-zA-Z-_]+$)", "[0-9a-zA-Z_-]+", "[0-9]+"},  // lambda FunctionUrlQualifier
    {"[0-9A-Za-z\\.\\-_]*(?<!\\.)", "[0-9A-Za-z._-]*", ".*\\."},   // lambda S3Bucket
    {"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
     ".*--.*"},                      // iam accountAlias
    {"^(?!\\s*$).+", ".+", "\\s*"},  // events PathParameter
};

struct Matcher {
  std::unique_ptr<re2::RE2> must;      // nullptr: not enforced
  std::unique_ptr<re2::RE2> must_not;  // nullptr: nothing is forbidden
  std::string why;
};

std::unique_ptr<re2::RE2> compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  return std::make_unique<re2::RE2>(pattern, options);
}

Matcher make(std::string_view java) {
  for (const auto& known : kByHand)
    if (known.java == java) return {compile(known.must), compile(known.must_not), ""};
  const std::string pattern = to_re2(java);
  if (pattern.empty())
    return {nullptr, nullptr, "look-around or class arithmetic, which RE2 does not have"};
  auto compiled = compile(pattern);
  if (!compiled->ok()) return {nullptr, nullptr, compiled->error()};
  return {std::move(compiled), nullptr, ""};
}

// Shared by all threads; a thread remembers what it has looked up, so a check takes no lock.
const Matcher& matcher(const char* pattern) {
  thread_local std::unordered_map<const char*, const Matcher*> known;
  const Matcher*& mine = known[pattern];
  if (mine) return *mine;
  static std::mutex mutex;  // guards all
  static std::map<std::string, Matcher, std::less<>> all;
  const std::lock_guard lock(mutex);
  auto found = all.find(std::string_view(pattern));
  if (found == all.end()) found = all.emplace(pattern, make(pattern)).first;
  mine = &found->second;
  return *mine;
}

constexpr std::pair<std::string_view, std::string_view> kPosix[] = {
    {"Alnum", "[:alnum:]"}, {"Alpha", "[:alpha:]"},  {"Digit", "[:digit:]"}, {"Graph", "[:graph:]"},
    {"Lower", "[:lower:]"}, {"Print", "[:print:]"},  {"Punct", "[:punct:]"}, {"Space", "[:space:]"},
    {"Upper", "[:upper:]"}, {"ASCII", "\\x00-\\x7F"}};

// Four hex digits at `at`, or -1.
long hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  long value = 0;
  for (const char c : text.substr(at, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

std::string code_point(long value) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string digits;
  for (int shift = 20; shift >= 0; shift -= 4) digits += kHex[(value >> shift) & 15];
  return str("\\x{", digits, "}");
}

class Translator {
 public:
  explicit Translator(std::string_view java) : in_(java) {}

  std::string run() {
    while (at_ < in_.size() && !failed_) step();
    return failed_ ? "" : out_;
  }

 private:
  void step() {
    const char c = in_[at_];
    if (c == '\\') return escape();
    if (in_class_) {
      if (c == '[' && in_.substr(at_, 2) != "[:") {  // Java's nested class; a plain '[' to RE2
        if (class_start_ == at_) {
          out_ += "\\[";
          ++at_;
          return;
        }
        out_ += "\\[";
        ++at_;
        return;
      }
      if (in_.substr(at_, 2) == "&&") {
        failed_ = true;
        return;
      }
      if (c == ']' && at_ > class_start_) in_class_ = false;
    } else if (c == '[') {
      in_class_ = true;
      class_start_ = at_ + 1 + (in_.substr(at_ + 1, 1) == "^" ? 1 : 0);
    } else if (c == '(' && in_.substr(at_, 2) == "(?" &&
               in_.substr(at_ + 2, 1).find_first_of("=!<>") == 0) {
      failed_ = true;
      return;
    } else if (c == '{') {
      return repeat();
    }
    out_ += c;
    ++at_;
  }

  void escape() {
    const std::string_view rest = in_.substr(at_ + 1);
    if (rest.starts_with('u')) return unicode();
    if (rest.starts_with("p{")) {
      const auto close = rest.find('}');
      const auto name = rest.substr(2, close == rest.npos ? close : close - 2);
      for (const auto& [java, posix] : kPosix)
        if (name == java) {
          out_ += in_class_ ? std::string(posix) : str("[", posix, "]");
          at_ += 2 + close;
          return;
        }
    }
    if (rest.starts_with('_')) {  // RE2 refuses this needless escape
      out_ += '_';
      at_ += 2;
      return;
    }
    out_ += in_.substr(at_, 2);
    at_ += 2;
  }

  // \uXXXX; a pair of surrogates is one character.
  void unicode() {
    const long first = hex4(in_, at_ + 2);
    if (first < 0) {
      failed_ = true;
      return;
    }
    const bool high = first >= 0xD800 && first <= 0xDBFF;
    const long second = high && in_.substr(at_ + 6, 2) == "\\u" ? hex4(in_, at_ + 8) : -1;
    if (second >= 0xDC00 && second <= 0xDFFF) {
      out_ += code_point(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
      at_ += 12;
    } else if (first >= 0xD800 && first <= 0xDFFF) {
      failed_ = true;
    } else {
      out_ += code_point(first);
      at_ += 6;
    }
  }

  // RE2 counts to 1000. What is longer is left to the length that such members carry as well.
  void repeat() {
    const auto close = in_.find('}', at_);
    const auto body = in_.substr(at_ + 1, close == in_.npos ? close : close - at_ - 1);
    const auto comma = body.find(',');
    const auto low = parse_int(body.substr(0, comma));
    const auto high = comma == body.npos ? low : parse_int(body.substr(comma + 1));
    if (close == in_.npos || !low) {
      out_ += in_[at_++];
      return;
    }
    if (*low > 1000 || (high && *high > 1000))
      out_ += *low > 0 ? str("{", std::min<std::int64_t>(*low, 1000), ",}") : "*";
    else
      out_ += in_.substr(at_, close - at_ + 1);
    at_ = close + 1;
  }

  std::string_view in_;
  std::string out_;
  std::size_t at_ = 0;
  std::size_t class_start_ = 0;
  bool in_class_ = false;
  bool failed_ = false;
};

}  // namespace

std::string to_re2(std::string_view java) { return Translator(java).run(); }

bool pattern_enforced(const char* pattern, std::string* why) {
  const Matcher& m = matcher(pattern);
  if (why) *why = m.why;
  return m.must != nullptr;
}

bool pattern_matches(const char* pattern, std::string_view text) {
  const Matcher& m = matcher(pattern);
  const re2::StringPiece piece(text.data(), text.size());
  if (m.must && !re2::RE2::FullMatch(piece, *m.must)) return false;
  return !m.must_not || !re2::RE2::FullMatch(piece, *m.must_not);
}

}  // namespace pileus::aws
